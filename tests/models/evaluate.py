"""One layer of a Network in double precision.

In: the layer's kind, attributes, weights and input arrays, (C, H, W), (rows, columns) or (C,). Out: its output array.
Invariant: no rounding below double, so that the result can serve as the truth.
"""

import numpy as np


def conv(x, weight, kernel, stride, pad, groups):
    channels, height, width = x.shape
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    rows, columns = ((size + 2 * pad - kernel) // stride + 1 for size in (height, width))
    depthwise = groups == channels and weight.shape[1] == 1
    assert depthwise or groups == 1
    out = np.zeros((weight.shape[0], rows, columns))
    for i in range(kernel):
        for j in range(kernel):
            seen = x[:, i : i + stride * rows : stride, j : j + stride * columns : stride]
            seen = seen[:, :rows, :columns]
            tap = weight[:, :, i, j].astype(np.float64)
            if depthwise:
                out += tap[:, :, None] * seen
            else:
                out += (tap @ seen.reshape(channels, -1)).reshape(out.shape)
    return out


def max_pool(x, kernel, stride, pad, ceil):
    channels, height, width = x.shape
    slack = stride - 1 if ceil else 0
    rows, columns = ((size + 2 * pad - kernel + slack) // stride + 1 for size in (height, width))
    right = kernel + stride
    x = np.pad(x, ((0, 0), (pad, right), (pad, right)), constant_values=-np.inf)
    views = [
        x[:, i : i + stride * rows : stride, j : j + stride * columns : stride]
        for i in range(kernel)
        for j in range(kernel)
    ]
    return np.max([view[:, :rows, :columns] for view in views], axis=0)


def batchnorm(x, weights, epsilon):
    w = {key: value.astype(np.float64)[:, None, None] for key, value in weights.items()}
    return (x - w["running_mean"]) / np.sqrt(w["running_var"] + epsilon) * w["weight"] + w["bias"]


def evaluate(kind, attributes, weights, inputs):
    x = inputs[0]
    if kind == "conv":
        y = conv(x, weights["weight"], **attributes)
        return y + weights["bias"].astype(np.float64)[:, None, None] if "bias" in weights else y
    if kind == "linear":
        return weights["weight"].astype(np.float64) @ x + weights["bias"]
    if kind == "batchnorm":
        return batchnorm(x, weights, **attributes)
    if kind == "max_pool":
        return max_pool(x, **attributes)
    if kind == "matmul":
        return x @ weights["weight"].astype(np.float64)
    if kind == "slice":
        return x[attributes["begin"] : attributes["end"]]
    if kind == "shuffle":
        return x.reshape(attributes["groups"], -1, *x.shape[1:]).swapaxes(0, 1).reshape(x.shape)
    return {
        "relu": lambda: np.maximum(x, 0),
        "relu6": lambda: np.clip(x, 0, 6),
        "sigmoid": lambda: 1 / (1 + np.exp(-x)),
        "add": lambda: x + inputs[1],
        "mul": lambda: x * inputs[1],
        "dropout": lambda: x,
        "global_pool": lambda: x.mean((1, 2), keepdims=True),
        "concat": lambda: np.concatenate(inputs),
        "flatten": lambda: x.reshape(-1),
    }[kind]()
