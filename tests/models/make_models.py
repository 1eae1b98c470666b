"""Writes the test networks as ONNX files.

In: a folder and options (--help). Out: FOLDER/NAME.onnx for each network, one line each on stdout;
with --truth also NAME.truth.npy, the output of each image network in double precision for the input that expected.py takes.
Invariant: the same options give the same bytes; in the default mode each file has as many operators
as the file of that network that is usually passed around.
"""

import argparse
import collections
import pathlib
import sys

import numpy as np

from architectures import ARCHITECTURES
from network import fold_batchnorm
from onnx_writer import to_onnx
from picture import picture
from transformers import SMALL, build_small


def build(name, batchnorm):
    """batchnorm: "published" as the usual file has it, "fold" into convolutions, or "keep" as nodes."""
    builder, published_folded, _ = ARCHITECTURES[name]
    network = builder()
    folded = published_folded if batchnorm == "published" else batchnorm == "fold"
    return fold_batchnorm(network) if folded else network


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", choices=[*ARCHITECTURES, *SMALL], default=[*ARCHITECTURES, *SMALL])
    parser.add_argument("--batchnorm", choices=["published", "fold", "keep"], default="published")
    parser.add_argument("--fold-batchnorm", dest="batchnorm", action="store_const", const="fold")
    parser.add_argument("--opset", type=int, choices=range(13, 18), default=17)
    parser.add_argument("--truth", action="store_true", help="run each network in double precision")
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    wrong = 0
    for name in options.only:
        network = None if name in SMALL else build(name, options.batchnorm)
        model = build_small(name) if name in SMALL else to_onnx(network, options.opset)
        data = model.SerializeToString(deterministic=True)
        (options.folder / f"{name}.onnx").write_bytes(data)
        if options.truth and network:
            image = picture(name, (1, *network.shapes["input"]))[0]
            np.save(options.folder / f"{name}.truth.npy", network.run(image)[None])
        kinds = collections.Counter(node.op_type for node in model.graph.node)
        count = sum(kinds.values())
        print(
            f"{name}: {count} operators, {len(data)} bytes:",
            ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items())),
        )
        if network and options.batchnorm == "published" and count != ARCHITECTURES[name][2]:
            print(f"{name} should have {ARCHITECTURES[name][2]} operators.", file=sys.stderr)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
