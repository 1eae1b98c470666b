// Whatever moves equal elements gives equal elements: reshape, transpose or slice of splat(c) = broadcast(splat(c, [1,
// ...])).
#include "simplify/constants.h"
#include "simplify/rules.h"

namespace tuff {

Rewritten view_of_splat(Rewriter& dst, const Site& site) {
  if (!site.as<ReshapeAttrs>() && !site.as<TransposeAttrs>() && !site.as<SliceAttrs>()) return kNoMatch;
  const ConstantAttrs* splat = splat_source(dst, site.inputs[0]);
  if (!splat) return kNoMatch;
  ConstantAttrs one = *splat;
  one.shape.assign(site.output.shape.size(), IntExpr(1));
  dst.also_from({site.inputs[0]});
  TUFF_ASSIGN(ValueId y, dst.builder().add(std::move(one), {}));
  TUFF_ASSIGN(y, dst.builder().broadcast(y, site.output.shape));
  return y;
}

}  // namespace tuff
