"""What is measured: each row's model for every side, and its aim.

In: a folder and the names of rows. Out: NAME.onnx, NAME.param and NAME.bin with the same weights, an input and what
onnxruntime computes from it, unoptimised.
Invariant: files are made once for what made them: its sources are hashed into NAME.made.
"""

import dataclasses
import functools
import hashlib
import pathlib
import subprocess
import sys
import typing
import zlib

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent / "models"
sys.path.insert(0, str(MODELS))

from make_models import build  # noqa: E402
from ncnn_vit import write_vit  # noqa: E402
from ncnn_writer import write_ncnn  # noqa: E402
from onnx_writer import to_onnx  # noqa: E402
from operators import CHAIN, chain, conv3x3, gemm  # noqa: E402
from transformers import PUBLISHED, SMALL, DrawnWeights  # noqa: E402

SUFFIXES = (".onnx", ".param", ".bin", ".input.npy", ".output.npy")
MEAN_AIM = 2.0  # of the networks' geometric mean


def write_onnx(model, folder, name):
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def write_architecture(folder, name):
    write_onnx(to_onnx(build(name, "published"), 17), folder, name)
    write_ncnn(build(name, "fold"), folder)


def write_network(make, folder, name):
    network = make()
    write_onnx(to_onnx(network, 17), folder, name)
    write_ncnn(network, folder)


def write_transformer(make, sizes, folder, name):
    model = make(sizes, DrawnWeights(zlib.crc32(name.encode())))
    write_onnx(model, folder, name)
    write_vit(model, sizes, folder, name)


@dataclasses.dataclass(frozen=True)
class Row:
    title: str
    aim: float | None  # times as fast as ncnn, at least
    write: typing.Callable = write_architecture
    network: bool = True  # whether it counts in the geometric mean
    note: str = ""  # beside the aim
    ncnn_error: float = 1e-4  # of the largest element
    # ncnn in core-milliseconds an inference, measured on two busy cores with lavapipe of Mesa 22.3.6: what stands in for it
    # where its package has no Vulkan.
    known_ncnn_core_ms: float | None = None


def gemm_row(size, **known):
    write = functools.partial(write_network, functools.partial(gemm, f"gemm_{size}", size))
    return Row(f"GEMM {size}³", 3.5, write, network=False, **known)


def conv_row(channels, side, **known):
    make = functools.partial(conv3x3, f"conv3x3_{channels}_{side}", channels, side)
    title = f"convolution 3×3, {channels} to {channels} channels at {side}²"
    return Row(title, 1.3, functools.partial(write_network, make), network=False, note="2 with Winograd", **known)


def vit_row(title, make, sizes, **known):
    # ncnn's GELU approximates the error function.
    write = functools.partial(write_transformer, make, sizes)
    return Row(title, 3.0, write, network=False, ncnn_error=1e-3, **known)


ROWS = {
    "squeezenet1_1": Row("SqueezeNet 1.1", 1.3, known_ncnn_core_ms=141),
    "mobilenet_v2": Row("MobileNetV2", 1.3, known_ncnn_core_ms=175),
    "shufflenet_v2": Row("ShuffleNetV2", 1.3, known_ncnn_core_ms=109),
    "resnet18": Row("ResNet-18", 1.3, known_ncnn_core_ms=469),
    "resnet50": Row("ResNet-50", 1.3, known_ncnn_core_ms=1206),
    "efficientnet_b0": Row("EfficientNet-B0", 1.3, known_ncnn_core_ms=272),
    "googlenet": Row("GoogLeNet", 1.3, known_ncnn_core_ms=445),
    "vit_b32_384": vit_row("ViT-B/32 at 384²", *PUBLISHED["vit_b32_384"], known_ncnn_core_ms=8039),
    "gemm_1024": gemm_row(1024, known_ncnn_core_ms=777),
    "conv3x3_64_56": conv_row(64, 56, known_ncnn_core_ms=18.8),
}
# The same, small enough to run in tests.
SMALL_ROWS = {
    "gemm_48": gemm_row(48),
    "conv3x3_8_12": conv_row(8, 12),
    "vit_small": vit_row("ViT of two layers", *SMALL["vit_small"]),
}
# For the time that the host spends; it is in no table of ratios.
HOST_ROWS = {CHAIN: Row("50 small kernels", None, functools.partial(write_network, chain), network=False)}
ALL = ROWS | SMALL_ROWS | HOST_ROWS


def sources_hash():
    names = "architectures evaluate expected make_models network onnx_writer picture transformers"
    files = [MODELS / f"{name}.py" for name in names.split()] + [MODELS / "requirements.txt"]
    files += [HERE / f"{name}.py" for name in "ncnn_graph ncnn_vit ncnn_writer operators rows".split()]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def is_made(folder, name, key):
    stamp = folder / f"{name}.made"
    files = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
    return stamp.exists() and stamp.read_text() == key and all(file.exists() for file in files)


def prepare(folder, names):
    """Makes the files of each row that the folder lacks, or has from other sources."""
    folder.mkdir(parents=True, exist_ok=True)
    key = sources_hash()
    for name in names:
        if is_made(folder, name, key):
            continue
        print(f"making {name}", file=sys.stderr, flush=True)
        ALL[name].write(folder, name)
        expected = [sys.executable, MODELS / "expected.py", folder, "--only", name]
        subprocess.run(expected, check=True, stdout=subprocess.DEVNULL)
        (folder / f"{name}.made").write_text(key)
