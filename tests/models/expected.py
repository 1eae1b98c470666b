"""Runs ONNX models in onnxruntime on seeded inputs and keeps what went in and what came out.

In: a folder of NAME.onnx. Out: beside each, NAME.input.npy and NAME.output.npy where there is one of either, else
NAME.input.npz and NAME.output.npz by name; with --values also NAME.values.npz, every value of the graph by name.
Invariant: an input depends on its name, the model's name and the shape alone; onnxruntime runs unoptimised, on
its CPU provider, in one order.
"""

import argparse
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

from picture import picture
from transformers import example_input


def session(model_bytes):
    options = onnxruntime.SessionOptions()
    # Its optimiser rewrites convolutions into other layouts and sums; what is compared with should
    # do what the file says.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model_bytes, options, providers=["CPUExecutionProvider"])


def every_value(model, feed):
    """Runs the model with each node's outputs as outputs of the graph."""
    model = onnx.shape_inference.infer_shapes(model)
    types = {info.name: info for info in model.graph.value_info}
    known = {info.name for info in model.graph.output}
    for node in model.graph.node:
        for output in node.output:
            if output and output not in known and output in types:
                model.graph.output.append(types[output])
    run = session(model.SerializeToString())
    names = [output.name for output in run.get_outputs()]
    return dict(zip(names, run.run(names, feed)))


def feed_of(model_name, inputs):
    """One input is a picture; several are a transformer's."""
    if len(inputs) == 1:
        return {inputs[0].name: picture(model_name, inputs[0].shape)}
    return {source.name: example_input(model_name, source.name, source.shape) for source in inputs}


def save(stem, arrays):
    if len(arrays) == 1:
        np.save(f"{stem}.npy", *arrays.values())
    else:
        np.savez(f"{stem}.npz", **arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", help="names without .onnx")
    parser.add_argument("--values", action="store_true", help="keep every value of the graph")
    options = parser.parse_args()

    files = sorted(options.folder.glob("*.onnx"))
    if options.only:
        files = [options.folder / f"{name}.onnx" for name in options.only]
    if not files:
        print(f"There is no .onnx file in {options.folder}.", file=sys.stderr)
        return 1
    for path in files:
        name = path.stem
        run = session(str(path))
        names = [result.name for result in run.get_outputs()]
        feed = feed_of(name, run.get_inputs())
        outputs = dict(zip(names, run.run(names, feed)))
        save(options.folder / f"{name}.input", feed)
        save(options.folder / f"{name}.output", outputs)
        if options.values:
            np.savez(options.folder / f"{name}.values.npz", **every_value(onnx.load(path), feed))
        for result, output in outputs.items():
            print(
                f"{name}: {result} {list(output.shape)}, mean {output.mean():.4g}, "
                f"deviation {output.std():.4g}, largest {np.abs(output).max():.4g}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
