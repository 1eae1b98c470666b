"""Times Tuff against ncnn's Vulkan backend on the test networks, in float32, on one driver.

In: options (--help). Out: tables on stdout as Markdown, and with --json everything that was measured.
Invariant: what is compared ran in turns within one call of this script: each ratio is of one batch of
either side, one right after the other, and what is printed is the median of the pairs' ratios.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "models"))

from architectures import ARCHITECTURES  # noqa: E402
from chain import CHAIN, chain  # noqa: E402
from check_network import MOST_DISPATCHES  # noqa: E402
from engines import EngineError, Ncnn, Tuff  # noqa: E402
from make_models import build  # noqa: E402
from ncnn_writer import write_ncnn  # noqa: E402
from onnx_writer import to_onnx  # noqa: E402

# ncnn in core-milliseconds an inference, measured on two busy cores with lavapipe of Mesa 22.3.6:
# what stands in for the peer where its package has no Vulkan.
KNOWN_NCNN_CORE_MS = {
    "squeezenet1_1": 141,
    "resnet18": 469,
    "resnet50": 1206,
    "mobilenet_v2": 175,
    "efficientnet_b0": 272,
}
AIM_MEAN, AIM_LEAST = 1.5, 1.1
LAVAPIPE = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"


def prepare(folder, names):
    """Writes the files of each network that the folder lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        wanted = [folder / f"{name}{suffix}" for suffix in (".onnx", ".param", ".bin")]
        if not all(file.exists() for file in wanted):
            network = chain() if name == CHAIN else build(name, "published")
            wanted[0].write_bytes(to_onnx(network, 17).SerializeToString(deterministic=True))
            write_ncnn(network if name == CHAIN else build(name, "fold"), folder)
        if not (folder / f"{name}.output.npy").exists():
            expected = HERE.parent / "models" / "expected.py"
            subprocess.run([sys.executable, expected, folder, "--only", name], check=True, stdout=subprocess.DEVNULL)


def check_peer(ncnn, folder, name):
    """A peer that computes something else would be no measure."""
    with tempfile.TemporaryDirectory() as scratch:
        output = pathlib.Path(scratch) / "output.npy"
        ncnn.ask(save=str(output))
        compare = [sys.executable, str(HERE.parent / "models" / "compare.py"), "--rtol", "1e-4"]
        done = subprocess.run(
            [*compare, str(folder / f"{name}.output.npy"), str(output)], capture_output=True, text=True
        )
    if done.returncode != 0:
        raise EngineError(f"ncnn's output for {name} is not onnxruntime's: {done.stdout.strip()}")


def measure(name, folder, engines, pairs, batch_seconds):
    """Interleaved batches of each engine, the order turned round in every other pair."""
    model = folder / name
    counts = {}
    for engine in engines:
        engine.start(model)
        if isinstance(engine, Ncnn):
            check_peer(engine, folder, name)
        once = engine.batch(model, 2)
        counts[engine.name] = max(3, math.ceil(batch_seconds * 1e9 / once.wall_ns))
    batches = {engine.name: [] for engine in engines}
    for pair in range(pairs):
        for engine in engines if pair % 2 == 0 else reversed(engines):
            batches[engine.name].append(engine.batch(model, counts[engine.name]))
    for engine in engines:
        engine.close()
    return batches


def median(batches, field):
    values = [getattr(batch, field) for batch in batches]
    return statistics.median(values) if values and None not in values else None


def ratios(batches, field):
    """ncnn's time over Tuff's in each pair."""
    pairs = zip(batches.get("ncnn", []), batches.get("tuff", []))
    times = [(getattr(a, field), getattr(b, field)) for a, b in pairs]
    return [a / b for a, b in times if a and b]


def milliseconds(value):
    return "–" if value is None else f"{value / 1e6:.1f}"


