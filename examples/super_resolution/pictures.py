"""Pictures in and out of tensors, and the measure that pictures are judged by.

In: Pillow pictures, RGB. Out: float32 tensors [1,3,height,width] in 0..1, and PSNR in dB.
Invariant: both directions of the bicubic baseline are Pillow's, on 8-bit pictures, so that the network and
the baseline see the same input and round the same way.
"""

import math

import numpy as np
from PIL import Image, ImageOps

SCALE = 2
BORDER = 4  # pixels on each side that PSNR leaves out, as papers on super-resolution do


def open_rgb(path):
    with Image.open(path) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")  # as its camera was held


def crop_to_even(picture):
    """The largest top-left part whose sides divide by the scale."""
    width, height = picture.width // SCALE * SCALE, picture.height // SCALE * SCALE
    return picture.crop((0, 0, width, height))


def downscale(picture):
    return picture.resize((picture.width // SCALE, picture.height // SCALE), Image.BICUBIC)


def upscale_bicubic(picture):
    return picture.resize((picture.width * SCALE, picture.height * SCALE), Image.BICUBIC)


def to_tensor(picture):
    pixels = np.asarray(picture, dtype=np.float32) / np.float32(255.0)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis])


def from_tensor(tensor):
    pixels = np.rint(np.clip(tensor[0], 0.0, 1.0) * 255.0).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)), "RGB")


def psnr(picture, original):
    """Peak signal-to-noise ratio over the three channels, without the border; infinite for equal pictures."""
    if picture.size != original.size:
        raise ValueError(f"the picture is {picture.size}, the original {original.size}")
    inner = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    difference = np.asarray(picture, np.float64)[inner] - np.asarray(original, np.float64)[inner]
    error = float(np.mean(difference**2))
    return math.inf if error == 0.0 else 10.0 * math.log10(255.0**2 / error)
