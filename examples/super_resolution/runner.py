"""Runs the network on one picture: by the command `tuff`, or by ONNX Runtime to compare with.

In: a float32 tensor [1,3,height,width] in 0..1. Out: the float32 tensor [1,3,2*height,2*width].
Invariant: the command line of `tuff` is spelled here and nowhere else in this example.
"""

import json
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE / "super_resolution_x2.onnx"


class RunFailed(Exception):
    """A sentence for the person at the terminal."""


def tuff_command(given=None):
    """The `tuff` to use: the given one, else this checkout's release build, else the installed one."""
    built = HERE.parents[1] / "build" / "release" / "bin" / "tuff"
    found = given or (str(built) if built.exists() else shutil.which("tuff"))
    if not found:
        raise RunFailed(f"There is no tuff at {built} nor on the PATH: run examples/quickstart, or give --tuff PATH.")
    return found


def call_tuff(tuff, arguments):
    """What `tuff` prints on its standard output; its warnings go to the terminal."""
    command = [tuff, *map(str, arguments)]
    try:
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    except OSError as error:
        raise RunFailed(f"{tuff} cannot be started: {error.strerror}.") from error
    if done.returncode != 0:
        raise RunFailed(f"`{' '.join(command)}` ended with status {done.returncode}.\n{done.stdout}".rstrip())
    return done.stdout


def chosen(device):
    return [] if device is None else ["--device", device]


def run_tuff(image, model=MODEL, tuff=None, device=None):
    with tempfile.TemporaryDirectory(prefix="tuff-upscale-") as folder:
        source, results = pathlib.Path(folder) / "image.npy", pathlib.Path(folder) / "results"
        results.mkdir()
        np.save(source, image)
        call_tuff(tuff_command(tuff), ["run", model, "-i", f"image={source}", "-o", f"{results}/", *chosen(device)])
        return checked(np.load(results / "upscaled.npy"), image)


def run_onnxruntime(image, model=MODEL):
    try:
        import onnxruntime
    except ImportError as error:
        raise RunFailed("ONNX Runtime is not installed: pip install onnxruntime.") from error
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    return checked(session.run(["upscaled"], {"image": image})[0], image)


def checked(upscaled, image):
    expected = (1, 3, 2 * image.shape[2], 2 * image.shape[3])
    if upscaled.shape != expected or upscaled.dtype != np.float32:
        raise RunFailed(f"The network gave {upscaled.dtype} {upscaled.shape} where float32 {expected} was expected.")
    if not np.isfinite(upscaled).all():
        raise RunFailed("The network gave values that are not finite.")
    return upscaled


def explain(model=MODEL, tuff=None, device=None):
    """Which operators became which kernels, as text."""
    return call_tuff(tuff_command(tuff), ["explain", model, *chosen(device)])


def bench(height, width, model=MODEL, tuff=None, device=None):
    """What `tuff bench` measures for an input of this size, as a dictionary; times are in nanoseconds."""
    size = ["--dim", f"height={height}", "--dim", f"width={width}"]
    return json.loads(call_tuff(tuff_command(tuff), ["bench", model, *size, "--json", *chosen(device)]))
