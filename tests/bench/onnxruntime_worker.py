"""onnxruntime's CPU provider behind worker.py: loads MODEL.onnx and INPUT.npy.

Invariant: as a user would have it: all of its optimisations, a thread for each core.
"""

import numpy as np
import onnxruntime
from worker import Worker, serve


class Onnxruntime(Worker):
    def open(self, model, source):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.feed = {self.session.get_inputs()[0].name: np.load(source)}
        return {"device": "CPU", "version": onnxruntime.__version__}

    def infer(self):
        (self.output,) = self.session.run(None, self.feed)


if __name__ == "__main__":
    serve(Onnxruntime())
