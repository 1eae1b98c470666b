#!/usr/bin/python3
"""PSNR of the network beside bicubic's, on photographs that it was not trained on.

In: photographs or folders of them (default: photos/ beside this file). Each is halved by Pillow's bicubic filter;
the network and Pillow's bicubic filter double it again; both are compared with the photograph.
Out: a table, with --json FILE the same as JSON; status 1 if the mean gain is under 1.0 dB or that of a photograph
under 0.5 dB, 2 if the network could not be run.
Invariant: the network sees the 8-bit picture that bicubic sees, and is rounded to 8 bits before it is judged.
"""

import argparse
import json
import pathlib
import statistics
import sys

import pictures
import runner

MEAN_GAIN_DB = 1.0
LEAST_GAIN_DB = 0.5
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}


def photographs(paths):
    found = []
    for path in map(pathlib.Path, paths):
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise runner.RunFailed(f"The folder {path} holds no picture.")
        found += inside
    return found


def judge(path, run):
    """One row: the photograph's name and both PSNRs in dB."""
    original = pictures.crop_to_even(pictures.open_rgb(path))
    small = pictures.downscale(original)
    upscaled = pictures.from_tensor(run(pictures.to_tensor(small)))
    bicubic = pictures.psnr(pictures.upscale_bicubic(small), original)
    network = pictures.psnr(upscaled, original)
    return {"photo": path.stem, "size": list(original.size), "bicubic_db": bicubic, "network_db": network,
            "gain_db": network - bicubic}


def verdict(rows):
    gains = [row["gain_db"] for row in rows]
    mean, least = statistics.mean(gains), min(gains)
    return {"photos": rows, "mean_gain_db": mean, "least_gain_db": least,
            "required_mean_gain_db": MEAN_GAIN_DB, "required_least_gain_db": LEAST_GAIN_DB,
            "passed": mean >= MEAN_GAIN_DB and least >= LEAST_GAIN_DB}


def table(result):
    lines = [f"{'photo':<14}{'size':>11}{'bicubic':>10}{'network':>10}{'gain':>8}   dB"]
    for row in result["photos"]:
        size = "x".join(map(str, row["size"]))
        lines.append(f"{row['photo']:<14}{size:>11}{row['bicubic_db']:10.2f}{row['network_db']:10.2f}{row['gain_db']:+8.2f}")
    lines.append(f"{'mean gain':<45}{result['mean_gain_db']:+8.2f}   (at least {MEAN_GAIN_DB:+.1f} wanted)")
    lines.append(f"{'least gain':<45}{result['least_gain_db']:+8.2f}   (at least {LEAST_GAIN_DB:+.1f} wanted)")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="*", default=[runner.HERE / "photos"], help="photographs or folders of them")
    parser.add_argument("--model", default=runner.MODEL, help="an ONNX file with input `image`, output `upscaled`")
    parser.add_argument("--runner", choices=["tuff", "onnxruntime"], default="tuff")
    parser.add_argument("--tuff", help="path of the command (default: build/release/bin/tuff)")
    parser.add_argument("--device", help="for tuff: an index, a name or a UUID (default: the best GPU)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there; - is the standard output, in place of the table")
    arguments = parser.parse_args()

    def run(image):
        if arguments.runner == "onnxruntime":
            return runner.run_onnxruntime(image, arguments.model)
        return runner.run_tuff(image, arguments.model, arguments.tuff, arguments.device)

    try:
        result = verdict([judge(path, run) for path in photographs(arguments.photos)])
        if arguments.json != "-":
            print(table(result))
        if arguments.json:
            text = json.dumps(result, indent=2) + "\n"
            sys.stdout.write(text) if arguments.json == "-" else pathlib.Path(arguments.json).write_text(text)
    except (runner.RunFailed, OSError) as error:
        print(f"evaluate.py: {error}", file=sys.stderr)
        return 2
    return 0 if result["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
