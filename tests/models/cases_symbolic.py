"""Cases whose shapes are computed, and whose input sizes are symbols.

In: nothing. Out: cases(), a generator of Case; one with several input sets is one model to be run at
each of their sizes.
Invariant: every symbol takes the sizes 1, a prime and a size beside a multiple of the tile.
"""

import numpy as np

from case import Case, Constant, TensorProto, i64, one, weight


def shapes():
    sizes = Case("shape_and_size", exact=True, opset=15)
    x = sizes.input("x", sizes.normal(2, 5, 7))
    yield sizes.output(sizes.node("Shape", x), sizes.node("Size", x), sizes.node("Shape", x, start=1, end=-1))
    yield one("shape_of_scalar", "Shape", np.float32(3), opset=13, exact=True)
    yield one("size_of_nothing", "Size", np.zeros((3, 0), np.float32), opset=13, exact=True)
    arithmetic = Case("shape_arithmetic", exact=True, opset=13)
    x = arithmetic.input("x", arithmetic.normal(3, 8, 5))
    shape = arithmetic.node("Shape", x)
    middle = arithmetic.node("Gather", shape, Constant(np.int64(1)))
    half = arithmetic.node("Div", middle, Constant(np.int64(2)))
    rest = arithmetic.node("Sub", middle, half)
    more = arithmetic.node("Mod", arithmetic.node("Mul", rest, Constant(np.int64(7))), Constant(np.int64(5)))
    as_float = arithmetic.node("Cast", middle, to=TensorProto.FLOAT)
    root = arithmetic.node("Cast", arithmetic.node("Floor", arithmetic.node("Sqrt", as_float)), to=TensorProto.INT64)
    parts = [arithmetic.node("Unsqueeze", value, i64(0)) for value in (half, rest, more, root)]
    yield arithmetic.output(arithmetic.node("Concat", *parts, axis=0))


