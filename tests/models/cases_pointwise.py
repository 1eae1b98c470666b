"""Cases of elementwise operators: functions, arithmetic, comparison, selection, casts.

In: nothing. Out: cases(), a generator of Case.
Invariant: inputs stay inside a function's domain and clear of denormals, unless the name says
special; sizes are prime or one beside a power of two, so that no vector width divides them.
"""

import numpy as np

from case import Case, Constant, TensorProto, integers, normal, one, uniform

# Operator, opset, lowest and highest input.
FUNCTIONS = [
    ("Abs", 13, -5, 5),
    ("Acos", 7, -1, 1),
    ("Acosh", 9, 1, 20),
    ("Asin", 7, -1, 1),
    ("Asinh", 9, -20, 20),
    ("Atan", 7, -20, 20),
    ("Atanh", 9, -0.99, 0.99),
    ("Ceil", 13, -5, 5),
    ("Cos", 7, -30, 30),
    ("Cosh", 9, -8, 8),
    ("Erf", 13, -4, 4),
    ("Exp", 13, -20, 20),
    ("Floor", 13, -5, 5),
    ("Identity", 16, -5, 5),
    ("Log", 13, 1e-3, 50),
    ("Neg", 13, -5, 5),
    ("Reciprocal", 13, 0.05, 20),
    ("Relu", 14, -5, 5),
    ("Round", 11, -5, 5),
    ("Sigmoid", 13, -30, 30),
    ("Sign", 13, -5, 5),
    ("Sin", 7, -30, 30),
    ("Sinh", 9, -8, 8),
    ("Softplus", 1, -30, 30),
    ("Softsign", 1, -30, 30),
    ("Sqrt", 13, 1e-3, 50),
    ("Tan", 7, -1.4, 1.4),
    ("Tanh", 13, -10, 10),
    ("HardSwish", 14, -5, 5),
    ("Mish", 18, -10, 10),
    ("Not", 1, 0, 2),
]
EXACT = {"Abs", "Ceil", "Floor", "Identity", "Neg", "Not", "Relu", "Round", "Sign"}

ACTIVATIONS = [
    ("LeakyRelu", 16, {}),
    ("LeakyRelu", 16, {"alpha": 0.2}),
    ("Elu", 6, {}),
    ("Elu", 6, {"alpha": 0.5}),
    ("Selu", 6, {}),
    ("Celu", 12, {"alpha": 2.0}),
    ("ThresholdedRelu", 10, {"alpha": 0.5}),
    ("HardSigmoid", 6, {}),
    ("HardSigmoid", 6, {"alpha": 0.5, "beta": 0.6}),
    ("Shrink", 9, {"lambd": 0.5, "bias": 0.25}),
    ("Gelu", 20, {}),
    ("Gelu", 20, {"approximate": "tanh"}),
    ("Swish", 24, {}),
    ("Swish", 24, {"alpha": 1.7}),
]

BROADCASTS = [
    ((7, 17), (7, 17)),
    ((3, 5, 31), (31,)),
    ((3, 5, 33), (5, 1)),
    ((2, 1, 7), (3, 1)),
    ((65,), ()),
    ((1, 1, 1), (2, 3, 63)),
    ((2, 0, 3), (1, 3)),
    ((2, 3, 1, 5), (7, 1)),
]

SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 65504.0, 1e30, -1e30, 1e-30], np.float32)