def table(results, peer):
    columns = ["network", "Tuff ms", "ncnn ms", "Tuff core-ms", "ncnn core-ms"]
    columns += ["times as fast (pairs)", "by core-ms", "dispatches", "submits"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    speedups = []
    for name, batches in results.items():
        ours, theirs = batches.get("tuff", []), batches.get("ncnn", [])
        wall, cpu = ratios(batches, "wall_ns"), ratios(batches, "cpu_ns")
        known = "" if peer else f"{KNOWN_NCNN_CORE_MS[name]} (known)"
        core_ms = median(ours, "cpu_ns")
        if not peer and core_ms:
            cpu = [KNOWN_NCNN_CORE_MS[name] * 1e6 / core_ms]
        details = ours[0].details if ours else {}
        spread = f"{statistics.median(wall):.2f} ({min(wall):.2f}..{max(wall):.2f})" if wall else "–"
        by_core = f"{statistics.median(cpu):.2f}" if cpu else "–"
        dispatches = details.get("dispatch_count", "–")
        print(
            f"| {name} | {milliseconds(median(ours, 'wall_ns'))} | {milliseconds(median(theirs, 'wall_ns'))} "
            f"| {milliseconds(core_ms)} | {known or milliseconds(median(theirs, 'cpu_ns'))} | {spread} | {by_core} "
            f"| {dispatches} (at most {MOST_DISPATCHES[name]}) | {details.get('submit_count', '–')} |"
        )
        if wall:
            speedups.append(statistics.median(wall))
    if not speedups:
        # Figures from another machine give a picture, not a verdict.
        return None
    mean = statistics.geometric_mean(speedups)
    met = mean >= AIM_MEAN and min(speedups) >= AIM_LEAST
    print(
        f"\nGeometric mean {mean:.2f} (aim {AIM_MEAN}), least {min(speedups):.2f} (aim {AIM_LEAST}): "
        f"the aim is {'met' if met else 'missed'}."
    )
    return {"geometric_mean": mean, "least": min(speedups), "met": met}


def first_inferences(folder, engines, environment, repeats=3):
    """SqueezeNet from the start of loading to its first output, with every cache on disk empty,
    then with what that left behind."""
    rows = {}
    for engine in engines:
        empty, filled = [], []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as cache:
                own = {**environment, "XDG_CACHE_HOME": cache, "MESA_SHADER_CACHE_DIR": cache}
                empty.append(engine.first_ns(folder / "squeezenet1_1", own))
                filled.append(engine.first_ns(folder / "squeezenet1_1", own))
        rows[engine.name] = {"without_cache_ns": statistics.median(empty), "with_cache_ns": statistics.median(filled)}
    print("\n| first inference of SqueezeNet | without cache, ms | with cache, ms |\n|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {milliseconds(row['without_cache_ns'])} | {milliseconds(row['with_cache_ns'])} |")
    return rows


def host_time(folder, engines, pairs):
    """What the caller's own thread spends on one run of a graph of 50 kernels."""
    batches = measure(CHAIN, folder, engines, pairs, 0.3)
    print("\n| one run of 50 small kernels | host thread, us | wall, us | dispatches |\n|---|---|---|---|")
    rows = {}
    for name, some in batches.items():
        host, wall = median(some, "host_ns"), median(some, "wall_ns")
        host_text = "–" if host is None else f"{host / 1e3:.0f}"
        print(f"| {name} | {host_text} | {wall / 1e3:.0f} | {some[0].details.get('dispatch_count', '–')} |")
        rows[name] = {"host_ns": host, "wall_ns": wall}
    return rows


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tuff", default=str(ROOT / "build/release/bin/tuff"), help="the command, or none")
    parser.add_argument("--peer", choices=["ncnn", "none"], default="ncnn")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "build/bench-models")
    parser.add_argument("--only", nargs="+", choices=list(ARCHITECTURES), default=list(ARCHITECTURES))
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--batch-seconds", type=float, default=1.0, help="about how long one batch is")
    parser.add_argument("--icd", help=f"the driver's file; default: as the environment says, else {LAVAPIPE}")
    parser.add_argument("--json", type=pathlib.Path, help="where to keep every batch")
    parser.add_argument("--skip-first", action="store_true", help="leave out first inferences and the host time")
    parser.add_argument("--require", action="store_true", help="exit status 1 when the aim is missed")
    return parser.parse_args()


def peer_or_reason(folder, environment):
    """ncnn, when its package is here and runs on Vulkan; else None and why."""
    ncnn = Ncnn(environment)
    try:
        report = ncnn.start(folder / CHAIN)
        print(f"ncnn {report['version']}, Vulkan on {report['device']}, float32.")
        return ncnn, None
    except EngineError as error:
        return None, str(error)
    finally:
        ncnn.close()


def main():
    options = arguments()
    environment = dict(os.environ)
    if options.icd or not (environment.get("VK_ICD_FILENAMES") or environment.get("VK_DRIVER_FILES")):
        environment["VK_ICD_FILENAMES"] = environment["VK_DRIVER_FILES"] = options.icd or LAVAPIPE
    prepare(options.models, [*dict.fromkeys([*options.only, "squeezenet1_1"]), CHAIN])

    engines, peer, reason = [], None, "left out as asked"
    if options.tuff != "none":
        engines.append(Tuff(options.tuff, environment))
    if options.peer == "ncnn":
        peer, reason = peer_or_reason(options.models, environment)
    if peer:
        engines.append(peer)
    else:
        print(f"ncnn is not measured here ({reason}); its column holds figures known from another machine.")
    load = os.getloadavg()[0]
    print(f"{options.pairs} interleaved pairs, batches of about {options.batch_seconds} s, load {load:.1f}.\n")

    measured = {"networks": {}, "peer_missing": None if peer else reason}
    try:
        results = {}
        for name in options.only:
            results[name] = measure(name, options.models, engines, options.pairs, options.batch_seconds)
            measured["networks"][name] = {side: [vars(b) for b in some] for side, some in results[name].items()}
        summary = table(results, peer)
        measured["summary"] = summary
        if not options.skip_first and engines:
            measured["first_inference"] = first_inferences(options.models, engines, environment)
            measured["host_time"] = host_time(options.models, engines, options.pairs)
    except EngineError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    finally:
        if peer:
            peer.close()
        if options.json:
            options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 1 if options.require and not (summary and summary["met"]) else 0


if __name__ == "__main__":
    sys.exit(main())
