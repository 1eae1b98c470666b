"""Three transformers as ONNX graphs of primitive operators, as PyTorch's exporter writes them at opset 17.

In: sizes and where weights come from. Out: onnx.ModelProto, checked, with batch 1 and every size fixed.

    vit       a picture to logits: convolution into patches, a class token, positions, blocks that normalise first
    encoder   token ids and a mask to hidden states: BERT's, which normalises behind each sum
    decoder   the state of one token, its position and the caches of all layers to the next state and the caches: Llama's,
              with RMS norms, rotary positions, fewer heads of keys than of queries, and SwiGLU. The caches have a fixed
              length and the position is data, so that every step has the same sizes.

A decoder's products may be com.microsoft's MatMulNBits instead, whose weights have 4 bits each (FourBits).

Invariant: one seed gives the same bytes. Embedding tables of the decoder are left out: it takes and gives hidden states.
"""

import dataclasses
import pathlib
import sys
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
LEAST = np.finfo(np.float32).min  # what is added to scores that do not count


@dataclasses.dataclass(frozen=True)
class FourBits:
    """Weights as integers of 4 bits, `block` neighbours along the summed axis with a scale of their own. Symmetric ones lie
    around 8; others have a zero point for each block, of 4 bits, too."""

    block: int
    symmetric: bool

    def quantized(self, weight):
        """weight: [inputs, outputs]. Returns MatMulNBits' (q, scales) or (q, scales, zero points), packed as it has them."""
        columns = weight.T
        count = -(-columns.shape[1] // self.block)
        filling = np.zeros((len(columns), count * self.block - columns.shape[1]), np.float32)
        blocks = np.concatenate([columns, filling], 1).reshape(len(columns), count, self.block)
        if self.symmetric:
            scale, zero = np.abs(blocks).max(2) / 7, np.full(blocks.shape[:2], 8)
        else:
            low, high = np.minimum(blocks.min(2), 0), np.maximum(blocks.max(2), 0)
            scale = (high - low) / 15
            zero = np.clip(np.round(-low / scale), 0, 15).astype(np.int64)
        q = np.clip(np.round(blocks / scale[..., None]) + zero[..., None], 0, 15).astype(np.uint8)
        parts = [packed_pairs(q), scale.astype(np.float32).reshape(-1)]
        return parts if self.symmetric else [*parts, packed_pairs(zero.astype(np.uint8)).reshape(-1)]


def packed_pairs(integers):
    """Two neighbours along the last axis in a byte, the first in its low half; of an odd count the last has a byte alone."""
    if integers.shape[-1] % 2:
        integers = np.concatenate([integers, np.zeros_like(integers[..., :1])], -1)
    return integers[..., 0::2] | integers[..., 1::2] << 4


@dataclasses.dataclass(frozen=True)
class Sizes:
    layers: int
    width: int
    heads: int
    inner: int  # of the two layers behind attention
    tokens: int = 0  # of the encoder; of the decoder: the length of its caches
    key_heads: int = 0
    vocabulary: int = 0
    side: int = 0  # of the picture
    patch: int = 32
    classes: int = 0
    four_bits: "FourBits | None" = None  # how the decoder's weights are quantised

    @property
    def head(self):
        return self.width // self.heads


class DrawnWeights:
    """Random weights inside the model, scaled so that values keep their size from layer to layer."""

    def __init__(self, seed):
        self.seed = seed

    def tensor(self, name, shape, scale, centre):
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        return numpy_helper.from_array((centre + scale * random.standard_normal(shape)).astype(np.float32), name)


class SharedWeights:
    """Real sizes without their gigabytes: each weight is another stretch of one file of random numbers, and they overlap.

    For planning, which looks at sizes and at which weights are the same; nothing else is to be computed from them.
    """

    def __init__(self, path, seed=1, size=1 << 25):
        self.path = pathlib.Path(path)
        self.count = 0
        self.size_bytes = 4 * size
        np.random.default_rng(seed).standard_normal(size, np.float32).tofile(self.path)

    def tensor(self, name, shape, scale, centre):
        del scale, centre
        offset, length = 4096 * self.count, 4 * int(np.prod(shape))
        assert offset + length <= self.size_bytes, f"{name} has {length} bytes, {self.path} {self.size_bytes}"
        self.count += 1
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", self.path.name), ("offset", offset), ("length", length)):
            tensor.external_data.add(key=key, value=str(value))
        return tensor


class Writer:
    """Nodes and weights, in order. A method adds nodes and returns the name of its result; a node's name has the scope that it
    was added in."""

    def __init__(self, weights, four_bits=None):
        self.weights = weights
        self.four_bits = four_bits
        self.nodes, self.initializers = [], {}
        self.inputs, self.outputs = [], []
        self.scope = ""
        self.names = {}

    def node(self, op, *inputs, **attributes):
        name = f"{self.scope}/{op}"
        count = self.names[name] = self.names.get(name, -1) + 1
        name += f"_{count}" if count else ""
        result = f"{name}_output_0"
        self.nodes.append(helper.make_node(op, inputs, [result], name=name, **attributes))
        return result

    def constant(self, array):
        array = np.asarray(array)
        name = f"constant_{zlib.crc32(array.tobytes()):08x}_{array.dtype}_" + "x".join(map(str, array.shape))
        self.initializers.setdefault(name, numpy_helper.from_array(array, name))
        return name

    def number(self, value):
        return self.constant(np.float32(value))

    def integers(self, *values):
        return self.constant(np.array(values, np.int64))

    def weight(self, name, shape, scale=0.02, centre=0.0):
        name = f"{self.scope}.{name}".lstrip("/").replace("/", ".")
        self.initializers[name] = self.weights.tensor(name, shape, scale, centre)
        return name

    def inside(self, part):
        return Scope(self, part)

    def input(self, name, dtype, shape):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, x, name, shape):
        self.nodes.append(helper.make_node("Identity", [x], [name], name=f"/{name}/Identity"))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def model(self, name):
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, list(self.initializers.values()))
        opsets = [helper.make_opsetid("", OPSET)]
        opsets += [helper.make_opsetid("com.microsoft", 1)] if self.four_bits else []
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="tuff-tests")

    def product(self, x, inputs, outputs):
        scale = inputs**-0.5
        if not self.four_bits:
            return self.node("MatMul", x, self.weight("weight", [inputs, outputs], scale))
        name = f"{self.scope}.weight".lstrip("/").replace("/", ".")
        weight = numpy_helper.to_array(self.weights.tensor(name, [inputs, outputs], scale, 0.0))
        names = [f"{name}.{part}" for part in ("q", "scales", "zero_points")]
        parts = dict(zip(names, self.four_bits.quantized(weight)))
        for part, array in parts.items():
            self.initializers[part] = numpy_helper.from_array(array, part)
        sizes = dict(K=inputs, N=outputs, bits=4, block_size=self.four_bits.block)
        return self.node("MatMulNBits", x, *parts, domain="com.microsoft", **sizes)

    def linear(self, x, name, inputs, outputs, bias=True):
        with self.inside(name):
            y = self.product(x, inputs, outputs)
            return self.node("Add", self.weight("bias", [outputs]), y) if bias else y

    def layer_norm(self, x, name, width):
        with self.inside(name):
            scale, bias = self.weight("weight", [width], 0.1, 1.0), self.weight("bias", [width])
            return self.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)

    def rms_norm(self, x, name, width):
        """x / sqrt(mean(x^2) + epsilon) * weight"""
        with self.inside(name):
            mean = self.node("ReduceMean", self.node("Pow", x, self.number(2)), axes=[-1], keepdims=1)
            root = self.node("Sqrt", self.node("Add", mean, self.number(1e-5)))
            normal = self.node("Mul", x, self.node("Div", self.number(1), root))
            return self.node("Mul", self.weight("weight", [width], 0.1, 1.0), normal)

    def gelu(self, x):
        """x (1 + erf(x / sqrt 2)) / 2"""
        with self.inside("act"):
            erf = self.node("Erf", self.node("Div", x, self.number(2**0.5)))
            product = self.node("Mul", x, self.node("Add", erf, self.number(1)))
            return self.node("Mul", product, self.number(0.5))

    def silu(self, x):
        with self.inside("act_fn"):
            return self.node("Mul", x, self.node("Sigmoid", x))

    def split_heads(self, x, tokens, heads, head, perm):
        return self.node("Transpose", self.node("Reshape", x, self.integers(1, tokens, heads, head)), perm=perm)

    def attention(self, q, k, v, head, mask=None):
        """softmax(q k / sqrt(head) + mask) v, for each head; k has its last two axes exchanged."""
        scores = self.node("Div", self.node("MatMul", q, k), self.number(head**0.5))
        if mask:
            scores = self.node("Add", scores, mask)
        return self.node("MatMul", self.node("Softmax", scores, axis=-1), v)

    def join_heads(self, x, tokens, width):
        return self.node("Reshape", self.node("Transpose", x, perm=[0, 2, 1, 3]), self.integers(1, tokens, width))

    def self_attention(self, x, tokens, sizes, mask=None):
        width, heads, head = sizes.width, sizes.heads, sizes.head
        q = self.split_heads(self.linear(x, "query", width, width), tokens, heads, head, [0, 2, 1, 3])
        k = self.split_heads(self.linear(x, "key", width, width), tokens, heads, head, [0, 2, 3, 1])
        v = self.split_heads(self.linear(x, "value", width, width), tokens, heads, head, [0, 2, 1, 3])
        return self.join_heads(self.attention(q, k, v, head, mask), tokens, width)


