"""A small ONNX model with the inputs that it is tried on.

In: arrays and nodes, through the methods below. Out: an onnx.ModelProto, and one or more input sets.
Invariant: random data depend on the case's name alone.
"""

import zlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Constant:
    """Marks an array as an initializer of the model rather than an input."""

    def __init__(self, array):
        self.array = np.asarray(array)


def i64(*values):
    return Constant(np.array(values, np.int64))


class Case:
    def __init__(self, name, opset=17, exact=False):
        """exact: the outputs have one right value, bit for bit (no float arithmetic that rounds)."""
        self.name = name
        self.opset = opset
        self.exact = exact
        self.random = np.random.default_rng(zlib.crc32(name.encode()))
        self.nodes, self.inputs, self.initializers, self.outputs = [], [], [], []
        self.feeds = [{}]
        self.symbolic = False
        self.expected = None  # feed to outputs, where onnxruntime does not compute the case

    def normal(self, *shape, scale=1.0):
        return (self.random.standard_normal(shape) * scale).astype(np.float32)

    def uniform(self, low, high, *shape):
        return self.random.uniform(low, high, shape).astype(np.float32)

    def integers(self, low, high, *shape, dtype=np.int64):
        """low <= value < high"""
        return self.random.integers(low, high, shape, dtype=dtype)

    def input(self, name, *arrays, dims=None):
        """One array for each input set. dims holds a number or a symbol for each dimension."""
        self.feeds += [dict(self.feeds[0]) for _ in range(len(arrays) - len(self.feeds))]
        for i, feed in enumerate(self.feeds):
            feed[name] = arrays[i] if i < len(arrays) else arrays[0]
        self.symbolic = self.symbolic or dims is not None
        self.inputs.append(
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(arrays[0].dtype), list(arrays[0].shape) if dims is None else dims
            )
        )
        return name

    def constant(self, array, name=None):
        name = name or f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, *inputs, outputs=1, **attributes):
        """Inputs are value names, Constants, or None for one left out. Returns the output names."""
        index = len(self.nodes)
        names = [f"v{index}" if outputs == 1 else f"v{index}_{i}" for i in range(outputs)]
        given = ["" if x is None else self.constant(x.array) if isinstance(x, Constant) else x for x in inputs]
        while given and not given[-1]:
            given.pop()
        self.nodes.append(helper.make_node(op, given, names, name=f"n{index}", **attributes))
        return names[0] if outputs == 1 else names

    def output(self, *names):
        self.outputs += names
        return self

    def model(self, types=None):
        """types: output name to (tensor type, dims or None); without it the outputs are untyped."""
        outputs = [
            helper.make_tensor_value_info(name, *types[name]) if types else helper.make_empty_tensor_value_info(name)
            for name in self.outputs
        ]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, outputs, initializer=self.initializers)
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(domain, 1) for domain in sorted({node.domain for node in self.nodes} - {""})]
        return helper.make_model(
            graph,
            opset_imports=opsets,
            producer_name="tuff-tests",
            ir_version=max(8, helper.find_min_ir_version_for(opsets[:1])),
        )


def one(name, op, *operands, opset=17, exact=False, outputs=1, **attributes):
    """A model of one node. Operands: arrays (inputs), Constants, functions of the case, or None."""
    case = Case(name, opset, exact)
    given = []
    for i, operand in enumerate(operands):
        if callable(operand):
            operand = operand(case)
        given.append(
            operand
            if operand is None or isinstance(operand, Constant)
            else case.input("xyzabcdefgh"[i], np.asarray(operand))
        )
    names = case.node(op, *given, outputs=outputs, **attributes)
    return case.output(*([names] if outputs == 1 else names))


def normal(*shape, scale=1.0):
    return lambda case: case.normal(*shape, scale=scale)


def weight(*shape):
    """A constant whose products summed over all but the first dimension keep the input's scale."""
    return lambda case: Constant(case.normal(*shape, scale=float(np.prod(shape[1:])) ** -0.5))


def uniform(low, high, *shape):
    return lambda case: case.uniform(low, high, *shape)


def integers(low, high, *shape, dtype=np.int64):
    return lambda case: case.integers(low, high, *shape, dtype=dtype)


__all__ = ["Case", "Constant", "TensorProto", "i64", "integers", "normal", "one", "uniform", "weight"]
