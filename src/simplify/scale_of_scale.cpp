// Constants that are multiplied one after the other are multiplied once: (x * c) * d = x * (c * d).
#include "simplify/constants.h"
#include "simplify/rules.h"

namespace tuff {

Rewritten scale_of_scale(Rewriter& dst, const Site& site) {
  if (!site.is_map(MapOp::mul)) return kNoMatch;
  auto outer = one_constant(dst, site.inputs);
  if (!outer || dst.use_count(outer->other) != 1) return kNoMatch;
  const Node* mul = dst.map_producer(outer->other, MapOp::mul);
  auto inner = mul ? one_constant(dst, mul->inputs) : std::nullopt;
  if (!inner) return kNoMatch;
  TUFF_ASSIGN(ValueId scale, combine_constants(dst, MapOp::mul, inner->constant, outer->constant));
  dst.also_from({outer->other});
  TUFF_ASSIGN(ValueId y, map_with_constant(dst, MapOp::mul, inner->other, scale));
  return y;
}

}  // namespace tuff
