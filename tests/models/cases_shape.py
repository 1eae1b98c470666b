"""Cases of operators that move data: layout, padding, slicing, gathering, resizing.

In: nothing. Out: cases(), a generator of Case.
Invariant: but for Resize no case does arithmetic on its data, so its outputs are exact.
"""

import numpy as np
from onnx import numpy_helper

from case import Case, Constant, TensorProto, i64, integers, normal, one

FAR = np.iinfo(np.int64).max


def moves(name, op, *operands, opset=13, **attributes):
    return one(name, op, *operands, opset=opset, exact=True, **attributes)


def layout():
    for i, (shape, target) in enumerate(
        [
            ((2, 3, 5), (6, 5)),
            ((2, 3, 5), (0, -1)),
            ((4, 7), (-1,)),
            ((1,), ()),
            ((7, 9), (3, 7, 3)),
            ((2, 3, 5, 7), (0, 0, -1)),
            ((0, 3), (0, 3)),
        ]
    ):
        yield moves(f"reshape_{i}", "Reshape", normal(*shape), i64(*target))
    yield moves("reshape_allowzero", "Reshape", normal(0, 3), i64(3, 0), opset=14, allowzero=1)
    yield moves("reshape_int64", "Reshape", integers(-9, 9, 4, 6), i64(3, 8))
    for perm in [(1, 0), (0, 2, 1), (2, 0, 1), (0, 2, 3, 1), (0, 3, 1, 2), (3, 2, 1, 0), (1, 0, 2, 3), (0, 1, 2)]:
        shape = (7, 17, 5, 3)[: len(perm)]
        yield moves(f"transpose_{''.join(map(str, perm))}", "Transpose", normal(*shape), perm=list(perm))
    yield moves("transpose_default", "Transpose", normal(3, 5, 7))
    yield moves("transpose_33_65", "Transpose", normal(33, 65), perm=[1, 0])
    yield moves("transpose_5d", "Transpose", normal(2, 3, 4, 5, 3), perm=[0, 3, 1, 4, 2])
    yield moves("transpose_uint8", "Transpose", integers(0, 255, 7, 5, 3, dtype=np.uint8), perm=[2, 0, 1])
    for axis in [0, 1, 2, -1]:
        yield moves(f"flatten_axis_{axis}", "Flatten", normal(3, 5, 7), axis=axis)
    yield moves("squeeze_all", "Squeeze", normal(1, 3, 1, 5))
    yield moves("squeeze_axes", "Squeeze", normal(1, 3, 1, 5), i64(-2))
    yield moves("squeeze_opset_11", "Squeeze", normal(1, 3, 1, 5), opset=11, axes=[0])
    yield moves("unsqueeze", "Unsqueeze", normal(3, 5), i64(0, -1))
    yield moves("unsqueeze_opset_11", "Unsqueeze", normal(3, 5), opset=11, axes=[1])
    for i, (shape, target) in enumerate([((3, 1), (3, 7)), ((5,), (3, 5)), ((2, 1, 5), (1, 7, 1)), ((), (3, 2))]):
        yield moves(f"expand_{i}", "Expand", normal(*shape), i64(*target))
    yield moves("tile_2d", "Tile", normal(3, 7), i64(2, 3))
    yield moves("tile_once", "Tile", normal(2, 3, 5), i64(1, 1, 4))
    yield moves("tile_zero", "Tile", normal(3, 7), i64(0, 2))
    for mode in ["DCR", "CRD"]:
        yield moves(f"depthtospace_{mode.lower()}", "DepthToSpace", normal(2, 12, 3, 5), blocksize=2, mode=mode)
        yield moves(f"depthtospace_3_{mode.lower()}", "DepthToSpace", normal(1, 9, 5, 3), blocksize=3, mode=mode)
    yield moves("spacetodepth", "SpaceToDepth", normal(2, 3, 6, 10), blocksize=2)
    yield moves("spacetodepth_3", "SpaceToDepth", normal(1, 2, 9, 6), blocksize=3)


