"""A Network as ncnn's text graph and weight file.

In: a Network whose batch norms are folded. Out: FOLDER/NAME.param and NAME.bin, blobs "in" and "out".
Invariant: the graph is what ncnn's own optimiser would leave: activations in the convolutions that
make them, x * sigmoid(x) as Swish, a convolution of one pixel as InnerProduct, nothing for Dropout.
"""

import struct

ACTIVATIONS = {"relu": "9=1", "relu6": "9=3 -23310=2,0.0,6.0", "sigmoid": "9=4"}
STANDALONE = {"relu": "ReLU", "relu6": "Clip", "sigmoid": "Sigmoid", "add": "BinaryOp", "mul": "BinaryOp"}
PARAMETERS = {"relu6": "0=0.0 1=6.0", "add": "0=0", "mul": "0=2"}


class Writer:
    def __init__(self, network):
        self.network = network
        self.lines = []  # (type, name, inputs, output, parameters)
        self.weights = []
        self.blobs = {}  # value name -> blob name, where a layer vanished or was absorbed
        self.consumers = {}
        for layer in network.layers:
            for x in layer.inputs:
                self.consumers.setdefault(x, []).append(layer)

    def blob(self, value):
        return self.blobs.get(value, value.replace(":out", ""))

    def line(self, kind, layer, parameters, inputs=None, output=None):
        inputs = [self.blob(x) for x in (inputs or layer.inputs)]
        self.lines.append((kind, layer.name, inputs, self.blob(output or layer.output), parameters))

    def append_weights(self, layer):
        # A zero tag says that float32 follows; the bias has no tag.
        self.weights.append(struct.pack("<I", 0))
        self.weights.append(layer.weights["weight"].astype("<f4").tobytes())
        if "bias" in layer.weights:
            self.weights.append(layer.weights["bias"].astype("<f4").tobytes())

    def contraction(self, layer):
        a, weight = layer.attributes, layer.weights["weight"]
        output, activation = layer.output, ""
        users = self.consumers.get(layer.output, [])
        if len(users) == 1 and users[0].kind in ACTIVATIONS:
            activation = " " + ACTIVATIONS[users[0].kind]
            output = users[0].output
            self.absorbed.add(users[0].name)
        bias = int("bias" in layer.weights)
        if layer.kind == "linear" or self.network.shapes[layer.inputs[0]][1:] == (1, 1):
            self.line("InnerProduct", layer, f"0={weight.shape[0]} 1={bias} 2={weight.size}{activation}", output=output)
        else:
            grouped = a["groups"] > 1
            parameters = f"0={weight.shape[0]} 1={a['kernel']} 3={a['stride']} 4={a['pad']} 5={bias} 6={weight.size}"
            parameters += f" 7={a['groups']}" if grouped else ""
            kind = "ConvolutionDepthWise" if grouped else "Convolution"
            self.line(kind, layer, parameters + activation, output=output)
        self.append_weights(layer)

    def write(self, layer):
        if layer.name in self.absorbed:
            return
        a = layer.attributes
        users = self.consumers.get(layer.output, [])
        if layer.kind in ("conv", "linear"):
            self.contraction(layer)
        elif layer.kind == "sigmoid" and len(users) == 1 and users[0].inputs == [layer.inputs[0], layer.output]:
            self.line("Swish", layer, "", output=users[0].output)
            self.absorbed.add(users[0].name)
        elif layer.kind in STANDALONE:
            self.line(STANDALONE[layer.kind], layer, PARAMETERS.get(layer.kind, ""))
        elif layer.kind == "max_pool":
            mode = 0 if a["ceil"] else 1
            self.line("Pooling", layer, f"0=0 1={a['kernel']} 2={a['stride']} 3={a['pad']} 5={mode}")
        elif layer.kind == "global_pool":
            self.line("Pooling", layer, "0=1 4=1")
        elif layer.kind == "concat":
            self.line("Concat", layer, "0=0")
        elif layer.kind in ("dropout", "flatten"):
            # Global pooling already leaves a vector.
            self.blobs[layer.output] = self.blob(layer.inputs[0])
        else:
            raise ValueError(f"Layer {layer.name} is of kind {layer.kind}, which has no ncnn form.")

    def write_all(self):
        self.absorbed = set()
        *_, height, width = self.network.shapes["input"]
        self.lines.append(("Input", "in", [], "input", f"0={width} 1={height} 2={self.network.shapes['input'][0]}"))
        for layer in self.network.layers:
            self.write(layer)

    def split_shared(self):
        """ncnn wants one consumer a blob: a Split makes as many names as are read."""
        readers = {}
        for kind, name, inputs, output, parameters in self.lines:
            for x in inputs:
                readers[x] = readers.get(x, 0) + 1
        taken, lines = {}, []
        for kind, name, inputs, output, parameters in self.lines:
            renamed = []
            for x in inputs:
                index = taken.get(x, 0)
                taken[x] = index + 1
                renamed.append(f"{x}_split_{index}" if readers[x] > 1 else x)
            lines.append((kind, name, renamed, [output], parameters))
            if readers.get(output, 0) > 1:
                copies = [f"{output}_split_{i}" for i in range(readers[output])]
                lines.append(("Split", f"{output}_split", [output], copies, ""))
        return lines


def write_ncnn(network, folder):
    writer = Writer(network)
    writer.write_all()
    result = writer.blob(network.output)
    rename = {"input": "in", result: "out"}
    lines = writer.split_shared()
    blob_count = sum(len(outputs) for _, _, _, outputs, _ in lines)
    text = ["7767517", f"{len(lines)} {blob_count}"]
    for kind, name, inputs, outputs, parameters in lines:
        blobs = [rename.get(x, x) for x in inputs + outputs]
        text.append(" ".join([kind, name, str(len(inputs)), str(len(outputs)), *blobs, parameters]).rstrip())
    (folder / f"{network.name}.param").write_text("\n".join(text) + "\n")
    (folder / f"{network.name}.bin").write_bytes(b"".join(writer.weights))
    return len(lines)
