"""Holds examples/upscale_stream against the command, frame by frame: stream_example.py UPSCALE_STREAM TUFF; 77 without numpy."""

import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("stream_example: skipped: no numpy (Debian: python3-numpy)", file=sys.stderr)
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "examples/super_resolution/super_resolution_x2.onnx"
FRAMES = 7  # more than are in flight, and no multiple of that


def stream(program, width, height, pixels, data):
    return subprocess.run([program, MODEL, str(width), str(height), pixels], input=data, capture_output=True)


def alone(command, frame, pixels, folder, dims):
    np.save(folder / "x.npy", frame)
    words = ["run", MODEL, "-i", f"image={folder / 'x.npy'}", "-o", folder / "out", "--no-cache",
             "--input-image", f"image={pixels}", "--output-image", "upscaled=rgb", *dims]
    subprocess.run([command, *words], check=True, capture_output=True)
    return np.load(folder / "out/upscaled.npy").tobytes()


def main():
    program, command = sys.argv[1:]
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory(prefix="tuff-stream-") as name:
        folder = pathlib.Path(name)
        for pixels, width, height, shape in (("rgb", 23, 14, (14, 23, 3)), ("nv12", 21, 15, (23, 22))):
            frames = random.integers(0, 256, (FRAMES, 1, *shape), np.uint8)
            done = stream(program, width, height, pixels, frames.tobytes())
            assert done.returncode == 0 and b"7 frames" in done.stderr, done.stderr
            size = 2 * width * 2 * height * 3
            assert len(done.stdout) == FRAMES * size, len(done.stdout)
            dims = ["--dim", f"height={height}", "--dim", f"width={width}"]
            for i in (0, 3, FRAMES - 1):
                expected = alone(command, frames[i], pixels, folder, dims)
                assert done.stdout[i * size : (i + 1) * size] == expected, f"{pixels} frame {i} differs"
        empty = stream(program, 8, 8, "rgb", b"")
        assert empty.returncode == 0 and empty.stdout == b"", empty.stderr
        whole = stream(program, 8, 8, "rgb", bytes(192))
        torn = stream(program, 8, 8, "rgb", bytes(200))
        assert torn.returncode == 1 and b"ends inside frame 1" in torn.stderr, (torn.returncode, torn.stderr)
        assert len(torn.stdout) == 16 * 16 * 3 and torn.stdout == whole.stdout, len(torn.stdout)
    print("each frame has the bytes that it has alone; a torn stream is told after its whole frames")


if __name__ == "__main__":
    main()
