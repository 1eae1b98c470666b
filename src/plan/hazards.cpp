#include "plan/hazards.h"

namespace tuff {

bool overlap(const BoundRange& a, const BoundRange& b) {
  if (a.buffer != b.buffer || a.index != b.index) return false;
  return a.offset < b.offset + b.size_bytes && b.offset < a.offset + a.size_bytes;
}

bool hazard_between(const BoundDispatch& a, const BoundDispatch& b) {
  for (const BoundRange& x : a.ranges) {
    for (const BoundRange& y : b.ranges) {
      if (x.access == Access::kRead && y.access == Access::kRead) continue;
      bool pieces = x.access == Access::kWrite && y.access == Access::kWrite && x.value == y.value && x.value.valid();
      if (!pieces && overlap(x, y)) return true;
    }
  }
  return false;
}

void place_barriers(BoundPlan& bound) {
  bound.barrier_count = 0;
  size_t since = 0;
  for (size_t d = 0; d < bound.dispatches.size(); ++d) {
    bool meets = false;
    for (size_t e = since; e < d && !meets; ++e) meets = hazard_between(bound.dispatches[e], bound.dispatches[d]);
    bound.dispatches[d].barrier_before = meets;
    if (!meets) continue;
    ++bound.barrier_count;
    since = d;
  }
}

}  // namespace tuff
