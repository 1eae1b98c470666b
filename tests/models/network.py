"""A convolutional network as a list of layers, before any file format.

In: calls of the builder methods, in order. Out: `layers`, each with its inputs by value name, its
attributes and its weights, and the shape of every value.
Invariant: weights depend on the seed and on the layers alone, not on the machine: what is measured
to scale them is measured in double precision and rounded to 12 bits.

Weights are random but scaled and centred by what each layer gives for a calibration picture. With
plain random weights the mean of each channel outgrows its variation within a few layers, the logits
hardly depend on the picture, and a wrong border or tile would pass unseen.
"""

import dataclasses
import zlib

import numpy as np

from evaluate import evaluate
from picture import picture


@dataclasses.dataclass
class Layer:
    kind: str
    name: str
    inputs: list
    output: str
    attributes: dict = dataclasses.field(default_factory=dict)
    weights: dict = dataclasses.field(default_factory=dict)


def rounded(x):
    """To 12 significant bits, far above the last bits in which machines differ."""
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 4096) / 4096, exponent)


def jitter(random, count):
    return random.standard_normal(count) * 0.1


class Network:
    """Values are named by the layer that makes them; shapes are (C, H, W), (C,) or a matrix's, with batch 1."""

    def __init__(self, name, seed, input_shape=(3, 224, 224)):
        self.name = name
        self.seed = seed
        self.layers = []
        self.shapes = {"input": tuple(input_shape)}
        self.calibration = {"input": picture("calibration", input_shape).astype(np.float64)}
        self.output = None

    def random(self, name):
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def add_layer(self, kind, name, inputs, attributes=None, weights=None):
        output = f"{name}:out"
        assert output not in self.shapes, f"two layers are named {name}"
        layer = Layer(kind, name, list(inputs), output, attributes or {}, weights or {})
        self.layers.append(layer)
        y = evaluate(kind, layer.attributes, layer.weights, [self.calibration[x] for x in inputs])
        self.calibration[output] = y
        self.shapes[output] = y.shape
        self.output = output
        return output

    def scaled(self, kind, x, name, shape, attributes):
        """Random weights with which the layer's output has variance 1, and that output."""
        weight = self.random(name).standard_normal(shape)
        y = evaluate(kind, attributes, {"weight": weight, "bias": np.zeros(shape[0])}, [self.calibration[x]])
        deviation = rounded(y.std(axis=(1, 2)).mean() if y[0].size > 1 else y.std())
        return (weight / deviation).astype(np.float32), y / deviation

    def conv(self, x, name, channels, kernel, stride=1, pad=0, groups=1, bias=False):
        attributes = dict(kernel=kernel, stride=stride, pad=pad, groups=groups)
        shape = (channels, self.shapes[x][0] // groups, kernel, kernel)
        weight, y = self.scaled("conv", x, name, shape, attributes)
        weights = {"weight": weight}
        if bias:
            # After a global pool a channel is one number, and centring it would leave nothing.
            mean = y.mean((1, 2)) if y[0].size > 1 else np.zeros(channels)
            weights["bias"] = (jitter(self.random(name + ".bias"), channels) - rounded(mean)).astype(np.float32)
        return self.add_layer("conv", name, [x], attributes, weights)

    def batchnorm(self, x, name, scale=1.0):
        """The statistics are the measured ones, jittered; `scale` shrinks a residual branch."""
        y = self.calibration[x]
        channels = y.shape[0]
        random = self.random(name)
        weights = {
            "weight": scale * random.uniform(0.8, 1.2, channels),
            "bias": jitter(random, channels),
            "running_mean": rounded(y.mean((1, 2))) + jitter(random, channels),
            "running_var": rounded(y.var((1, 2))) * random.uniform(0.7, 1.4, channels) + 0.01,
        }
        weights = {key: value.astype(np.float32) for key, value in weights.items()}
        return self.add_layer("batchnorm", name, [x], dict(epsilon=1e-5), weights)

    def pointwise(self, kind, name, *inputs):
        """relu, relu6, sigmoid, dropout, add, mul; a second input of (C, 1, 1) is broadcast."""
        return self.add_layer(kind, name, inputs)

    def silu(self, x, name):
        return self.pointwise("mul", f"{name}.mul", x, self.pointwise("sigmoid", f"{name}.sigmoid", x))

    def max_pool(self, x, name, kernel, stride, pad=0, ceil=False):
        return self.add_layer("max_pool", name, [x], dict(kernel=kernel, stride=stride, pad=pad, ceil=ceil))

    def global_pool(self, x, name):
        return self.add_layer("global_pool", name, [x])

    def concat(self, name, *inputs):
        return self.add_layer("concat", name, inputs)

    def slice(self, x, name, begin, end):
        """Channels begin to end - 1."""
        return self.add_layer("slice", name, [x], dict(begin=begin, end=end))

    def shuffle(self, x, name, groups):
        """The first channel of each group, then the second of each, and so on."""
        return self.add_layer("shuffle", name, [x], dict(groups=groups))

    def flatten(self, x, name, by_shape=False):
        """by_shape: reshape(x.shape[0], -1) as an exporter traces it, six nodes instead of one."""
        return self.add_layer("flatten", name, [x], dict(by_shape=by_shape))

    def linear(self, x, name, features):
        weight, _ = self.scaled("linear", x, name, (features, self.shapes[x][0]), {})
        bias = jitter(self.random(name + ".bias"), features).astype(np.float32)
        return self.add_layer("linear", name, [x], {}, {"weight": weight, "bias": bias})

    def matmul(self, x, name, columns):
        """A matrix times a weight."""
        depth = self.shapes[x][1]
        weight = self.random(name).standard_normal((depth, columns)) * depth**-0.5
        return self.add_layer("matmul", name, [x], {}, {"weight": weight.astype(np.float32)})

    def run(self, image):
        """The output for one (C, H, W) image in double precision, from the float32 weights."""
        values = {"input": image.astype(np.float64)}
        for layer in self.layers:
            values[layer.output] = evaluate(
                layer.kind, layer.attributes, layer.weights, [values[x] for x in layer.inputs]
            )
        return values[self.output]


def fold_batchnorm(network):
    """conv then batchnorm becomes one conv: w' = w s, b' = (b - mean) s + beta, s = gamma / sqrt(var + eps)."""
    folded = Network(network.name, network.seed, network.shapes["input"])
    folded.shapes = dict(network.shapes)
    renamed = {}
    for layer in network.layers:
        if layer.kind != "batchnorm":
            inputs = [renamed.get(x, x) for x in layer.inputs]
            folded.layers.append(dataclasses.replace(layer, inputs=inputs, weights=dict(layer.weights)))
            continue
        conv = folded.layers[-1]
        assert conv.kind == "conv" and layer.inputs == [conv.output], layer.name
        w = {key: value.astype(np.float64) for key, value in layer.weights.items()}
        scale = w["weight"] / np.sqrt(w["running_var"] + layer.attributes["epsilon"])
        bias = conv.weights.get("bias", np.float64(0))
        conv.weights = {
            "weight": (conv.weights["weight"] * scale[:, None, None, None]).astype(np.float32),
            "bias": ((bias - w["running_mean"]) * scale + w["bias"]).astype(np.float32),
        }
        renamed[layer.output] = conv.output
    folded.output = renamed.get(network.output, network.output)
    return folded
