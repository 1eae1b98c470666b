"""Counts the dispatches of eight networks as planned for three GPUs, beside the aim for each and its conditions.

In: the command `tuff`, options (--help). Out: a table on stdout as Markdown, and with --json the same as integers.
A count is worth nothing if it was bought with recomputation or an idle GPU. So with it go, of the whole plan:

    bytes       that the kernels read and write, at most 1.1 times the least: weights once, and each value that is stored
                written once and read once
    time        that the cost model predicts, no longer than that of the plan of one kernel a node
    workgroups  at least two a core, for each kernel whose unfused kernel has them: of those that it replaces, the one that
                computes most

Invariant: nothing is run, and what is printed depends on the source and on the device texts alone. Weights are random, sizes
those that were published. A network of equal layers is planned with one layer less, too: the difference is a layer's.
With --check, what is kept in tests/golden/dispatches must be what comes out; TUFF_UPDATE_GOLDENS=1 keeps it anew, but nothing
that has more dispatches or submits or misses what it met: for that, the file is deleted first.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "models"))

from architectures import ARCHITECTURES  # noqa: E402
from make_models import build  # noqa: E402
from onnx_writer import to_onnx  # noqa: E402
from transformers import PUBLISHED, SharedWeights  # noqa: E402

DEVICES = ("lavapipe_debian12", "rx_6900", "adreno_740")
GOLDENS = ROOT / "tests/golden/dispatches"


@dataclasses.dataclass(frozen=True)
class Aim:
    """The most dispatches of a network, or of each of its layers, or both."""

    whole: int | None = None
    layer: int | None = None
    submits: int = 1


AIMS = {
    "squeezenet1_1": Aim(30),
    "mobilenet_v2": Aim(36),
    "resnet18": Aim(23),
    "resnet50": Aim(56),
    "efficientnet_b0": Aim(70),
    "vit_b32_384": Aim(64, layer=5),
    "encoder": Aim(layer=5),
    "decoder": Aim(layer=6),
}


class PlanError(Exception):
    pass


def plan(tuff, model, device, *how):
    """What `tuff inspect` says, with the origins of each dispatch's step beside it."""
    text = ROOT / f"tests/devices/{device}.txt"
    command = [tuff, "inspect", str(model), "--stage=plan", "--json", "--as", str(text), *how]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise PlanError(f"`{' '.join(command)}` ended with status {done.returncode}.\n{done.stderr}")
    made = json.loads(done.stdout)
    for dispatch in made["dispatches"]:
        dispatch["origins"] = frozenset(made["steps"][dispatch["step"]]["origins"])
    return made


def main_replaced(dispatch, unfused):
    """The dispatch of the unfused plan that does most of the fused one's work."""
    replaced = [one for one in unfused["dispatches"] if one["origins"] <= dispatch["origins"]]
    if not replaced:
        raise PlanError(f"No unfused kernel is from {sorted(dispatch['origins'])} alone.")
    return max(replaced, key=lambda one: (one["multiply_adds"], one["workgroup_count"]))


def least_workgroups(fused, unfused):
    """Of the kernels whose unfused kernel has two a core; None where no kernel is such."""
    wanted = 2 * fused["compute_unit_count"]
    bound = [one for one in fused["dispatches"] if main_replaced(one, unfused)["workgroup_count"] >= wanted]
    return min((one["workgroup_count"] for one in bound), default=None)


def figures(fused, unfused, one_layer_less):
    found = {"dispatch_count": fused["dispatch_count"]}
    if one_layer_less:
        found["layer_dispatch_count"] = fused["dispatch_count"] - one_layer_less["dispatch_count"]
    return found | {
        "submit_count": fused["submit_count"],
        "bytes": fused["bytes_read"] + fused["bytes_written"],
        "least_bytes": fused["least_bytes"],
        "weight_bytes": fused["weight_bytes"],
        "predicted_ns": fused["predicted_ns"],
        "unfused_dispatch_count": unfused["dispatch_count"],
        "unfused_predicted_ns": unfused["predicted_ns"],
        "least_workgroup_count": least_workgroups(fused, unfused),
        "compute_unit_count": fused["compute_unit_count"],
    }


def missed(found, aim):
    """The names of what is not as it should be."""
    workgroups = found["least_workgroup_count"]
    holds = {
        "dispatches": aim.whole is None or found["dispatch_count"] <= aim.whole,
        "dispatches a layer": aim.layer is None or found["layer_dispatch_count"] <= aim.layer,
        "submits": found["submit_count"] <= aim.submits,
        "bytes": 10 * found["bytes"] <= 11 * found["least_bytes"],
        "time": found["predicted_ns"] <= found["unfused_predicted_ns"],
        "workgroups": workgroups is None or workgroups >= 2 * found["compute_unit_count"],
    }
    return [name for name, met in holds.items() if not met]


