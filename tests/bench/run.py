"""Times Tuff against ncnn's Vulkan backend in float32 on one driver, and for orientation onnxruntime's CPU.

In: options (--help). Out: tables on stdout as Markdown; with --output FOLDER also results.md, results.json with every batch, and
ratios.svg.
Invariant: what is compared ran in turns within one call of this script, after each side's output was held against what
onnxruntime computes unoptimised: a side that computes something else is an error and not a row. Each ratio is of one batch of
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

from engines import EngineError, Ncnn, Onnxruntime, Tuff
from plot import Bar, chart
from report import Result, as_json, first_table, host_table, summary, table
from rows import ALL, CHAIN, MODELS, ROWS, SMALL_ROWS, prepare

ROOT = MODELS.parent.parent
LAVAPIPE = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"
PEERS = {"ncnn": Ncnn, "onnxruntime": Onnxruntime}
OWN_ERROR = 1e-4  # of the largest element: another order of sums, in a whole network


def check_output(engine, model):
    """What computes something else would be no measure."""
    bound = ALL[model.name].ncnn_error if engine.name == "ncnn" else OWN_ERROR
    with tempfile.TemporaryDirectory() as scratch:
        output = pathlib.Path(scratch) / "output.npy"
        engine.save(model, output)
        expected = model.with_suffix(".output.npy")
        compare = [sys.executable, MODELS / "compare.py", "--rtol", str(bound), expected, output]
        done = subprocess.run(compare, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stdout or done.stderr).strip().replace("\n", "; ")
        raise EngineError(f"{engine.name}'s output for {model.name} is not onnxruntime's: {said}")


def run_count(wall_ns, batch_seconds):
    """As many inferences as a batch is long, at least 3 to have a median; but one where three are ten batches."""
    batch_ns = batch_seconds * 1e9
    least = 3 if 3 * wall_ns < 10 * batch_ns else 1
    return max(least, math.ceil(batch_ns / wall_ns))


def measure(name, folder, engines, pairs, batch_seconds):
    """Interleaved batches of each engine, the order turned round in every other pair."""
    model = folder / name
    counts, result = {}, Result({engine.name: [] for engine in engines})
    try:
        for engine in engines:
            report = engine.start(model)
            if engine.name == "ncnn":
                result.cpu_layers = report["cpu_layers"]
            check_output(engine, model)
            counts[engine.name] = run_count(engine.batch(model, 1).wall_ns, batch_seconds)
        for pair in range(pairs):
            for engine in engines if pair % 2 == 0 else reversed(engines):
                result.batches[engine.name].append(engine.batch(model, counts[engine.name]))
    finally:
        for engine in engines:
            engine.close()
    return result


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
    return rows


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tuff", default=str(ROOT / "build/release/bin/tuff"), help="the command, or none")
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS), help="default: both")
    older = "an older ncnn instead, which keeps blobs in images: faster where a driver loads from buffers lane by lane"
    parser.add_argument("--ncnn-images", action="store_true", help=older)
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "build/bench-models", help="where models are made, once")
    names = f"of {', '.join(ROWS)}; or, for tests, {', '.join(SMALL_ROWS)}"
    choices = [*ROWS, *SMALL_ROWS]
    parser.add_argument("--only", nargs="+", choices=choices, default=list(ROWS), metavar="ROW", help=names)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--batch-seconds", type=float, default=1.0, help="about how long one batch is")
    parser.add_argument("--icd", help=f"the driver's file; default: as the environment says, else {LAVAPIPE}")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="FOLDER", help="where results.md, .json and ratios.svg go")
    parser.add_argument("--skip-first", action="store_true", help="leave out first inferences and the host time")
    parser.add_argument("--require", action="store_true", help="exit status 1 when an aim is missed")
    return parser.parse_args()


class Benchmark:
    def __init__(self, options):
        self.options = options
        self.environment = dict(os.environ)
        if options.icd or not (self.environment.get("VK_ICD_FILENAMES") or self.environment.get("VK_DRIVER_FILES")):
            self.environment["VK_ICD_FILENAMES"] = self.environment["VK_DRIVER_FILES"] = options.icd or LAVAPIPE
        self.lines = []
        self.measured = {"rows": {}, "errors": {}}

    def say(self, *lines):
        print("\n".join(lines), flush=True)
        self.lines += lines

    def peer(self, name):
        if name != "ncnn" or not self.options.ncnn_images:
            return PEERS[name](self.environment)
        made = subprocess.run([MODELS / "venv", "--ncnn-images"], capture_output=True, text=True)
        if made.returncode != 0:
            raise EngineError(f"tests/models/venv --ncnn-images: {made.stderr.strip()}")
        return Ncnn(self.environment, made.stdout.strip(), ["--images"])

    def open_engines(self):
        """Those that run here; a peer that does not is said to be missing, and why."""
        self.engines = [] if self.options.tuff == "none" else [Tuff(self.options.tuff, self.environment)]
        self.measured["peers"] = {}
        for name in self.options.peers:
            engine = None
            try:
                engine = self.peer(name)
                report = engine.start(self.options.models / CHAIN)
                how = ", blobs in images" if name == "ncnn" and self.options.ncnn_images else ""
                self.say(f"{name} {report['version']} on {report['device']}, float32{how}.")
                self.engines.append(engine)
                self.measured["peers"][name] = {"version": report["version"], "device": report["device"]}
            except EngineError as error:
                self.say(f"{name} is not measured here: {error}")
                self.measured["peers"][name] = {"missing": str(error)}
            finally:
                if engine:
                    engine.close()
        self.with_ncnn = any(engine.name == "ncnn" for engine in self.engines)

    def measure_rows(self):
        options, results = self.options, {}
        for name in options.only:
            print(f"measuring {name}", file=sys.stderr, flush=True)
            try:
                results[name] = measure(name, options.models, self.engines, options.pairs, options.batch_seconds)
                self.measured["rows"][name] = as_json(results[name]) | {"load": os.getloadavg()[0]}
            except EngineError as error:
                self.measured["errors"][name] = str(error)
        self.say(*table(results, self.with_ncnn))
        self.measured["summary"] = summary(results)
        return results

    def measure_first_and_host(self):
        """What a first inference takes, and what the caller's own thread spends on one run of a graph of 50 kernels."""
        models = self.options.models
        vulkan = [engine for engine in self.engines if engine.name != "onnxruntime"]
        try:
            first = first_inferences(models, vulkan, self.environment)
            host = measure(CHAIN, models, vulkan, self.options.pairs, 0.3)
        except EngineError as error:
            self.measured["errors"][CHAIN] = str(error)
            return
        self.say("", *first_table(first), "", *host_table(host))
        self.measured |= {"first_inference": first, "host_time": as_json(host)}

    def write(self, results):
        folder = self.options.output
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.md").write_text("\n".join(self.lines) + "\n")
        (folder / "results.json").write_text(json.dumps(self.measured, indent=1) + "\n")
        ratios = {name: result.ratios("wall_ns") for name, result in results.items()}
        bars = [Bar(ALL[name].title, some, ALL[name].aim) for name, some in ratios.items() if some]
        if bars:
            device = self.measured["peers"]["ncnn"]["device"]
            title = "How many times as fast as ncnn's Vulkan backend"
            images = ", ncnn's blobs in images" if self.options.ncnn_images else ""
            subtitle = f"{device}, float32{images}, median of {self.options.pairs} interleaved pairs"
            (folder / "ratios.svg").write_text(chart(bars, title, subtitle))

    def run(self):
        options = self.options
        needed = [*options.only, CHAIN] + ([] if options.skip_first else ["squeezenet1_1"])
        prepare(options.models, dict.fromkeys(needed))
        self.open_engines()
        load = os.getloadavg()[0]
        self.measured |= {"pairs": options.pairs, "batch_seconds": options.batch_seconds, "load": load}
        self.say(f"{options.pairs} interleaved pairs, batches of about {options.batch_seconds} s, load {load:.1f}.", "")
        results = self.measure_rows()
        if not options.skip_first and self.engines:
            self.measure_first_and_host()
        for error in self.measured["errors"].values():
            self.say("", f"ERROR: {error}")
        if options.output:
            self.write(results)
        if self.measured["errors"]:
            return 2
        found = self.measured["summary"]
        return 1 if options.require and not (found and found["met"]) else 0


if __name__ == "__main__":
    sys.exit(Benchmark(arguments()).run())
