// Views that leave every element where it is.
//   reshape, broadcast, slice, pad, transpose, concat of one: v(x) = x
//   a transpose that moves only axes of size 1: transpose(x) = reshape(x)
#include <algorithm>

#include "simplify/rules.h"

namespace tuff {
namespace {

bool all_zero(const Dims& dims) {
  return std::all_of(dims.begin(), dims.end(), [](const IntExpr& d) { return d.is(0); });
}

// The axes of x whose size is not 1, in the order that perm puts them.
bool keeps_order(const std::vector<int>& perm, const Dims& shape) {
  int last = -1;
  for (int axis : perm) {
    if (shape[static_cast<size_t>(axis)].is(1)) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

bool is_identity(const Site& site, const Dims& from) {
  if (site.as<ReshapeAttrs>() || site.as<BroadcastAttrs>()) return from == site.output.shape;
  if (const auto* t = site.as<TransposeAttrs>()) return std::is_sorted(t->perm.begin(), t->perm.end());
  if (const auto* s = site.as<SliceAttrs>())
    return from == s->shape && all_zero(s->starts) &&
           std::all_of(s->steps.begin(), s->steps.end(), [](int64_t step) { return step == 1; });
  if (const auto* p = site.as<PadAttrs>())
    return all_zero(p->low) && all_zero(p->high) &&
           std::all_of(p->interior.begin(), p->interior.end(), [](int64_t n) { return n == 0; });
  return site.as<ConcatAttrs>() && site.inputs.size() == 1;
}

}  // namespace

Rewritten identity_view(Rewriter& dst, const Site& site) {
  if (!is_view(site.attrs)) return kNoMatch;
  ValueId x = site.inputs[0];
  if (is_identity(site, dst.shape(x))) return x;
  const auto* t = site.as<TransposeAttrs>();
  if (!t || !keeps_order(t->perm, dst.shape(x))) return kNoMatch;
  TUFF_ASSIGN(ValueId y, dst.builder().add(ReshapeAttrs{site.output.shape}, {x}));
  return y;
}

}  // namespace tuff
