// A constant factor for each output channel goes into the weights, where folding makes it free.
//   conv(x, w) * s = conv(x, w * s)                        contract(a, w) * s = contract(a, w * s)
//   (conv(x, w) + b) * s = conv(x, w * s) + b * s          y / s = y * (1 / s)
// s is constant along every axis that the weights do not have; the product has no other reader.
#include <algorithm>

#include "simplify/constants.h"
#include "simplify/rules.h"

namespace tuff {
namespace {

bool varies_only_along(const Dims& shape, size_t axis) {
  for (size_t i = 0; i < shape.size(); ++i)
    if (i != axis && !shape[i].is(1)) return false;
  return true;
}

// The factor in the weights' rank, or kNoMatch where they lack an axis along which it varies.
Rewritten factor_for_convolution(Rewriter& dst, ValueId scale, size_t weight_rank) {
  const Dims& shape = dst.shape(scale);
  if (!varies_only_along(shape, 1)) return kNoMatch;
  Dims along_outputs(weight_rank, IntExpr(1));
  along_outputs[0] = shape[1];
  TUFF_ASSIGN(ValueId factor, dst.builder().reshape(scale, along_outputs));
  return factor;
}

Rewritten factor_for_contraction(Rewriter& dst, ValueId scale, const std::vector<int>& out, const std::vector<int>& weights) {
  const Dims shape = dst.shape(scale);
  std::vector<int> perm;  // the scale's axes in the weights' order, then those of size 1 that they lack
  Dims for_weights;
  for (int label : weights) {
    auto at = std::find(out.begin(), out.end(), label);
    if (at != out.end()) perm.push_back(static_cast<int>(at - out.begin()));
    for_weights.push_back(at != out.end() ? shape[static_cast<size_t>(at - out.begin())] : IntExpr(1));
  }
  for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) {
    if (std::find(perm.begin(), perm.end(), axis) != perm.end()) continue;
    if (!shape[static_cast<size_t>(axis)].is(1)) return kNoMatch;
    perm.push_back(axis);
  }
  TUFF_ASSIGN(ValueId factor, dst.builder().transpose(scale, perm));
  TUFF_ASSIGN(factor, dst.builder().reshape(factor, for_weights));
  return factor;
}

bool is_product(const Rewriter& dst, ValueId y) {
  const Node* node = dst.producer(y);
  if (!node || dst.use_count(y) != 1) return false;
  const auto* window = std::get_if<WindowAttrs>(&node->attrs);
  return (window && window->op == WindowOp::kConv) || std::holds_alternative<ContractAttrs>(node->attrs);
}

// y * scale with the scale in y's weights.
Rewritten scaled_product(Rewriter& dst, ValueId y, ValueId scale) {
  const Node product = *dst.producer(y);
  for (size_t side = product.inputs.size(); side-- > 0;) {
    ValueId weights = product.inputs[side];
    if (!dst.is_constant(weights)) continue;
    const auto* contract = std::get_if<ContractAttrs>(&product.attrs);
    if (!contract && side == 0) continue;
    TUFF_ASSIGN(ValueId factor, contract ? factor_for_contraction(dst, scale, contract->out, side ? contract->b : contract->a)
                                         : factor_for_convolution(dst, scale, dst.shape(weights).size()));
    if (!factor.valid() || !dst.take_fold_bytes(weights)) continue;
    TUFF_ASSIGN(ValueId scaled, map_with_constant(dst, MapOp::mul, weights, factor));
    std::vector<ValueId> inputs = product.inputs;
    inputs[side] = scaled;
    TUFF_ASSIGN(ValueId result, dst.builder().add(product.attrs, std::move(inputs)));
    return result;
  }
  return kNoMatch;
}

// The site as y * constant.
Result<std::optional<ConstantOperand>> scale_of(Rewriter& dst, const Site& site) {
  if (!is_float(site.output.dtype)) return std::optional<ConstantOperand>();
  if (site.is_map(MapOp::mul)) return one_constant(dst, site.inputs);
  if (!site.is_map(MapOp::div)) return std::optional<ConstantOperand>();
  auto constant = constant_source(dst, site.inputs[1]);
  if (!constant || constant_source(dst, site.inputs[0])) return std::optional<ConstantOperand>();
  TUFF_ASSIGN(ValueId inverse, dst.builder().map(MapOp::reciprocal, {*constant}));
  return std::optional(ConstantOperand{site.inputs[0], inverse});
}

}  // namespace

Rewritten scale_of_product(Rewriter& dst, const Site& site) {
  TUFF_ASSIGN(auto scale, scale_of(dst, site));
  if (!scale) return kNoMatch;
  dst.also_from({scale->other});
  if (is_product(dst, scale->other)) return scaled_product(dst, scale->other, scale->constant);
  const Node* add = dst.map_producer(scale->other, MapOp::add);
  auto shift = add && dst.use_count(scale->other) == 1 ? one_constant(dst, add->inputs) : std::nullopt;
  if (!shift || !is_product(dst, shift->other)) return kNoMatch;
  dst.also_from({shift->other});
  TUFF_ASSIGN(ValueId product, scaled_product(dst, shift->other, scale->constant));
  if (!product.valid()) return kNoMatch;
  TUFF_ASSIGN(ValueId shifted, combine_constants(dst, MapOp::mul, shift->constant, scale->constant));
  TUFF_ASSIGN(ValueId y, map_with_constant(dst, MapOp::add, product, shifted));
  return y;
}

}  // namespace tuff
