"""Cases of operators with a sliding window: convolution, transposed convolution, pooling.

In: nothing. Out: cases(), a generator of Case.
Invariant: each attribute that moves the window appears alone at least once, and with others.
"""

from case import Case, normal, one, weight

# Name, input shape, weight shape, has a bias, attributes.
CONVS = [
    ("1x1", (1, 7, 9, 11), (5, 7, 1, 1), False, {}),
    ("1x1_one_pixel", (1, 17, 1, 1), (31, 17, 1, 1), True, {}),
    ("1x1_stride_2", (1, 8, 9, 11), (16, 8, 1, 1), True, dict(strides=[2, 2])),
    ("3x3", (1, 3, 17, 13), (8, 3, 3, 3), True, {}),
    ("3x3_pad", (1, 16, 15, 17), (33, 16, 3, 3), True, dict(pads=[1, 1, 1, 1])),
    ("3x3_no_bias_batch_2", (2, 5, 9, 7), (7, 5, 3, 3), False, dict(pads=[1, 1, 1, 1])),
    ("3x3_stride_2_pad", (1, 4, 15, 16), (6, 4, 3, 3), True, dict(strides=[2, 2], pads=[1, 1, 1, 1])),
    ("3x3_stride_2_no_pad", (1, 3, 31, 33), (64, 3, 3, 3), True, dict(strides=[2, 2])),
    ("3x3_uneven_strides", (1, 3, 14, 19), (4, 3, 3, 3), True, dict(strides=[2, 3])),
    ("3x3_uneven_pads", (1, 3, 9, 11), (4, 3, 3, 3), True, dict(pads=[0, 1, 2, 3])),
    ("3x3_dilation_2", (1, 4, 13, 15), (5, 4, 3, 3), True, dict(dilations=[2, 2], pads=[2, 2, 2, 2])),
    ("3x3_dilation_uneven", (1, 2, 17, 17), (3, 2, 3, 3), False, dict(dilations=[3, 1])),
    ("3x1", (1, 3, 11, 7), (4, 3, 3, 1), True, dict(pads=[1, 0, 1, 0])),
    ("1x7", (1, 3, 5, 17), (4, 3, 1, 7), True, dict(pads=[0, 3, 0, 3])),
    ("2x2_even_kernel", (1, 3, 8, 9), (4, 3, 2, 2), True, {}),
    ("5x5_pad", (1, 6, 13, 9), (7, 6, 5, 5), True, dict(pads=[2, 2, 2, 2])),
    ("7x7_stride_2_pad_3", (1, 3, 33, 31), (16, 3, 7, 7), True, dict(strides=[2, 2], pads=[3] * 4)),
    ("kernel_is_input", (1, 5, 7, 7), (9, 5, 7, 7), True, {}),
    ("kernel_beyond_input", (1, 2, 2, 2), (3, 2, 5, 5), True, dict(pads=[2, 2, 2, 2])),
    ("groups_2", (1, 6, 9, 9), (8, 3, 3, 3), True, dict(group=2, pads=[1] * 4)),
    ("groups_3_1x1", (1, 9, 7, 5), (12, 3, 1, 1), False, dict(group=3)),
    ("depthwise_3x3", (1, 17, 15, 13), (17, 1, 3, 3), True, dict(group=17, pads=[1] * 4)),
    ("depthwise_3x3_stride_2", (1, 8, 15, 16), (8, 1, 3, 3), True, dict(group=8, pads=[1] * 4, strides=[2, 2])),
    ("depthwise_5x5", (1, 7, 13, 11), (7, 1, 5, 5), False, dict(group=7, pads=[2] * 4)),
    ("depthwise_multiplier_2", (1, 5, 9, 9), (10, 1, 3, 3), True, dict(group=5, pads=[1] * 4)),
    ("depthwise_dilation", (1, 4, 15, 15), (4, 1, 3, 3), True, dict(group=4, dilations=[2, 2], pads=[2] * 4)),
    ("same_upper", (1, 3, 10, 13), (4, 3, 3, 3), True, dict(auto_pad="SAME_UPPER", strides=[2, 2])),
    ("same_lower", (1, 3, 10, 13), (4, 3, 3, 3), True, dict(auto_pad="SAME_LOWER", strides=[2, 2])),
    ("same_upper_even_kernel", (1, 2, 7, 7), (3, 2, 4, 4), False, dict(auto_pad="SAME_UPPER")),
    ("same_lower_even_kernel", (1, 2, 7, 7), (3, 2, 4, 4), False, dict(auto_pad="SAME_LOWER")),
    ("valid", (1, 2, 7, 9), (3, 2, 3, 3), True, dict(auto_pad="VALID", strides=[2, 2])),
    ("65_channels", (1, 65, 5, 7), (63, 65, 3, 3), True, dict(pads=[1] * 4)),
    ("one_channel", (1, 1, 17, 17), (1, 1, 3, 3), True, {}),
    ("1d", (2, 5, 31), (7, 5, 3), True, {}),
    ("1d_pad_stride_dilation", (1, 4, 33), (6, 4, 5), True, dict(pads=[2, 3], strides=[2], dilations=[2])),
    ("1d_depthwise", (1, 7, 17), (7, 1, 3), False, dict(group=7, pads=[2, 0])),
    ("1d_same_upper", (1, 3, 17), (4, 3, 4), True, dict(auto_pad="SAME_UPPER", strides=[3])),
    ("3d", (1, 2, 5, 7, 6), (3, 2, 3, 3, 3), True, dict(pads=[1] * 6, strides=[1, 2, 1])),
    ("no_batch", (0, 3, 5, 5), (4, 3, 3, 3), True, dict(pads=[1] * 4)),
]