def functions():
    for op, opset, low, high in FUNCTIONS:
        data = integers(0, 2, 7, 33, dtype=bool) if op == "Not" else uniform(low, high, 7, 33)
        yield one(op.lower(), op, data, opset=opset, exact=op in EXACT)
    for i, (op, opset, attributes) in enumerate(ACTIVATIONS):
        yield one(f"{op.lower()}_{i}", op, uniform(-4, 4, 5, 31), opset=opset, **attributes)
    for shape, slope in [((2, 5, 7, 3), (5, 1, 1)), ((3, 17), (1,)), ((3, 17), (17,))]:
        yield one(f"prelu_{len(shape)}d_{slope[0]}", "PRelu", normal(*shape), uniform(0, 0.5, *slope), opset=16)
    yield one("round_half_to_even", "Round", np.arange(-10, 11, dtype=np.float32) / 2, opset=11, exact=True)
    yield one("relu_one_element", "Relu", np.float32([-0.5]), exact=True)
    yield one("relu_no_element", "Relu", np.zeros((3, 0, 5), np.float32), exact=True)
    yield one("exp_scalar", "Exp", np.float32(1.25))
    yield one("exp_extremes", "Exp", np.float32([-120, -88, -87, 0, 88, 89, 120, np.inf, -np.inf]))
    yield one("tanh_near_zero", "Tanh", np.float32([1e-7, -1e-5, 1e-3, -0.01, 0.1, 40, -40]))
    yield one("sigmoid_extremes", "Sigmoid", np.float32([-80, -30, 30, 100, np.inf, -np.inf]))
    for op in ["Abs", "Neg", "Sign"]:
        yield one(f"{op.lower()}_int32", op, integers(-50, 50, 65, dtype=np.int32), exact=True)
    yield one("isnan_special", "IsNaN", SPECIAL, exact=True)
    yield one("isinf_special", "IsInf", SPECIAL, exact=True, opset=10)
    yield one("isinf_negative_special", "IsInf", SPECIAL, exact=True, opset=10, detect_positive=0)


def arithmetic():
    for op in ["Add", "Sub", "Mul", "Div"]:
        for i, (a, b) in enumerate(BROADCASTS):
            divisor = uniform(0.5, 3, *b) if op == "Div" else normal(*b)
            yield one(f"{op.lower()}_broadcast_{i}", op, normal(*a), divisor, opset=14)
        for dtype in [np.int32, np.int64]:
            yield one(
                f"{op.lower()}_{dtype.__name__}",
                op,
                integers(-40, 40, 3, 31, dtype=dtype),
                integers(1, 9, 31, dtype=dtype),
                opset=14,
                exact=True,
            )
        yield one(
            f"{op.lower()}_float16",
            op,
            lambda c: c.normal(5, 33).astype(np.float16),
            lambda c: c.uniform(0.5, 2, 33).astype(np.float16),
            opset=14,
        )
    yield one("add_special", "Add", SPECIAL[:, None], SPECIAL[None, :], opset=14)
    yield one(
        "mul_large_int64", "Mul", np.int64([3, -5, 1 << 33]), np.int64([1 << 40, 1 << 35, 7]), opset=14, exact=True
    )
    yield one("add_both_broadcast", "Add", normal(7, 1, 33), normal(5, 1), opset=14)
    yield one("mul_same_value", "Mul", normal(63), np.float32([0.5]), opset=14)
    square = Case("mul_by_itself")
    x = square.input("x", square.normal(7, 31))
    yield square.output(square.node("Mul", x, x))

    yield one("pow_float", "Pow", uniform(0.1, 4, 5, 33), uniform(-2, 3, 33), opset=15)
    yield one("pow_square", "Pow", normal(5, 33), Constant(np.float32(2)), opset=15)
    yield one("pow_cube_negative_base", "Pow", normal(65), Constant(np.float32(3)), opset=15)
    yield one("pow_half", "Pow", uniform(0.1, 9, 65), Constant(np.float32(0.5)), opset=15)
    yield one("pow_int64", "Pow", integers(-5, 6, 17), integers(0, 4, 17), opset=15, exact=True)
    yield one("mod_int64", "Mod", integers(-50, 50, 5, 17), np.int64([7, -7, 3, -3, 5])[:, None], opset=13, exact=True)
    yield one(
        "mod_int64_fmod",
        "Mod",
        integers(-50, 50, 5, 17),
        np.int64([7, -7, 3, -3, 5])[:, None],
        opset=13,
        fmod=1,
        exact=True,
    )
    yield one("mod_float", "Mod", uniform(-9, 9, 65), uniform(1, 3, 65), opset=13, fmod=1)
    for op in ["Max", "Min", "Sum", "Mean"]:
        exact = op in ("Max", "Min")
        opset = 13
        yield one(f"{op.lower()}_1", op, normal(3, 17), opset=opset, exact=exact)
        yield one(f"{op.lower()}_2", op, normal(3, 17), normal(17), opset=opset, exact=exact)
        yield one(f"{op.lower()}_3", op, normal(3, 1, 17), normal(5, 1), normal(17), opset=opset, exact=exact)
    for op in ["Max", "Min"]:
        yield one(
            f"{op.lower()}_int32",
            op,
            integers(-9, 9, 33, dtype=np.int32),
            integers(-9, 9, 33, dtype=np.int32),
            opset=13,
            exact=True,
        )


