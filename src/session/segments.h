// Segments: the submits of a run that, as one, would keep the device for longer than its driver's watchdog allows. Dispatches
// stay in order; one that takes longer than the limit has a segment of its own, since nothing splits a dispatch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/plan.h"

namespace tuff {

// Of each dispatch, by the cost model: launch + max(memory, arithmetic), at the device's rates.
std::vector<uint64_t> predicted_times_ns(const Plan& plan, const BoundPlan& bound, const DeviceInfo& device);

// The dispatches, ascending, before which another segment begins: as few as keep each segment's times within the limit.
std::vector<uint32_t> split(std::span<const uint64_t> times_ns, uint64_t limit_ns);

}  // namespace tuff
