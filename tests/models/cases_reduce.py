"""Cases of matrix products, reductions, softmax and normalisations.

In: nothing. Out: cases(), a generator of Case.
Invariant: each reduced length is tried below, at and above 64, the width of a row's reduction tree.
"""

import numpy as np

from case import Case, Constant, i64, integers, normal, one, uniform, weight

MATMULS = [
    ((7, 17), (17, 31)),
    ((1, 63), (63, 65)),
    ((65, 33), (33, 1)),
    ((33,), (33, 7)),
    ((7, 33), (33,)),
    ((33,), (33,)),
    ((1, 1), (1, 1)),
    ((2, 7, 17), (2, 17, 5)),
    ((3, 1, 7, 17), (5, 17, 3)),
    ((2, 3, 5, 7), (7, 9)),
    ((5, 7), (3, 7, 2)),
    ((17,), (3, 17, 5)),
    ((3, 5, 17), (17,)),
    ((0, 7), (7, 5)),
    ((3, 0), (0, 5)),
    ((16, 300), (300, 24)),
    ((1, 1000), (1000, 10)),
]

# Name, A, B, C or None, attributes.
GEMMS = [
    ("plain", (7, 17), (17, 31), None, {}),
    ("bias_row", (7, 17), (17, 31), (31,), {}),
    ("bias_column", (7, 17), (17, 31), (7, 1), {}),
    ("bias_scalar", (7, 17), (17, 31), (), {}),
    ("bias_full", (7, 17), (17, 31), (7, 31), {}),
    ("bias_1x1", (5, 3), (3, 9), (1, 1), {}),
    ("trans_a", (17, 7), (17, 31), (31,), dict(transA=1)),
    ("trans_b", (7, 17), (31, 17), (31,), dict(transB=1)),
    ("trans_both", (17, 7), (31, 17), None, dict(transA=1, transB=1)),
    ("alpha_beta", (9, 33), (33, 5), (5,), dict(alpha=0.5, beta=-2.0)),
    ("alpha", (9, 33), (33, 5), None, dict(alpha=1.5)),
    ("beta_zero", (9, 33), (33, 5), (5,), dict(beta=0.0)),
    ("one_row", (1, 65), (63, 65), (63,), dict(transB=1)),
    ("no_row", (0, 5), (5, 3), (3,), {}),
    ("no_inner", (3, 0), (0, 5), (5,), {}),
]


def products():
    for i, (a, b) in enumerate(MATMULS):
        yield one(f"matmul_{i}", "MatMul", normal(*a), normal(*b, scale=max(a[-1], 1) ** -0.5), opset=13)
    yield one("matmul_weight", "MatMul", normal(3, 7, 33), weight(33, 17), opset=13)
    yield one(
        "matmul_int32",
        "MatMul",
        integers(-9, 9, 5, 7, dtype=np.int32),
        integers(-9, 9, 7, 3, dtype=np.int32),
        opset=13,
        exact=True,
    )
    yield one(
        "matmul_float16",
        "MatMul",
        lambda c: c.normal(5, 33).astype(np.float16),
        lambda c: c.normal(33, 7, scale=0.2).astype(np.float16),
        opset=13,
    )
    # Sums that float32 holds exactly: an index or barrier bug shows with no tolerance at all.
    yield one(
        "matmul_zeros_and_ones",
        "MatMul",
        lambda c: c.integers(0, 2, 33, 65).astype(np.float32),
        lambda c: c.integers(0, 2, 65, 31).astype(np.float32),
        opset=13,
        exact=True,
    )
    for name, a, b, c, attributes in GEMMS:
        yield one(
            f"gemm_{name}", "Gemm", normal(*a), weight(*b), None if c is None else normal(*c), opset=13, **attributes
        )
    layer = Case("matmul_add_gelu", opset=20)
    x = layer.input("x", layer.normal(7, 33))
    y = layer.node("Add", layer.node("MatMul", x, weight(33, 17)(layer)), weight(17)(layer))
    yield layer.output(layer.node("Gelu", y))
    attend = Case("attention_by_hand", opset=13)
    q, k, v = (attend.input(name, attend.normal(2, 3, 17, 8)) for name in "qkv")
    scores = attend.node("MatMul", q, attend.node("Transpose", k, perm=[0, 1, 3, 2]))
    scores = attend.node("Mul", scores, Constant(np.float32(8**-0.5)))
    yield attend.output(attend.node("MatMul", attend.node("Softmax", scores, axis=-1), v))


