"""Compares what was computed with what was expected, output by output.

In: two .npy files, two .npz files or two folders of them (EXPECTED, ACTUAL), and a bound. Out: a line
for each output; exit status 1 when one is missing, has another type or shape, or exceeds the bound.
Invariant: |actual - expected| <= rtol * max|expected| + atol + bound, element by element; NaN,
infinities, integers, booleans and strings must be equal. With no bound given everything must be.
"""

import argparse
import pathlib
import sys

import numpy as np


def load(path, prefix=""):
    """Arrays by key: of an .npz those named out:..., or all when none is."""
    if path.is_dir():
        found = {}
        for file in sorted(path.glob("*.npy")) + sorted(path.glob("*.npz")):
            if not file.name.endswith(".input.npy"):
                found.update(load(file, file.stem + " "))
        return found
    data = np.load(path)
    if isinstance(data, np.ndarray):
        return {prefix.strip() or "output": data}
    keys = [key for key in data.files if key.startswith("out:")] or data.files
    return {prefix + key: data[key] for key in keys}


def compare(expected, actual, bound):
    """Returns (what is wrong, or None; what to print)."""
    if actual.dtype != expected.dtype:
        return f"is {actual.dtype}, not {expected.dtype}", ""
    if actual.shape != expected.shape:
        return f"has shape {list(actual.shape)}, not {list(expected.shape)}", ""
    if expected.dtype.kind not in "fc":
        different = int((actual != expected).sum())
        return (f"differs in {different} of {expected.size} elements" if different else None, f"{expected.size} equal")
    a, e = actual.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(e)
    if not np.array_equal(a[~finite], e[~finite], equal_nan=True) or not np.isfinite(a[finite]).all():
        return "differs in NaN or infinity", ""
    limit = np.broadcast_to(bound(e), e.shape)[finite]
    a, e = a[finite], e[finite]
    error = np.abs(a - e)
    largest = np.abs(e).max(initial=0)
    worst = error.max(initial=0)
    norms = np.linalg.norm(a) * np.linalg.norm(e)
    text = f"max abs error {worst:.3g}, relative to max |expected| {worst / largest if largest else worst:.3g}"
    text += f", cosine {np.vdot(a, e) / norms:.9f}" if norms else ""
    beyond = int((error > limit).sum())
    return (f"exceeds the bound in {beyond} of {error.size} elements" if beyond else None), text


def top1(expected, actual):
    """Rows whose largest element is in the same place, for outputs that look like logits."""
    if expected.ndim != 2 or expected.dtype.kind != "f" or expected.shape[1] < 10 or expected.shape != actual.shape:
        return ""
    same = int((expected.argmax(1) == actual.argmax(1)).sum())
    return f", top-1 agrees in {same} of {expected.shape[0]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("expected", type=pathlib.Path)
    parser.add_argument("actual", type=pathlib.Path)
    parser.add_argument("--rtol", type=float, default=0.0, help="of the largest |expected| of an output")
    parser.add_argument("--atol", type=float, default=0.0)
    parser.add_argument("--bound", type=pathlib.Path, help="like EXPECTED: a largest error for each element")
    parser.add_argument("--quiet", action="store_true", help="print failures alone")
    options = parser.parse_args()

    expected, actual = load(options.expected), load(options.actual)
    bounds = load(options.bound) if options.bound else {}
    failed = 0 if expected else 1
    if not expected:
        print(f"There is nothing to compare with in {options.expected}.")
    for key, reference in expected.items():
        if key not in actual or (options.bound and key not in bounds):
            print(f"FAIL {key}: is missing from {options.actual if key not in actual else options.bound}")
            failed += 1
            continue

        def bound(e, key=key):
            largest = np.abs(e[np.isfinite(e)]).max(initial=0)
            return bounds.get(key, 0) + options.atol + options.rtol * largest

        wrong, text = compare(reference, actual[key], bound)
        failed += wrong is not None
        if wrong or not options.quiet:
            print(
                f"{'FAIL' if wrong else 'ok'} {key}: "
                + "; ".join(filter(None, [wrong, text]))
                + (top1(reference, actual[key]) if text else "")
            )
    print(f"{len(expected) - failed if expected else 0} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
