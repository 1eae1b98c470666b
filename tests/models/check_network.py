"""Runs a network on the device that the loader lists first and holds it against onnxruntime.

In: the command `tuff`, a folder with NETWORK.onnx, .input.npy and .output.npy (or .npz), the network's name, and fused or
unfused to leave the other out. Out: a line for each thing checked; status 1 if one fails.
Invariant: nothing comes from a cache, so that what is checked was compiled by this `tuff`.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

# A product of n rounded factors and its sum differ by about sqrt(n) units in the last place from another order's; 2e-5
# leaves a factor of ten above what is seen.
LARGEST_ERROR = 2e-5  # of the largest element
INT8 = "_int8"  # at the end of a name: quantize.py's networks, where any order of a sum gives the same bits

# Dispatches of a fused plan on any CPU driver: one for each convolution, pooling and matrix product, everything else inside
# them, and windows inside the products that read them where that pays.
MOST_DISPATCHES = {
    "squeezenet1_1": 27,
    "resnet18": 23,
    "resnet18_int8": 26,
    "resnet50": 56,
    "mobilenet_v2": 48,
    "efficientnet_b0": 97,
    "googlenet": 65,
    "shufflenet_v2": 55,
    "vit_small": 13,
    "encoder_small": 11,
    "decoder_small": 20,
}
# Of these, kernels that only move data. A channel shuffle is a view, but a long chain of them is stored once.
MOST_MOVING = {"shufflenet_v2": 1}


class Checks:
    def __init__(self):
        self.failed = 0

    def check(self, holds, text):
        print(("ok    " if holds else "WRONG ") + text, flush=True)
        self.failed += not holds


def tuff_output(tuff, *arguments):
    command = [tuff, *map(str, arguments), "--no-cache"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"`{' '.join(command)}` ended with status {done.returncode}.\n{done.stdout}{done.stderr}")
    return done.stdout


def tensors(stem):
    """The file of what goes in or comes out: .npz where it is several, by name."""
    many = pathlib.Path(f"{stem}.npz")
    return many if many.exists() else pathlib.Path(f"{stem}.npy")


def expected_outputs(stem):
    found = np.load(tensors(f"{stem}.output"))
    return {"output": found} if isinstance(found, np.ndarray) else found


def check_output(checks, name, expected, found, most):
    """Logits, the outputs of two axes, have to name the same class, too."""
    same = found.shape == expected.shape and found.dtype == np.float32
    checks.check(same, f"{name}: float32 {list(found.shape)}")
    if not same:
        return
    expected = expected.astype(np.float64)
    error = np.abs(found - expected).max() / np.abs(expected).max()  # NaN compares false below
    checks.check(error <= most, f"{name}: error {error:.3g} of the largest (at most {most:g})")
    if expected.ndim == 2:
        checks.check(found.argmax() == expected.argmax(), f"{name}: class {found.argmax()} (onnxruntime {expected.argmax()})")


def check_outputs(checks, tuff, stem, fused):
    most = 0 if stem.name.endswith(INT8) else LARGEST_ERROR
    with tempfile.TemporaryDirectory(prefix="tuff-network-") as folder:
        how = [] if fused else ["--no-fuse"]
        tuff_output(tuff, "run", f"{stem}.onnx", "-i", tensors(f"{stem}.input"), "-o", folder, *how)
        for name, expected in expected_outputs(stem).items():
            found = np.load(pathlib.Path(folder) / f"{name}.npy")
            check_output(checks, f"{'fused' if fused else 'unfused'} {name}", expected, found, most)


def check_plan(checks, tuff, stem, network):
    plan = json.loads(tuff_output(tuff, "inspect", f"{stem}.onnx", "--stage=plan", "--json"))
    most = MOST_DISPATCHES[network]
    checks.check(1 <= plan["dispatch_count"] <= most, f"{plan['dispatch_count']} dispatches (at most {most})")
    checks.check(plan["submit_count"] == 1, f"{plan['submit_count']} submit")
    unfused = json.loads(tuff_output(tuff, "inspect", f"{stem}.onnx", "--stage=plan", "--json", "--no-fuse"))
    checks.check(unfused["dispatch_count"] > plan["dispatch_count"], f"{unfused['dispatch_count']} dispatches unfused")
    # As `tuff explain` names them: "kernel 3, copy (only moves data): /concat".
    kernels = [line for line in tuff_output(tuff, "explain", f"{stem}.onnx").splitlines() if line.startswith("kernel ")]
    moving = [line for line in kernels if line.split(",", 1)[1].strip().startswith("copy")]
    checks.check(len(kernels) == plan["dispatch_count"], f"{len(kernels)} kernels explained")
    moved = f"{len(moving)} kernels that only move data" + "".join("\n      " + m for m in moving)
    checks.check(len(moving) <= MOST_MOVING.get(network, 0), moved)


def check_weights(checks, tuff, stem):
    """8-bit weights take a quarter of the memory; scales and biases are the rest."""
    sizes = []
    for name in (stem.name, stem.name.removesuffix(INT8)):
        plan = json.loads(tuff_output(tuff, "inspect", stem.with_name(f"{name}.onnx"), "--stage=plan", "--json"))
        sizes.append(plan["weight_bytes"])
    share = sizes[0] / sizes[1]
    checks.check(0.25 <= share < 0.26, f"{sizes[0]} bytes of weights, {share:.4f} of those in float32 (less than 0.26)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tuff")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("network", choices=list(MOST_DISPATCHES))
    parser.add_argument("which", nargs="?", choices=["fused", "unfused"])
    options = parser.parse_args()

    checks, stem = Checks(), options.folder / options.network
    check_plan(checks, options.tuff, stem, options.network)
    if options.network.endswith(INT8):
        check_weights(checks, options.tuff, stem)
    for fused in (True, False):
        if options.which in (None, "fused" if fused else "unfused"):
            check_outputs(checks, options.tuff, stem, fused)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
