// com.microsoft's Attention and MultiHeadAttention, as onnxruntime computes them:
//   t = queries * keys * scale + bias + mask; y = softmax(t) * values
// A masked key adds mask_filter_value to its score, which is finite; a later one than the query, where they are unidirectional,
// does not count at all.
#include "model/onnx/attention.h"
#include "model/onnx/operators.h"
#include "model/onnx/products.h"

namespace tuff::onnx {
namespace {

// Numbers of the inputs that say which keys count, and what scores get.
struct ScoreInputs {
  size_t padding, bias;
};

// Which keys of each sequence are padding: from counts of keys [batch], from ends and starts [2 * batch], or from a 1 for each
// key that counts, [batch, key] or [batch, query, key].
Result<Tensor> unpadded(NodeImport& node, size_t input, Tensor t) {
  Tensor mask = node.input(input);
  const Dims& shape = mask.shape();
  const IntExpr batch = t.dim(kBatchAxis);
  if (shape.size() == 1 && shape[0] == batch) return map(MapOp::less, {key_places(t), of_batch(mask, t)});
  if (shape.size() == 1 && shape[0] == batch + batch) {
    Tensor ends = of_batch(slice(mask, 0, IntExpr(0), batch), t), starts = of_batch(slice(mask, 0, batch, batch), t);
    Tensor key = key_places(t);
    return map(MapOp::logical_and, {map(MapOp::less_equal, {starts, key}), map(MapOp::less, {key, ends})});
  }
  const IntExpr queries = t.dim(kQueryAxis), keys = t.dim(kKeyAxis);
  if (shape == Dims{batch, keys} || shape == Dims{batch, queries, keys}) {
    const IntExpr rows = shape.size() == 3 ? queries : IntExpr(1);
    Tensor zero = node.composition.scalar(mask.dtype(), 0);
    return map(MapOp::less, {zero, reshape(mask, {batch, IntExpr(1), IntExpr(1), rows, keys})});
  }
  return unsupported("a mask of the shape " + dims_text(shape) + " is not supported for " + batch.text() + " sequences of " +
                     queries.text() + " queries and " + keys.text() + " keys.");
}

// t with the bias, the mask and, where a query sees only what came before it, without later keys.
Result<Tensor> with_masks(NodeImport& node, const ScoreInputs& inputs, const HeadCounts& counts, const IntExpr& past,
                          Tensor t) {
  TUFF_TRY(node.composition.status());
  if (node.has_input(inputs.bias)) {
    TUFF_ASSIGN(Tensor bias, like_scores(node.input(inputs.bias), counts, t));
    t = t + cast(bias, t.dtype());
  }
  if (node.has_input(inputs.padding)) {
    TUFF_ASSIGN(Tensor counts_as_key, unpadded(node, inputs.padding, t));
    const double filter = node.attributes.real("mask_filter_value", -10000);
    t = t + select(counts_as_key, node.composition.scalar(t.dtype(), 0), node.composition.scalar(t.dtype(), filter));
  }
  if (node.attributes.integer("unidirectional", 0) == 0) return t;
  AllowedKeys allowed;
  Tensor place = query_places(t) + node.composition.dimension(Dtype::kI32, past);
  allowed.only(map(MapOp::less_equal, {key_places(t), place}));
  return allowed.applied(t);
}

Result<HeadCounts> own_heads(NodeImport& node) {
  const int64_t heads = node.attributes.integer("num_heads", 0);
  return head_counts(heads, heads);
}

struct ContribOperands {
  HeadCounts counts;
  LabelledTensor queries, keys, values;
  IntExpr past;
};

Status finish_attention(NodeImport& node, const ContribOperands& in, const ScoreInputs& inputs) {
  TUFF_TRY(node.composition.status());
  TUFF_ASSIGN(double scale, attention_scale(node.attributes.real("scale", 0), in.queries));
  Tensor t = attention_scores_of(in.queries, in.keys, scale);
  TUFF_ASSIGN(t, with_masks(node, inputs, in.counts, in.past, t));
  Tensor y = weighted_values(softmax_over_keys(t), in.values, false);
  return node.output(cast(y, node.input_type(0).dtype));
}

// One of the two tensors [1, batch, head, sequence, size] that a state is, as [batch, head, sequence, size].
Tensor half_of_state(Tensor state, int64_t which) {
  Dims shape(state.shape().begin() + 1, state.shape().end());
  return reshape(slice(state, 0, IntExpr(which), IntExpr(1)), std::move(shape));
}

Tensor as_half_of_state(Tensor x) {
  Dims shape = x.shape();
  shape.insert(shape.begin(), IntExpr(1));
  return reshape(x, std::move(shape));
}

// Sizes of queries, keys and values in the columns of the weights.
Result<Dims> hidden_sizes(NodeImport& node, const IntExpr& columns) {
  const std::vector<int64_t> given = node.attributes.integers("qkv_hidden_sizes");
  if (!given.empty() && given.size() != 3) return invalid_argument("its qkv_hidden_sizes are not three numbers.");
  Dims sizes;
  for (int64_t size : given) sizes.push_back(IntExpr(size));
  if (auto third = divide_exact(columns, IntExpr(3)); sizes.empty() && third) sizes = {*third, *third, *third};
  if (sizes.empty() || !(sizes[0] == sizes[1]) || !(sizes[0] + sizes[1] + sizes[2] == columns))
    return invalid_argument("its " + columns.text() + " columns of weights are not queries, keys and values.");
  return sizes;
}

Status packed_weights_attention(NodeImport& node) {
  enum : size_t { kInput, kWeights, kBias, kPadding, kPast, kScoreBias, kPastLength };
  if (node.attributes.integer("do_rotary", 0) != 0) return unsupported("rotary embedding (do_rotary) is not supported.");
  if (node.attributes.integer("past_present_share_buffer", 0) != 0 || node.has_input(kPastLength))
    return unsupported("a past in a buffer for more (past_present_share_buffer) is not supported.");
  if (node.rank(kInput) != 3 || node.rank(kWeights) != 2)
    return invalid_argument("its input must be of rank 3, its weights of rank 2.");
  ContribOperands in;
  TUFF_ASSIGN(in.counts, own_heads(node));
  TUFF_ASSIGN(Dims sizes, hidden_sizes(node, node.input_type(kWeights).shape[1]));
  Tensor projected = matmul(node.input(kInput), node.input(kWeights));
  if (node.has_input(kBias)) projected = projected + node.input(kBias);
  Tensor parts[3];
  IntExpr start;
  for (size_t i = 0; i < 3; ++i) {
    TUFF_ASSIGN(parts[i], split_heads(slice(projected, 2, start, sizes[i]), in.counts.heads));
    start += sizes[i];
  }
  in.queries = queries_of(parts[0], in.counts, false);
  in.keys = keys_of(parts[1], false);
  in.values = values_of(parts[2], false);
  if (node.has_input(kPast) || node.output_used(1)) {
    Tensor keys = heads_before_sequence(parts[1]), values = heads_before_sequence(parts[2]);
    if (node.has_input(kPast)) {
      Tensor past = node.input(kPast);
      if (past.rank() != 5 || !past.dim(0).is(2)) return invalid_argument("its past is not keys and values of rank 4.");
      in.past = past.dim(3);
      keys = concat({half_of_state(past, 0), keys}, 2);
      values = concat({half_of_state(past, 1), values}, 2);
    }
    in.keys = keys_of(keys, true);
    in.values = values_of(values, true);
    if (node.output_used(1)) {
      if (!(sizes[0] == sizes[2])) return invalid_argument("its keys and values differ in size; they have no present.");
      TUFF_TRY(node.output(1, concat({as_half_of_state(keys), as_half_of_state(values)}, 0)));
    }
  }
  return finish_attention(node, in, {kPadding, kScoreBias});
}

enum MultiHeadInput : size_t {
  kQuery,
  kKey,
  kValue,
  kProjectionBias,
  kKeyPadding,
  kPairBias,
  kPastKey,
  kPastValue,
  kLength,
  kIndirection
};

// Part `which` of [batch, sequence, head, parts, size].
Tensor packed_part(Tensor x, int64_t which) {
  return reshape(slice(x, 3, IntExpr(which), IntExpr(1)), {x.dim(0), x.dim(1), x.dim(2), x.dim(4)});
}

struct ProjectedHeads {
  Tensor queries, keys, values;  // [batch, sequence, head, size]
  bool cached = false;           // keys and values: [batch, head, sequence, size]
};

// Queries, keys and values, with the bias of their projection.
Result<ProjectedHeads> projected_heads(NodeImport& node, int64_t heads) {
  ProjectedHeads out;
  Tensor query = node.input(kQuery);
  TUFF_TRY(node.composition.status());
  if (query.rank() == 5) {
    if (node.has_input(kProjectionBias)) return unsupported("a bias of packed queries, keys and values is not supported.");
    if (node.has_input(kKey) || node.has_input(kValue)) return invalid_argument("its packed queries have keys beside them.");
    return ProjectedHeads{packed_part(query, 0), packed_part(query, 1), packed_part(query, 2)};
  }
  if (!node.has_input(kKey)) return invalid_argument("it has no keys.");
  const int key_rank = node.rank(kKey);
  if (key_rank != 5 && !node.has_input(kValue)) return invalid_argument("it has no values.");
  Tensor key = node.input(kKey), value = key_rank == 5 ? key : node.input(kValue);
  if (node.has_input(kProjectionBias)) {
    if (key_rank == 5) return unsupported("a bias of packed keys and values is not supported.");
    Tensor bias = node.input(kProjectionBias);
    const IntExpr hidden = query.dim(2);
    // Before the heads are told apart, where products have their biases. Keys and values that come as heads have theirs.
    query = query + slice(bias, 0, IntExpr(0), hidden);
    if (key_rank == 3) {
      key = key + slice(bias, 0, hidden, hidden);
      value = value + slice(bias, 0, hidden + hidden, value.dim(2));
    }
  }
  TUFF_ASSIGN(out.queries, split_heads(query, heads));
  if (key_rank == 5) {
    out.keys = packed_part(key, 0);
    out.values = packed_part(key, 1);
  } else if (key_rank == 4) {
    out.keys = key;
    out.values = value;
    out.cached = true;
  } else {
    TUFF_ASSIGN(out.keys, split_heads(key, heads));
    TUFF_ASSIGN(out.values, split_heads(value, heads));
  }
  return out;
}

Status multi_head_attention(NodeImport& node) {
  if (node.has_input(kLength) || node.has_input(kIndirection))
    return unsupported("a past in a buffer for more (past_sequence_length, cache_indirection) is not supported.");
  if (node.has_input(kPastKey) != node.has_input(kPastValue)) return invalid_argument("it has past keys or past values alone.");
  ContribOperands in;
  TUFF_ASSIGN(in.counts, own_heads(node));
  TUFF_ASSIGN(ProjectedHeads heads, projected_heads(node, in.counts.heads));
  const bool stored = node.has_input(kPastKey) || node.output_used(1) || node.output_used(2);
  if (stored && !heads.cached) {
    heads.keys = heads_before_sequence(heads.keys);
    heads.values = heads_before_sequence(heads.values);
    heads.cached = true;
    if (node.has_input(kPastKey)) {
      Tensor past_keys = node.input(kPastKey), past_values = node.input(kPastValue);
      in.past = past_keys.dim(2);
      heads.keys = concat({past_keys, heads.keys}, 2);
      heads.values = concat({past_values, heads.values}, 2);
    }
  } else if (node.has_input(kPastKey)) {
    return unsupported("a past beside keys and values of rank 4 is not supported.");
  }
  if (node.output_used(1)) TUFF_TRY(node.output(1, heads.keys));
  if (node.output_used(2)) TUFF_TRY(node.output(2, heads.values));
  in.queries = queries_of(heads.queries, in.counts, false);
  in.keys = keys_of(heads.keys, heads.cached);
  in.values = values_of(heads.values, heads.cached);
  return finish_attention(node, in, {kKeyPadding, kPairBias});
}

constexpr Operator kContribAttentionOperators[] = {
    {"Attention", 1, 2, 7, packed_weights_attention, "com.microsoft"},
    {"MultiHeadAttention", 1, 1, 10, multi_head_attention, "com.microsoft"},
};

}  // namespace

std::span<const Operator> contrib_attention_operators() { return kContribAttentionOperators; }

}  // namespace tuff::onnx