def compaction():
    """Sizes that the data decide."""
    for i, shape in enumerate([(5,), (3, 5), (2, 3, 5), (65,), (7, 13, 11), (0,), (3, 0), (1,)]):
        yield moves(f"nonzero_{i}", "NonZero", integers(-1, 2, *shape, dtype=np.int32))
    yield moves("nonzero_float", "NonZero", np.array([0.0, -0.0, 1e-30, np.nan, np.inf, 0], np.float32))
    yield moves("nonzero_bool", "NonZero", np.arange(200).reshape(20, 10) % 7 == 3)
    yield moves("nonzero_none", "NonZero", np.zeros((3, 5), np.float32))
    yield moves("nonzero_all", "NonZero", np.ones((5000,), np.float32))
    for axis, n in [(0, 7), (1, 5), (-1, 3), (1, 2)]:
        chosen = np.arange(n) % 3 != 1
        yield moves(f"compress_axis_{axis}_{n}", "Compress", normal(7, 5, 3), chosen, axis=axis)
    yield moves("compress_flat", "Compress", normal(7, 13), np.arange(91) % 5 == 2)
    yield moves("compress_none", "Compress", normal(7, 13), np.zeros(7, bool), axis=0)

    rows = Case("nonzero_gather_nd", exact=True)
    x = rows.input("x", rows.normal(17, 5))
    mask = rows.node("Greater", x, Constant(np.float32(0.3)))
    places = rows.node("Transpose", rows.node("NonZero", mask), perm=[1, 0])
    yield rows.output(rows.node("Mul", rows.node("GatherND", x, places), Constant(np.float32(2))), places)

    boxes = Case("nonzero_gather_rows", exact=True)
    x = boxes.input("x", boxes.normal(70, 4), boxes.normal(1, 4), boxes.normal(130, 4), dims=["n", 4])
    scores = boxes.input("scores", boxes.normal(70), boxes.normal(1), boxes.normal(130), dims=["n"])
    kept = boxes.node("NonZero", boxes.node("Greater", scores, Constant(np.float32(0))))
    kept = boxes.node("Squeeze", kept, i64(0))
    yield boxes.output(boxes.node("Gather", x, kept), boxes.node("Neg", boxes.node("Gather", scores, kept)), kept)


def padding():
    for mode in ["constant", "edge", "reflect"]:
        yield moves(f"pad_{mode}", "Pad", normal(1, 3, 7, 9), i64(0, 0, 1, 2, 0, 0, 3, 4), mode=mode)
        yield moves(f"pad_{mode}_1d", "Pad", normal(17), i64(5, 2), mode=mode)
        yield moves(f"pad_{mode}_negative", "Pad", normal(9, 11), i64(-2, 3, 2, -4), mode=mode)
    yield moves("pad_value", "Pad", normal(5, 7), i64(1, 0, 0, 2), Constant(np.float32(-1.5)))
    yield moves("pad_channels", "Pad", normal(1, 3, 5, 5), i64(0, 2, 0, 0, 0, 3, 0, 0))
    yield moves("pad_axes", "Pad", normal(3, 5, 7), i64(1, 2), Constant(np.float32(0)), i64(-1), opset=18)
    yield moves("pad_wrap", "Pad", normal(5, 7), i64(2, 3, 1, 4), opset=19, mode="wrap")
    yield moves("pad_int64", "Pad", integers(-9, 9, 3, 5), i64(1, 1, 1, 1), Constant(np.int64(7)))
    yield moves("pad_opset_10", "Pad", normal(3, 5), opset=10, pads=[1, 0, 0, 2], value=0.5)


SLICES = [
    ((7, 17), (1,), (5,), None, None),
    ((7, 17), (0, 2), (7, 15), (0, 1), (2, 3)),
    ((7, 17), (-5,), (-1,), (1,), None),
    ((7, 17), (16,), (-18,), (1,), (-1,)),
    ((7, 17), (15,), (2,), (1,), (-4,)),
    ((7, 17), (2,), (FAR,), (0,), None),
    ((7, 17), (5,), (2,), (0,), None),
    ((5, 6, 7), (-1, -1), (-FAR, 0), (0, 2), (-1, -2)),
    ((33,), (-100,), (100,), (0,), (2,)),
    ((2, 3, 8, 9), (1, 1), (FAR, FAR), (2, 3), (2, 2)),
]


