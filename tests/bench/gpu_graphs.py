"""The graphs of the benchmark for one GPU, as ONNX files: gpu_graphs.py FOLDER [--small].

In: nothing. Out: FOLDER/NAME.onnx for each workload of gpu_workloads.h, of full or of small sizes; for a workload too large for
the reference also NAME.check.onnx, of full width and one layer.
Invariant: one seed gives the same bytes. Large weights of full sizes are stretches of files that the machine with the GPU fills
with random numbers (gpu.cpp): each begins elsewhere, they overlap, and no two are the same.
"""

import argparse
import dataclasses
import pathlib
import sys
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
import architectures
import onnx_writer
import transformers

F16 = TensorProto.FLOAT16
# What gpu.cpp fills: halves of both signs, bytes, and positive halves for scales.
POOLS = {"weights": ("weights.bin", F16, 2), "bytes": ("bytes.bin", TensorProto.UINT8, 1), "scales": ("scales.bin", F16, 2)}
SMALLEST_IN_POOL = 1 << 16  # elements


class Weights:
    """Initializers by name: from the pools at full sizes, drawn at small ones."""

    def __init__(self, seed, pools):
        self.seed, self.pools, self.count = seed, pools, 0

    def stretch(self, pool, name, shape):
        location, dtype, size_bytes = POOLS[pool]
        tensor = TensorProto(name=name, data_type=dtype, dims=shape, data_location=TensorProto.EXTERNAL)
        length = size_bytes * int(np.prod(shape))
        for key, value in (("location", location), ("offset", 4096 * self.count), ("length", length)):
            tensor.external_data.add(key=key, value=str(value))
        self.count += 1
        return tensor

    def tensor(self, name, shape, scale, centre=0.0):
        if self.pools and np.prod(shape) >= SMALLEST_IN_POOL:
            return self.stretch("weights", name, shape)
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        return numpy_helper.from_array((centre + scale * random.standard_normal(shape)).astype(np.float16), name)


class Graph:
    """Nodes in order; a method adds one and returns its result's name. Everything is f16."""

    def __init__(self, name, pools):
        self.name, self.weights = name, Weights(zlib.crc32(name.encode()), pools)
        self.nodes, self.initializers, self.inputs = [], [], []

    def input(self, name, *shape):
        self.inputs.append(helper.make_tensor_value_info(name, F16, shape))
        return name

    def weight(self, name, *shape, centre=0.0):
        scale = shape[0] ** -0.5 if len(shape) > 1 else 0.1
        self.initializers.append(self.weights.tensor(name, shape, scale, centre))
        return name

    def number(self, value):
        name = f"number{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.float16(value), name))
        return name

    def node(self, op, *inputs, **attributes):
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def model(self, *outputs):
        values = [helper.make_tensor_value_info(x, F16, None) for x in outputs]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, values, self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11, producer_name="tuff-tests")


def gemm_gelu(g, rows, depth, columns):
    y = g.node("MatMul", g.input("x", rows, depth), g.weight("weight", depth, columns))
    return g.model(g.node("Gelu", g.node("Add", y, g.weight("bias", columns))))


def gemm(g, rows, depth, columns):
    return g.model(g.node("MatMul", g.input("x", rows, depth), g.weight("weight", depth, columns)))


def swiglu(g, tokens, width, inner):
    x = g.input("x", tokens, width)
    gate = g.node("MatMul", x, g.weight("gate", width, inner))
    up = g.node("MatMul", x, g.weight("up", width, inner))
    y = g.node("Mul", g.node("Mul", gate, g.node("Sigmoid", gate)), up)
    return g.model(g.node("MatMul", y, g.weight("down", inner, width)))


def rms_norm(g, rows, width):
    """The sum is an output, too: the next layer adds to it."""
    total = g.node("Add", g.input("x", rows, width), g.input("residual", rows, width))
    return g.model(g.node("RMSNormalization", total, g.weight("scale", width, centre=1.0), axis=-1), total)


def softmax(g, rows, columns):
    return g.model(g.node("Softmax", g.input("x", rows, columns), axis=-1))


def attention(g, heads, tokens, head):
    q, k, v = (g.input(name, 1, heads, tokens, head) for name in ("q", "k", "v"))
    return g.model(g.node("Attention", q, k, v, is_causal=1))


def chain(g, rows, columns):
    """8 operators that no rule of algebra makes fewer."""
    x = g.input("x", rows, columns)
    for op, value in (("Mul", 1.5), ("Add", 0.25), ("Max", -1.0), ("Mul", 0.75), ("Min", 1.0), ("Sub", 0.5)):
        x = g.node(op, x, g.number(value))
    x = g.node("Abs", x)
    return g.model(g.node("Mul", x, x))


def tiny(g, count, width):
    """Each layer reads all of the one before, so that no two share a kernel."""
    x = g.input("x", 1, width)
    for i in range(count):
        x = g.node("Tanh", g.node("MatMul", x, g.weight(f"weight{i}", width, width)))
    return g.model(x)


class DecoderWeights(Weights):
    """transformers.decoder's, which is in f32: only sizes and pools count until in_halves()."""

    def tensor(self, name, shape, scale, centre=0.0):
        tensor = super().tensor(name, shape, scale, centre)
        if tensor.data_location != TensorProto.EXTERNAL:
            return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), name)
        return tensor


