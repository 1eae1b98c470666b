"""Cases of quantised tensors and of products of them.

In: nothing. Out: cases(), a generator of Case.
Invariant: integers are compared for equality. Scales are powers of two wherever a float would be rounded before it is
quantised, since onnxruntime and Tuff sum floats in different orders; QLinear operators have any scales, which both round
in one order. Where u8 meets i8, the i8 have 7 bits: onnxruntime's sums of two such products saturate at 16 bits on x86-64
without VNNI, as its documentation of quantisation says (reduce_range). Weights have more than 256 bytes where they should stay integers in memory (simplify/integer_storage.h).
"""

import ml_dtypes
import numpy as np

from case import Case, Constant, normal, one, uniform

LIMITS = {name: np.iinfo(name) for name in ("uint8", "int8", "uint16", "int16", "int32")}


def whole(dtype, *shape, low=None, high=None):
    """All values of the type, or those in [low, high)."""
    limits = LIMITS[dtype]
    low, high = limits.min if low is None else low, limits.max + 1 if high is None else high
    return lambda case: case.random.integers(low, high, shape).astype(dtype)


def factor(other, dtype, *shape):
    """What is multiplied by values of the other type."""
    seven_bits = dtype == "int8" and other == "uint8"
    return whole(dtype, *shape, low=-64 if seven_bits else None, high=64 if seven_bits else None)


def fixed(function):
    return lambda case: Constant(function(case))


def number(value, dtype=np.float32):
    return Constant(np.array(value, dtype))


def numbers(values, dtype):
    return Constant(np.array(values, dtype))


def powers(*shape):
    """Scales that round nothing."""
    return lambda case: (2.0 ** case.random.integers(-6, -2, shape)).astype(np.float32)


def quantize():
    for dtype, zero in [("uint8", 3), ("int8", -5), ("uint16", 1000), ("int16", 7)]:
        opset = 21 if dtype.endswith("16") else 13
        scale = 0.037 if opset == 13 else 0.0013
        yield one(
            f"quantizelinear_{dtype}",
            "QuantizeLinear",
            normal(3, 7, 33, scale=4),
            number(scale),
            number(zero, dtype),
            opset=opset,
            exact=True,
        )
        # Halves of the scale: every second one is a tie.
        ties = lambda case: (np.arange(-640, 640) * 0.125).astype(np.float32).reshape(5, 256)  # noqa: E731
        yield one(
            f"quantizelinear_{dtype}_ties",
            "QuantizeLinear",
            ties,
            number(0.25),
            number(zero, dtype),
            opset=opset,
            exact=True,
        )
    beyond = lambda case: np.array([-1e30, -1e9, -300, -0.0, 0.49999997, 300, 1e9, 1e30], np.float32)  # noqa: E731
    yield one("quantizelinear_beyond", "QuantizeLinear", beyond, number(1), number(-1, np.int8), exact=True)
    yield one("quantizelinear_no_zero_point", "QuantizeLinear", uniform(-1, 9, 5, 17), number(0.03), exact=True)
    yield one("quantizelinear_vector_of_one", "QuantizeLinear", normal(17), numbers([0.01], np.float32), opset=10, exact=True)
    for name, axis in [("first", 0), ("default", None), ("negative", -2)]:
        scales = {"first": 3, "default": 7, "negative": 7}[name]
        yield one(
            f"quantizelinear_axis_{name}",
            "QuantizeLinear",
            normal(3, 7, 9),
            fixed(lambda case, n=scales: case.uniform(0.01, 0.03, n)),
            fixed(lambda case, n=scales: case.random.integers(-9, 9, n).astype(np.int8)),
            exact=True,
            **({} if axis is None else dict(axis=axis)),
        )
    yield one(
        "quantizelinear_scale_is_input",
        "QuantizeLinear",
        normal(4, 9),
        uniform(0.01, 0.03, 4),
        whole("uint8", 4),
        exact=True,
        axis=0,
    )
    yield one(
        "quantizelinear_float16",
        "QuantizeLinear",
        lambda case: case.normal(5, 33).astype(np.float16),
        number(0.0156, np.float16),
        number(100, np.uint8),
        opset=19,
        exact=True,
    )
    yield one(
        "quantizelinear_blocks",
        "QuantizeLinear",
        normal(5, 37),
        fixed(lambda case: case.uniform(0.01, 0.03, 5, 3)),
        fixed(whole("uint8", 5, 3)),
        opset=21,
        exact=True,
        axis=1,
        block_size=16,
    )
    yield one("quantizelinear_output_dtype", "QuantizeLinear", normal(33), number(0.01), opset=21, exact=True, output_dtype=3)


def four_bits(dtype, *shape):
    signed = dtype is ml_dtypes.int4
    return lambda case: Constant(case.random.integers(-8 if signed else 0, 8 if signed else 16, shape).astype(dtype))


