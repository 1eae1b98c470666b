#!/usr/bin/python3
"""Doubles one picture with the network, and shows what that gained and what it ran as.

In: a picture (default: one of photos/), which is halved first so that the original is known; with --upscale the
picture itself is the input. Out: in the output folder NAME_x2.png, and where the original is known
NAME_before_after.png, a detail side by side: bicubic, tuff, original. On the terminal PSNR, kernels and time.
Invariant: the one ONNX file serves every size; nothing here depends on the picture's.
"""

import argparse
import math
import pathlib
import sys

from PIL import Image, ImageDraw

import pictures
import runner

DETAIL = 96  # pixels of the original, shown ZOOM times as large
ZOOM = 3
GAP = 6
CAPTION = 16
LEAST_SIDE = 2 * (2 * pictures.BORDER + 1)  # below this PSNR has nothing to measure

DETAIL_CENTRES = {  # of the held-out photographs, where there is something to see; else the middle
    "astronaut": (226, 118),
    "chelsea": (165, 125),
    "coffee": (345, 265),
    "flower": (315, 190),
    "rocket": (55, 250),
}


def open_picture(path):
    try:
        return pictures.open_rgb(path)
    except FileNotFoundError as error:
        raise runner.RunFailed(f"There is no picture at {path}.") from error
    except (OSError, Image.DecompressionBombError) as error:
        raise runner.RunFailed(f"{path} cannot be read as a picture: {error}.") from error


def detail_box(name, size):
    """The square to zoom into, moved where needed so that it stays in the picture."""
    side = min(DETAIL, *size)
    centre = DETAIL_CENTRES.get(name, (size[0] // 2, size[1] // 2))
    left, top = (min(max(c - side // 2, 0), extent - side) for c, extent in zip(centre, size))
    return left, top, left + side, top + side


def before_after(columns, box):
    """One picture of equal details with captions; columns: [(caption, picture)]."""
    side = (box[2] - box[0]) * ZOOM
    sheet = Image.new("RGB", (len(columns) * (side + GAP) - GAP, side + CAPTION), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (caption, picture) in enumerate(columns):
        left = i * (side + GAP)
        draw.text((left + 2, 2), caption, fill="black")
        sheet.paste(picture.crop(box).resize((side, side), Image.NEAREST), (left, CAPTION))
    return sheet


def upscale(picture, arguments):
    image = pictures.to_tensor(picture)
    return pictures.from_tensor(runner.run_tuff(image, arguments.model, arguments.tuff, arguments.device))


def compare(original, name, arguments):
    """Halves, doubles, measures; returns the small picture and the doubled one."""
    small = pictures.downscale(original)
    upscaled, bicubic = upscale(small, arguments), pictures.upscale_bicubic(small)
    before, after = pictures.psnr(bicubic, original), pictures.psnr(upscaled, original)
    gain = "" if math.inf in (before, after) else f" ({after - before:+.2f} dB)"  # infinite: equal to the original
    print(f"PSNR to the original, RGB, {pictures.BORDER} border pixels left out: "
          f"bicubic {before:.2f} dB, tuff {after:.2f} dB{gain}")
    columns = [(f"bicubic  {before:.2f} dB", bicubic), (f"tuff  {after:.2f} dB", upscaled), ("original", original)]
    path = arguments.output / f"{name}_before_after.png"
    before_after(columns, detail_box(name, original.size)).save(path)
    print(f"wrote {path}")
    return small, upscaled


def process(arguments):
    name, picture = arguments.picture.stem, open_picture(arguments.picture)
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.upscale:
        small, upscaled = picture, upscale(picture, arguments)
    else:
        if min(picture.size) < LEAST_SIDE:
            raise runner.RunFailed(f"{arguments.picture} is {picture.width}x{picture.height}; to halve it and measure, "
                                   f"both sides must be at least {LEAST_SIDE}. Use --upscale to double it as it is.")
        small, upscaled = compare(pictures.crop_to_even(picture), name, arguments)
    path = arguments.output / f"{name}_x2.png"
    upscaled.save(path)
    print(f"wrote {path}: {small.width}x{small.height} -> {upscaled.width}x{upscaled.height}")
    if not arguments.picture_only:
        print()
        print(runner.explain(arguments.model, arguments.tuff, arguments.device).rstrip())
        figures = runner.bench(small.height, small.width, arguments.model, arguments.tuff, arguments.device)
        print(f"\none run, {small.width}x{small.height} -> {upscaled.width}x{upscaled.height}: "
              f"{figures['wall_ns']['p50'] * 1e-6:.2f} ms (median of {figures['runs']}), "
              f"{figures['dispatch_count']} dispatches, on {figures['device']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="?", type=pathlib.Path, default=runner.HERE / "photos" / "flower.png")
    parser.add_argument("--upscale", action="store_true", help="double the picture itself instead of a halved copy")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("out"), help="folder for the pictures")
    parser.add_argument("--model", default=runner.MODEL)
    parser.add_argument("--tuff", help="path of the command (default: build/release/bin/tuff)")
    parser.add_argument("--device", help="for tuff: an index, a name or a UUID (default: the best GPU)")
    parser.add_argument("--picture-only", action="store_true", help="leave out the kernels and the time")
    try:
        process(parser.parse_args())
    except (runner.RunFailed, OSError) as error:
        print(f"upscale.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
