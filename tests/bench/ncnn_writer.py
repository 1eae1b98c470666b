"""A Network as ncnn's text graph and weight file.

In: a Network whose batch norms are folded. Out: FOLDER/NAME.param and NAME.bin, blobs "in" and "out".
Invariant: the graph is what ncnn's own optimiser would leave: activations in the convolutions that
make them, x * sigmoid(x) as Swish, a convolution of one pixel as InnerProduct, one Slice for all parts
of a value, nothing for Dropout.
"""

from ncnn_graph import Graph, plain, tagged

ACTIVATIONS = {"relu": "9=1", "relu6": "9=3 -23310=2,0.0,6.0", "sigmoid": "9=4"}
STANDALONE = {"relu": "ReLU", "relu6": "Clip", "sigmoid": "Sigmoid", "add": "BinaryOp", "mul": "BinaryOp"}
PARAMETERS = {"relu6": "0=0.0 1=6.0", "add": "0=0", "mul": "0=2"}


class Writer:
    def __init__(self, network):
        self.network = network
        self.graph = Graph()
        self.absorbed = set()  # layers that another one's line stands for
        self.blobs = {}  # value name -> blob name, where a layer vanished
        self.consumers = {}
        for layer in network.layers:
            for x in layer.inputs:
                self.consumers.setdefault(x, []).append(layer)

    def blob(self, value):
        return self.blobs.get(value, value.replace(":out", ""))

    def line(self, kind, layer, parameters="", outputs=None, weights=()):
        outputs = [self.blob(x) for x in (outputs or [layer.output])]
        self.graph.layer(kind, layer.name, [self.blob(x) for x in layer.inputs], outputs, parameters, weights)

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
            kind, parameters = "InnerProduct", f"0={weight.shape[0]} 1={bias} 2={weight.size}"
        else:
            grouped = a["groups"] > 1
            parameters = f"0={weight.shape[0]} 1={a['kernel']} 3={a['stride']} 4={a['pad']} 5={bias} 6={weight.size}"
            parameters += f" 7={a['groups']}" if grouped else ""
            kind = "ConvolutionDepthWise" if grouped else "Convolution"
        weights = [tagged(weight)] + ([plain(layer.weights["bias"])] if bias else [])
        self.line(kind, layer, parameters + activation, [output], weights)

    def matmul(self, layer):
        """A product whose second factor is a weight, stored transposed, with no third."""
        depth, columns = layer.weights["weight"].shape
        parameters = f"3=1 5=1 6=1 8={columns} 9={depth} 10=-1"
        self.line("Gemm", layer, parameters, weights=[tagged(layer.weights["weight"].T)])

    def slices(self, layer):
        parts = self.consumers[layer.inputs[0]]
        begins = [part.attributes.get("begin") for part in parts]
        ends = [part.attributes.get("end") for part in parts]
        if begins != [0, *ends[:-1]] or ends[-1] != self.network.shapes[layer.inputs[0]][0]:
            raise ValueError(f"Layer {layer.name} is not one of slices that are all of {layer.inputs[0]}.")
        sizes = ",".join(str(end - begin) for begin, end in zip(begins, ends))
        self.line("Slice", layer, f"-23300={len(parts)},{sizes} 1=0", [part.output for part in parts])
        self.absorbed.update(part.name for part in parts)

    def write(self, layer):
        if layer.name in self.absorbed:
            return
        a = layer.attributes
        users = self.consumers.get(layer.output, [])
        if layer.kind in ("conv", "linear"):
            self.contraction(layer)
        elif layer.kind == "matmul":
            self.matmul(layer)
        elif layer.kind == "sigmoid" and len(users) == 1 and users[0].inputs == [layer.inputs[0], layer.output]:
            self.line("Swish", layer, outputs=[users[0].output])
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
        elif layer.kind == "slice":
            self.slices(layer)
        elif layer.kind == "shuffle":
            self.line("ShuffleChannel", layer, f"0={a['groups']}")
        elif layer.kind in ("dropout", "flatten"):
            # Global pooling already leaves a vector.
            self.blobs[layer.output] = self.blob(layer.inputs[0])
        else:
            raise ValueError(f"Layer {layer.name} is of kind {layer.kind}, which has no ncnn form.")


def write_ncnn(network, folder):
    writer = Writer(network)
    writer.graph.input("input", network.shapes["input"])
    for layer in network.layers:
        writer.write(layer)
    return writer.graph.write(folder, network.name, writer.blob(network.output))