def dequantize():
    for dtype, zero in [("uint8", 128), ("int8", -5), ("uint16", 40000), ("int16", -9)]:
        opset = 21 if dtype.endswith("16") else 13
        yield one(
            f"dequantizelinear_{dtype}",
            "DequantizeLinear",
            whole(dtype, 3, 5, 17),
            number(0.037),
            number(zero, dtype),
            opset=opset,
            exact=True,
        )
    yield one("dequantizelinear_int32", "DequantizeLinear", whole("int32", 3, 17), number(0.5), exact=True)
    yield one("dequantizelinear_no_zero_point", "DequantizeLinear", whole("int8", 33), number(0.1), opset=10, exact=True)
    yield one(
        "dequantizelinear_axis",
        "DequantizeLinear",
        whole("int8", 3, 7, 9),
        fixed(lambda case: case.uniform(0.01, 0.03, 7)),
        fixed(whole("int8", 7)),
        exact=True,
    )
    yield one(
        "dequantizelinear_axis_is_input",
        "DequantizeLinear",
        whole("uint8", 5, 9),
        uniform(0.01, 0.03, 5),
        whole("uint8", 5),
        exact=True,
        axis=-2,
    )
    yield one(
        "dequantizelinear_float16",
        "DequantizeLinear",
        whole("int8", 5, 9),
        number(0.0156, np.float16),
        number(3, np.int8),
        opset=19,
        exact=True,
    )
    for axis, shape, scales in [(0, (37, 5), (3, 5)), (1, (3, 32, 4), (3, 2, 4))]:
        yield one(
            f"dequantizelinear_blocks_{axis}",
            "DequantizeLinear",
            whole("uint8", *shape),
            fixed(lambda case, s=scales: case.uniform(0.01, 0.03, *s)),
            fixed(whole("uint8", *scales)),
            opset=21,
            exact=True,
            axis=axis,
            block_size=16,
        )
    for name, dtype in [("int4", ml_dtypes.int4), ("uint4", ml_dtypes.uint4)]:
        yield one(
            f"dequantizelinear_{name}", "DequantizeLinear", four_bits(dtype, 3, 5), number(0.25), opset=21, exact=True
        )
        yield one(
            f"dequantizelinear_{name}_axis",
            "DequantizeLinear",
            four_bits(dtype, 31, 17),
            fixed(lambda case: case.uniform(0.01, 0.03, 17)),
            four_bits(dtype, 17),
            opset=21,
            exact=True,
        )
        yield matmul_of_dequantized(name, dtype)


def matmul_of_dequantized(name, dtype):
    """Weights of 4 bits in blocks of 16 along k."""
    case = Case(f"matmul_{name}_weights", opset=21)
    x = case.input("x", case.normal(3, 64))
    weights = case.node(
        "DequantizeLinear",
        four_bits(dtype, 64, 24)(case),
        Constant(case.uniform(0.01, 0.03, 4, 24)),
        four_bits(dtype, 4, 24)(case),
        axis=0,
        block_size=16,
    )
    return case.output(case.node("MatMul", x, weights))


def dynamic():
    for name, data in [
        ("both_signs", normal(5, 33)),
        ("positive", uniform(1, 9, 65)),
        ("negative", uniform(-9, -1, 65)),
        ("zeros", lambda case: np.zeros((3, 5), np.float32)),
        ("one_element", lambda case: np.full((1,), 2.5, np.float32)),
    ]:
        yield one(f"dynamicquantizelinear_{name}", "DynamicQuantizeLinear", data, opset=11, outputs=3)


def integer_products():
    for a, b in [("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8"), ("int8", "uint8")]:
        yield one(f"matmulinteger_{a}_{b}", "MatMulInteger", whole(a, 7, 33), factor(a, b, 33, 17), opset=10, exact=True)
        yield one(
            f"matmulinteger_{a}_{b}_zero_points",
            "MatMulInteger",
            whole(a, 5, 65),
            fixed(factor(a, b, 65, 24)),
            fixed(whole(a)),
            fixed(factor(a, b)),
            opset=10,
            exact=True,
        )
    yield one(
        "matmulinteger_zero_point_of_columns",
        "MatMulInteger",
        whole("uint8", 3, 31),
        fixed(factor("uint8", "int8", 31, 19)),
        number(131, np.uint8),
        fixed(factor("uint8", "int8", 19)),
        opset=10,
        exact=True,
    )
    yield one(
        "matmulinteger_batches", "MatMulInteger", whole("uint8", 2, 3, 5, 7), whole("uint8", 3, 7, 4), opset=10, exact=True
    )
    yield one("matmulinteger_one_row", "MatMulInteger", whole("uint8", 1, 300), fixed(factor("uint8", "int8", 300, 9)), opset=10, exact=True)
    convolutions = [
        ("plain", (1, 3, 9, 7), (5, 3, 3, 3), {}),
        ("pad_stride", (2, 3, 9, 7), (5, 3, 3, 3), dict(pads=[1, 0, 2, 1], strides=[2, 1])),
        ("groups", (1, 6, 5, 5), (4, 3, 3, 3), dict(group=2, pads=[1] * 4)),
        ("same", (1, 2, 8, 9), (3, 2, 3, 3), dict(auto_pad="SAME_UPPER", strides=[2, 2])),
    ]
    for name, x, w, attributes in convolutions:
        yield one(
            f"convinteger_{name}",
            "ConvInteger",
            whole("uint8", *x),
            fixed(whole("uint8", *w)),
            number(77, np.uint8),
            number(130, np.uint8),
            opset=10,
            exact=True,
            **attributes,
        )
    yield one("convinteger_no_zero_point", "ConvInteger", whole("uint8", 1, 2, 7, 7), whole("uint8", 3, 2, 3, 3), opset=10, exact=True)


