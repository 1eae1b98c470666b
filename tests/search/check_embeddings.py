"""Holds the embeddings of examples/search against the package's own: check_embeddings.py ENCODE_LINES FOLDER [fused|unfused]

FOLDER as make_model.py leaves it; expected.npy as make_expected.py wrote it.
"""

import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 1e-5


def main():
    program, folder, fusion = [*sys.argv[1:], "fused"][:3]
    expected = np.load(HERE / "expected.npy")
    data = (HERE / "sentences.txt").read_bytes()
    mode = "unfused" if fusion == "unfused" else "embeddings"
    done = subprocess.run([program, mode, folder], input=data, stdout=subprocess.PIPE, check=True)
    found = np.frombuffer(done.stdout, np.float32).reshape(expected.shape)
    away = np.abs(found - expected).max(axis=1)
    worst = int(np.argmax(away))
    print(f"{len(found)} sentences, {fusion}: at most {away[worst]:.3g} away from the package's, in sentence {worst + 1}")
    if not away[worst] <= LIMIT:  # nor may it be NaN
        sys.exit(f"the limit is {LIMIT:g}")


if __name__ == "__main__":
    main()
