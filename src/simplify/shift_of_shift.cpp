// Constants that are added one after the other are added once.
//   (x + c) + d = x + (c + d)      x - c = x + (-c)
#include "simplify/constants.h"
#include "simplify/rules.h"

namespace tuff {
namespace {

// The site as x + constant.
Result<std::optional<ConstantOperand>> shift_of(Rewriter& dst, const Site& site) {
  if (site.is_map(MapOp::add)) return one_constant(dst, site.inputs);
  if (!site.is_map(MapOp::sub)) return std::optional<ConstantOperand>();
  auto constant = constant_source(dst, site.inputs[1]);
  if (!constant || constant_source(dst, site.inputs[0])) return std::optional<ConstantOperand>();
  TUFF_ASSIGN(ValueId negated, dst.builder().map(MapOp::neg, {*constant}));
  return std::optional(ConstantOperand{site.inputs[0], negated});
}

}  // namespace

Rewritten shift_of_shift(Rewriter& dst, const Site& site) {
  TUFF_ASSIGN(auto outer, shift_of(dst, site));
  if (!outer) return kNoMatch;
  const Node* add = dst.map_producer(outer->other, MapOp::add);
  auto inner = add && dst.use_count(outer->other) == 1 ? one_constant(dst, add->inputs) : std::nullopt;
  if (!inner && site.is_map(MapOp::add)) return kNoMatch;
  if (!inner) {
    TUFF_ASSIGN(ValueId y, map_with_constant(dst, MapOp::add, outer->other, outer->constant));
    return y;
  }
  TUFF_ASSIGN(ValueId sum, combine_constants(dst, MapOp::add, inner->constant, outer->constant));
  dst.also_from({outer->other});
  TUFF_ASSIGN(ValueId y, map_with_constant(dst, MapOp::add, inner->other, sum));
  return y;
}

}  // namespace tuff