# Name, x, w, has a bias, a scale for each output channel, attributes.
QLINEAR_CONVS = [
    ("1x1", (1, 17, 5, 7), (24, 17, 1, 1), True, True, {}),
    ("3x3_pad", (1, 8, 9, 11), (9, 8, 3, 3), True, False, dict(pads=[1] * 4)),
    ("3x3_stride_2", (2, 5, 9, 11), (12, 5, 3, 3), False, True, dict(pads=[1, 0, 1, 2], strides=[2, 2])),
    ("dilation", (1, 4, 13, 12), (8, 4, 3, 3), True, True, dict(dilations=[2, 1], pads=[2, 1, 2, 1])),
    ("groups", (1, 6, 7, 7), (8, 3, 3, 3), True, True, dict(group=2, pads=[1] * 4)),
    ("depthwise", (1, 33, 7, 9), (33, 1, 3, 3), True, True, dict(group=33, pads=[1] * 4)),
    ("1d", (1, 7, 33), (9, 7, 5), True, False, dict(pads=[2, 2])),
]


def qlinear():
    for types in [("uint8", "int8"), ("uint8", "uint8"), ("int8", "int8")]:
        for name, x, w, bias, channels, attributes in QLINEAR_CONVS:
            if name not in ("3x3_pad", "depthwise", "1x1") and types != ("uint8", "int8"):
                continue
            if types == ("uint8", "uint8") and channels:
                continue  # onnxruntime wants one zero point for all of the weights, and that is not 0 here
            data, weights = types
            depth = int(np.prod(w[1:]))
            yield one(
                f"qlinearconv_{name}_{data}_{weights}",
                "QLinearConv",
                whole(data, *x),
                number(0.021),
                number(3 if data == "int8" else 120, data),
                fixed(factor(data, weights, *w)),
                fixed(lambda case, n=w[0], many=channels: case.uniform(0.003, 0.009, *([n] if many else []))),
                fixed(lambda case, n=w[0], t=weights, many=channels: np.full([n] if many else [], 131 if t == "uint8" else 0, t)),
                number(0.0137 * depth**0.5),
                number(-7 if data == "int8" else 121, data),
                fixed(lambda case, n=w[0]: case.random.integers(-9999, 9999, n).astype(np.int32)) if bias else None,
                opset=10,
                exact=True,
                **attributes,
            )
    for a, b, columns in [("uint8", "int8", True), ("uint8", "uint8", False), ("int8", "int8", True), ("int8", "int8", False)]:
        yield one(
            f"qlinearmatmul_{a}_{b}{'_columns' if columns else ''}",
            "QLinearMatMul",
            whole(a, 5, 65),
            number(0.017),
            number(3 if a == "int8" else 119, a),
            fixed(factor(a, b, 65, 24)),
            fixed(lambda case, many=columns: case.uniform(0.003, 0.009, *([24] if many else []))),
            fixed(lambda case, t=b, many=columns: np.full([24] if many else [], 131 if t == "uint8" else 0, t)),
            number(0.11),
            number(-3 if a == "int8" else 130, a),
            opset=10,
            exact=True,
        )
    yield one(
        "qlinearmatmul_batches",
        "QLinearMatMul",
        whole("uint8", 2, 3, 17),
        number(0.017),
        number(119, np.uint8),
        whole("uint8", 2, 17, 7),
        number(0.01),
        number(99, np.uint8),
        number(0.13),
        number(130, np.uint8),
        opset=10,
        exact=True,
    )


