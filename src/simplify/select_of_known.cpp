// Choices that are no choice.
//   select(true, b, c) = b      select(false, b, c) = c      select(a, b, b) = b      select(not a, b, c) = select(a,
//   c, b)
#include "simplify/constants.h"
#include "simplify/rules.h"

namespace tuff {

Rewritten select_of_known(Rewriter& dst, const Site& site) {
  if (!site.is_map(MapOp::select)) return kNoMatch;
  ValueId condition = site.inputs[0], b = site.inputs[1], c = site.inputs[2];
  if (b == c) return b;
  if (auto known = splat_value(dst, condition)) return *known != 0 ? b : c;
  const Node* inverted = dst.map_producer(condition, MapOp::logical_not);
  if (!inverted) return kNoMatch;
  ValueId a = inverted->inputs[0];
  dst.also_from({condition});
  TUFF_ASSIGN(ValueId y, dst.builder().add(MapAttrs{MapOp::select}, {a, c, b}));
  return y;
}

}  // namespace tuff
