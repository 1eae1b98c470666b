// Scaled dot-product attention as primitives, for the operators that are made of it.
//
//   t = scores(queries, keys) * scale, then what is done to t; y = weighted(softmax(t), values)
//
// Invariant: t is f32 [batch, group, member, query, key], where `member` counts the query heads that share one head of keys
// and values. Operands keep the order of axes in which they come: labels say what each axis is, so that no head is repeated
// and nothing is transposed. The softmax and both products then are one kernel (fusion/attention.cpp).
#pragma once

#include <optional>
#include <vector>

#include "model/onnx/node_import.h"

namespace tuff::onnx {

enum AttentionAxis : int { kBatchAxis, kGroupAxis, kMemberAxis, kQueryAxis, kKeyAxis, kDepthAxis, kColumnAxis };

struct LabelledTensor {
  Tensor x;
  std::vector<int> labels;
};

// How many heads there are: query heads share `groups` heads of keys and values.
struct HeadCounts {
  int64_t heads, groups;
  int64_t members() const { return heads / groups; }
};
Result<HeadCounts> head_counts(int64_t heads, int64_t groups);

// [batch, sequence, heads * size] as [batch, sequence, heads, size]; INVALID_ARGUMENT where the heads do not divide it.
Result<Tensor> split_heads(Tensor x, int64_t heads);

// [batch, sequence, head, size], or [batch, head, sequence, size] where `heads_first`.
LabelledTensor queries_of(Tensor x, const HeadCounts& counts, bool heads_first);
LabelledTensor keys_of(Tensor x, bool heads_first);
LabelledTensor values_of(Tensor x, bool heads_first);

// [batch, sequence, head, size] as caches have it: [batch, head, sequence, size].
Tensor heads_before_sequence(Tensor x);

Tensor attention_scores_of(const LabelledTensor& queries, const LabelledTensor& keys, double scale);
// cap * tanh(t / cap)
Tensor soft_capped(Tensor t, double cap);
Tensor softmax_over_keys(Tensor t);
// [batch, query, head * column], or [batch, head, query, column] where `heads_first`; 0 where `has_keys`, which broadcasts to
// [batch, group, member, query, 1], is false.
Tensor weighted_values(Tensor weights, const LabelledTensor& values, bool heads_first,
                       const std::optional<Tensor>& has_keys = std::nullopt);

// 1/sqrt(size of a head), which must be known; `given` where that is not 0.
Result<double> attention_scale(double given, const LabelledTensor& queries);

// A mask or bias that broadcasts to [batch, head, query, key], aligned at its last axis, as it broadcasts to t.
// INVALID_ARGUMENT where it does not fit.
Result<Tensor> like_scores(Tensor mask, const HeadCounts& counts, Tensor t);
// i32 places of the queries and keys of t, as they broadcast to it.
Tensor query_places(Tensor t);
Tensor key_places(Tensor t);
// A number for each sequence of the batch, as it broadcasts to t.
Tensor of_batch(Tensor numbers, Tensor t);

// Which keys count for which query: all conditions together.
class AllowedKeys {
 public:
  void only(Tensor condition);
  bool are_all() const { return !condition_.has_value(); }
  // t where the key counts, else -infinity.
  Tensor applied(Tensor t) const;
  // Does any key count? [.., query, 1]
  Tensor any() const;

 private:
  std::optional<Tensor> condition_;
};

}  // namespace tuff::onnx
