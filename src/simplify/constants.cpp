#include "simplify/constants.h"

namespace tuff {

std::optional<ValueId> constant_source(const Rewriter& dst, ValueId v) {
  while (const Node* node = dst.producer(v)) {
    if (!std::holds_alternative<BroadcastAttrs>(node->attrs)) break;
    v = node->inputs[0];  // of the same rank
  }
  return dst.is_constant(v) ? std::optional(v) : std::nullopt;
}

const ConstantAttrs* splat_source(const Rewriter& dst, ValueId v) {
  while (const Node* node = dst.producer(v)) {
    const auto* constant = std::get_if<ConstantAttrs>(&node->attrs);
    if (constant) return constant->data.kind == ConstantData::Kind::kSplat ? constant : nullptr;
    bool repeats = std::holds_alternative<BroadcastAttrs>(node->attrs) || std::holds_alternative<ReshapeAttrs>(node->attrs) ||
                   std::holds_alternative<TransposeAttrs>(node->attrs);
    if (!repeats) return nullptr;
    v = node->inputs[0];
  }
  return nullptr;
}

std::optional<double> splat_value(const Rewriter& dst, ValueId v) {
  const ConstantAttrs* splat = splat_source(dst, v);
  return splat ? std::optional(scalar_from_bits(splat->dtype, splat->data.bits)) : std::nullopt;
}

std::optional<ConstantOperand> one_constant(const Rewriter& dst, const std::vector<ValueId>& operands) {
  auto a = constant_source(dst, operands[0]), b = constant_source(dst, operands[1]);
  if (a.has_value() == b.has_value()) return std::nullopt;
  return a ? ConstantOperand{operands[1], *a} : ConstantOperand{operands[0], *b};
}

Result<ValueId> combine_constants(Rewriter& dst, MapOp op, ValueId a, ValueId b) { return dst.builder().map(op, {a, b}); }

Result<ValueId> map_with_constant(Rewriter& dst, MapOp op, ValueId x, ValueId constant) {
  TUFF_ASSIGN(ValueId repeated, dst.builder().broadcast(constant, dst.shape(x)));
  return dst.builder().add(MapAttrs{op}, {x, repeated});
}

}  // namespace tuff
