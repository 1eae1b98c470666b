// The division of a softmax comes after the product that reads it, where it is done once a row and column instead of once a
// key, and where a kernel that walks over the keys has the sum by then (fusion/attention.cpp):
//   sum over k of (e[m, k] / sum over j of e[m, j]) * v[k, n] = (sum over k of e[m, k] * v[k, n]) / (sum over k of e[m, k] * 1)
// with e = exp(t - max over k of t), and t computed from a product: attention. The sum is a product, too, so that it has the
// order of the other.
#include <algorithm>

#include "simplify/rules.h"

namespace tuff {
namespace {

// Wider products are not computed beside their keys; the division then stays with the softmax, which is one kernel.
constexpr int64_t kMaxColumns = 256;

ValueId behind_broadcasts(const Rewriter& dst, ValueId v) {
  while (dst.producer_as<BroadcastAttrs>(v)) v = dst.producer(v)->inputs[0];
  return v;
}

// Is v made from a product by maps and views alone?
bool made_from_product(const Rewriter& dst, ValueId v) {
  constexpr int kMaxSteps = 64;
  std::vector<ValueId> work = {v};
  for (int step = 0; step < kMaxSteps && !work.empty(); ++step) {
    const Node* node = dst.producer(work.back());
    work.pop_back();
    if (!node) continue;
    if (std::holds_alternative<ContractAttrs>(node->attrs)) return true;
    if (std::holds_alternative<MapAttrs>(node->attrs) || is_view(node->attrs))
      work.insert(work.end(), node->inputs.begin(), node->inputs.end());
  }
  return false;
}

struct Softmax {
  ValueId exponentials;
  int axis;
};

// v as e / sum(e) along one axis.
std::optional<Softmax> softmax_of(const Rewriter& dst, ValueId v) {
  const Node* quotient = dst.map_producer(v, MapOp::div);
  if (!quotient || dst.use_count(v) != 1) return std::nullopt;
  const ValueId e = quotient->inputs[0], sum = behind_broadcasts(dst, quotient->inputs[1]);
  const auto* total = dst.producer_as<ReduceAttrs>(sum);
  if (!total || total->op != ReduceOp::kSum || total->axes.size() != 1 || dst.producer(sum)->inputs[0] != e)
    return std::nullopt;
  const Node* exponential = dst.map_producer(e, MapOp::exp);
  const Node* shifted = exponential ? dst.map_producer(exponential->inputs[0], MapOp::sub) : nullptr;
  if (!shifted) return std::nullopt;
  const ValueId top = behind_broadcasts(dst, shifted->inputs[1]);
  const auto* greatest = dst.producer_as<ReduceAttrs>(top);
  if (!greatest || greatest->op != ReduceOp::kMax || greatest->axes != total->axes ||
      dst.producer(top)->inputs[0] != shifted->inputs[0] || !made_from_product(dst, shifted->inputs[0]))
    return std::nullopt;
  return Softmax{e, total->axes[0]};
}

// How many elements the output has along the labels that only the one operand has; 0 where that is not known.
int64_t own_columns(const ContractAttrs& product, const std::vector<int>& other, const Dims& shape) {
  IntExpr count(1);
  for (size_t i = 0; i < product.out.size(); ++i)
    if (!has_label(other, product.out[i])) count *= shape[i];
  return count.is_constant() ? count.constant() : 0;
}

}  // namespace

Rewritten product_of_softmax(Rewriter& dst, const Site& site) {
  const auto* found = site.as<ContractAttrs>();
  if (!found) return kNoMatch;
  ContractAttrs product = *found;
  std::vector<ValueId> inputs = site.inputs;
  auto softmax = softmax_of(dst, inputs[0]);
  if (!softmax && (softmax = softmax_of(dst, inputs[1]))) {
    std::swap(product.a, product.b);
    std::swap(inputs[0], inputs[1]);
  }
  if (!softmax || site.output.dtype != Dtype::kF32) return kNoMatch;
  const int keys = product.a[static_cast<size_t>(softmax->axis)];
  for (int label : product.a)
    if (has_label(product.out, label) == (label == keys)) return kNoMatch;
  for (int label : product.b)
    if (!has_label(product.out, label) && label != keys) return kNoMatch;
  if (!has_label(product.b, keys)) return kNoMatch;
  const int64_t columns = own_columns(product, product.a, site.output.shape);
  if (columns < 1 || columns > kMaxColumns) return kNoMatch;

  dst.also_from({inputs[0]});
  TUFF_ASSIGN(ValueId weighted, dst.builder().add(product, {softmax->exponentials, inputs[1]}));
  // Ones with the batch axes of the other operand: the sum's order follows from its rows, which are then the same.
  ContractAttrs sum;
  sum.a = product.a;
  Dims ones_shape, spread_shape;
  for (size_t i = 0; i < product.a.size(); ++i) {
    const int label = product.a[i];
    if (!has_label(product.b, label)) continue;
    sum.b.push_back(label);
    ones_shape.push_back(dst.shape(softmax->exponentials)[i]);
  }
  for (size_t i = 0; i < product.out.size(); ++i) {
    const bool has = has_label(product.a, product.out[i]);
    if (has) sum.out.push_back(product.out[i]);
    spread_shape.push_back(has ? site.output.shape[i] : IntExpr(1));
  }
  TUFF_ASSIGN(ValueId one, dst.builder().scalar(Dtype::kF32, 1));
  TUFF_ASSIGN(ValueId ones, dst.builder().broadcast(one, ones_shape));
  TUFF_ASSIGN(ValueId total, dst.builder().add(sum, {softmax->exponentials, ones}));
  TUFF_ASSIGN(total, dst.builder().reshape(total, spread_shape));
  TUFF_ASSIGN(total, dst.builder().broadcast(total, site.output.shape));
  TUFF_ASSIGN(ValueId quotient, dst.builder().map(MapOp::div, {weighted, total}));
  return quotient;
}

}  // namespace tuff
