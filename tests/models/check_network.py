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
import onnx

# A product of n rounded factors and its sum differ by about sqrt(n) units in the last place from another order's; 2e-5
# leaves a factor of ten above what is seen.
LARGEST_ERROR = 2e-5  # of the largest element
INT8 = "_int8"  # at the end of a name: quantize.py's networks, where any order of a sum gives the same bits
INT4 = "_int4_"  # in a name: transformers.py's decoders with weights of 4 bits
# Of those two computations, each of twelve products one after another (six a layer) of at most 1,024 terms, whose rounding
# errors add up like a random walk. A weight that is one step off changes results by a thousand times as much.
LARGEST_INT4_ERROR = (2 * 12 * 1024) ** 0.5 * 2.0**-24
WEIGHT_ALIGNMENT = 256  # what each weight's bytes are rounded up to, at most

# Dispatches of a fused plan on any CPU driver: one for each convolution, pooling and matrix product, everything else inside
# them, and windows inside the products that read them where that pays.
MOST_DISPATCHES = {
    "squeezenet1_1": 27,
    "resnet18": 23,
    "resnet18_int8": 24,
    "resnet50": 56,
    "mobilenet_v2": 48,
    "efficientnet_b0": 97,
    "googlenet": 65,
    "shufflenet_v2": 55,
    "vit_small": 13,
    "encoder_small": 11,
    "decoder_small": 20,
    "decoder_int4_symmetric": 21,
    "decoder_int4_asymmetric": 21,
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


def run_outputs(tuff, stem, *options):
    with tempfile.TemporaryDirectory(prefix="tuff-network-") as folder:
        tuff_output(tuff, "run", f"{stem}.onnx", "-i", tensors(f"{stem}.input"), "-o", folder, *options)
        return {path.stem: np.load(path) for path in pathlib.Path(folder).glob("*.npy")}


def check_outputs(checks, tuff, stem, how):
    """how: fused, unfused or reference."""
    most = 0 if stem.name.endswith(INT8) else LARGEST_INT4_ERROR if INT4 in stem.name else LARGEST_ERROR
    options = {"fused": [], "unfused": ["--no-fuse"], "reference": ["--device", "cpu"]}[how]
    found = run_outputs(tuff, stem, *options)
    for name, expected in expected_outputs(stem).items():
        check_output(checks, f"{how} {name}", expected, found[name], most)


def check_exact(checks, tuff, stem):
    of_device, of_reference = (run_outputs(tuff, stem, "--exact", *where) for where in ([], ["--device", "cpu"]))
    for name, expected in of_reference.items():
        checks.check(of_device[name].tobytes() == expected.tobytes(), f"exact {name}: the bytes of the CPU reference")


def plan_of(tuff, stem, *options):
    return json.loads(tuff_output(tuff, "inspect", f"{stem}.onnx", "--stage=plan", "--json", *options))


def check_plan(checks, tuff, stem, network):
    plan = plan_of(tuff, stem)
    most = MOST_DISPATCHES[network]
    checks.check(1 <= plan["dispatch_count"] <= most, f"{plan['dispatch_count']} dispatches (at most {most})")
    checks.check(plan["submit_count"] == 1, f"{plan['submit_count']} submit")
    unfused = plan_of(tuff, stem, "--no-fuse")
    checks.check(unfused["dispatch_count"] > plan["dispatch_count"], f"{unfused['dispatch_count']} dispatches unfused")
    # As `tuff explain` names them: "kernel 3, copy (only moves data): /concat".
    kernels = [line for line in tuff_output(tuff, "explain", f"{stem}.onnx").splitlines() if line.startswith("kernel ")]
    moving = [line for line in kernels if line.split(",", 1)[1].strip().startswith("copy")]
    checks.check(len(kernels) == plan["dispatch_count"], f"{len(kernels)} kernels explained")
    moved = f"{len(moving)} kernels that only move data" + "".join("\n      " + m for m in moving)
    checks.check(len(moving) <= MOST_MOVING.get(network, 0), moved)


def check_8_bits(checks, tuff, stem):
    """8-bit weights and 8-bit values between kernels take a quarter of the memory; scales and biases are the rest."""
    # Exact, since fast mode may have weights of float32 transformed, which takes more.
    plan, of_float32 = plan_of(tuff, stem), plan_of(tuff, stem.with_name(stem.name.removesuffix(INT8)), "--exact")
    share = plan["weight_bytes"] / of_float32["weight_bytes"]
    checks.check(
        0.25 <= share < 0.26, f"{plan['weight_bytes']} bytes of weights, {share:.4f} of those in float32 (less than 0.26)"
    )
    # The picture is float32 in both.
    picture_bytes = np.load(tensors(f"{stem}.input")).nbytes
    moved, float32_moved = (p["bytes_read"] + p["bytes_written"] - picture_bytes for p in (plan, of_float32))
    share = moved / float32_moved
    checks.check(share < 0.26, f"{moved} bytes read and written, {share:.4f} of those in float32 (less than 0.26)")
    # As `tuff explain` has them: "  writes %14 "input.q" u8[1, 3, 224, 224]".
    outputs = [f'"{output.name}"' for output in onnx.load(f"{stem}.onnx").graph.output]
    writes = [line for line in tuff_output(tuff, "explain", f"{stem}.onnx").splitlines() if line.startswith("  writes ")]
    wide = [line for line in writes if " u8[" not in line and not any(name in line for name in outputs)]
    text = f"{len(wide)} of {len(writes)} kernels write wider values than u8" + "".join("\n    " + line for line in wide)
    checks.check(writes and not wide, text)


def four_bit_products(model):
    """By name of each MatMulNBits: its K, N and the bytes of its weights, scales and zero points in the file."""
    constants = {tensor.name: len(tensor.raw_data) for tensor in model.graph.initializer}
    found = {}
    for node in model.graph.node:
        if node.op_type == "MatMulNBits":
            sizes = {attribute.name: attribute.i for attribute in node.attribute}
            found[node.name] = sizes["K"], sizes["N"], sum(constants[name] for name in node.input[1:])
    return found


def check_4_bits(checks, tuff, stem):
    """Memory holds the weights as the file does, and the products that read them dequantise them."""
    plan, model = plan_of(tuff, stem), onnx.load(f"{stem}.onnx")
    products = four_bit_products(model)
    packed, in_float32 = sum(p[2] for p in products.values()), sum(4 * p[0] * p[1] for p in products.values())
    constants = sum(len(tensor.raw_data) + WEIGHT_ALIGNMENT for tensor in model.graph.initializer)
    weight_bytes = plan["weight_bytes"]
    checks.check(packed <= weight_bytes <= constants, f"{weight_bytes} bytes of weights (the file has {constants})")
    # 4 bits, and 32 and perhaps 4 more for each block of 32.
    share = weight_bytes / in_float32
    checks.check(share < 0.17, f"{share:.4f} of the products' weights in float32 (less than 0.17)")

    steps_of = {name: [i for i, step in enumerate(plan["steps"]) if name in step["origins"]] for name in products}
    shared = [name for name, steps in steps_of.items() if len(steps) != 1]
    checks.check(products and not shared, f"{len(products)} products of 4-bit weights, each in one kernel" + str(shared or ""))
    read = 0
    for dispatch in plan["dispatches"]:
        here = [products[name] for name, steps in steps_of.items() if steps == [dispatch["step"]]]
        if not here:
            continue
        read += dispatch["bytes_read"]
        weights = sum(p[2] for p in here)
        # Beside the weights: a row that is normalised (itself, its squares, the norm's weight) and what is added to the result.
        most_read = weights + sum(4 * (3 * p[0] + 2 * p[1]) for p in here)
        # The result, and one more that is made of it (a square, or a position's rotation).
        most_written = sum(2 * 4 * p[1] for p in here)
        skeletons = {variant["skeleton"] for variant in plan["steps"][dispatch["step"]]["variants"]}
        checks.check(
            skeletons <= {"gemv", "contract"}
            and weights <= dispatch["bytes_read"] <= most_read
            and dispatch["bytes_written"] <= most_written,
            f"{dispatch['kernel']} reads {dispatch['bytes_read']} bytes ({weights} to {most_read}), "
            f"writes {dispatch['bytes_written']} (at most {most_written})",
        )
    checks.check(read < 0.2 * in_float32, f"they read {read} bytes, {read / in_float32:.4f} of their weights in float32")


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
        check_8_bits(checks, options.tuff, stem)
    if INT4 in options.network:
        check_4_bits(checks, options.tuff, stem)
    for how in ("fused", "unfused"):
        if options.which in (None, how):
            check_outputs(checks, options.tuff, stem, how)
    if INT4 in options.network:
        check_outputs(checks, options.tuff, stem, "reference")
        check_exact(checks, options.tuff, stem)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