def pieces():
    for i, (shape, starts, ends, axes, steps) in enumerate(SLICES):
        yield moves(
            f"slice_{i}",
            "Slice",
            normal(*shape),
            i64(*starts),
            i64(*ends),
            i64(*axes) if axes else None,
            i64(*steps) if steps else None,
        )
    yield moves("slice_opset_1", "Slice", normal(7, 9), opset=9, starts=[1, -4], ends=[6, 1000])
    for axis in [0, 1, -1]:
        shapes = [(2, 3, 5), (2, 3, 5), (2, 3, 5)]
        sizes = [1, 7, 5]
        parts = [
            normal(*(size if j == axis % 3 else s for j, s in enumerate(shape))) for shape, size in zip(shapes, sizes)
        ]
        yield moves(f"concat_axis_{axis}", "Concat", *parts, axis=axis)
    yield moves("concat_one", "Concat", normal(3, 5), axis=0)
    yield moves("concat_with_empty", "Concat", normal(3, 5), normal(3, 0), normal(3, 7), axis=1)
    yield moves("concat_five_channels", "Concat", *[normal(1, c, 5, 7) for c in (1, 3, 8, 17, 2)], axis=1)
    yield moves("concat_int64", "Concat", integers(-9, 9, 3), integers(-9, 9, 4), axis=0)
    yield moves("split_equal", "Split", normal(3, 9), outputs=3, axis=1)
    yield moves("split_sizes", "Split", normal(17, 5), i64(7, 1, 9), outputs=3, axis=0)
    yield moves("split_num_outputs_uneven", "Split", normal(2, 17), opset=18, outputs=4, axis=1, num_outputs=4)
    yield moves("split_opset_11", "Split", normal(3, 7), opset=11, outputs=2, axis=-1, split=[2, 5])
    yield moves("gather_rows", "Gather", normal(17, 5), integers(0, 17, 7), axis=0)
    yield moves("gather_columns_2d_indices", "Gather", normal(5, 17), integers(0, 17, 3, 2), axis=1)
    yield moves("gather_negative", "Gather", normal(7, 5), i64(-1, 0, -7), axis=0)
    yield moves("gather_scalar", "Gather", normal(7, 5), Constant(np.int64(3)), axis=1)
    yield moves("gather_int32_indices", "Gather", normal(9, 3), integers(0, 9, 5, dtype=np.int32), axis=0)
    yield moves("gather_none", "Gather", normal(9, 3), np.zeros(0, np.int64), axis=0)
    yield moves("gatherelements", "GatherElements", normal(7, 5), integers(-7, 7, 3, 5), axis=0)
    yield moves("gathernd", "GatherND", normal(5, 7, 3), lambda c: c.integers(0, 5, 4, 2))
    # The chain of views below should not need a kernel of its own.
    shuffle = Case("channel_shuffle", opset=13, exact=True)
    x = shuffle.input("x", shuffle.normal(1, 6, 5, 7))
    y = shuffle.node("Reshape", x, i64(1, 2, 3, 5, 7))
    y = shuffle.node("Reshape", shuffle.node("Transpose", y, perm=[0, 2, 1, 3, 4]), i64(1, 6, 5, 7))
    yield shuffle.output(y)
    focus = Case("focus_slices", opset=13, exact=True)
    x = focus.input("x", focus.normal(1, 3, 8, 10))
    quarters = [focus.node("Slice", x, i64(a, b), i64(FAR, FAR), i64(2, 3), i64(2, 2)) for a in (0, 1) for b in (0, 1)]
    yield focus.output(focus.node("Concat", *quarters, axis=1))


# Mode, coordinate mode, nearest mode, target height and width for an input of 5 x 7.
RESIZES = [
    ("nearest", "asymmetric", "floor", (10, 14)),
    ("nearest", "half_pixel", "round_prefer_floor", (8, 11)),
    ("nearest", "half_pixel", "round_prefer_ceil", (3, 4)),
    ("nearest", "align_corners", "ceil", (9, 13)),
    ("nearest", "asymmetric", "floor", (3, 4)),
    ("nearest", "pytorch_half_pixel", "floor", (1, 10)),
    ("nearest", "half_pixel_symmetric", "round_prefer_floor", (7, 9)),
    ("linear", "half_pixel", None, (10, 14)),
    ("linear", "asymmetric", None, (8, 11)),
    ("linear", "align_corners", None, (9, 13)),
    ("linear", "pytorch_half_pixel", None, (1, 9)),
    ("linear", "half_pixel", None, (3, 4)),
    ("linear", "half_pixel_symmetric", None, (7, 9)),
    ("cubic", "half_pixel", None, (10, 14)),
    ("cubic", "asymmetric", None, (8, 11)),
    ("cubic", "align_corners", None, (9, 13)),
    ("cubic", "half_pixel", None, (3, 5)),
    ("cubic", "pytorch_half_pixel", None, (1, 9)),
]


