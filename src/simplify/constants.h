// Constants as the operands of maps: what repeats them is looked through.
#pragma once

#include "simplify/rewrite.h"

namespace tuff {

// A constant operand before a broadcast repeats it; nullopt if v is not constant.
std::optional<ValueId> constant_source(const Rewriter& dst, ValueId v);
// The splat that v is, perhaps reshaped, transposed or broadcast; null if its elements may differ. And their number.
const ConstantAttrs* splat_source(const Rewriter& dst, ValueId v);
std::optional<double> splat_value(const Rewriter& dst, ValueId v);

// A commutative map as (its constant operand, the other one); nullopt if neither or both are constant.
struct ConstantOperand {
  ValueId other, constant;  // constant: before its broadcast
};
std::optional<ConstantOperand> one_constant(const Rewriter& dst, const std::vector<ValueId>& operands);

// a op b at the shape that the two have together, then repeated to `shape`.
Result<ValueId> combine_constants(Rewriter& dst, MapOp op, ValueId a, ValueId b);
Result<ValueId> map_with_constant(Rewriter& dst, MapOp op, ValueId x, ValueId constant);

}  // namespace tuff