def n_bits():
    for name, rows, depth, columns, block, zero_points in [
        ("16", (3,), 32, 24, 16, None),
        ("32", (1,), 128, 33, 32, None),
        ("32_zero_points", (5,), 96, 24, 32, "packed"),
        ("64_odd_depth", (2, 3), 100, 17, 64, "packed"),
        ("128_one_row", (1,), 256, 40, 128, "packed"),
        ("256", (4,), 512, 9, 256, None),
        ("32_float_zero_points", (3,), 64, 20, 32, "float"),
    ]:
        case = Case(f"matmulnbits_{name}")
        blocks = -(-depth // block)
        x = case.input("x", case.normal(*rows, depth))
        packed = {
            None: None,
            "packed": Constant(case.random.integers(0, 256, columns * ((blocks + 1) // 2)).astype(np.uint8)),
            "float": Constant(case.uniform(6, 9, columns * blocks)),
        }[zero_points]
        y = case.node(
            "MatMulNBits",
            x,
            Constant(case.random.integers(0, 256, (columns, blocks, block // 2)).astype(np.uint8)),
            Constant(case.uniform(0.01, 0.02, columns * blocks)),
            packed,
            domain="com.microsoft",
            K=depth,
            N=columns,
            bits=4,
            block_size=block,
        )
        yield case.output(y)


def through_quantization(case, x, scale, zero_point, dtype="uint8"):
    parameters = number(scale), number(zero_point, dtype)
    return case.node("DequantizeLinear", case.node("QuantizeLinear", x, *parameters), *parameters)


def dequantized_weights(case, *shape, axis=0):
    """With one scale for each index along the axis."""
    scales = Constant(powers(shape[axis])(case))
    zeros = Constant(np.zeros(shape[axis], np.int8))
    return case.node("DequantizeLinear", Constant(whole("int8", *shape)(case)), scales, zeros, axis=axis)


def qdq():
    """As quantisers write networks: floats that pass through integers."""
    case = Case("qdq_conv_relu", opset=13, exact=True)
    x = through_quantization(case, case.input("x", case.normal(1, 8, 9, 11)), 2.0**-5, 117)
    bias = case.node(
        "DequantizeLinear",
        Constant(case.random.integers(-2000, 2000, 12).astype(np.int32)),
        Constant(powers(12)(case)),
        Constant(np.zeros(12, np.int32)),
        axis=0,
    )
    y = case.node("Relu", case.node("Conv", x, dequantized_weights(case, 12, 8, 3, 3), bias, pads=[1] * 4))
    yield case.output(y, through_quantization(case, y, 2.0**-1, 0))

    case = Case("qdq_residual", opset=13, exact=True)
    x = through_quantization(case, case.input("x", case.normal(1, 16, 7, 9)), 2.0**-5, 0, "int8")
    y = case.node("Conv", x, dequantized_weights(case, 16, 16, 3, 3), pads=[1] * 4)
    y = through_quantization(case, case.node("Relu", y), 2.0**-1, 0)
    y = case.node("Conv", y, dequantized_weights(case, 16, 16, 1, 1))
    y = through_quantization(case, y, 2.0**2, 0, "int8")
    y = through_quantization(case, case.node("Relu", case.node("Add", y, x)), 2.0**2, 0)
    yield case.output(case.node("GlobalMaxPool", y))

    case = Case("qdq_matmul_columns", opset=13, exact=True)
    x = through_quantization(case, case.input("x", case.normal(5, 64)), 2.0**-5, 131)
    yield case.output(case.node("MatMul", x, dequantized_weights(case, 64, 24, axis=1)))

    case = Case("qdq_gemm", opset=13, exact=True)
    x = through_quantization(case, case.input("x", case.normal(1, 65)), 2.0**-4, 128)
    y = case.node("Gemm", x, dequantized_weights(case, 19, 65), Constant(powers(19)(case)), transB=1)
    yield case.output(y)

    case = Case("qdq_weights_with_zero_point", opset=13, exact=True)
    x = through_quantization(case, case.input("x", case.normal(2, 3, 33)), 2.0**-4, 128)
    w = case.node("DequantizeLinear", Constant(whole("uint8", 33, 17)(case)), number(2.0**-7), number(121, np.uint8))
    yield case.output(case.node("MatMul", x, w))

    # Weights alone are quantised: the sum is of floats, the weights stay bytes.
    case = Case("dequantized_weights_of_floats", opset=13)
    x = case.input("x", case.normal(1, 8, 9, 9))
    yield case.output(case.node("Conv", x, dequantized_weights(case, 16, 8, 3, 3), pads=[1] * 4))

    # One scale for each row of what is summed: no integer sum.
    case = Case("dequantized_rows_of_matmul", opset=13)
    x = through_quantization(case, case.input("x", case.normal(5, 32)), 2.0**-4, 128)
    yield case.output(case.node("MatMul", x, dequantized_weights(case, 32, 24, axis=0)))


def cases():
    yield from quantize()
    yield from dequantize()
    yield from dynamic()
    yield from integer_products()
    yield from qlinear()
    yield from n_bits()
    yield from qdq()
