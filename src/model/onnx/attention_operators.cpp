// ai.onnx's Attention, of operator sets 23 to 25, in f32 whatever its inputs have:
//   t = queries * keys * scale, capped, plus the mask; y = softmax(t) * values
// A query that no key counts for gets 0: of masks that come as data that takes a reduction over the mask's keys.
#include <algorithm>
#include <limits>

#include "model/onnx/attention.h"
#include "model/onnx/operators.h"

namespace tuff::onnx {
namespace {

enum AttentionInput : size_t { kQueries, kKeys, kValues, kMask, kPastKeys, kPastValues, kKeyCounts };
enum AttentionOutput : size_t { kResult, kPresentKeys, kPresentValues, kScores };

struct AttentionOperands {
  HeadCounts counts;
  bool heads_first;  // rank 4
  LabelledTensor queries, keys, values;
  IntExpr past;  // keys before those of the queries
};

Result<HeadCounts> counts_of(NodeImport& node) {
  if (node.rank(kQueries) == 3)
    return head_counts(node.attributes.integer("q_num_heads", 0), node.attributes.integer("kv_num_heads", 0));
  const IntExpr heads = node.input_type(kQueries).shape[1], groups = node.input_type(kKeys).shape[1];
  if (!heads.is_constant() || !groups.is_constant())
    return unsupported("its numbers of heads, " + heads.text() + " and " + groups.text() + ", must be known.");
  return head_counts(heads.constant(), groups.constant());
}

// What the caches hold with the new keys or values behind them.
Result<LabelledTensor> with_past(NodeImport& node, size_t input, const AttentionOperands& operands) {
  Tensor x = node.input(input);
  if (!operands.heads_first) {
    TUFF_ASSIGN(x, split_heads(x, operands.counts.groups));
  }
  const bool is_key = input == kKeys;
  const size_t past = is_key ? kPastKeys : kPastValues, present = is_key ? kPresentKeys : kPresentValues;
  bool heads_first = operands.heads_first;
  if (!heads_first && (node.has_input(past) || node.output_used(present))) {
    // The present is stored; what is stored once is not read in another order.
    x = heads_before_sequence(x);
    heads_first = true;
  }
  if (node.has_input(past)) x = concat({node.input(past), x}, 2);
  if (node.output_used(present)) TUFF_TRY(node.output(present, x));
  return is_key ? keys_of(x, heads_first) : values_of(x, heads_first);
}

Result<AttentionOperands> operands_of(NodeImport& node) {
  const int rank = node.rank(kQueries);
  if ((rank != 3 && rank != 4) || node.rank(kKeys) != rank || node.rank(kValues) != rank)
    return invalid_argument("its queries, keys and values must all be of rank 3, or all of rank 4.");
  if (node.has_input(kPastKeys) != node.has_input(kPastValues))
    return invalid_argument("it has past keys or past values alone.");
  if (node.has_input(kPastKeys) && (node.rank(kPastKeys) != 4 || node.rank(kPastValues) != 4))
    return invalid_argument("its past keys and values must be of rank 4.");
  if (node.has_input(kPastKeys) && node.has_input(kKeyCounts))
    return invalid_argument("it has past keys and nonpad_kv_seqlen.");
  AttentionOperands operands;
  TUFF_ASSIGN(operands.counts, counts_of(node));
  operands.heads_first = rank == 4;
  Tensor queries = node.input(kQueries);
  if (!operands.heads_first) {
    TUFF_ASSIGN(queries, split_heads(queries, operands.counts.heads));
  }
  operands.queries = queries_of(queries, operands.counts, operands.heads_first);
  TUFF_ASSIGN(operands.keys, with_past(node, kKeys, operands));
  TUFF_ASSIGN(operands.values, with_past(node, kValues, operands));
  if (node.has_input(kPastKeys)) operands.past = node.input_type(kPastKeys).shape[2];
  return operands;
}

// The mask for all keys: those that it does not name do not count.
Result<Tensor> full_mask(NodeImport& node, const HeadCounts& counts, Tensor t) {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  Tensor mask = node.input(kMask);
  TUFF_TRY(node.composition.status());
  if (mask.rank() == 0) return like_scores(mask, counts, t);
  if (proven_less(t.dim(kKeyAxis), mask.dim(-1)))
    return invalid_argument("its mask " + dims_text(mask.shape()) + " is for more than its " + t.dim(kKeyAxis).text() +
                            " keys.");
  const Dims none(static_cast<size_t>(mask.rank()), IntExpr(0));
  Dims missing = none;
  missing.back() = t.dim(kKeyAxis) - mask.dim(-1);
  return like_scores(pad(mask, none, missing, scalar_bits(mask.dtype(), mask.dtype() == Dtype::kBool ? 0 : kNever)), counts, t);
}

// Conditions from the places of query and key, and from how many keys each sequence has.
AllowedKeys allowed_by_place(NodeImport& node, const IntExpr& past, Tensor t) {
  AllowedKeys allowed;
  Tensor query = query_places(t), key = key_places(t);
  Tensor offset = node.composition.dimension(Dtype::kI32, past);
  if (node.has_input(kKeyCounts)) {
    Tensor count = of_batch(node.input(kKeyCounts), t);
    allowed.only(map(MapOp::less, {key, count}));
    offset = count - node.composition.dimension(Dtype::kI32, t.dim(kQueryAxis));
  }
  Tensor place = query + offset;
  if (node.attributes.integer("is_causal", 0) != 0) allowed.only(map(MapOp::less_equal, {key, place}));
  const int64_t left = node.attributes.integer("left_window_size", -1),
                right = node.attributes.integer("right_window_size", -1);
  auto beside = [&](int64_t distance) {
    return place +
           node.composition.dimension(Dtype::kI32, IntExpr(std::clamp<int64_t>(distance, -Symbol::kMax / 2, Symbol::kMax / 2)));
  };
  if (left >= 0) allowed.only(map(MapOp::less_equal, {beside(-left), key}));
  if (right >= 0) allowed.only(map(MapOp::less_equal, {key, beside(right)}));
  return allowed;
}

Status check_attributes(NodeImport& node) {
  constexpr int64_t kDoublePrecision = 11;
  if (node.attributes.integer("softmax_precision", 1) == kDoublePrecision)
    return unsupported("a softmax in f64 is not supported.");
  if (node.input_type(kQueries).dtype == Dtype::kF64) return unsupported("attention in f64 is not supported.");
  const int64_t mode = node.attributes.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) return invalid_argument("its qk_matmul_output_mode is " + std::to_string(mode) + ", not 0 to 3.");
  return ok_status();
}

Status attention(NodeImport& node) {
  TUFF_TRY(check_attributes(node));
  TUFF_ASSIGN(AttentionOperands in, operands_of(node));
  TUFF_TRY(node.composition.status());
  const Dtype dtype = node.input_type(kQueries).dtype;
  const int64_t mode = node.attributes.integer("qk_matmul_output_mode", 0);
  auto show = [&](int64_t shown, Tensor t) -> Status {
    if (mode != shown || !node.output_used(kScores)) return ok_status();
    const Dims& s = t.shape();
    if (s.size() != 5) return node.composition.status();
    return node.output(kScores, cast(reshape(t, {s[0], s[1] * s[2], s[3], s[4]}), dtype));
  };
  TUFF_ASSIGN(double scale, attention_scale(node.attributes.real("scale", 0), in.queries));
  Tensor t = attention_scores_of(in.queries, in.keys, scale);
  TUFF_TRY(show(0, t));
  const float cap = node.attributes.real("softcap", 0);
  if (cap > 0) t = soft_capped(t, cap);
  TUFF_TRY(show(1, t));

  AllowedKeys allowed = allowed_by_place(node, in.past, t), counted = allowed;
  const bool has_windows =
      node.attributes.integer("left_window_size", -1) >= 0 || node.attributes.integer("right_window_size", -1) >= 0;
  if (node.has_input(kMask)) {
    TUFF_ASSIGN(Tensor mask, full_mask(node, in.counts, t));
    if (mask.dtype() == Dtype::kBool) {
      allowed.only(mask);
      counted.only(mask);
    } else {
      mask = cast(mask, Dtype::kF32);
      t = t + mask;
      Tensor never = node.composition.scalar(Dtype::kF32, -std::numeric_limits<double>::infinity());
      counted.only(map(MapOp::less, {never, mask}));
    }
  }
  t = allowed.applied(t);
  TUFF_TRY(show(2, t));
  Tensor weights = softmax_over_keys(t);
  std::optional<Tensor> has_keys;
  if (node.has_input(kMask) || node.has_input(kKeyCounts) || has_windows) has_keys = counted.any();
  if (mode == 3 && node.output_used(kScores))
    TUFF_TRY(show(3, has_keys ? select(*has_keys, weights, node.composition.scalar(Dtype::kF32, 0)) : weights));
  return node.output(cast(weighted_values(weights, in.values, in.heads_first, has_keys), dtype));
}

constexpr Operator kAttentionOperators[] = {
    {"Attention", 23, 3, 7, attention},
};

}  // namespace

std::span<const Operator> attention_operators() { return kAttentionOperators; }

}  // namespace tuff::onnx
