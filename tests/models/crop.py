"""A crop of a photograph as a network's input: crop.py PHOTO LEFT TOP WIDTH HEIGHT OUT.npy.

Out: float32 [1, 3, HEIGHT, WIDTH] in 0..1. Invariant: the same photograph gives the same bytes.
"""

import sys

import numpy as np
from PIL import Image

photo, left, top, width, height, out = sys.argv[1:]
left, top, width, height = int(left), int(top), int(width), int(height)
picture = Image.open(photo).convert("RGB").crop((left, top, left + width, top + height))
pixels = np.asarray(picture, dtype=np.float32) / np.float32(255)
np.save(out, np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis]))
