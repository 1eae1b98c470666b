// Hazards: when two dispatches must not run at the same time.
#pragma once

#include "plan/plan.h"

namespace tuff {

// Do the ranges share bytes of one buffer?
bool overlap(const BoundRange& a, const BoundRange& b);
// Does one write what the other reads or writes? Two kernels that write pieces of one value (a concat in place) write
// different elements of it: that is no hazard.
bool hazard_between(const BoundDispatch& a, const BoundDispatch& b);
// Before each dispatch that meets what one since the last barrier has touched, and nowhere else.
void place_barriers(BoundPlan& bound);

}  // namespace tuff