def resizes():
    for i, (mode, coordinates, nearest, size) in enumerate(RESIZES):
        attributes = dict(mode=mode, coordinate_transformation_mode=coordinates)
        if nearest:
            attributes["nearest_mode"] = nearest
        opset = 19 if coordinates == "half_pixel_symmetric" else 13
        yield one(
            f"resize_{mode}_{coordinates}_{i}",
            "Resize",
            normal(1, 3, 5, 7),
            None,
            None,
            i64(1, 3, *size),
            opset=opset,
            exact=mode == "nearest",
            **attributes,
        )
    for mode in ["nearest", "linear", "cubic"]:
        for scales in [(1, 1, 2, 2), (1, 1, 1.5, 0.7)]:
            attributes = dict(mode=mode, nearest_mode="floor") if mode == "nearest" else dict(mode=mode)
            yield one(
                f"resize_{mode}_scales_{scales[2]}",
                "Resize",
                normal(1, 2, 5, 7),
                None,
                Constant(np.float32(scales)),
                opset=13,
                exact=mode == "nearest",
                **attributes,
            )
    yield one(
        "resize_cubic_coefficient",
        "Resize",
        normal(1, 2, 5, 7),
        None,
        None,
        i64(1, 2, 9, 8),
        opset=13,
        mode="cubic",
        cubic_coeff_a=-0.5,
        exclude_outside=1,
    )
    yield one("resize_axes", "Resize", normal(2, 5, 7, 3), None, None, i64(10, 4), opset=18, mode="linear", axes=[1, 2])
    yield one(
        "resize_keep_aspect",
        "Resize",
        normal(1, 2, 6, 9),
        None,
        None,
        i64(12, 12),
        opset=18,
        mode="linear",
        axes=[2, 3],
        keep_aspect_ratio_policy="not_larger",
    )
    yield one(
        "resize_antialias",
        "Resize",
        normal(1, 2, 9, 12),
        None,
        None,
        i64(1, 2, 4, 5),
        opset=18,
        mode="linear",
        antialias=1,
    )
    yield one("resize_opset_10", "Resize", normal(1, 2, 5, 7), Constant(np.float32([1, 1, 2, 2])), opset=10, exact=True)
    yield one(
        "upsample_opset_9", "Upsample", normal(1, 2, 5, 7), Constant(np.float32([1, 1, 2, 3])), opset=9, exact=True
    )


def constants():
    case = Case("constant_forms", exact=True, opset=13)
    x = case.input("x", case.normal(3))
    parts = [x, case.node("Constant", value_floats=[1.5, -2.0]), case.node("ConstantOfShape", i64(4))]
    parts.append(case.node("Reshape", case.node("Constant", value_float=0.25), i64(1)))
    yield case.output(case.node("Concat", *parts, axis=0))
    for dtype, value in [(np.float32, 2.5), (np.int64, -3), (bool, True)]:
        filled = Case(f"constantofshape_{np.dtype(dtype).name}", exact=True, opset=9)
        shape = filled.input("shape", np.int64([2, 5]))
        fill = numpy_helper.from_array(np.array([value], dtype))
        yield filled.output(filled.node("ConstantOfShape", shape, value=fill))
    for name, values in [
        ("int64", np.int64([3, 20, 4])),
        ("down", np.int64([9, -4, -3])),
        ("float", np.float32([0.5, 4.0, 0.75])),
        ("none", np.int64([5, 5, 1])),
    ]:
        yield moves(f"range_{name}", "Range", *(np.asarray(v) for v in values), opset=11)
    yield moves("eyelike", "EyeLike", normal(5, 7), opset=9, k=1, dtype=TensorProto.FLOAT)
    yield moves("trilu_upper", "Trilu", normal(2, 5, 7), Constant(np.int64(1)), opset=14)
    yield moves("trilu_lower", "Trilu", normal(5, 5), opset=14, upper=0)
    yield moves("onehot", "OneHot", integers(0, 7, 5), Constant(np.int64(7)), Constant(np.float32([-1, 2])), opset=11)


def cases():
    for group in (layout, compaction, padding, pieces, resizes, constants):
        yield from group()
