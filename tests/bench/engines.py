"""The sides of the benchmark behind one interface.

In: a model's files. Out: Batch, the times of some inferences in a row, the output, and the time of the first inference in a
fresh process.
Invariant: no side's figures hold another's work: one runs while the others wait in a read or do not exist.
"""

import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Batch:
    wall_ns: float  # median of one inference
    cpu_ns: float | None = None  # user and system time of all threads, for one inference
    host_ns: float | None = None  # processor time of the calling thread, for one inference
    details: dict = dataclasses.field(default_factory=dict)


class EngineError(Exception):
    pass


class Peer:
    """An engine of another project, in a child that stays alive from the first batch to close()."""

    def __init__(self, environment, python=sys.executable, options=()):
        self.environment = environment
        self.python, self.options = python, options
        self.child = None

    def start(self, model, environment=None):
        """A fresh process up to the end of its first inference; answers the worker's report."""
        self.close()
        self.child = subprocess.Popen(
            [self.python, str(HERE / self.worker), *self.options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment or self.environment,
        )
        return self.ask(load=[str(model.with_suffix(suffix)) for suffix in self.suffixes])

    def ask(self, **request):
        try:
            self.child.stdin.write(json.dumps(request) + "\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            pass  # the child has ended; the read below says so
        line = self.child.stdout.readline()
        if not line:
            raise EngineError(f"The worker of {self.name} ended with status {self.child.wait()}.")
        answer = json.loads(line)
        if "error" in answer:
            raise EngineError(answer["error"])
        return answer

    def save(self, model, path):
        """Writes the output of the first inference."""
        self.ask(save=str(path))

    def first_ns(self, model, environment):
        report = self.start(model, environment)
        self.close()
        return report["first_run_ns"]

    def batch(self, model, count):
        answer = self.ask(run=count)
        return Batch(statistics.median(answer["wall_ns"]), answer["cpu_ns"], statistics.median(answer["host_ns"]))

    def close(self):
        if self.child:
            self.child.stdin.close()
            self.child.wait()
            self.child.stdout.close()
            self.child = None


class Ncnn(Peer):
    name = "ncnn"
    worker = "ncnn_worker.py"
    suffixes = (".param", ".bin", ".input.npy")


class Onnxruntime(Peer):
    name = "onnxruntime"
    worker = "onnxruntime_worker.py"
    suffixes = (".onnx", ".input.npy")


class Tuff:
    """`tuff bench`, a whole process for each batch; what it reports leaves out its warm-up."""

    name = "tuff"

    def __init__(self, command, environment):
        self.command = command
        self.environment = environment

    def start(self, model, environment=None):
        """Nothing outlives a batch."""

    def output_of(self, *arguments, environment=None):
        """What one process of the command printed."""
        command = [self.command, *map(str, arguments)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environment or self.environment)
        except OSError as error:
            raise EngineError(f"{self.command} cannot be started: {error}") from error
        if done.returncode != 0:
            raise EngineError(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def bench(self, model, count, environment=None):
        """The report of one process."""
        how = ["--json", "--runs", count, "--warmup", min(3, count)]
        printed = self.output_of("bench", model.with_suffix(".onnx"), *how, environment=environment)
        try:
            return json.loads(printed)
        except json.JSONDecodeError as error:
            raise EngineError(f"`tuff bench` of {model.name} printed no JSON: {error}") from error

    def save(self, model, path):
        with tempfile.TemporaryDirectory() as folder:
            feed = f"input={model.with_suffix('.input.npy')}"
            self.output_of("run", model.with_suffix(".onnx"), "-i", feed, "-o", folder)
            (pathlib.Path(folder) / "output.npy").rename(path)

    def first_ns(self, model, environment):
        """From the start of loading to the end of the first inference; opening the device is left out on both sides."""
        report = self.bench(model, 1, environment)
        return sum(report[part] for part in ("load_ns", "compile_ns", "prepare_ns", "first_run_ns"))

    def batch(self, model, count):
        report = self.bench(model, count)
        return Batch(report["wall_ns"]["p50"], report.get("cpu_ns"), report.get("host_ns"), report)

    def close(self):
        pass