class Scope:
    def __init__(self, writer, part):
        self.writer, self.part = writer, part

    def __enter__(self):
        self.before = self.writer.scope
        self.writer.scope += f"/{self.part}"

    def __exit__(self, *_):
        self.writer.scope = self.before


def vit(sizes, weights):
    w = Writer(weights)
    width, grid = sizes.width, sizes.side // sizes.patch
    tokens = grid * grid + 1

    def block(x):
        y = w.layer_norm(x, "layernorm_before", width)
        with w.inside("attention"):
            y = w.linear(w.self_attention(y, tokens, sizes), "output", width, width)
        x = w.node("Add", y, x)
        y = w.layer_norm(x, "layernorm_after", width)
        y = w.gelu(w.linear(y, "intermediate", width, sizes.inner))
        return w.node("Add", w.linear(y, "output", sizes.inner, width), x)

    x = w.input("input", TensorProto.FLOAT, [1, 3, sizes.side, sizes.side])
    with w.inside("embeddings"):
        depth = 3 * sizes.patch**2
        kernel = w.weight("patch.weight", [width, 3, sizes.patch, sizes.patch], depth**-0.5)
        square = [sizes.patch, sizes.patch]
        x = w.node("Conv", x, kernel, w.weight("patch.bias", [width]), kernel_shape=square, strides=square)
        x = w.node("Reshape", x, w.integers(1, width, grid * grid))
        x = w.node("Transpose", x, perm=[0, 2, 1])
        x = w.node("Concat", w.weight("cls_token", [1, 1, width], 1.0), x, axis=1)
        x = w.node("Add", x, w.weight("position_embeddings", [1, tokens, width], 0.2))
    for layer in range(sizes.layers):
        with w.inside(f"layer.{layer}"):
            x = block(x)
    x = w.layer_norm(x, "layernorm", width)
    x = w.node("Gather", x, w.constant(np.int64(0)), axis=1)
    with w.inside("classifier"):
        kernel = w.weight("weight", [sizes.classes, width], width**-0.5)
        x = w.node("Gemm", x, kernel, w.weight("bias", [sizes.classes]), transB=1)
    w.output(x, "output", [1, sizes.classes])
    return w.model("vit")


