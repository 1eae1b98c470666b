#include "model/onnx/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tuff::onnx {
namespace {

constexpr int64_t kHeadLimit = 1 << 20;

Tensor product_by_labels(const LabelledTensor& a, const LabelledTensor& b, std::vector<int> out) {
  return a.x.composition().add(ContractAttrs{a.labels, b.labels, std::move(out), {}}, {widen(a.x), widen(b.x)});
}

}  // namespace

Result<HeadCounts> head_counts(int64_t heads, int64_t groups) {
  if (heads < 1 || heads > kHeadLimit || groups < 1 || heads % groups != 0)
    return invalid_argument("its " + std::to_string(heads) + " heads do not share " + std::to_string(groups) +
                            " heads of keys and values evenly.");
  return HeadCounts{heads, groups};
}

Result<Tensor> split_heads(Tensor x, int64_t heads) {
  TUFF_TRY(x.composition().status());
  if (x.rank() != 3) return invalid_argument("its input " + dims_text(x.shape()) + " is not [batch, sequence, hidden].");
  auto size = heads >= 1 && heads <= 3 * kHeadLimit ? divide_exact(x.dim(2), IntExpr(heads)) : std::nullopt;
  if (!size)
    return invalid_argument("its hidden size " + x.dim(2).text() + " is not a multiple of its " + std::to_string(heads) +
                            " heads.");
  return reshape(x, {x.dim(0), x.dim(1), IntExpr(heads), *size});
}

LabelledTensor queries_of(Tensor x, const HeadCounts& counts, bool heads_first) {
  Dims shape = x.shape();
  if (shape.size() != 4) return {x, {}};
  const size_t head = heads_first ? 1 : 2;
  shape[head] = IntExpr(counts.groups);
  shape.insert(shape.begin() + static_cast<ptrdiff_t>(head) + 1, IntExpr(counts.members()));
  x = reshape(x, std::move(shape));
  if (heads_first) return {x, {kBatchAxis, kGroupAxis, kMemberAxis, kQueryAxis, kDepthAxis}};
  return {x, {kBatchAxis, kQueryAxis, kGroupAxis, kMemberAxis, kDepthAxis}};
}

LabelledTensor keys_of(Tensor x, bool heads_first) {
  if (heads_first) return {x, {kBatchAxis, kGroupAxis, kKeyAxis, kDepthAxis}};
  return {x, {kBatchAxis, kKeyAxis, kGroupAxis, kDepthAxis}};
}

LabelledTensor values_of(Tensor x, bool heads_first) {
  LabelledTensor values = keys_of(x, heads_first);
  values.labels.back() = kColumnAxis;
  return values;
}

Tensor heads_before_sequence(Tensor x) { return transpose(x, {0, 2, 1, 3}); }

Tensor attention_scores_of(const LabelledTensor& queries, const LabelledTensor& keys, double scale) {
  return product_by_labels(queries, keys, {kBatchAxis, kGroupAxis, kMemberAxis, kQueryAxis, kKeyAxis}) * scale;
}

Tensor soft_capped(Tensor t, double cap) { return map(MapOp::tanh, {t * (1 / cap)}) * cap; }

Tensor softmax_over_keys(Tensor t) {
  Tensor e = map(MapOp::exp, {t - reduce(ReduceOp::kMax, t, {kKeyAxis})});
  return e / sum(e, {kKeyAxis});
}

Tensor weighted_values(Tensor weights, const LabelledTensor& values, bool heads_first, const std::optional<Tensor>& has_keys) {
  const LabelledTensor labelled{weights, {kBatchAxis, kGroupAxis, kMemberAxis, kQueryAxis, kKeyAxis}};
  const std::vector<int> order = heads_first ? std::vector<int>{0, 1, 2, 3} : std::vector<int>{0, 3, 1, 2};
  std::vector<int> out = order, perm = order;
  out.push_back(kColumnAxis);
  perm.push_back(kKeyAxis);
  Tensor y = product_by_labels(labelled, values, std::move(out));
  if (has_keys) y = select(transpose(*has_keys, std::move(perm)), y, y.composition().scalar(y.dtype(), 0));
  if (heads_first) return reshape(y, {y.dim(0), y.dim(1) * y.dim(2), y.dim(3), y.dim(4)});
  return reshape(y, {y.dim(0), y.dim(1), y.dim(2) * y.dim(3) * y.dim(4)});
}

Result<double> attention_scale(double given, const LabelledTensor& queries) {
  if (given != 0) return given;
  const IntExpr size = queries.x.dim(-1);
  if (!size.is_constant())
    return unsupported("the size " + size.text() + " of its heads must be a number, or its scale given.");
  return 1 / std::sqrt(static_cast<double>(std::max<int64_t>(size.constant(), 1)));
}

Result<Tensor> like_scores(Tensor mask, const HeadCounts& counts, Tensor t) {
  TUFF_TRY(t.composition().status());
  Dims shape = mask.shape();
  auto misfit = [&] {
    return invalid_argument("its mask or bias " + dims_text(mask.shape()) + " does not fit " + std::to_string(counts.heads) +
                            " heads of scores " + dims_text(t.shape()) + ".");
  };
  if (shape.size() > 4) return misfit();
  shape.insert(shape.begin(), 4 - shape.size(), IntExpr(1));
  const bool for_all_heads = shape[1].is(1);
  if (!for_all_heads && !shape[1].is(counts.heads)) return misfit();
  shape[1] = for_all_heads ? IntExpr(1) : IntExpr(counts.groups);
  shape.insert(shape.begin() + 2, for_all_heads ? IntExpr(1) : IntExpr(counts.members()));
  auto both = broadcast_shapes(shape, t.shape());
  if (!both || *both != t.shape()) return misfit();
  return reshape(mask, std::move(shape));
}

Tensor query_places(Tensor t) { return along(t.composition().iota(Dtype::kI32, t.dim(kQueryAxis)), 5, kQueryAxis); }

Tensor key_places(Tensor t) { return along(t.composition().iota(Dtype::kI32, t.dim(kKeyAxis)), 5, kKeyAxis); }

Tensor of_batch(Tensor numbers, Tensor t) {
  return along(cast(reshape(numbers, {t.dim(kBatchAxis)}), Dtype::kI32), 5, kBatchAxis);
}

void AllowedKeys::only(Tensor condition) {
  condition_ = condition_ ? map(MapOp::logical_and, {*condition_, condition}) : condition;
}

Tensor AllowedKeys::applied(Tensor t) const {
  if (are_all()) return t;
  return select(*condition_, t, t.composition().scalar(t.dtype(), -std::numeric_limits<double>::infinity()));
}

Tensor AllowedKeys::any() const { return reduce(ReduceOp::kAny, *condition_, {kKeyAxis}); }

}  // namespace tuff::onnx