def models_of(name, folder, weights):
    """The files of a network, and of the same with one layer less; None where it has no equal layers."""
    if name in ARCHITECTURES:
        path = folder / f"{name}.onnx"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(to_onnx(build(name, "published"), 17).SerializeToString(deterministic=True))
        return path, None
    make, sizes = PUBLISHED[name]
    paths = []
    for layers in (sizes.layers, sizes.layers - 1):
        model = make(dataclasses.replace(sizes, layers=layers), weights)
        paths.append(weights.path.with_name(f"{name}_{layers}.onnx"))
        paths[-1].write_bytes(model.SerializeToString(deterministic=True))
    return paths


def measure(tuff, names, devices, folder):
    """By device, by network: the figures and what is missed."""
    measured = {device: {} for device in devices}
    with tempfile.TemporaryDirectory(prefix="tuff-dispatches-") as scratch:
        weights = SharedWeights(pathlib.Path(scratch) / "weights")
        for name in names:
            whole, shorter = models_of(name, folder, weights)
            for device in devices:
                less = plan(tuff, shorter, device) if shorter else None
                found = figures(plan(tuff, whole, device), plan(tuff, whole, device, "--no-fuse"), less)
                measured[device][name] = found | {"missed": missed(found, AIMS[name])}
    return measured


def aim_text(aim):
    parts = [str(aim.whole)] if aim.whole else []
    return ", ".join(parts + ([f"{aim.layer} a layer"] if aim.layer else []))


def row(name, device, found):
    aim = AIMS[name]
    count = str(found["dispatch_count"])
    if "layer_dispatch_count" in found:
        count += f", {found['layer_dispatch_count']} a layer"
    least = found["least_workgroup_count"]
    workgroups = "–" if least is None else f"{least / found['compute_unit_count']:.1f}"
    cells = [
        name,
        device,
        count,
        aim_text(aim),
        found["submit_count"],
        f"{found['bytes'] / 1e6:.1f}",
        f"{found['bytes'] / found['least_bytes']:.3f}",
        f"{found['predicted_ns'] / 1e3:.0f}",
        f"{found['unfused_predicted_ns'] / 1e3:.0f}",
        workgroups,
        "missed: " + ", ".join(found["missed"]) if found["missed"] else "met",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def print_table(measured):
    columns = ["network", "device text", "dispatches", "at most", "submits", "MB moved", "of the least (at most 1.1)"]
    columns += ["predicted, us", "unfused, us", "workgroups a core (at least 2)", "aim"]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for name in AIMS:
        for device, networks in measured.items():
            if name in networks:
                print(row(name, device, networks[name]))
    rows = [found for networks in measured.values() for found in networks.values()]
    print(f"\n{sum(not found['missed'] for found in rows)} of {len(rows)} rows meet their aim and its conditions.")


def worse(kept, found):
    """Sentences on what has got worse than what was kept."""
    counts = [key for key in kept if key.endswith("dispatch_count") and not key.startswith("unfused")] + ["submit_count"]
    said = [f"{key} is {found[key]}, was {kept[key]}" for key in counts if found.get(key, 0) > kept[key]]
    return said + [f"'{name}' was met" for name in found["missed"] if name not in kept["missed"]]


def check_device(path, device, networks):
    """Sentences on what differs from the device's golden; renews it where TUFF_UPDATE_GOLDENS=1 asks and nothing is worse."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    said = [
        f"{name} for {device}: {sentence}."
        for name, found in networks.items()
        if name in kept
        for sentence in worse(kept[name], found)
    ]
    if said:
        return [*said, f"If that is meant, delete {path} and renew it."]
    if os.environ.get("TUFF_UPDATE_GOLDENS") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept | networks, indent=1) + "\n")
        return []
    differing = [
        f"{name} for {device}: {key} is {found[key]}, {path.name} has {kept.get(name, {}).get(key)}."
        for name, found in networks.items()
        for key in found
        if kept.get(name, {}).get(key) != found[key]
    ]
    return [*differing, "TUFF_UPDATE_GOLDENS=1 keeps the new figures."] if differing else []


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tuff", default=str(ROOT / "build/release/bin/tuff"), help="the command")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "build/bench-models", help="where the image networks are")
    parser.add_argument("--only", nargs="+", choices=list(AIMS), default=list(AIMS))
    parser.add_argument("--devices", nargs="+", default=list(DEVICES), help="texts of tests/devices, without .txt")
    parser.add_argument("--json", type=pathlib.Path, help="where to keep the figures")
    parser.add_argument("--check", type=pathlib.Path, nargs="?", const=GOLDENS, help="a folder of goldens to compare with")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        measured = measure(options.tuff, options.only, options.devices, options.models)
    except PlanError as error:
        print(error, file=sys.stderr)
        return 2
    print_table(measured)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    said = []
    if options.check:
        for device, networks in measured.items():
            said += check_device(options.check / f"{device}.json", device, networks)
    print("\n".join(said), file=sys.stderr, end="\n" if said else "")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
