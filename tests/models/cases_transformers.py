"""Cases of attention and of what stands around it in transformers.

In: nothing. Out: cases(), a generator of Case.
Invariant: expected values are onnxruntime's wherever it computes the case. Where it does not, they are onnx.reference's
(masks for fewer keys than there are, or for all queries) or those of attend() below, which is written from the operators' schemas (packed
queries, keys and values). Rows of a cache that no operator's text defines are 0 in what comes in.
"""

import numpy as np
import onnx.reference

from case import Case, Constant, i64, integers, normal, one, uniform, weight

MS = "com.microsoft"


def by_reference(case):
    """Expected values from onnx.reference."""
    evaluator = onnx.reference.ReferenceEvaluator(case.model())
    case.expected = lambda feed: evaluator.run(case.outputs, feed)
    return case


def attend(q, k, v):
    """softmax(q k / sqrt(size)) v, of [batch, sequence, head, size], as [batch, sequence, head * size]."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    scores = np.einsum("bqhd,bkhd->bhqk", q, k) / np.sqrt(q.shape[-1])
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    y = np.einsum("bhqk,bkhc->bqhc", weights, v)
    return y.reshape(*y.shape[:2], -1).astype(np.float32)


def bools(*shape, some_row_empty=False):
    def mask(case):
        values = case.random.random(shape) < 0.6
        values[..., 0] = True
        if some_row_empty:
            values[..., 1, :] = False
        return values

    return mask


def lower_than_all(*shape, empty_row=None):
    """An additive mask with -infinity here and there."""

    def mask(case):
        values = np.where(case.random.random(shape) < 0.3, np.float32(-np.inf), case.normal(*shape))
        values[..., 0] = 0.5
        if empty_row is not None:
            values[..., empty_row, :] = -np.inf
        return values.astype(np.float32)

    return mask


def zeros_and_ones(*shape):
    return lambda case: (case.random.random(shape) < 0.6).astype(np.int32)


def half(function):
    return lambda case: function(case).astype(np.float16)


def i32(*values):
    return np.array(values, np.int32)


def attention(name, q, k, v, *more, opset=23, outputs=1, **attributes):
    return one(f"attention_{name}", "Attention", normal(*q), normal(*k), normal(*v), *more, opset=opset, outputs=outputs, **attributes)


def onnx_attention():
    heads = (2, 4, 5, 8), (2, 4, 7, 8), (2, 4, 7, 6)
    grouped = (2, 4, 5, 8), (2, 2, 7, 8), (2, 2, 7, 6)
    yield attention("plain", *heads)
    yield attention("plain_24", *heads, opset=24)
    yield attention("scale", *heads, scale=0.3)
    yield attention("grouped", *grouped)
    yield attention("one_group", (1, 6, 4, 8), (1, 1, 9, 8), (1, 1, 9, 8))
    yield attention("causal", *heads, is_causal=1)
    yield attention("causal_more_queries", (1, 2, 9, 8), (1, 2, 4, 8), (1, 2, 4, 8), is_causal=1)
    yield attention("softcap", *grouped, softcap=0.7)
    yield attention("one_query", (2, 4, 1, 8), (2, 4, 33, 8), (2, 4, 33, 16))
    yield attention("many_keys", (1, 2, 3, 16), (1, 2, 300, 16), (1, 2, 300, 16))
    yield attention("one_key", (1, 2, 3, 8), (1, 2, 1, 8), (1, 2, 1, 8))
    three = (2, 5, 32), (2, 7, 16), (2, 7, 12)
    yield attention("3d", *three, q_num_heads=4, kv_num_heads=2)
    yield attention("3d_causal", (1, 7, 24), (1, 7, 24), (1, 7, 24), q_num_heads=3, kv_num_heads=3, is_causal=1)
    yield attention("3d_present", *three, outputs=3, q_num_heads=4, kv_num_heads=2)
    past = None, normal(2, 2, 3, 8), normal(2, 2, 3, 6)
    yield attention("present", *grouped, outputs=3)
    yield attention("past", *grouped, *past, outputs=3)
    yield attention("past_causal", *grouped, *past, outputs=3, is_causal=1)
    yield attention("3d_past_causal", *three, *past, outputs=3, q_num_heads=4, kv_num_heads=2, is_causal=1)
    for shape in [(5, 7), (4, 5, 7), (2, 1, 5, 7), (1, 4, 5, 7), (2, 4, 5, 7)]:
        dims = "x".join(map(str, shape))
        yield attention(f"bool_mask_{dims}", *grouped, bools(*shape))
        yield attention(f"mask_{dims}", *grouped, normal(*shape))
    yield by_reference(attention("bool_mask_2x1x1x7", *grouped, bools(2, 1, 1, 7)))
    yield by_reference(attention("mask_2x1x1x7", *grouped, normal(2, 1, 1, 7)))
    yield attention("bool_mask_no_key", *grouped, bools(5, 7, some_row_empty=True))
    yield attention("bool_mask_causal", *grouped, bools(2, 1, 5, 7), is_causal=1)
    yield attention("bool_mask_causal_no_key", *grouped, lambda case: np.arange(7) + np.zeros((5, 1)) > 1, is_causal=1)
    yield attention("mask_infinite", *grouped, lower_than_all(2, 4, 5, 7))
    yield attention("mask_infinite_no_key", *grouped, lower_than_all(5, 7, empty_row=2))
    yield attention("mask_causal_softcap", *grouped, normal(5, 7), is_causal=1, softcap=1.5)
    yield attention("mask_past", *grouped, normal(5, 10), *past[1:], outputs=3)
    yield attention("mask_constant", *heads, lambda case: Constant(bools(5, 7)(case)))
    yield by_reference(attention("mask_for_fewer_keys", *grouped, normal(5, 4)))
    yield by_reference(attention("bool_mask_for_fewer_keys", *grouped, bools(5, 4)))
    for mode in range(4):
        case = attention(f"scores_{mode}", *grouped, normal(5, 7), outputs=4, softcap=1.5, qk_matmul_output_mode=mode)
        case.outputs = [case.outputs[0], case.outputs[3]]
        yield case
    case = attention("scores_3_no_key", *grouped, bools(5, 7, some_row_empty=True), outputs=4, qk_matmul_output_mode=3)
    case.outputs = [case.outputs[0], case.outputs[3]]
    yield case
    for name, counts, attributes in [
        ("", (3, 7), {}),
        ("_causal", (5, 7), dict(is_causal=1)),
        ("_causal_no_key", (3, 6), dict(is_causal=1)),
    ]:
        counts = np.array(counts, np.int64)
        yield attention(f"key_counts{name}", *grouped, None, None, None, counts, opset=24, **attributes)
    yield one(
        "attention_float16", "Attention", half(normal(2, 4, 5, 8)), half(normal(2, 2, 7, 8)), half(normal(2, 2, 7, 6)), opset=23
    )
    yield one(
        "attention_float16_mask_causal",
        "Attention",
        *(half(normal(1, 2, 5, 8)) for _ in "qkv"),
        half(normal(5, 5)),
        opset=23,
        is_causal=1,
    )
    case = Case("attention_sizes_not_fixed", opset=23)
    shapes = [(1, 7, 7), (2, 33, 33), (1, 1, 9)]
    q = case.input("q", *(case.normal(b, s, 32) for b, s, _ in shapes), dims=["batch", "queries", 32])
    k, v = (
        case.input(name, *(case.normal(b, t, 16) for b, _, t in shapes), dims=["batch", "keys", 16]) for name in "kv"
    )
    yield case.output(case.node("Attention", q, k, v, q_num_heads=4, kv_num_heads=2))


def onnx_rotary():
    cache = dict(cos=uniform(-1, 1, 20, 4), sin=uniform(-1, 1, 20, 4))
    tables = cache["cos"], cache["sin"]
    places = integers(0, 20, 2, 5)
    for interleaved in (0, 1):
        name = "rotaryembedding" + "_interleaved" * interleaved
        attributes = dict(opset=23, interleaved=interleaved)
        yield one(name, "RotaryEmbedding", normal(2, 3, 5, 8), *tables, places, **attributes)
        yield one(f"{name}_3d", "RotaryEmbedding", normal(2, 5, 24), *tables, places, num_heads=3, **attributes)
        yield one(f"{name}_partial", "RotaryEmbedding", normal(2, 3, 5, 12), *tables, places, rotary_embedding_dim=8, **attributes)
    yield one("rotaryembedding_row_a_token", "RotaryEmbedding", normal(2, 3, 5, 8), uniform(-1, 1, 2, 5, 4), uniform(-1, 1, 2, 5, 4), opset=23)
    yield one(
        "rotaryembedding_3d_row_a_token",
        "RotaryEmbedding",
        normal(2, 5, 24),
        uniform(-1, 1, 2, 5, 4),
        uniform(-1, 1, 2, 5, 4),
        opset=23,
        num_heads=3,
    )
    yield one("rotaryembedding_float16", "RotaryEmbedding", half(normal(2, 3, 5, 8)), *map(half, tables), places, opset=23)


def contrib_rotary():
    def constant(function):
        return lambda case: Constant(function(case))

    tables = constant(uniform(-1, 1, 20, 4)), constant(uniform(-1, 1, 20, 4))
    places = integers(0, 20, 2, 5)
    for interleaved in (0, 1):
        name = "contrib_rotaryembedding" + "_interleaved" * interleaved
        attributes = dict(domain=MS, interleaved=interleaved)
        yield one(name, "RotaryEmbedding", normal(2, 5, 24), places, *tables, **attributes)
        yield one(f"{name}_4d", "RotaryEmbedding", normal(2, 3, 5, 8), places, *tables, **attributes)
    yield one("contrib_rotaryembedding_from", "RotaryEmbedding", normal(2, 5, 24), np.array([7], np.int64), *tables, domain=MS)
    yield one(
        "contrib_rotaryembedding_partial",
        "RotaryEmbedding",
        normal(2, 5, 36),
        places,
        *tables,
        domain=MS,
        num_heads=3,
        rotary_embedding_dim=8,
    )


def packed_weights(name, *more, batch=2, sequence=5, outputs=1, columns=72, bias=True, **attributes):
    return one(
        f"contrib_attention_{name}",
        "Attention",
        normal(batch, sequence, 17),
        lambda case: Constant(case.normal(17, columns, scale=17**-0.5)),
        (lambda case: Constant(case.normal(columns))) if bias else None,
        *more,
        domain=MS,
        outputs=outputs,
        num_heads=3,
        **attributes,
    )


def contrib_attention():
    yield packed_weights("plain")
    yield packed_weights("scale", scale=0.5)
    yield packed_weights("unidirectional", unidirectional=1)
    yield packed_weights("value_size", columns=24 + 24 + 12, qkv_hidden_sizes=[24, 24, 12])
    yield packed_weights("mask_ends", i32(3, 5))
    yield packed_weights("mask_ends_filter", i32(3, 5), mask_filter_value=-2.0)
    yield packed_weights("mask_ends_and_starts", i32(4, 5, 1, 2))
    yield packed_weights("mask_2d", zeros_and_ones(2, 5))
    yield packed_weights("mask_3d", zeros_and_ones(2, 5, 5))
    yield packed_weights("mask_2d_unidirectional", zeros_and_ones(2, 5), unidirectional=1)
    yield packed_weights("bias", None, None, normal(1, 3, 5, 5))
    yield packed_weights("past", None, normal(2, 2, 3, 4, 8), outputs=2, unidirectional=1)
    yield packed_weights("past_mask", zeros_and_ones(2, 9), normal(2, 2, 3, 4, 8), outputs=2)
    yield packed_weights("present", outputs=2)


def separate(name, *more, queries=5, keys=7, size=8, outputs=1, **attributes):
    return one(
        f"multiheadattention_{name}",
        "MultiHeadAttention",
        normal(2, queries, 24),
        normal(2, keys, 24),
        normal(2, keys, 3 * size),
        *more,
        domain=MS,
        outputs=outputs,
        num_heads=3,
        **attributes,
    )


def multi_head_attention():
    yield separate("plain")
    yield separate("scale", scale=0.2)
    yield separate("value_size", size=5)
    yield separate("bias", normal(72))
    yield separate("bias_constant", lambda case: Constant(case.normal(72)))
    yield separate("unidirectional", keys=5, unidirectional=1)
    yield separate("mask_lengths", None, i32(4, 7))
    yield separate("mask_2d", None, zeros_and_ones(2, 7))
    yield separate("mask_2d_filter", None, zeros_and_ones(2, 7), mask_filter_value=-1.5)
    yield separate("mask_3d", None, zeros_and_ones(2, 5, 7))
    yield separate("attention_bias", None, None, normal(1, 3, 5, 7))
    yield separate("attention_bias_for_all", None, zeros_and_ones(2, 7), normal(2, 1, 5, 7))
    past = normal(2, 3, 4, 8), normal(2, 3, 4, 8)
    yield separate("past", None, None, None, *past, keys=5, outputs=3)
    yield separate("past_unidirectional", None, None, None, *past, keys=5, outputs=3, unidirectional=1)
    yield separate("past_bias_mask", normal(72), zeros_and_ones(2, 9), normal(1, 1, 5, 9), *past, keys=5, outputs=3)
    yield separate("present", keys=5, outputs=3)
    cross = normal(2, 5, 24), normal(2, 3, 9, 8), normal(2, 3, 9, 8)
    yield one("multiheadattention_cross", "MultiHeadAttention", *cross, domain=MS, num_heads=3)
    yield one("multiheadattention_cross_bias", "MultiHeadAttention", *cross, normal(72), domain=MS, num_heads=3)
    case = one("multiheadattention_packed", "MultiHeadAttention", normal(2, 5, 3, 3, 8), domain=MS, num_heads=3)
    case.expected = lambda feed: [attend(*np.moveaxis(feed["x"], 3, 0))]
    yield case
    case = one("multiheadattention_packed_keys", "MultiHeadAttention", normal(2, 5, 24), normal(2, 7, 3, 2, 8), domain=MS, num_heads=3)
    case.expected = lambda feed: [attend(feed["x"].reshape(2, 5, 3, 8), *np.moveaxis(feed["y"], 3, 0))]
    yield case


def cache(*shape, counts):
    """[batch, head, length, size] with zeros behind each sequence."""

    def rows(case):
        values = case.normal(*shape)
        for b, count in enumerate(counts):
            values[b, :, count:] = 0
        return values

    return rows


def grouped(name, batch, sequence, past, length, counts, total, *more, packed=False, outputs=3, size=8, fixed=True, **attributes):
    """counts: keys of each sequence, the new ones with them. fixed: the total is known to who reads the model."""
    q = normal(batch, sequence, 4 * size + (4 * size if packed else 0))
    rows = () if packed else (normal(batch, sequence, 2 * size),) * 2
    before = [count - sequence for count in counts] if past else []
    caches = [cache(batch, 2, length, size, counts=before)] * 2 if past else [None, None]
    return one(
        f"groupqueryattention_{name}",
        "GroupQueryAttention",
        q,
        *(rows or (None, None)),
        *caches,
        i32(*(count - 1 for count in counts)),
        Constant(np.int32(total)) if fixed else np.int32(total),
        *more,
        domain=MS,
        outputs=outputs,
        num_heads=4,
        kv_num_heads=2,
        **attributes,
    )


def group_query_attention():
    yield grouped("first", 1, 6, False, 0, (6,), 6)
    yield grouped("first_batch", 2, 6, False, 0, (6, 6), 6)
    yield grouped("packed", 1, 6, False, 0, (6,), 6, packed=True)
    yield grouped("scale_softcap", 1, 6, False, 0, (6,), 6, scale=0.4, softcap=0.8)
    yield grouped("not_causal", 1, 6, False, 0, (6,), 6, causal=0)
    for window in (1, 3):
        yield grouped(f"window_{window}", 1, 7, False, 0, (7,), 7, local_window_size=window)
    yield grouped("behind_past", 1, 1, True, 9, (10,), 10)
    yield grouped("several_behind_past", 1, 5, True, 4, (9,), 9)
    yield grouped("window_behind_past", 1, 1, True, 40, (41,), 41, local_window_size=5)
    yield grouped("batch_behind_past", 2, 1, True, 6, (7, 5), 7)
    yield grouped("in_buffer", 1, 1, True, 12, (5,), 5)
    yield grouped("in_buffer_several", 1, 3, True, 12, (8,), 8)
    yield grouped("in_buffer_batch", 3, 1, True, 12, (5, 12, 1), 12)
    yield grouped("in_buffer_first", 1, 6, True, 12, (6,), 6)
    yield grouped("in_buffer_of_data", 2, 1, True, 12, (5, 9), 9, fixed=False)
    yield grouped("in_buffer_of_data_first", 1, 6, True, 12, (6,), 6, fixed=False)
    yield grouped("in_buffer_window", 2, 1, True, 33, (30, 9), 30, local_window_size=4)
    yield grouped("in_buffer_packed_softcap", 1, 1, True, 12, (5,), 5, packed=True, softcap=1.0)
    tables = uniform(-1, 1, 32, 8), uniform(-1, 1, 32, 8)
    for interleaved in (0, 1):
        rotary = dict(do_rotary=1, rotary_interleaved=interleaved, size=16)
        name = "rotary" + "_interleaved" * interleaved
        yield grouped(name, 1, 6, False, 0, (6,), 6, *tables, **rotary)
        yield grouped(f"{name}_packed", 1, 6, False, 0, (6,), 6, *tables, packed=True, **rotary)
        yield grouped(f"{name}_in_buffer", 2, 1, True, 12, (5, 9), 9, *tables, **rotary)
    yield grouped("rotary_behind_past", 1, 1, True, 9, (10,), 10, *tables, do_rotary=1, size=16)
    yield grouped("rotary_positions", 1, 6, False, 0, (6,), 6, *tables, lambda case: np.arange(6)[None], do_rotary=1, size=16)
    yield grouped("bias", 1, 6, False, 0, (6,), 6, None, None, None, normal(1, 4, 6, 6))
    yield grouped("bias_for_all_softcap", 1, 5, True, 4, (9,), 9, None, None, None, normal(1, 1, 5, 9), softcap=0.5)
    yield grouped("bias_in_buffer", 2, 1, True, 12, (5, 9), 9, None, None, None, normal(2, 4, 1, 9))
    case = Case("groupqueryattention_float16")
    operands = [case.input(n, case.normal(1, 6, w).astype(np.float16)) for n, w in zip("qkv", (32, 16, 16))]
    outputs = case.node(
        "GroupQueryAttention",
        *operands,
        None,
        None,
        case.input("s", i32(5)),
        Constant(np.int32(6)),
        outputs=3,
        domain=MS,
        num_heads=4,
        kv_num_heads=2,
    )
    yield case.output(*outputs)
    yield decoder_step()


def decoder_step():
    """As decoders are exported: the attention mask's length says how many keys there are, of sizes that are not fixed."""
    case = Case("groupqueryattention_sizes_not_fixed", opset=17)
    runs = [(1, 5), (1, 6), (3, 7)]
    dims = dict(sequence="sequence", past="past", total="total")
    q, k, v = (
        case.input(n, *(case.normal(1, s, w) for s, _ in runs), dims=[1, dims["sequence"], w])
        for n, w in zip("qkv", (32, 16, 16))
    )
    past = [
        case.input(n, *(case.normal(1, 2, p, 8) for _, p in runs), dims=[1, 2, dims["past"], 8]) for n in ("past_k", "past_v")
    ]
    mask = case.input("mask", *(np.ones((1, s + p), np.int64) for s, p in runs), dims=[1, dims["total"]])
    counts = case.node("Cast", case.node("Sub", case.node("ReduceSum", mask, i64(1), keepdims=0), i64(1)), to=6)
    total = case.node("Cast", case.node("Gather", case.node("Shape", mask), Constant(np.int64(1))), to=6)
    outputs = case.node(
        "GroupQueryAttention", q, k, v, *past, counts, total, outputs=3, domain=MS, num_heads=4, kv_num_heads=2
    )
    return case.output(*outputs)


