// A map is computed before what repeats its operands: f(broadcast(x), broadcast(y)) = broadcast(f(x', y')), with x' and
// y' broadcast to the shape that they have together.
#include "simplify/rules.h"

namespace tuff {
namespace {

// The operand before it is repeated: of the same rank.
ValueId before_broadcast(const Rewriter& dst, ValueId v) {
  return dst.producer_as<BroadcastAttrs>(v) ? dst.producer(v)->inputs[0] : v;
}

}  // namespace

Rewritten map_of_broadcasts(Rewriter& dst, const Site& site) {
  const auto* map = site.as<MapAttrs>();
  if (!map) return kNoMatch;
  Dims together(site.output.shape.size(), IntExpr(1));
  for (ValueId v : site.inputs) {
    const Dims& before = dst.shape(before_broadcast(dst, v));
    for (size_t i = 0; i < together.size(); ++i)
      if (!before[i].is(1)) together[i] = before[i];
  }
  // It differs from the output's shape only along an axis where every operand is repeated.
  if (together == site.output.shape) return kNoMatch;
  std::vector<ValueId> operands;
  for (ValueId v : site.inputs) {
    TUFF_ASSIGN(ValueId operand, dst.builder().broadcast(before_broadcast(dst, v), together));
    operands.push_back(operand);
  }
  TUFF_ASSIGN(ValueId y, dst.builder().add(*map, std::move(operands)));
  // What stands for the broadcasts is the one that comes last.
  for (ValueId v : site.inputs)
    if (before_broadcast(dst, v) != v) dst.also_from({v});
  TUFF_ASSIGN(y, dst.builder().broadcast(y, site.output.shape));
  return y;
}

}  // namespace tuff
