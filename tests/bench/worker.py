"""Runs an engine of another project for a parent that times it.

In: one JSON object a line on stdin: {"load": [FILE, ...]}, {"run": COUNT}, {"save": OUTPUT.npy}. Out: one JSON object a line
on stdout. A run answers the wall time and the calling thread's processor time of each inference, and the processor time of
all threads for one.
Invariant: stdout carries answers alone; what the engine prints goes to stderr.
"""

import json
import os
import resource
import sys
import time

import numpy as np

answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


class Worker:
    """An engine adds open(*files), which makes it ready and answers what it says of itself, and infer(), which leaves
    the output in self.output."""

    output = None

    def load(self, files):
        start = time.perf_counter_ns()
        report = self.open(*files)
        self.infer()
        return {"first_run_ns": time.perf_counter_ns() - start, **report}

    def run(self, count):
        wall, thread = [], []
        before = resource.getrusage(resource.RUSAGE_SELF)
        for _ in range(count):
            start, thread_start = time.perf_counter_ns(), time.thread_time_ns()
            self.infer()
            wall.append(time.perf_counter_ns() - start)
            thread.append(time.thread_time_ns() - thread_start)
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"wall_ns": wall, "host_ns": thread, "cpu_ns": cpu * 1e9 / count}

    def save(self, path):
        np.save(path, self.output)
        return {"saved": path}


def serve(worker):
    for line in sys.stdin:
        ((verb, value),) = json.loads(line).items()
        try:
            answer = getattr(worker, verb)(value)
        except Exception as error:  # whatever an engine throws is the parent's to say
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