def norms():
    for name, op, beta in [("skiplayernormalization", "SkipLayerNormalization", True), ("skipsimplifiedlayernormalization", "SkipSimplifiedLayerNormalization", False)]:
        parameters = (weight(33), weight(33)) if beta else (weight(33),)
        x = normal(2, 5, 33)
        yield one(name, op, x, normal(2, 5, 33), *parameters, domain=MS)
        yield one(f"{name}_bias", op, x, normal(2, 5, 33), *parameters, weight(33), domain=MS, epsilon=1e-3)
        case = one(f"{name}_sum", op, x, normal(2, 5, 33), *parameters, weight(33), domain=MS, outputs=4)
        case.outputs = [case.outputs[0], case.outputs[3]]
        yield case
    yield one("skiplayernormalization_no_beta", "SkipLayerNormalization", normal(2, 5, 33), normal(2, 5, 33), weight(33), domain=MS)
    yield one("skiplayernormalization_one_skip", "SkipLayerNormalization", normal(2, 5, 33), normal(5, 33), weight(33), weight(33), domain=MS)
    yield one(
        "rmsnormalization_float16",
        "RMSNormalization",
        half(normal(5, 33)),
        lambda case: Constant(weight(33)(case).array.astype(np.float16)),
        opset=23,
    )
    yield one("biasgelu", "BiasGelu", normal(3, 5, 33), weight(33), domain=MS)
    ids = integers(0, 11, 2, 5, dtype=np.int32)
    embeddings = weight(11, 16), weight(9, 16)
    for name, segments, rest in [
        ("", integers(0, 2, 2, 5, dtype=np.int32), ()),
        ("_no_segments", None, ()),
        ("_positions", integers(0, 2, 2, 5, dtype=np.int32), (None, integers(0, 9, 2, 5, dtype=np.int32))),
    ]:
        yield one(
            f"embedlayernormalization{name}",
            "EmbedLayerNormalization",
            ids,
            segments,
            *embeddings,
            None if segments is None else weight(2, 16),
            weight(16),
            weight(16),
            *rest,
            domain=MS,
            outputs=2,
        )
    yield one(
        "embedlayernormalization_mask",
        "EmbedLayerNormalization",
        ids,
        integers(0, 2, 2, 5, dtype=np.int32),
        *embeddings,
        weight(2, 16),
        weight(16),
        weight(16),
        np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32),
        domain=MS,
        outputs=3,
    )


