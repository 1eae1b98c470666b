"""The vision transformer of tests/models/transformers.py as ncnn's text graph and weight file.

In: the ONNX model that vit() makes and its sizes. Out: FOLDER/NAME.param and NAME.bin with the same weights.
Invariant: layers are ncnn's own for transformers: MultiHeadAttention with its four products in it, LayerNorm, GELU with the
error function, and Gemm with its bias for the other products. InnerProduct, which converters choose for those, computes the
same, but takes almost four times as long on lavapipe for so many rows.
"""

from onnx import numpy_helper

from ncnn_graph import Graph, plain, tagged

EPSILON = 1e-12  # as layer_norm() of transformers.py has it


class Writer:
    def __init__(self, model, sizes):
        self.sizes = sizes
        self.graph = Graph()
        self.tensors = {tensor.name: tensor for tensor in model.graph.initializer}

    def weight(self, name):
        return numpy_helper.to_array(self.tensors[name])

    def layer(self, kind, name, inputs, parameters="", weights=()):
        self.graph.layer(kind, name, inputs, [name], parameters, weights)
        return name

    def projection(self, name, bias_as=plain):
        """Weight and bias of x W + b; ncnn stores W transposed."""
        return [tagged(self.weight(f"{name}.weight").T), bias_as(self.weight(f"{name}.bias"))]

    def linear(self, x, name):
        """A product with a transposed weight, and a bias for each column."""
        depth, columns = self.weight(f"{name}.weight").shape
        parameters = f"3=1 5=1 6=1 8={columns} 9={depth} 10=4"
        return self.layer("Gemm", name, [x], parameters, self.projection(name, bias_as=tagged))

    def memory(self, name, rows):
        columns = self.sizes.width
        array = self.weight(f"embeddings.{name}").reshape(rows, columns)
        return self.layer("MemoryData", name, [], f"0={columns} 1={rows}", [plain(array)])

    def layer_norm(self, x, name):
        weights = [plain(self.weight(f"{name}.{part}")) for part in ("weight", "bias")]
        return self.layer("LayerNorm", name, [x], f"0={self.sizes.width} 1={EPSILON:e} 2=1", weights)

    def attention(self, x, name):
        parts = ("query", "key", "value", "output")
        weights = [blob for part in parts for blob in self.projection(f"{name}.{part}")]
        width = self.sizes.width
        return self.layer("MultiHeadAttention", name, [x], f"0={width} 1={self.sizes.heads} 2={width * width}", weights)

    def add(self, x, y, name):
        return self.layer("BinaryOp", name, [x, y], "0=0")

    def block(self, x, at):
        y = self.attention(self.layer_norm(x, f"{at}.layernorm_before"), f"{at}.attention")
        x = self.add(x, y, f"{at}.add")
        y = self.linear(self.layer_norm(x, f"{at}.layernorm_after"), f"{at}.intermediate")
        y = self.layer("GELU", f"{at}.gelu", [y], "0=0")
        return self.add(x, self.linear(y, f"{at}.output"), f"{at}.add_1")

    def embeddings(self, x):
        patch, width = self.sizes.patch, self.sizes.width
        kernel, bias = self.weight("embeddings.patch.weight"), self.weight("embeddings.patch.bias")
        parameters = f"0={width} 1={patch} 3={patch} 5=1 6={kernel.size}"
        x = self.layer("Convolution", "patches", [x], parameters, [tagged(kernel), plain(bias)])
        patches = (self.sizes.side // patch) ** 2
        x = self.layer("Permute", "transposed", [self.layer("Reshape", "flat", [x], f"0={patches} 1={width}")], "0=1")
        x = self.layer("Concat", "tokens", [self.memory("cls_token", 1), x], "0=0")
        return self.add(x, self.memory("position_embeddings", patches + 1), "embeddings")

    def write_all(self):
        self.graph.input("input", (3, self.sizes.side, self.sizes.side))
        x = self.embeddings("input")
        for index in range(self.sizes.layers):
            x = self.block(x, f"layer.{index}")
        x = self.layer_norm(x, "layernorm")
        width = self.sizes.width
        x = self.layer("Crop", "first", [x], f"0=0 1=0 3={width} 4=1")
        x = self.layer("Reshape", "vector", [x], f"0={width}")
        kernel = self.weight("classifier.weight")  # ONNX has this one transposed, too
        weights = [tagged(kernel), plain(self.weight("classifier.bias"))]
        return self.layer("InnerProduct", "classifier", [x], f"0={kernel.shape[0]} 1=1 2={kernel.size}", weights)


def write_vit(model, sizes, folder, name):
    writer = Writer(model, sizes)
    return writer.graph.write(folder, name, writer.write_all())