REDUCTIONS = [
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
]


def reductions():
    for op in REDUCTIONS:
        exact = op in ("ReduceMax", "ReduceMin")
        # A product of many factors leaves float's range; a logarithm wants a positive sum.
        data = (lambda *shape: uniform(0.8, 1.25, *shape)) if op in ("ReduceProd", "ReduceLogSum") else normal
        name = op.lower()
        old = 11 if op == "ReduceSum" else 13
        yield one(f"{name}_last", op, data(7, 65), opset=old, exact=exact, axes=[-1])
        yield one(f"{name}_first", op, data(33, 5), opset=old, exact=exact, axes=[0], keepdims=0)
        yield one(f"{name}_middle_18", op, data(3, 63, 7), i64(1), opset=18, exact=exact, keepdims=0)
        yield one(f"{name}_two_18", op, data(3, 7, 5, 9), i64(-1, 1), opset=18, exact=exact)
        yield one(f"{name}_all", op, data(5, 31), opset=old, exact=exact, keepdims=0)
    yield one("reducesum_noop", "ReduceSum", normal(3, 17), opset=13, noop_with_empty_axes=1)
    yield one("reducesum_empty", "ReduceSum", np.zeros((3, 0, 5), np.float32), i64(1), opset=13)
    yield one("reducesum_int64", "ReduceSum", integers(-99, 99, 7, 33), i64(1), opset=13, exact=True)
    yield one("reducemax_int32", "ReduceMax", integers(-99, 99, 7, 33, dtype=np.int32), opset=13, axes=[1], exact=True)
    yield one("reducemean_spatial", "ReduceMean", normal(1, 17, 7, 9), opset=13, axes=[2, 3])
    yield one(
        "reducemean_far_from_zero", "ReduceMean", lambda c: c.normal(3, 257) + np.float32(1000), opset=13, axes=[1]
    )
    yield one("reducesum_long_row", "ReduceSum", normal(2, 5000), i64(1), opset=13)
    for op in ["ArgMax", "ArgMin"]:
        yield one(f"{op.lower()}_last", op, normal(7, 65), opset=13, axis=-1, exact=True)
        yield one(f"{op.lower()}_first", op, normal(33, 5), opset=13, axis=0, keepdims=0, exact=True)
        ties = np.float32([[1, 3, 3, 0], [2, 2, 2, 2], [-1, -5, -5, -1]])
        yield one(f"{op.lower()}_ties", op, ties, opset=13, axis=1, exact=True)
        yield one(f"{op.lower()}_ties_last_index", op, ties, opset=13, axis=1, select_last_index=1, exact=True)
        yield one(f"{op.lower()}_middle", op, normal(2, 17, 3), opset=13, axis=1, exact=True)


def prefixes():
    for n in [0, 1, 2, 63, 64, 65, 127, 1000, 4097]:
        yield one(f"cumsum_{n}", "CumSum", normal(n), i64(0), opset=14)
    yield one("cumsum_scalar_axis", "CumSum", normal(3, 5), Constant(np.int64(-1)), opset=14)
    for exclusive, reverse in [(1, 0), (0, 1), (1, 1)]:
        name = f"cumsum_{'exclusive' * exclusive}{'reverse' * reverse}"
        yield one(name, "CumSum", normal(3, 70, 5), i64(1), opset=14, exclusive=exclusive, reverse=reverse)
    for dtype in [np.int32, np.int64]:
        values = integers(-(2**20), 2**20, 7, 130, dtype=dtype)
        yield one(f"cumsum_{np.dtype(dtype)}", "CumSum", values, i64(1), opset=11, exact=True)
    special = np.array([1, np.inf, 2, np.nan, 3], np.float32)
    yield one("cumsum_special", "CumSum", special, i64(0), opset=14)


def softmaxes():
    for op in ["Softmax", "LogSoftmax"]:
        name = op.lower()
        yield one(f"{name}_last", op, normal(7, 65, scale=3.0), opset=13)
        yield one(f"{name}_middle", op, normal(2, 17, 5), opset=13, axis=1)
        yield one(f"{name}_first", op, normal(33, 3), opset=13, axis=0)
        yield one(f"{name}_one_element", op, normal(5, 1), opset=13)
        yield one(f"{name}_large_values", op, uniform(-300, 300, 3, 63), opset=13)
        yield one(f"{name}_opset_11_axis_1", op, normal(3, 5, 7), opset=11)
        yield one(f"{name}_opset_11_axis_2", op, normal(3, 5, 7), opset=11, axis=2)
        yield one(f"{name}_long_row", op, normal(2, 1025), opset=13)
    masked = Case("softmax_masked", opset=13)
    x = masked.input("x", masked.normal(5, 17))
    mask = np.where(np.arange(17) > np.arange(5)[:, None] + 3, np.float32(-np.inf), np.float32(0))
    yield masked.output(masked.node("Softmax", masked.node("Add", x, Constant(mask))))
    yield one("hardmax", "Hardmax", normal(5, 17), opset=13, exact=True)


