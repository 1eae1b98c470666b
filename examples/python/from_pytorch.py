"""From PyTorch to Tuff: python3 from_pytorch.py FOLDER

Exports a small network to FOLDER/model.onnx, saves one input of it and what PyTorch computes for that input as
FOLDER/in.npz and FOLDER/out.npz, by the names that the model gives them, and prints the command that compares Tuff's
outputs with PyTorch's. Needs the packages torch, onnx and numpy. Put your own network and inputs in place of these.
"""

import os
import sys

import numpy as np

try:
    import torch
except ImportError as reason:
    print(f"This example needs PyTorch (pip install torch onnx): {reason}.", file=sys.stderr)
    sys.exit(77)  # "skipped" to a test


def network():
    torch.manual_seed(1)  # the same weights each time
    layers = torch.nn
    return layers.Sequential(
        layers.Conv2d(3, 16, 3, padding=1), layers.BatchNorm2d(16), layers.ReLU(), layers.AdaptiveAvgPool2d(1),
        layers.Flatten(), layers.Linear(16, 10), layers.Softmax(dim=-1),
    ).eval()  # as it infers: batch norm with its running statistics, no dropout


def export(folder):
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, name) for name in ("model.onnx", "in.npz", "out.npz")]
    model, image = network(), torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        scores = model(image)
    # dynamo=False: the exporter that needs no package but onnx.
    torch.onnx.export(model, (image,), paths[0], input_names=["image"], output_names=["scores"], dynamo=False)
    np.savez(paths[1], image=image.numpy())
    np.savez(paths[2], scores=scores.numpy())
    return paths


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    print("tuff verify {} -i {} --expect {}".format(*export(sys.argv[1])))
