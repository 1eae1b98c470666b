"""Types what examples/python/from_pytorch.py says: its model gives PyTorch's outputs. pytorch_example.py TUFF; 77 without
PyTorch."""

import pathlib
import shlex
import subprocess
import sys
import tempfile

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples/python/from_pytorch.py"


def main():
    with tempfile.TemporaryDirectory(prefix="tuff-pytorch-") as folder:
        done = subprocess.run([sys.executable, EXAMPLE, folder], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(done.returncode)
        words = shlex.split(done.stdout.splitlines()[-1])
        assert words[:2] == ["tuff", "verify"], done.stdout
        subprocess.run([sys.argv[1], *words[1:], "--device", "cpu"], check=True)


if __name__ == "__main__":
    main()