def encoder(sizes, weights):
    w = Writer(weights)
    width, tokens = sizes.width, sizes.tokens

    def block(x, mask):
        with w.inside("attention"):
            y = w.linear(w.self_attention(x, tokens, sizes, mask), "output", width, width)
            x = w.layer_norm(w.node("Add", y, x), "output.LayerNorm", width)
        y = w.gelu(w.linear(x, "intermediate", width, sizes.inner))
        return w.layer_norm(w.node("Add", w.linear(y, "output", sizes.inner, width), x), "output.LayerNorm", width)

    ids = w.input("input_ids", TensorProto.INT64, [1, tokens])
    mask = w.input("attention_mask", TensorProto.INT64, [1, tokens])
    with w.inside("mask"):
        mask = w.node("Unsqueeze", w.node("Unsqueeze", mask, w.integers(1)), w.integers(2))
        mask = w.node("Sub", w.number(1), w.node("Cast", mask, to=TensorProto.FLOAT))
        mask = w.node("Mul", mask, w.number(LEAST))
    with w.inside("embeddings"):
        x = w.node("Gather", w.weight("word.weight", [sizes.vocabulary, width], 0.5), ids, axis=0)
        x = w.node("Add", x, w.weight("position.weight", [1, tokens, width], 0.5))
        x = w.layer_norm(x, "LayerNorm", width)
    for layer in range(sizes.layers):
        with w.inside(f"layer.{layer}"):
            x = block(x, mask)
    w.output(x, "output", [1, tokens, width])
    return w.model("encoder")


