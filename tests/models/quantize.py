"""Writes a network with 8-bit weights and activations, as quantisers for onnxruntime do (QDQ).

In: the name of a network of Conv, Gemm, Add, Relu, MaxPool, GlobalAveragePool and Flatten, batch normalisation folded into
convolutions. Out: FOLDER/NAME_int8.onnx: weights i8 with a scale for each output channel, biases i32, activations u8 with the
range that they have for the calibration picture; each passes a QuantizeLinear and a DequantizeLinear, logits do not.
Invariant: every scale is a power of two, so that sums of dequantised products are exact in floats, too (they stay below 2^24
steps): whoever sums integers and whoever sums floats, in any order, must get the same bits.
"""

import argparse
import pathlib

import numpy as np
import onnx
from onnx import helper, numpy_helper

from architectures import ARCHITECTURES
from expected import every_value
from make_models import build
from network import rounded
from onnx_writer import to_onnx
from picture import picture


def power_of_two(scale):
    """The least that is not smaller, so that nothing is cut off."""
    return np.exp2(np.ceil(np.log2(rounded(np.asarray(scale, np.float64))))).astype(np.float32)


PRODUCTS = ("Conv", "Gemm")


class Quantizer:
    def __init__(self, model):
        self.graph = model.graph
        self.weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        (source,) = model.graph.input
        shape = [dim.dim_value for dim in source.type.tensor_type.shape.dim]
        feed = {source.name: picture("calibration", shape)}
        self.values = {**feed, **every_value(model, feed)}
        self.nodes, self.initializers, self.dequantized, self.scales = [], [], {}, {}

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def dequantize(self, name, q, scale, zero_point, **attributes):
        self.nodes.append(
            helper.make_node("DequantizeLinear", [q, scale, zero_point], [name], name=f"{name}/node", **attributes)
        )
        return name

    def activation(self, name):
        """The value after both nodes, which all of its readers share."""
        if name not in self.dequantized:
            values = self.values[name]
            low, high = (rounded(np.float64(v)) for v in (min(values.min(), 0), max(values.max(), 0)))
            scale = power_of_two((high - low) / 255)
            parameters = [
                self.constant(f"{name}.scale", scale),
                self.constant(f"{name}.zero_point", np.uint8(np.clip(np.round(-low / scale), 0, 255))),
            ]
            q = f"{name}.q"
            self.nodes.append(helper.make_node("QuantizeLinear", [name, *parameters], [q], name=f"{q}/node"))
            self.scales[name] = scale
            self.dequantized[name] = self.dequantize(f"{name}.dq", q, *parameters)
        return self.dequantized[name]

    def product_weights(self, node):
        """Both have their output channels first (Gemm: transB)."""
        weight, bias = (self.weights[name] for name in node.input[1:3])
        scale = power_of_two(np.abs(weight.reshape(len(weight), -1)).max(1) / 127)
        at = [-1] + [1] * (weight.ndim - 1)
        q = np.clip(np.round(weight / scale.reshape(at)), -127, 127).astype(np.int8)
        name = node.input[1]
        parameters = [
            self.constant(f"{name}.scale", scale),
            self.constant(f"{name}.zero_point", np.zeros(len(scale), np.int8)),
        ]
        node.input[1] = self.dequantize(f"{name}.dq", self.constant(f"{name}.q", q), *parameters, axis=0)
        bias_scale = (scale * self.scales[node.input[0]]).astype(np.float32)
        name = node.input[2]
        parameters = [
            self.constant(f"{name}.scale", bias_scale),
            self.constant(f"{name}.zero_point", np.zeros(len(scale), np.int32)),
        ]
        q = self.constant(f"{name}.q", np.round(bias / bias_scale).astype(np.int32))
        node.input[2] = self.dequantize(f"{name}.dq", q, *parameters, axis=0)

    def run(self):
        for node in self.graph.node:
            if node.op_type in PRODUCTS:
                self.activation(node.input[0])
                self.product_weights(node)
            activations = node.input[:1] if node.op_type in PRODUCTS else node.input
            for i, name in enumerate(activations):
                # What Relu cuts off is cut off before it is rounded.
                if node.op_type not in ("Relu", "Flatten"):
                    node.input[i] = self.activation(name)
            self.nodes.append(node)
        return helper.make_graph(
            self.nodes, f"{self.graph.name}_int8", self.graph.input, self.graph.output, self.initializers
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="+", choices=list(ARCHITECTURES))
    options = parser.parse_args()
    for name in options.names:
        model = to_onnx(build(name, "fold"), 17)
        graph = Quantizer(model).run()
        quantized = helper.make_model(
            graph, opset_imports=model.opset_import, ir_version=model.ir_version, producer_name="tuff-tests"
        )
        onnx.checker.check_model(quantized, full_check=True)
        data = quantized.SerializeToString(deterministic=True)
        (options.folder / f"{name}_int8.onnx").write_bytes(data)
        print(f"{name}_int8: {len(graph.node)} operators, {len(data)} bytes")


if __name__ == "__main__":
    main()