# As above; a weight is (in, out / groups, ...).
TRANSPOSED = [
    ("2x2_stride_2", (1, 7, 5, 6), (7, 4, 2, 2), True, dict(strides=[2, 2])),
    ("3x3", (1, 3, 5, 7), (3, 4, 3, 3), True, {}),
    ("3x3_stride_2_pad", (1, 5, 7, 6), (5, 3, 3, 3), True, dict(strides=[2, 2], pads=[1] * 4)),
    ("output_padding", (1, 3, 5, 5), (3, 2, 3, 3), False, dict(strides=[2, 2], pads=[1] * 4, output_padding=[1, 1])),
    ("output_shape", (1, 3, 5, 5), (3, 2, 3, 3), True, dict(strides=[2, 2], output_shape=[10, 10])),
    ("same_upper", (1, 2, 4, 5), (2, 3, 3, 3), True, dict(strides=[2, 2], auto_pad="SAME_UPPER")),
    ("dilation_2", (1, 2, 6, 5), (2, 3, 3, 3), True, dict(dilations=[2, 2])),
    ("groups_2", (1, 4, 5, 5), (4, 3, 3, 3), True, dict(group=2, strides=[2, 2])),
    ("depthwise", (1, 5, 4, 4), (5, 1, 4, 4), False, dict(group=5, strides=[2, 2], pads=[1] * 4)),
    ("uneven_pads", (1, 2, 5, 6), (2, 2, 3, 3), True, dict(pads=[0, 1, 1, 0], strides=[1, 2])),
    ("stride_beyond_kernel", (1, 2, 4, 3), (2, 3, 2, 2), True, dict(strides=[3, 3])),
    ("1d", (1, 3, 9), (3, 5, 4), True, dict(strides=[2], pads=[1, 1])),
]

