"""Writes a small ONNX model for each variant of each operator, with inputs and expected outputs.

In: a folder. Out: FOLDER/NAME.onnx, NAME.npz with the keys in:VALUE and out:VALUE as onnxruntime has
them, NAME.1.npz and so on for more input sets of the same model, and index.tsv: name, opset,
"exact" or "close", number of input sets, operators.
Invariant: the same bytes each time; a case that onnxruntime cannot run, and that does not say itself what is expected, is an
error, not left out.
"""

import argparse
import pathlib
import sys

import numpy as np
import onnx
from onnx import helper

import cases_pointwise
import cases_quantized
import cases_reduce
import cases_shape
import cases_symbolic
import cases_transformers
import cases_window
from expected import session

MODULES = (cases_pointwise, cases_window, cases_reduce, cases_shape, cases_symbolic, cases_quantized, cases_transformers)


def all_cases():
    names = set()
    for module in MODULES:
        for case in module.cases():
            assert case.name not in names, f"two cases are named {case.name}"
            names.add(case.name)
            yield case


def output_types(case, results):
    """Types and dims as onnx infers them; where sizes are fixed, as they came out."""
    inferred = {}
    if case.symbolic:
        model = onnx.shape_inference.infer_shapes(case.model())
        inferred = {
            info.name: [dim.dim_param or dim.dim_value for dim in info.type.tensor_type.shape.dim]
            for info in model.graph.output
        }
    types = {}
    for name, array in zip(case.outputs, results[0]):
        dims = inferred.get(name) if case.symbolic else list(array.shape)
        if case.symbolic and len(dims or []) != array.ndim:
            dims = [f"{name}_{i}" for i in range(array.ndim)]
        elif case.symbolic:
            dims = [dim or f"{name}_{i}" for i, dim in enumerate(dims)]
        types[name] = (helper.np_dtype_to_tensor_dtype(array.dtype), dims)
    return types


def write(case, folder):
    if case.expected:
        results = [case.expected(feed) for feed in case.feeds]
    else:
        run = session(case.model().SerializeToString())
        results = [run.run(case.outputs, feed) for feed in case.feeds]
    model = case.model(output_types(case, results))
    onnx.checker.check_model(model, full_check=True)
    (folder / f"{case.name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    for i, (feed, outputs) in enumerate(zip(case.feeds, results)):
        arrays = {f"in:{name}": array for name, array in feed.items()}
        arrays.update({f"out:{name}": array for name, array in zip(case.outputs, outputs)})
        np.savez(folder / (f"{case.name}.{i}.npz" if i else f"{case.name}.npz"), **arrays)
    operators = " ".join(sorted({node.op_type for node in case.nodes}))
    return f"{case.name}\t{case.opset}\t{'exact' if case.exact else 'close'}\t{len(case.feeds)}\t{operators}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", help="cases by name")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)

    rows, failed = [], 0
    for case in all_cases():
        if options.only and case.name not in options.only:
            continue
        try:
            rows.append(write(case, options.folder))
        except Exception as error:  # what onnx or onnxruntime says about this case, and on to the next
            print(f"{case.name}: {str(error).splitlines()[0] if str(error) else error!r}", file=sys.stderr)
            failed += 1
    (options.folder / "index.tsv").write_text("".join(rows))
    operators = {op for row in rows for op in row.rstrip("\n").split("\t")[4].split()}
    print(f"{len(rows)} cases of {len(operators)} operators written, {failed} failed")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
