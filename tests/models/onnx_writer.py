"""A Network as an ONNX model.

In: a Network, an opset from 13 to 17. Out: onnx.ModelProto, checked, with batch 1.
Invariant: one node a layer, in order, but for flatten(by_shape), which is the six nodes that an
exporter traces from reshape(x.shape[0], -1), and for a shuffle of channels, which is three.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

POINTWISE = {"relu": "Relu", "sigmoid": "Sigmoid", "add": "Add", "mul": "Mul"}


class Writer:
    def __init__(self, network):
        self.network = network
        self.nodes = []
        self.initializers = {}
        self.value_names = {"input": "input", network.output: "output"}

    def constant(self, name, array):
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(np.array(array, order="C"), name)
        return name

    def node(self, op, layer_name, inputs, output, suffix="", **attributes):
        path = "/" + layer_name.replace(".", "/")
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{path}/{op}{suffix}", **attributes))
        return output

    def value(self, value):
        if value not in self.value_names:
            layer_name = value.removesuffix(":out")
            self.value_names[value] = "/" + layer_name.replace(".", "/") + "_output"
        return self.value_names[value]

    def write(self, layer):
        inputs = [self.value(x) for x in layer.inputs]
        output = self.value(layer.output)
        a = layer.attributes
        weights = {key: self.constant(f"{layer.name}.{key}", array) for key, array in layer.weights.items()}
        if layer.kind == "conv":
            self.node(
                "Conv",
                layer.name,
                inputs + list(weights.values()),
                output,
                dilations=[1, 1],
                group=a["groups"],
                kernel_shape=[a["kernel"]] * 2,
                pads=[a["pad"]] * 4,
                strides=[a["stride"]] * 2,
            )
        elif layer.kind == "batchnorm":
            self.node(
                "BatchNormalization",
                layer.name,
                inputs + list(weights.values()),
                output,
                epsilon=a["epsilon"],
                momentum=0.9,
            )
        elif layer.kind in POINTWISE:
            self.node(POINTWISE[layer.kind], layer.name, inputs, output)
        elif layer.kind == "relu6":
            limits = [self.constant("zero", np.float32(0)), self.constant("six", np.float32(6))]
            self.node("Clip", layer.name, inputs + limits, output)
        elif layer.kind == "dropout":
            self.node("Dropout", layer.name, inputs + [self.constant("half", np.float32(0.5))], output)
        elif layer.kind == "max_pool":
            self.node(
                "MaxPool",
                layer.name,
                inputs,
                output,
                ceil_mode=int(a["ceil"]),
                kernel_shape=[a["kernel"]] * 2,
                pads=[a["pad"]] * 4,
                strides=[a["stride"]] * 2,
            )
        elif layer.kind == "global_pool":
            self.node("GlobalAveragePool", layer.name, inputs, output)
        elif layer.kind == "concat":
            self.node("Concat", layer.name, inputs, output, axis=1)
        elif layer.kind == "slice":
            limits = [self.integers(layer.name, part, [at]) for part, at in (("begin", a["begin"]), ("end", a["end"]))]
            self.node("Slice", layer.name, [*inputs, *limits, self.constant("channels", np.array([1], np.int64))], output)
        elif layer.kind == "shuffle":
            self.shuffle(layer, inputs[0], output)
        elif layer.kind == "matmul":
            self.node("MatMul", layer.name, inputs + list(weights.values()), output)
        elif layer.kind == "flatten" and a["by_shape"]:
            self.flatten_by_shape(layer.name, inputs[0], output)
        elif layer.kind == "flatten":
            self.node("Flatten", layer.name, inputs, output, axis=1)
        elif layer.kind == "linear":
            self.node("Gemm", layer.name, inputs + list(weights.values()), output, alpha=1.0, beta=1.0, transB=1)
        else:
            raise ValueError(f"Layer {layer.name} is of kind {layer.kind}, which has no ONNX form.")

    def integers(self, layer_name, part, values):
        return self.constant(f"{layer_name}.{part}", np.array(values, np.int64))

    def shuffle(self, layer, x, output):
        """Channels as groups x members, exchanged."""
        name, groups = layer.name, layer.attributes["groups"]
        channels, *plane = self.network.shapes[layer.inputs[0]]
        grouped = self.integers(name, "grouped", [1, groups, channels // groups, *plane])
        y = self.node("Reshape", name, [x, grouped], f"/{name}/groups")
        y = self.node("Transpose", name, [y], f"/{name}/exchanged", perm=[0, 2, 1, 3, 4])
        flat = self.integers(name, "flat", [1, channels, *plane])
        self.node("Reshape", name, [y, flat], output, suffix="_1")

    def flatten_by_shape(self, name, x, output):
        shape = self.node("Shape", name, [x], f"/{name}/shape")
        zero = f"/{name}/zero"
        self.nodes.append(
            helper.make_node(
                "Constant", [], [zero], name=f"/{name}/Constant", value=numpy_helper.from_array(np.int64(0))
            )
        )
        batch = self.node("Gather", name, [shape, zero], f"/{name}/batch", axis=0)
        axes = self.integers(name, "axes", [0])
        batch = self.node("Unsqueeze", name, [batch, axes], f"/{name}/batch_1d")
        rest = self.integers(name, "rest", [-1])
        target = self.node("Concat", name, [batch, rest], f"/{name}/target", axis=0)
        self.node("Reshape", name, [x, target], output)


def to_onnx(network, opset):
    writer = Writer(network)
    for layer in network.layers:
        writer.write(layer)
    value_info = helper.make_tensor_value_info
    graph = helper.make_graph(
        writer.nodes,
        network.name,
        [value_info("input", TensorProto.FLOAT, [1, *network.shapes["input"]])],
        [value_info("output", TensorProto.FLOAT, [1, *network.shapes[network.output]])],
        initializer=list(writer.initializers.values()),
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, producer_name="tuff-tests"
    )
    onnx.checker.check_model(model)
    return model