# Operator, name, input shape, attributes.
POOLS = [
    ("MaxPool", "2x2", (1, 3, 8, 10), dict(kernel_shape=[2, 2], strides=[2, 2])),
    ("MaxPool", "3x3_stride_2_pad", (1, 5, 15, 17), dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)),
    ("MaxPool", "3x3_stride_2_odd", (1, 4, 111 // 3, 31), dict(kernel_shape=[3, 3], strides=[2, 2])),
    ("MaxPool", "ceil", (1, 3, 14, 13), dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)),
    ("MaxPool", "ceil_pad", (1, 3, 14, 12), dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, pads=[1] * 4)),
    ("MaxPool", "stride_1", (2, 3, 7, 7), dict(kernel_shape=[5, 5], pads=[2] * 4)),
    ("MaxPool", "dilation", (1, 2, 13, 11), dict(kernel_shape=[3, 3], dilations=[2, 2])),
    ("MaxPool", "same_upper", (1, 2, 10, 9), dict(kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")),
    ("MaxPool", "same_lower", (1, 2, 10, 9), dict(kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_LOWER")),
    ("MaxPool", "uneven", (1, 2, 9, 14), dict(kernel_shape=[3, 2], strides=[1, 3], pads=[1, 0, 0, 1])),
    ("MaxPool", "1d", (1, 3, 17), dict(kernel_shape=[3], strides=[2])),
    ("AveragePool", "2x2", (1, 3, 8, 10), dict(kernel_shape=[2, 2], strides=[2, 2])),
    ("AveragePool", "3x3_pad_excluded", (1, 3, 9, 11), dict(kernel_shape=[3, 3], pads=[1] * 4)),
    ("AveragePool", "3x3_pad_included", (1, 3, 9, 11), dict(kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1)),
    ("AveragePool", "ceil", (1, 3, 14, 13), dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)),
    (
        "AveragePool",
        "ceil_pad_excluded",
        (1, 2, 14, 12),
        dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, pads=[1] * 4),
    ),
    (
        "AveragePool",
        "ceil_pad_included",
        (1, 2, 14, 12),
        dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, pads=[1] * 4, count_include_pad=1),
    ),
    ("AveragePool", "same_upper", (1, 2, 10, 9), dict(kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")),
    ("AveragePool", "dilation", (1, 2, 11, 9), dict(kernel_shape=[2, 2], dilations=[2, 3])),
    ("AveragePool", "uneven", (1, 2, 9, 14), dict(kernel_shape=[2, 3], strides=[2, 1], pads=[0, 1, 1, 2])),
    ("AveragePool", "1d", (1, 3, 17), dict(kernel_shape=[4], strides=[3], pads=[1, 2])),
    ("LpPool", "p1", (1, 2, 8, 9), dict(kernel_shape=[2, 2], strides=[2, 2], p=1)),
    ("LpPool", "p2_pad", (1, 2, 9, 9), dict(kernel_shape=[3, 3], pads=[1] * 4, p=2)),
]


def convolutions():
    for name, x, w, bias, attributes in CONVS:
        yield one(
            f"conv_{name}", "Conv", normal(*x), weight(*w), weight(w[0]) if bias else None, opset=11, **attributes
        )
    for name, x, w, bias, attributes in TRANSPOSED:
        channels = w[1] * attributes.get("group", 1)
        yield one(
            f"convtranspose_{name}",
            "ConvTranspose",
            normal(*x),
            weight(*w),
            weight(channels) if bias else None,
            opset=11,
            **attributes,
        )
    yield one("conv_weight_is_input", "Conv", normal(1, 3, 9, 9), normal(4, 3, 3, 3, scale=0.2), opset=11)


def convolution_chains():
    """What follows a convolution in a network and should fuse into it."""
    relu = Case("conv_relu")
    x = relu.input("x", relu.normal(1, 5, 13, 13))
    yield relu.output(relu.node("Relu", relu.node("Conv", x, weight(7, 5, 3, 3)(relu), weight(7)(relu), pads=[1] * 4)))
    residual = Case("conv_add_relu")
    x = residual.input("x", residual.normal(1, 9, 7, 7))
    y = residual.node("Conv", x, weight(9, 9, 3, 3)(residual), pads=[1] * 4)
    yield residual.output(residual.node("Relu", residual.node("Add", y, x)))
    pooled = Case("conv_relu_maxpool")
    x = pooled.input("x", pooled.normal(1, 3, 19, 17))
    y = pooled.node("Relu", pooled.node("Conv", x, weight(8, 3, 3, 3)(pooled), weight(8)(pooled), strides=[2, 2]))
    yield pooled.output(pooled.node("MaxPool", y, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))
    fire = Case("conv_pair_concat")
    x = fire.input("x", fire.normal(1, 5, 9, 7))
    one_by_one = fire.node("Relu", fire.node("Conv", x, weight(7, 5, 1, 1)(fire)))
    three = fire.node("Relu", fire.node("Conv", x, weight(9, 5, 3, 3)(fire), pads=[1] * 4))
    yield fire.output(fire.node("Concat", one_by_one, three, axis=1))
    gate = Case("conv_squeeze_excite")
    x = gate.input("x", gate.normal(1, 17, 7, 7))
    y = gate.node("GlobalAveragePool", x)
    y = gate.node("Relu", gate.node("Conv", y, weight(4, 17, 1, 1)(gate), weight(4)(gate)))
    y = gate.node("Sigmoid", gate.node("Conv", y, weight(17, 4, 1, 1)(gate), weight(17)(gate)))
    yield gate.output(gate.node("Mul", x, y))


def pools():
    for op, name, x, attributes in POOLS:
        opset = {"MaxPool": 12, "AveragePool": 19, "LpPool": 18}[op]
        yield one(f"{op.lower()}_{name}", op, normal(*x), opset=opset, exact=op == "MaxPool", **attributes)
    indices = Case("maxpool_indices", opset=12, exact=True)
    x = indices.input("x", indices.normal(1, 2, 7, 9))
    yield indices.output(*indices.node("MaxPool", x, outputs=2, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4))
    for op in ["GlobalAveragePool", "GlobalMaxPool"]:
        for shape in [(2, 5, 7, 9), (1, 33, 1, 1), (1, 3, 17), (1, 17, 31, 33)]:
            yield one(
                f"{op.lower()}_{'x'.join(map(str, shape))}", op, normal(*shape), opset=1, exact=op == "GlobalMaxPool"
            )


def cases():
    for group in (convolutions, convolution_chains, pools):
        yield from group()
