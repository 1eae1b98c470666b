#include "session/segments.h"

#include <algorithm>

#include "plan/work.h"

namespace tuff {

std::vector<uint64_t> predicted_times_ns(const Plan& plan, const BoundPlan& bound, const DeviceInfo& device) {
  std::vector<uint64_t> times;
  for (const BoundDispatch& dispatch : bound.dispatches)
    times.push_back(static_cast<uint64_t>(predicted_ns(work_of(plan, bound, dispatch), device)));
  return times;
}

std::vector<uint32_t> split(std::span<const uint64_t> times_ns, uint64_t limit_ns) {
  std::vector<uint32_t> splits;
  uint64_t left_ns = limit_ns;
  for (size_t i = 0; i < times_ns.size(); ++i) {
    if (i > 0 && times_ns[i] > left_ns) {
      splits.push_back(static_cast<uint32_t>(i));
      left_ns = limit_ns;
    }
    left_ns -= std::min(left_ns, times_ns[i]);
  }
  return splits;
}

}  // namespace tuff
