"""ncnn's text graph and weight file.

In: layers in order, by the names of the blobs that they read and make. Out: FOLDER/NAME.param and NAME.bin.
Invariant: the graph's input is the blob "in", its result "out", and every blob has one reader: a Split makes as many names as
are read.
"""

import collections
import dataclasses
import struct


@dataclasses.dataclass
class Line:
    kind: str
    name: str
    inputs: list
    outputs: list
    parameters: str

    def text(self, blob_names):
        blobs = [blob_names.get(blob, blob) for blob in self.inputs + self.outputs]
        words = [self.kind, self.name, str(len(self.inputs)), str(len(self.outputs)), *blobs, self.parameters]
        return " ".join(words).rstrip()


def plain(array):
    return array.astype("<f4").tobytes()


def tagged(array):
    """What may be stored in other types has a tag before it; zero says that float32 follows."""
    return struct.pack("<I", 0) + plain(array)


class Graph:
    def __init__(self):
        self.lines = []
        self.weights = []

    def layer(self, kind, name, inputs, outputs, parameters="", weights=()):
        self.lines.append(Line(kind, name, list(inputs), list(outputs), parameters))
        self.weights += weights

    def input(self, blob, shape):
        """Sizes are written from the innermost on."""
        parameters = " ".join(f"{i}={size}" for i, size in enumerate(reversed(shape)))
        self.layer("Input", "in", [], [blob], parameters)
        self.source = blob

    def with_splits(self):
        reader_counts = collections.Counter(blob for line in self.lines for blob in line.inputs)
        shared = {blob for blob, count in reader_counts.items() if count > 1}
        taken, lines = collections.Counter(), []

        def one_of(blob):
            if blob not in shared:
                return blob
            taken[blob] += 1
            return f"{blob}_split_{taken[blob] - 1}"

        for line in self.lines:
            lines.append(dataclasses.replace(line, inputs=[one_of(blob) for blob in line.inputs]))
            for blob in shared.intersection(line.outputs):
                copies = [f"{blob}_split_{i}" for i in range(reader_counts[blob])]
                lines.append(Line("Split", f"{blob}_split", [blob], copies, ""))
        return lines

    def write(self, folder, name, result):
        lines = self.with_splits()
        names = {self.source: "in", result: "out"}
        blob_count = sum(len(line.outputs) for line in lines)
        text = ["7767517", f"{len(lines)} {blob_count}", *(line.text(names) for line in lines)]
        (folder / f"{name}.param").write_text("\n".join(text) + "\n")
        (folder / f"{name}.bin").write_bytes(b"".join(self.weights))
        return len(lines)
