"""The network, once for training and once as ONNX.

    head   Conv 5x5 3 -> 32, Relu
    blocks three times  x + Conv3x3(Relu(Conv3x3(x)))
    tail   Conv 3x3 32 -> 12, plus a fixed 1x1 Conv that repeats each input channel four times
    out    DepthToSpace x2 (CRD), Clip to 0..1

All convolutions run at low resolution (sub-pixel convolution: Shi et al. 2016, arXiv:1609.05158), and learn only
what nearest-neighbour repetition lacks. The repetition has a 1x1 window, so that zero padding cannot darken the rim.
Invariant: to_onnx(network) computes what network.forward computes, for any height and width.
"""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

WIDTH = 32
BLOCKS = 3


class SuperResolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(3, WIDTH, 5, padding=2)
        self.inner = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(BLOCKS))
        self.outer = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(BLOCKS))
        self.tail = nn.Conv2d(WIDTH, 12, 3, padding=1)
        for conv in [self.head, *self.inner]:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)
        for conv in [*self.outer, self.tail]:  # start close to plain repetition: training is short then
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.zeros_(conv.bias)

    def forward(self, image):
        value = functional.relu(self.head(image))
        for inner, outer in zip(self.inner, self.outer):
            value = value + outer(functional.relu(inner(value)))
        phases = self.tail(value) + image.repeat_interleave(4, dim=1)
        return functional.pixel_shuffle(phases, 2)  # unclipped: a clipped value has no gradient


def to_onnx(network):
    """The checked ONNX model of a trained network."""
    nodes, weights = [], []

    def constant(name, array):
        weights.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(module, value, output):
        weight = constant(output + ".weight", module.weight.detach().numpy())
        bias = constant(output + ".bias", module.bias.detach().numpy())
        size, pad = module.kernel_size[0], module.padding[0]
        return node("Conv", [value, weight, bias], output, kernel_shape=[size, size], pads=[pad] * 4)

    value = node("Relu", [conv(network.head, "image", "head")], "head.relu")
    for i, (inner, outer) in enumerate(zip(network.inner, network.outer)):
        change = node("Relu", [conv(inner, value, f"block{i}.inner")], f"block{i}.relu")
        value = node("Add", [value, conv(outer, change, f"block{i}.outer")], f"block{i}.add")
    repetition = np.zeros((12, 3, 1, 1), np.float32)
    repetition[np.arange(12), np.arange(12) // 4] = 1.0
    repeated = node("Conv", ["image", constant("repeat.weight", repetition)], "repeat", kernel_shape=[1, 1])
    phases = node("Add", [conv(network.tail, value, "tail"), repeated], "phases")
    pixels = node("DepthToSpace", [phases], "pixels", blocksize=2, mode="CRD")
    node("Clip", [pixels, constant("black", 0.0), constant("white", 1.0)], "upscaled")

    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])
    upscaled = helper.make_tensor_value_info("upscaled", TensorProto.FLOAT, [1, 3, "height_x2", "width_x2"])
    graph = helper.make_graph(nodes, "super_resolution_x2", [image], [upscaled], weights)
    model = helper.make_model(graph, producer_name="tuff", opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model