def symbols():
    relu = Case("symbolic_relu", exact=True)
    x = relu.input("x", *(relu.normal(n, 33) for n in (7, 1, 65)), dims=["n", 33])
    yield relu.output(relu.node("Relu", x))

    pair = Case("symbolic_add_broadcast")
    x = pair.input("x", *(pair.normal(b, n, 17) for b, n in [(2, 7), (1, 1), (3, 33)]), dims=["batch", "n", 17])
    y = pair.input("y", *(pair.normal(n, 1) for n in (7, 1, 33)), dims=["n", 1])
    yield pair.output(pair.node("Add", x, y))

    sums = Case("symbolic_cumsum")
    x = sums.input("x", *(sums.normal(n, 5) for n in (7, 1, 65, 200)), dims=["n", 5])
    yield sums.output(sums.node("CumSum", x, i64(0)))

    product = Case("symbolic_matmul")
    x = product.input("x", *(product.normal(m, 33) for m in (17, 1, 65)), dims=["m", 33])
    yield product.output(product.node("Add", product.node("MatMul", x, weight(33, 31)(product)), weight(31)(product)))

    inner = Case("symbolic_inner_dimension")
    x = inner.input("x", *(inner.normal(5, k) for k in (31, 1, 65)), dims=[5, "k"])
    y = inner.input("y", *(inner.normal(k, 7, scale=k**-0.5) for k in (31, 1, 65)), dims=["k", 7])
    yield inner.output(inner.node("MatMul", x, y))

    picture = Case("symbolic_conv")
    sizes = [(13, 17), (3, 3), (31, 8)]
    x = picture.input("x", *(picture.normal(1, 3, h, w) for h, w in sizes), dims=[1, 3, "height", "width"])
    y = picture.node(
        "Relu", picture.node("Conv", x, weight(8, 3, 3, 3)(picture), weight(8)(picture), strides=[2, 2], pads=[1] * 4)
    )
    y = picture.node("Flatten", picture.node("GlobalAveragePool", y))
    yield picture.output(picture.node("Gemm", y, weight(5, 8)(picture), weight(5)(picture), transB=1))

    batch = Case("symbolic_batch_conv")
    x = batch.input("x", *(batch.normal(n, 4, 7, 9) for n in (2, 1, 5)), dims=["batch", 4, 7, 9])
    yield batch.output(batch.node("Conv", x, weight(6, 4, 3, 3)(batch), pads=[1] * 4))

    rows = Case("symbolic_softmax")
    x = rows.input("x", *(rows.normal(r, n) for r, n in [(5, 17), (1, 1), (3, 129)]), dims=["rows", "n"])
    yield rows.output(rows.node("Softmax", x))

    total = Case("symbolic_reduce")
    x = total.input("x", *(total.normal(3, n, 5) for n in (63, 1, 65)), dims=[3, "n", 5])
    yield total.output(total.node("ReduceMean", x, axes=[1]))

    flat = Case("symbolic_flatten_by_shape", exact=True, opset=13)
    x = flat.input("x", *(flat.normal(b, 3, n) for b, n in [(2, 7), (1, 1), (5, 33)]), dims=["batch", 3, "n"])
    first = flat.node("Unsqueeze", flat.node("Gather", flat.node("Shape", x), Constant(np.int64(0))), i64(0))
    yield flat.output(flat.node("Reshape", x, flat.node("Concat", first, i64(-1), axis=0)))

    double = Case("symbolic_upsample_to_shape_of", opset=13)
    sizes = [((4, 5), (9, 11)), ((1, 1), (3, 2)), ((7, 3), (7, 9))]
    x = double.input("x", *(double.normal(1, 2, *a) for a, _ in sizes), dims=[1, 2, "h", "w"])
    skip = double.input("skip", *(double.normal(1, 2, *b) for _, b in sizes), dims=[1, 2, "H", "W"])
    grown = double.node(
        "Resize",
        x,
        None,
        None,
        double.node("Shape", skip),
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    yield double.output(double.node("Add", grown, skip))

    heads = Case("symbolic_split_heads")
    x = heads.input("x", *(heads.normal(1, n, 12) for n in (17, 1, 33)), dims=[1, "n", 12])
    y = heads.node("Transpose", heads.node("Reshape", x, i64(0, 0, 3, 4)), perm=[0, 2, 1, 3])
    scores = heads.node("Softmax", heads.node("MatMul", y, heads.node("Transpose", y, perm=[0, 1, 3, 2])))
    y = heads.node("Transpose", heads.node("MatMul", scores, y), perm=[0, 2, 1, 3])
    yield heads.output(heads.node("Reshape", y, i64(0, 0, -1)))

    mask = Case("symbolic_causal_mask", exact=True, opset=14)
    x = mask.input("x", *(mask.normal(n, n) for n in (5, 1, 17)), dims=["n", "n"])
    ones = mask.node("ConstantOfShape", mask.node("Shape", x))
    upper = mask.node("Trilu", mask.node("Add", ones, Constant(np.float32(1))), Constant(np.int64(1)))
    yield mask.output(mask.node("Where", mask.node("Cast", upper, to=TensorProto.BOOL), Constant(np.float32(-1e9)), x))

    joined = Case("symbolic_concat_slice", exact=True, opset=13)
    x = joined.input("x", *(joined.normal(3, n) for n in (7, 1, 31)), dims=[3, "n"])
    y = joined.input("y", *(joined.normal(3, n) for n in (2, 5, 33)), dims=[3, "m"])
    both = joined.node("Concat", x, y, axis=1)
    yield joined.output(joined.node("Slice", both, i64(-1), i64(-1000), i64(1), i64(-1)))

    lookup = Case("symbolic_embedding", exact=True, opset=13)
    ids = lookup.input("ids", *(lookup.integers(0, 31, 1, n) for n in (7, 1, 65)), dims=[1, "n"])
    yield lookup.output(lookup.node("Gather", Constant(lookup.normal(31, 9)), ids))

    counted = Case("symbolic_range_positions", exact=True, opset=13)
    x = counted.input("x", *(counted.integers(0, 9, n) for n in (7, 1, 33)), dims=["n"])
    length = counted.node("Gather", counted.node("Shape", x), Constant(np.int64(0)))
    yield counted.output(
        counted.node("Add", x, counted.node("Range", Constant(np.int64(0)), length, Constant(np.int64(1))))
    )


def cases():
    yield from shapes()
    yield from symbols()