def scatters():
    for mode in ("linear", "circular"):
        name = f"tensorscatter_{mode}"
        starts = np.array([1, 4] if mode == "linear" else [6, 3], np.int64)
        yield one(name, "TensorScatter", normal(2, 3, 7, 5), normal(2, 3, 2, 5), starts, opset=24, mode=mode, exact=True)
        yield one(f"{name}_axis_1", "TensorScatter", normal(2, 7, 5), normal(2, 3, 5), starts, opset=24, mode=mode, axis=1, exact=True)
    yield one("tensorscatter_last_axis", "TensorScatter", normal(2, 3, 7), normal(2, 3, 2), np.array([0, 5], np.int64), opset=24, axis=-1, exact=True)
    yield one("tensorscatter_no_places", "TensorScatter", normal(2, 3, 7, 5), normal(2, 3, 2, 5), opset=24, exact=True)
    yield one("tensorscatter_all", "TensorScatter", normal(2, 7, 5), normal(2, 7, 5), opset=24, exact=True)
    for opset in (11, 18):
        name = f"scatterelements_{opset}"
        yield one(name, "ScatterElements", normal(5, 9), i64([1, 3, 8]), normal(1, 3), opset=opset, axis=1, exact=True)
        yield one(f"{name}_first_axis", "ScatterElements", normal(6, 4, 5), np.array([[[0, 5, 2]], [[-1, 0, 4]]]), normal(2, 1, 3), opset=opset, exact=True)
    yield one(
        "scatterelements_constant_indices",
        "ScatterElements",
        normal(3, 5),
        i64([4, 0], [1, 2], [-5, 3]),
        normal(3, 2),
        opset=18,
        axis=-1,
        exact=True,
    )
    yield one("scatterelements_int32", "ScatterElements", integers(-9, 9, 4, 6, dtype=np.int32), np.array([[5], [1]], np.int32), integers(50, 99, 2, 1, dtype=np.int32), opset=16, axis=1, exact=True)
    yield one("scatternd_elements", "ScatterND", normal(5, 7), np.array([[0, 1], [4, -1], [2, 3]]), normal(3), opset=11, exact=True)
    yield one("scatternd_rows", "ScatterND", normal(6, 7), np.array([[1], [4]]), normal(2, 7), opset=18, exact=True)
    yield one("scatternd_twice", "ScatterND", normal(6, 7), np.array([[1], [4], [1]]), normal(3, 7), opset=18, exact=True)
    yield one("scatternd_batches", "ScatterND", normal(3, 5, 4), np.array([[[0, 1], [2, 4]], [[1, 0], [1, 1]]]), normal(2, 2, 4), opset=16, exact=True)
    indices = np.stack(np.meshgrid([0, 1, 2], [3, 4], indexing="ij"), -1)
    yield one("scatternd_slice_assigned", "ScatterND", normal(3, 6, 4), Constant(indices), normal(3, 2, 4), opset=16, exact=True)
    yield one("contrib_trilu", "Trilu", normal(5, 7), np.array(1, np.int64), domain=MS, upper=0, exact=True)


