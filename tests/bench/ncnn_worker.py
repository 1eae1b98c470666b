"""ncnn's Vulkan backend behind worker.py: loads PARAM, BIN and INPUT.npy. With --images blobs are kept in images, which ncnn
could until 2025.

Invariant: all arithmetic is float32, and on the Vulkan device but for the layers that the answer to a load counts.
"""

import collections
import sys

import numpy as np
from worker import Worker, serve

import ncnn


def cloned(array):
    """A Mat made from an array borrows its memory and does not keep it; a clone has its own."""
    return ncnn.Mat(array).clone()


class Ncnn(Worker):
    def open(self, param, binary, source):
        if ncnn.get_gpu_count() == 0:
            raise RuntimeError("ncnn's Python package found no Vulkan device.")
        self.net = ncnn.Net()
        options = self.net.opt
        options.use_vulkan_compute = True
        for name in dir(options):
            if name.startswith(("use_fp16_", "use_bf16_")):
                setattr(options, name, False)
        if "--images" in sys.argv:
            if not hasattr(options, "use_image_storage"):
                raise RuntimeError(f"ncnn {ncnn.__version__} keeps nothing in images.")
            options.use_image_storage = True
        if self.net.load_param(param) != 0 or self.net.load_model(binary) != 0:
            raise RuntimeError(f"ncnn cannot load {param}.")
        self.input = cloned(np.load(source)[0])
        on_cpu = collections.Counter(layer.type for layer in self.net.layers() if not layer.support_vulkan)
        return {"device": ncnn.get_gpu_info(0).device_name(), "version": ncnn.__version__, "cpu_layers": dict(on_cpu)}

    def infer(self):
        extractor = self.net.create_extractor()
        extractor.input("in", self.input)
        status, output = extractor.extract("out")
        if status != 0:
            raise RuntimeError(f"ncnn's extract answers {status}.")
        # The extractor owns the memory behind its result.
        self.output = np.array(output)[np.newaxis]


if __name__ == "__main__":
    serve(Ncnn())