def decoder(sizes, weights):
    w = Writer(weights, sizes.four_bits)
    width, heads, head, key_heads, length = sizes.width, sizes.heads, sizes.head, sizes.key_heads, sizes.tokens
    cache = [1, key_heads, length, head]

    def rotated(x, cosine, sine):
        """Pairs of a head's first and second half, turned by an angle each."""
        first = w.node("Slice", x, w.integers(0), w.integers(head // 2), w.integers(3), w.integers(1))
        second = w.node("Slice", x, w.integers(head // 2), w.integers(1 << 62), w.integers(3), w.integers(1))
        turned = w.node("Concat", w.node("Neg", second), first, axis=-1)
        return w.node("Add", w.node("Mul", x, cosine), w.node("Mul", turned, sine))

    def repeated(x):
        """Each head of keys or values for all the heads of queries that share it."""
        x = w.node("Unsqueeze", x, w.integers(2))
        x = w.node("Expand", x, w.integers(1, key_heads, heads // key_heads, length, head))
        return w.node("Reshape", x, w.integers(1, heads, length, head))

    def block(x, index, cosine, sine, here, mask):
        y = w.rms_norm(x, "input_layernorm", width)
        with w.inside("self_attn"):
            q, k, v = (
                w.split_heads(w.linear(y, f"{name}_proj", width, count * head, bias=False), 1, count, head, [0, 2, 1, 3])
                for name, count in (("q", heads), ("k", key_heads), ("v", key_heads))
            )
            q, k = rotated(q, cosine, sine), rotated(k, cosine, sine)
            caches = []
            for name, new in (("key", k), ("value", v)):
                old = w.input(f"past_key_values.{index}.{name}", TensorProto.FLOAT, cache)
                caches.append(w.node("Where", here, new, old))
                w.output(caches[-1], f"present.{index}.{name}", cache)
            k, v = (repeated(x) for x in caches)
            y = w.attention(q, w.node("Transpose", k, perm=[0, 1, 3, 2]), v, head, mask)
            y = w.linear(w.join_heads(y, 1, width), "o_proj", width, width, bias=False)
        x = w.node("Add", x, y)
        y = w.rms_norm(x, "post_attention_layernorm", width)
        with w.inside("mlp"):
            gate = w.silu(w.linear(y, "gate_proj", width, sizes.inner, bias=False))
            y = w.node("Mul", gate, w.linear(y, "up_proj", width, sizes.inner, bias=False))
            y = w.linear(y, "down_proj", sizes.inner, width, bias=False)
        return w.node("Add", x, y)

    x = w.input("inputs_embeds", TensorProto.FLOAT, [1, 1, width])
    position = w.input("cache_position", TensorProto.INT64, [1])
    with w.inside("rotary_emb"):
        frequencies = w.constant((500000.0 ** (-np.arange(0, head, 2) / head)).astype(np.float32)[None, :, None])
        at = w.node("Cast", w.node("Reshape", position, w.integers(1, 1, 1)), to=TensorProto.FLOAT)
        angles = w.node("Transpose", w.node("MatMul", frequencies, at), perm=[0, 2, 1])
        angles = w.node("Concat", angles, angles, axis=-1)
        cosine, sine = (w.node("Unsqueeze", w.node(op, angles), w.integers(1)) for op in ("Cos", "Sin"))
    with w.inside("mask"):
        positions = np.arange(length)
        here = w.node("Equal", w.constant(positions[:, None]), position)
        mask = w.node("LessOrEqual", w.constant(positions), position)
        mask = w.node("Where", mask, w.number(0), w.number(LEAST))
    for layer in range(sizes.layers):
        with w.inside(f"layers.{layer}"):
            x = block(x, layer, cosine, sine, here, mask)
    w.output(w.rms_norm(x, "norm", width), "output", [1, 1, width])
    return w.model("decoder")


# Name: (builder, its published sizes). The decoder is Llama 3.2's of a billion weights, at 1,024 tokens.
PUBLISHED = {
    "vit_b32_384": (vit, Sizes(layers=12, width=768, heads=12, inner=3072, side=384, classes=1000)),
    "encoder": (encoder, Sizes(layers=12, width=768, heads=12, inner=3072, tokens=128, vocabulary=30522)),
    "decoder": (decoder, Sizes(layers=16, width=2048, heads=32, key_heads=8, inner=8192, tokens=1024)),
}
# Of `inner` inputs the last block is half full, and their number is odd.
INT4 = Sizes(layers=2, width=256, heads=8, key_heads=2, inner=656, tokens=1024)
# The same graphs, small enough to run in tests.
SMALL = {
    "vit_small": (vit, Sizes(layers=2, width=64, heads=4, inner=128, side=96, classes=10)),
    "encoder_small": (encoder, Sizes(layers=2, width=64, heads=4, inner=128, tokens=12, vocabulary=50)),
    "decoder_small": (decoder, Sizes(layers=2, width=64, heads=8, key_heads=2, inner=160, tokens=24)),
    "decoder_int4_symmetric": (decoder, dataclasses.replace(INT4, four_bits=FourBits(block=32, symmetric=True))),
    "decoder_int4_asymmetric": (decoder, dataclasses.replace(INT4, four_bits=FourBits(block=32, symmetric=False))),
}


def build_small(name):
    build, sizes = SMALL[name]
    model = build(sizes, DrawnWeights(zlib.crc32(name.encode())))
    onnx.checker.check_model(model, full_check=True)
    return model


def example_input(model_name, name, shape):
    """What is no picture: tokens, the last quarter of which is filling, or the state of a step in the middle of its caches."""
    random = np.random.default_rng([zlib.crc32(model_name.encode()), zlib.crc32(name.encode())])
    sizes = SMALL[model_name][1]
    if name == "input_ids":
        return random.integers(0, sizes.vocabulary, shape)
    if name == "attention_mask":
        return (np.arange(sizes.tokens) < sizes.tokens * 3 // 4).astype(np.int64).reshape(shape)
    if name == "cache_position":
        return np.array([sizes.tokens * 3 // 5], np.int64)
    return random.standard_normal(shape).astype(np.float32)


def main():
    """transformers.py FOLDER: the published sizes with two layers, NAME_2.onnx, for what compiles kernels and does not run them."""
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    weights = SharedWeights(folder / "weights")
    for name, (build, sizes) in PUBLISHED.items():
        model = build(dataclasses.replace(sizes, layers=2), weights)
        (folder / f"{name}_2.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
