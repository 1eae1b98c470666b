// A constant of equal elements is one element that a view repeats: f(x, splat(c, shape)) = f(x, broadcast(splat(c, [1,
// ...]))). What matches constants by the axes along which they vary then matches it too.
#include <algorithm>

#include "simplify/rules.h"

namespace tuff {
namespace {

bool is_wide_splat(const Rewriter& dst, ValueId v) {
  const auto* constant = dst.producer_as<ConstantAttrs>(v);
  if (!constant || constant->data.kind != ConstantData::Kind::kSplat) return false;
  return std::any_of(constant->shape.begin(), constant->shape.end(), [](const IntExpr& d) { return !d.is(1); });
}

}  // namespace

Rewritten splat_operand(Rewriter& dst, const Site& site) {
  if (!site.as<MapAttrs>()) return kNoMatch;
  std::vector<ValueId> operands = site.inputs;
  for (ValueId& v : operands) {
    if (!is_wide_splat(dst, v)) continue;
    dst.also_from({v});
    ConstantAttrs one = *dst.producer_as<ConstantAttrs>(v);
    one.shape.assign(one.shape.size(), IntExpr(1));
    TUFF_ASSIGN(ValueId element, dst.builder().add(std::move(one), {}));
    TUFF_ASSIGN(v, dst.builder().add(BroadcastAttrs{site.output.shape}, {element}));
  }
  if (operands == site.inputs) return kNoMatch;
  TUFF_ASSIGN(ValueId y, dst.builder().add(site.attrs, std::move(operands)));
  return y;
}

}  // namespace tuff
