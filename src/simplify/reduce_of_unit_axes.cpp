// Axes of size 1 need no reduction: reduce(x, axes) = reduce(x, axes of another size), and of none, reduce(x, []) = x.
// An arg-reduction over such an axis is 0.
#include "simplify/rules.h"

namespace tuff {

Rewritten reduce_of_unit_axes(Rewriter& dst, const Site& site) {
  const auto* reduce = site.as<ReduceAttrs>();
  if (!reduce) return kNoMatch;
  ValueId x = site.inputs[0];
  ReduceAttrs fewer = *reduce;
  std::erase_if(fewer.axes, [&](int axis) { return dst.shape(x)[static_cast<size_t>(axis)].is(1); });
  if (fewer.axes.size() == reduce->axes.size() && !fewer.axes.empty()) return kNoMatch;
  if (reduce->op == ReduceOp::kArgMax || reduce->op == ReduceOp::kArgMin) {
    TUFF_ASSIGN(ValueId zero, dst.builder().scalar(Dtype::kI64, 0));
    TUFF_ASSIGN(ValueId y, dst.builder().broadcast(zero, site.output.shape));
    return y;
  }
  if (fewer.axes.empty()) return x;
  TUFF_ASSIGN(ValueId y, dst.builder().add(std::move(fewer), {x}));
  return y;
}

}  // namespace tuff