def comparison():
    for op, opset in [("Equal", 13), ("Greater", 13), ("GreaterOrEqual", 16), ("Less", 13), ("LessOrEqual", 16)]:
        yield one(
            f"{op.lower()}_float",
            op,
            lambda c: np.round(c.normal(5, 31) * 2),
            lambda c: np.round(c.normal(31) * 2),
            opset=opset,
            exact=True,
        )
        yield one(f"{op.lower()}_int64", op, integers(-3, 4, 5, 31), integers(-3, 4, 5, 1), opset=opset, exact=True)
        yield one(f"{op.lower()}_special", op, SPECIAL[:, None], SPECIAL[None, :], opset=opset, exact=True)
    yield one(
        "equal_bool", "Equal", integers(0, 2, 33, dtype=bool), integers(0, 2, 33, dtype=bool), opset=13, exact=True
    )
    for op in ["And", "Or", "Xor"]:
        yield one(
            f"{op.lower()}", op, integers(0, 2, 7, 33, dtype=bool), integers(0, 2, 33, dtype=bool), opset=7, exact=True
        )
    for op in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]:
        yield one(
            f"{op.lower()}",
            op,
            integers(-99, 99, 5, 17, dtype=np.int32),
            integers(-99, 99, 17, dtype=np.int32),
            opset=18,
            exact=True,
        )
    yield one("bitwisenot", "BitwiseNot", integers(-99, 99, 33, dtype=np.int32), opset=18, exact=True)
    for direction in ["LEFT", "RIGHT"]:
        yield one(
            f"bitshift_{direction.lower()}",
            "BitShift",
            integers(0, 1 << 20, 33, dtype=np.uint32),
            integers(0, 12, 33, dtype=np.uint32),
            opset=11,
            direction=direction,
            exact=True,
        )


def selection():
    yield one("where", "Where", integers(0, 2, 5, 1, dtype=bool), normal(5, 33), normal(33), opset=16, exact=True)
    yield one(
        "where_scalar_branch",
        "Where",
        integers(0, 2, 7, 17, dtype=bool),
        normal(7, 17),
        Constant(np.float32(-np.inf)),
        opset=16,
        exact=True,
    )
    yield one(
        "where_int64",
        "Where",
        integers(0, 2, 17, dtype=bool),
        integers(-9, 9, 17),
        integers(-9, 9, 3, 1),
        opset=16,
        exact=True,
    )
    low, high = Constant(np.float32(-0.5)), Constant(np.float32(0.75))
    yield one("clip_both", "Clip", normal(7, 33), low, high, opset=13, exact=True)
    yield one("clip_low", "Clip", normal(7, 33), low, None, opset=13, exact=True)
    yield one("clip_high", "Clip", normal(7, 33), None, high, opset=13, exact=True)
    yield one("clip_none", "Clip", normal(7, 33), opset=13, exact=True)
    yield one("clip_opset_6", "Clip", normal(65), opset=6, min=0.0, max=1.0, exact=True)
    yield one("clip_computed_limits", "Clip", normal(65), np.float32(-0.25), np.float32(0.5), opset=13, exact=True)
    yield one(
        "clip_int32",
        "Clip",
        integers(-50, 50, 33, dtype=np.int32),
        Constant(np.int32(-7)),
        Constant(np.int32(9)),
        opset=13,
        exact=True,
    )
    yield one("clip_low_above_high", "Clip", normal(33), high, low, opset=13, exact=True)


