"""Holds an example of a binding against the command: the same bytes. binding_example.py TUFF EXAMPLE..., which is run with
MODEL.onnx INPUT.npy OUTPUT.npy; 77 without numpy."""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("binding_example: skipped: no numpy (Debian: python3-numpy)", file=sys.stderr)
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "examples/super_resolution/super_resolution_x2.onnx"


def main():
    command, *example = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="tuff-binding-") as name:
        folder = pathlib.Path(name)
        np.save(folder / "x.npy", np.random.default_rng(1).random((1, 3, 17, 23), np.float32))
        subprocess.run([*example, MODEL, folder / "x.npy", folder / "y.npy"], check=True)
        subprocess.run([command, "run", MODEL, "-i", f"image={folder / 'x.npy'}", "-o", folder / "out", "--no-cache"], check=True)
        (expected,) = (folder / "out").glob("*.npy")
        ours, theirs = np.load(folder / "y.npy"), np.load(expected)
        assert ours.shape == (1, 3, 34, 46) and ours.tobytes() == theirs.tobytes(), "the outputs differ"
        missing = subprocess.run([*example, folder / "none.onnx", folder / "x.npy", folder / "y.npy"], capture_output=True, text=True)
        assert missing.returncode == 1 and ": Cannot open" in missing.stderr, missing.stderr
    print("the example's bytes are the command's; a missing model is told")


if __name__ == "__main__":
    main()