def normalisations():
    yield one(
        "batchnormalization",
        "BatchNormalization",
        normal(2, 7, 5, 3),
        weight(7),
        weight(7),
        weight(7),
        lambda c: Constant(c.uniform(0.5, 2, 7)),
        opset=15,
    )
    yield one(
        "batchnormalization_epsilon_2d",
        "BatchNormalization",
        normal(5, 17),
        weight(17),
        weight(17),
        weight(17),
        lambda c: Constant(c.uniform(0.01, 2, 17)),
        opset=15,
        epsilon=1e-2,
    )
    yield one("layernormalization", "LayerNormalization", normal(7, 65), weight(65), weight(65), opset=17)
    yield one("layernormalization_no_bias", "LayerNormalization", normal(3, 5, 33), weight(33), opset=17, epsilon=1e-3)
    yield one(
        "layernormalization_axis_1", "LayerNormalization", normal(3, 5, 7), weight(5, 7), weight(5, 7), opset=17, axis=1
    )
    yield one(
        "layernormalization_far_from_zero",
        "LayerNormalization",
        lambda c: c.normal(3, 129) + np.float32(1000),
        weight(129),
        weight(129),
        opset=17,
    )
    statistics = Case("layernormalization_statistics")
    x = statistics.input("x", statistics.normal(5, 31))
    yield statistics.output(*statistics.node("LayerNormalization", x, weight(31)(statistics), outputs=3))
    yield one("instancenormalization", "InstanceNormalization", normal(2, 5, 7, 9), weight(5), weight(5), opset=6)
    yield one(
        "instancenormalization_1d",
        "InstanceNormalization",
        normal(1, 3, 65),
        weight(3),
        weight(3),
        opset=6,
        epsilon=1e-3,
    )
    yield one(
        "groupnormalization_21", "GroupNormalization", normal(2, 6, 5, 7), weight(6), weight(6), opset=21, num_groups=2
    )
    yield one("rmsnormalization", "RMSNormalization", normal(7, 65), weight(65), opset=23)
    yield one(
        "rmsnormalization_axis_1", "RMSNormalization", normal(3, 5, 7), weight(5, 7), opset=23, axis=1, epsilon=1e-3
    )
    for p in [1, 2]:
        yield one(f"lpnormalization_{p}", "LpNormalization", normal(5, 33), opset=1, p=p)
        yield one(f"lpnormalization_{p}_axis_1", "LpNormalization", normal(2, 7, 5), opset=1, p=p, axis=1)
    yield one("lrn", "LRN", normal(1, 17, 5, 3), opset=13, size=5)
    yield one("lrn_attributes", "LRN", normal(2, 7, 3, 5), opset=13, size=3, alpha=0.5, beta=0.6, bias=1.5)
    yield one("meanvariancenormalization", "MeanVarianceNormalization", normal(2, 3, 5, 7), opset=13, axes=[0, 2, 3])
    yield one(
        "meanvariancenormalization_spatial", "MeanVarianceNormalization", normal(2, 3, 5, 7), opset=13, axes=[2, 3]
    )
    by_hand = Case("layernormalization_by_hand", opset=13)
    x = by_hand.input("x", by_hand.normal(7, 33))
    centred = by_hand.node("Sub", x, by_hand.node("ReduceMean", x, axes=[-1]))
    variance = by_hand.node("ReduceMean", by_hand.node("Pow", centred, Constant(np.float32(2))), axes=[-1])
    deviation = by_hand.node("Sqrt", by_hand.node("Add", variance, Constant(np.float32(1e-5))))
    y = by_hand.node("Mul", by_hand.node("Div", centred, deviation), weight(33)(by_hand))
    yield by_hand.output(by_hand.node("Add", y, weight(33)(by_hand)))


def cases():
    for group in (products, reductions, prefixes, softmaxes, normalisations):
        yield from group()