def block():
    """A layer of a decoder, of sizes that are not fixed: norms, rotation, grouped attention, a gated product."""
    case = Case("transformer_layer", opset=23)
    x = case.input("x", *(case.normal(1, s, 32) for s in (5, 17)), dims=[1, "sequence", 32])
    cos, sin = (Constant(case.uniform(-1, 1, 64, 4)) for _ in range(2))
    places = case.input("places", *(np.arange(s)[None] for s in (5, 17)), dims=[1, "sequence"])
    y = case.node("RMSNormalization", x, weight(32)(case))
    q, k, v = (case.node("MatMul", y, Constant(case.normal(32, n, scale=32**-0.5))) for n in (32, 16, 16))
    q = case.node("RotaryEmbedding", q, cos, sin, places, num_heads=4)
    k = case.node("RotaryEmbedding", k, cos, sin, places, num_heads=2)
    y = case.node("Attention", q, k, v, q_num_heads=4, kv_num_heads=2, is_causal=1)
    y = case.node("MatMul", y, Constant(case.normal(32, 32, scale=32**-0.5)))
    y, *_, total = case.node("SkipSimplifiedLayerNormalization", y, x, weight(32)(case), outputs=4, domain=MS)
    gate, up = (case.node("MatMul", y, Constant(case.normal(32, 48, scale=32**-0.5))) for _ in range(2))
    y = case.node("Mul", case.node("Mul", gate, case.node("Sigmoid", gate)), up)
    yield case.output(case.node("Add", total, case.node("MatMul", y, Constant(case.normal(48, 32, scale=48**-0.5)))))


def cases():
    for group in (
        onnx_attention,
        onnx_rotary,
        contrib_rotary,
        contrib_attention,
        multi_head_attention,
        group_query_attention,
        norms,
        scatters,
        block,
    ):
        yield from group()
