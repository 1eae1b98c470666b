// com.microsoft's GroupQueryAttention: causal attention over a cache of keys and values to which this run's are added.
//
// Sequence b had seqlens_k[b] + 1 - new keys before this run, none where it is the first one (total_sequence_length is the
// number of new ones). The present has the past's length or the total one, whichever is greater; the new rows lie behind those
// of the sequence, and what is behind them stays what it was in the past, or is 0.
#include "model/onnx/attention.h"
#include "model/onnx/operators.h"
#include "model/onnx/rotary.h"
#include "model/onnx/scatter.h"

namespace tuff::onnx {
namespace {

enum GroupQueryInput : size_t {
  kNewQueries,
  kNewKeys,
  kNewValues,
  kKeyCache,
  kValueCache,
  kLastPlaces,
  kTotalLength,
  kCosines,
  kSines,
  kPositions,
  kKeyBias,
  kHeadSink,
  kKeyScale,
  kValueScale,
  kQueryNorm,
  kKeyNorm
};

Status check_supported(NodeImport& node) {
  Attributes& a = node.attributes;
  if (a.integer("sliding_window_cache", 0) != 0)
    return unsupported("a cache of the window alone (sliding_window_cache) is not supported.");
  if (a.integer("smooth_softmax", 0) > 0 || node.has_input(kHeadSink))
    return unsupported("a softmax with a sink (smooth_softmax, head_sink) is not supported.");
  if (a.integer("qk_output", 0) != 0) return unsupported("scores as an output (qk_output) are not supported.");
  if (node.has_input(kKeyScale) || node.has_input(kValueScale) || a.text("k_quant_type", "NONE") != "NONE" ||
      a.text("v_quant_type", "NONE") != "NONE")
    return unsupported("quantised caches are not supported.");
  if (node.has_input(kQueryNorm) || node.has_input(kKeyNorm))
    return unsupported("normalised queries and keys (q_norm_weight, k_norm_weight) are not supported.");
  if (!node.has_input(kLastPlaces) || !node.has_input(kTotalLength))
    return invalid_argument("it has no seqlens_k or total_sequence_length.");
  if (node.has_input(kKeyCache) != node.has_input(kValueCache))
    return invalid_argument("it has past keys or past values alone.");
  if (node.has_input(kKeyCache) && (node.rank(kKeyCache) != 4 || node.rank(kValueCache) != 4))
    return invalid_argument("its past keys and values must be of rank 4.");
  return ok_status();
}

struct NewRows {
  Tensor queries, keys, values;  // [batch, sequence, head, size]
};

Result<NewRows> new_rows(NodeImport& node, const HeadCounts& counts) {
  Tensor queries = node.input(kNewQueries);
  NewRows rows;
  if (node.has_input(kNewKeys)) {
    if (!node.has_input(kNewValues)) return invalid_argument("it has no values.");
    TUFF_ASSIGN(rows.queries, split_heads(queries, counts.heads));
    TUFF_ASSIGN(rows.keys, split_heads(node.input(kNewKeys), counts.groups));
    TUFF_ASSIGN(rows.values, split_heads(node.input(kNewValues), counts.groups));
    return rows;
  }
  TUFF_ASSIGN(Tensor all, split_heads(queries, counts.heads + 2 * counts.groups));
  const IntExpr heads(counts.heads), groups(counts.groups);
  return NewRows{slice(all, 2, IntExpr(0), heads), slice(all, 2, heads, groups), slice(all, 2, heads + groups, groups)};
}

// Where the new rows are put.
struct CachePlan {
  bool has_past = false;
  bool is_first = false;          // nothing of the past counts
  bool is_behind = false;         // all of it does: one sequence whose total is the past's and the new rows
  IntExpr past, sequence, total;  // lengths; total: the present's
  Tensor before;                  // i32 [batch]: keys before this run's
};

// The total length as a number of the graph, and as a size where it is known. Where data say it, the present has the past's
// size, which the file must say.
struct TotalLength {
  Tensor number;  // i32, rank 0
  std::optional<IntExpr> size;
};

Result<TotalLength> total_length(NodeImport& node) {
  if (!node.known(kTotalLength)) {
    constexpr size_t kLengthAxis = 2;
    if (!node.has_declared_size_of(1, kKeyCache, kLengthAxis))
      return unsupported(
          "its total_sequence_length is computed from data; then the model must say that its present has the size of its "
          "past.");
    return TotalLength{reshape(node.input(kTotalLength), {}), std::nullopt};
  }
  TUFF_ASSIGN(Dims total, node.sizes(kTotalLength, "total_sequence_length"));
  if (total.size() != 1) return invalid_argument("its total_sequence_length is not one number.");
  return TotalLength{node.composition.dimension(Dtype::kI32, total[0]), total[0]};
}

Result<CachePlan> plan_cache(NodeImport& node, const NewRows& rows) {
  CachePlan plan;
  Composition& c = node.composition;
  const IntExpr batch = rows.queries.dim(0);
  plan.sequence = rows.queries.dim(1);
  plan.has_past = node.has_input(kKeyCache) && !node.input_type(kKeyCache).shape[2].is(0);
  Tensor zero = broadcast(c.scalar(Dtype::kI32, 0), {batch});
  plan.before = zero;
  plan.total = plan.sequence;
  plan.is_first = !plan.has_past;
  if (!plan.has_past) return plan;
  TUFF_ASSIGN(TotalLength total, total_length(node));
  plan.past = node.input_type(kKeyCache).shape[2];
  plan.total = total.size ? maximum(*total.size, plan.past) : plan.past;
  plan.is_first = total.size && *total.size == plan.sequence;
  plan.is_behind = batch.is(1) && total.size && *total.size == plan.past + plan.sequence;
  if (plan.is_first) return plan;
  if (plan.is_behind) {
    plan.before = broadcast(c.dimension(Dtype::kI32, plan.past), {batch});
    return plan;
  }
  Tensor last = reshape(node.input(kLastPlaces), {batch});
  Tensor is_first = map(MapOp::equal, {total.number, c.dimension(Dtype::kI32, plan.sequence)});
  plan.before = select(is_first, zero, last + c.dimension(Dtype::kI32, IntExpr(1) - plan.sequence));
  return plan;
}

// rows: [batch, sequence, group, size]; the present: [batch, group, total, size].
Tensor present_of(NodeImport& node, size_t cache, const CachePlan& plan, Tensor rows) {
  rows = heads_before_sequence(rows);
  if (!plan.has_past) return rows;
  Tensor past = node.input(cache);
  if (plan.is_behind) return concat({past, rows}, 2);
  const IntExpr rest = plan.total - plan.sequence;
  if (plan.is_first && rest.is(0)) return rows;
  const Dims none(4, IntExpr(0));
  past = pad(past, none, {IntExpr(0), IntExpr(0), plan.total - plan.past, IntExpr(0)}, 0);
  if (plan.is_first) return concat({rows, slice(past, 2, plan.sequence, rest)}, 2);
  return with_rows(past, rows, plan.before, 2, false);
}

Status turn(NodeImport& node, const CachePlan& plan, NewRows& rows) {
  if (node.attributes.integer("do_rotary", 0) == 0) return ok_status();
  if (!node.has_input(kCosines) || !node.has_input(kSines))
    return invalid_argument("it has no tables for its rotary embedding.");
  const bool interleaved = node.attributes.integer("rotary_interleaved", 0) != 0;
  RotaryTables tables = rotary_tables(node.input(kCosines), node.input(kSines), interleaved);
  TUFF_TRY(node.composition.status());
  if (!proven_nonnegative(rows.queries.dim(3) - tables.cosines.dim(-1)))
    return invalid_argument("its tables turn " + tables.cosines.dim(-1).text() + " elements of heads of " +
                            rows.queries.dim(3).text() + ".");
  Tensor positions;
  if (node.has_input(kPositions)) {
    positions = node.input(kPositions);
  } else {
    positions = along(plan.before, 2, 0) + along(node.composition.iota(Dtype::kI32, plan.sequence), 2, 1);
  }
  const RotaryTables at = rows_at(tables, positions, false);
  rows.queries = rotated(rows.queries, at);
  rows.keys = rotated(rows.keys, at);
  return ok_status();
}

// Each query sees the keys up to its own, `window` of them at most; or, not causal, all that its sequence has.
Result<AllowedKeys> seen_keys(NodeImport& node, const CachePlan& plan, Tensor t) {
  AllowedKeys seen;
  const int64_t window = node.attributes.integer("local_window_size", -1);
  Tensor key = key_places(t);
  if (node.attributes.integer("causal", 1) == 0) {
    if (window > 0) return unsupported("a window of keys where attention is not causal is not supported.");
    seen.only(map(MapOp::less_equal, {key, of_batch(node.input(kLastPlaces), t)}));
    return seen;
  }
  Tensor place = query_places(t);
  if (!plan.is_first) place = place + of_batch(plan.before, t);
  seen.only(map(MapOp::less_equal, {key, place}));
  if (window > 0 && window < Symbol::kMax)
    seen.only(map(MapOp::less, {place - node.composition.dimension(Dtype::kI32, IntExpr(window)), key}));
  return seen;
}

Status group_query_attention(NodeImport& node) {
  TUFF_TRY(check_supported(node));
  TUFF_ASSIGN(HeadCounts counts,
              head_counts(node.attributes.integer("num_heads", 0), node.attributes.integer("kv_num_heads", 0)));
  TUFF_ASSIGN(NewRows rows, new_rows(node, counts));
  TUFF_ASSIGN(CachePlan plan, plan_cache(node, rows));
  TUFF_TRY(turn(node, plan, rows));
  Tensor keys = present_of(node, kKeyCache, plan, rows.keys), values = present_of(node, kValueCache, plan, rows.values);
  if (node.output_used(1)) TUFF_TRY(node.output(1, keys));
  if (node.output_used(2)) TUFF_TRY(node.output(2, values));
  const LabelledTensor queries = queries_of(rows.queries, counts, false);
  TUFF_TRY(node.composition.status());

  TUFF_ASSIGN(double scale, attention_scale(node.attributes.real("scale", 0), queries));
  Tensor t = attention_scores_of(queries, keys_of(keys, true), scale);
  const float cap = node.attributes.real("softcap", 0);
  if (cap > 0) t = soft_capped(t, cap);
  if (node.has_input(kKeyBias)) {
    Tensor bias = node.input(kKeyBias);
    TUFF_TRY(node.composition.status());
    if (bias.rank() != 4) return invalid_argument("its attention_bias is not of rank 4.");
    // Of the total length; the present may be longer, by keys that no query sees.
    const Dims none(4, IntExpr(0));
    bias = pad(bias, none, {IntExpr(0), IntExpr(0), IntExpr(0), t.dim(kKeyAxis) - bias.dim(3)}, 0);
    TUFF_ASSIGN(bias, like_scores(bias, counts, t));
    t = t + cast(bias, t.dtype());
  }
  TUFF_ASSIGN(AllowedKeys seen, seen_keys(node, plan, t));
  Tensor y = weighted_values(softmax_over_keys(seen.applied(t)), values_of(values, true), false);
  return node.output(cast(y, node.input_type(kNewQueries).dtype));
}

constexpr Operator kGroupQueryOperators[] = {
    {"GroupQueryAttention", 1, 1, 16, group_query_attention, "com.microsoft"},
};

}  // namespace

std::span<const Operator> group_query_operators() { return kGroupQueryOperators; }

}  // namespace tuff::onnx