def in_halves(model):
    """Every f32 value, weight and cast as f16; what is beyond its range becomes its least and largest number."""
    limit = np.finfo(np.float16).max
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            array = np.clip(numpy_helper.to_array(tensor), -limit, limit).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = F16
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.i == TensorProto.FLOAT:
                attribute.i = F16
    return model


def with_head(model, weights, width, vocabulary):
    """The logits instead of the last state."""
    graph = model.graph
    graph.initializer.append(weights.tensor("lm_head", [width, vocabulary], width**-0.5))
    graph.node.append(helper.make_node("MatMul", ["output", "lm_head"], ["logits"], name="lm_head"))
    kept = [value for value in graph.output if value.name != "output"]
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1, vocabulary]))
    graph.output.extend(kept)
    return model


def in_four_bits(model, weights, block):
    """Products with weights become MatMulNBits; a weight's scales lie around 1/4.6 of its spread, which is that of 0 to 15."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "MatMul" or node.input[1] not in tensors:
            continue
        old = tensors.pop(node.input[1])
        depth, columns = old.dims
        name, blocks = old.name, depth // block
        if weights.pools:
            q = weights.stretch("bytes", f"{name}.q", [columns, blocks, block // 2])
            scales = weights.stretch("scales", f"{name}.scales", [columns * blocks])
        else:
            format = transformers.FourBits(block, symmetric=True)
            arrays = format.quantized(numpy_helper.to_array(old).astype(np.float32))
            q = numpy_helper.from_array(arrays[0], f"{name}.q")
            scales = numpy_helper.from_array(arrays[1].astype(np.float16), f"{name}.scales")
        tensors |= {q.name: q, scales.name: scales}
        sizes = dict(K=depth, N=columns, bits=4, block_size=block)
        node.CopyFrom(
            helper.make_node(
                "MatMulNBits", [node.input[0], q.name, scales.name], node.output, node.name, domain="com.microsoft", **sizes
            )
        )
    del model.graph.initializer[:]
    model.graph.initializer.extend(tensors.values())
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


def decoder(pools, sizes, vocabulary, block=0):
    weights = DecoderWeights(8, pools)
    model = with_head(transformers.decoder(sizes, weights), weights, sizes.width, vocabulary)
    model = in_halves(model)
    return in_four_bits(model, weights, block) if block else model


def resnet(batch, side, network):
    """In f32: the program rounds it (TUFF_PRECISION_F16)."""
    model = onnx_writer.to_onnx(network, 17)
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    for size, value in zip(sizes, (batch, 3, side, side), strict=True):
        size.dim_value = value
    model.graph.output[0].type.tensor_type.ClearField("shape")
    return model


def small_resnet():
    return architectures.resnet("resnet_small", 5, [1, 1], bottleneck=True)


LLAMA_8B = transformers.Sizes(layers=32, width=4096, heads=32, key_heads=8, inner=14336, tokens=128)
SMALL_DECODER = transformers.Sizes(layers=1, width=64, heads=8, key_heads=2, inner=160, tokens=24)


def simple_models(small):
    """Name: (function, its sizes)."""
    if small:
        return {
            "gemm_gelu": (gemm_gelu, 131, 96, 72),
            "gemm": (gemm, 97, 128, 64),
            "swiglu_1": (swiglu, 1, 64, 160),
            "swiglu_512": (swiglu, 33, 64, 160),
            "rms_norm": (rms_norm, 37, 130),
            "softmax": (softmax, 37, 257),
            "attention": (attention, 3, 65, 16),
            "chain": (chain, 5, 1031),
            "tiny": (tiny, 20, 16),
        }
    return {
        "gemm_gelu": (gemm_gelu, 4096, 4096, 4096),
        "gemm": (gemm, 8192, 8192, 8192),
        "swiglu_1": (swiglu, 1, 4096, 14336),
        "swiglu_512": (swiglu, 512, 4096, 14336),
        "rms_norm": (rms_norm, 8192, 4096),
        "softmax": (softmax, 8192, 8192),
        "attention": (attention, 32, 4096, 128),
        "chain": (chain, 1 << 12, 1 << 16),
        "tiny": (tiny, 500, 16),
    }


def models(small):
    """Names and models, one after the other."""
    pools = not small
    for name, (build, *sizes) in simple_models(small).items():
        yield name, build(Graph(name, pools), *sizes)
    sizes, vocabulary = (SMALL_DECODER, 50) if small else (LLAMA_8B, 128256)
    one_layer = dataclasses.replace(sizes, layers=1)
    for name, block in (("decode", 0), ("decode_int4", 32 if small else 128)):
        yield name, decoder(pools, sizes, vocabulary, block)
        if not small:
            yield name + ".check", decoder(pools, one_layer, 4096, block)
    network = small_resnet() if small else architectures.resnet50()
    for name, batch in (("resnet50_1", 1), ("resnet50_64", 3 if small else 64)):
        yield name, resnet(batch, 64 if small else 224, network)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, model in models(options.small):
        (options.folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
