"""Runs ncnn's Vulkan backend for a parent that times it.

In: one JSON object a line on stdin: {"load": [PARAM, BIN, INPUT.npy]}, {"run": COUNT},
{"save": OUTPUT.npy}. Out: one JSON object a line on stdout. A run answers the wall time and the
calling thread's processor time of each inference, and the processor time of all threads for one.
Invariant: all arithmetic is float32 on the Vulkan device; else the answer is {"error": ...}.
"""

import json
import os
import resource
import sys
import time

import numpy as np

# What ncnn prints goes to stderr, so that the pipe carries answers alone.
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

import ncnn  # noqa: E402


class Worker:
    def __init__(self):
        self.net = None
        self.input = None
        self.output = None

    def load(self, param, binary, source):
        if ncnn.get_gpu_count() == 0:
            return {"error": "ncnn's Python package found no Vulkan device."}
        start = time.perf_counter_ns()
        self.net = ncnn.Net()
        options = self.net.opt
        options.use_vulkan_compute = True
        for name in dir(options):
            if name.startswith(("use_fp16_", "use_bf16_")):
                setattr(options, name, False)
        if self.net.load_param(param) != 0 or self.net.load_model(binary) != 0:
            return {"error": f"ncnn cannot load {param}."}
        # A Mat made from an array borrows the array's memory and does not keep it.
        array = np.load(source)[0]
        self.input = ncnn.Mat(array).clone()
        self.infer()
        return {
            "first_run_ns": time.perf_counter_ns() - start,
            "device": ncnn.get_gpu_info(0).device_name(),
            "version": ncnn.__version__,
        }

    def infer(self):
        extractor = self.net.create_extractor()
        extractor.input("in", self.input)
        status, output = extractor.extract("out")
        if status != 0:
            raise RuntimeError(f"ncnn's extract answers {status}.")
        # The extractor owns the memory behind its result.
        self.output = np.array(output)

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
        np.save(path, self.output.reshape(1, -1))
        return {"saved": path}


def main():
    worker = Worker()
    for line in sys.stdin:
        ((verb, value),) = json.loads(line).items()
        try:
            answer = worker.load(*value) if verb == "load" else getattr(worker, verb)(value)
        except (RuntimeError, OSError) as error:
            answer = {"error": str(error)}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