CASTS = [
    (np.float32, TensorProto.FLOAT16),
    (np.float16, TensorProto.FLOAT),
    (np.float32, TensorProto.INT32),
    (np.float32, TensorProto.INT64),
    (np.float32, TensorProto.UINT8),
    (np.int64, TensorProto.FLOAT),
    (np.int32, TensorProto.INT64),
    (np.int64, TensorProto.INT32),
    (np.uint8, TensorProto.FLOAT),
    (np.int8, TensorProto.INT32),
    (bool, TensorProto.FLOAT),
    (np.float32, TensorProto.BOOL),
    (np.int64, TensorProto.BOOL),
    (bool, TensorProto.INT64),
    (np.float64, TensorProto.FLOAT),
    (np.float32, TensorProto.DOUBLE),
]


def casts():
    for dtype, to in CASTS:
        source = np.dtype(dtype)
        target = TensorProto.DataType.Name(to).lower()

        def data(case, source=source, target=target):
            if source.kind == "f":
                low = 0 if target == "uint8" else -90
                return case.uniform(low, 90, 5, 31).astype(source)
            return case.integers(0, 2 if source.kind in "bu" else 100, 5, 31).astype(source)

        yield one(f"cast_{source.name}_{target}", "Cast", data, opset=13, to=to, exact=True)
    yield one(
        "cast_float32_float16_ties",
        "Cast",
        np.float32([1 + 2**-11, 1 + 3 * 2**-11, 65519, 65520, 2**-24, 2**-25, 3 * 2**-26, 0.1]),
        opset=13,
        to=TensorProto.FLOAT16,
        exact=True,
    )
    yield one("castlike", "CastLike", integers(-9, 9, 17), np.float32([0]), opset=15, exact=True)
    rounds = Case("cast_bfloat16_and_back", opset=13, exact=True)
    x = rounds.input("x", rounds.normal(5, 33))
    yield rounds.output(rounds.node("Cast", rounds.node("Cast", x, to=TensorProto.BFLOAT16), to=TensorProto.FLOAT))


def chains():
    """Elementwise nodes in a row, which fuse into one kernel."""
    silu = Case("chain_silu")
    x = silu.input("x", silu.normal(3, 65))
    yield silu.output(silu.node("Mul", x, silu.node("Sigmoid", x)))
    gelu = Case("chain_gelu_by_erf")
    x = gelu.input("x", gelu.normal(3, 65))
    y = gelu.node("Erf", gelu.node("Div", x, Constant(np.float32(np.sqrt(2)))))
    y = gelu.node("Mul", x, gelu.node("Add", y, Constant(np.float32(1))))
    yield gelu.output(gelu.node("Mul", y, Constant(np.float32(0.5))))
    fan = Case("chain_two_outputs")
    x = fan.input("x", fan.normal(7, 33))
    y = fan.node("Mul", x, Constant(np.float32(1.5)))
    yield fan.output(fan.node("Relu", y), fan.node("Tanh", y), y)
    dropout = Case("dropout_mask", opset=13, exact=True)
    x = dropout.input("x", dropout.normal(3, 17))
    yield dropout.output(*dropout.node("Dropout", x, Constant(np.float32(0.4)), outputs=2))


def cases():
    for group in (functions, arithmetic, comparison, selection, casts, chains):
        yield from group()
