#include "session/segments.h"

#include <algorithm>

#include "device/rate_times.h"

namespace tuff {

std::vector<uint64_t> predicted_times_ns(const Plan& plan, const BoundPlan& bound, const DeviceInfo& device) {
  std::vector<uint64_t> times;
  for (const BoundDispatch& dispatch : bound.dispatches) {
    int64_t bytes = 0;
    for (const BoundRange& range : dispatch.ranges) bytes += static_cast<int64_t>(range.size_bytes);
    const std::optional<int64_t> operations =
        plan.kernels[dispatch.kernel.value].multiply_adds.evaluate([&](std::string_view name) -> std::optional<int64_t> {
          auto it = bound.symbols.find(std::string(name));
          return it == bound.symbols.end() ? std::nullopt : std::optional<int64_t>(it->second);
        });
    const int64_t busy = std::max(memory_ns(bytes, device), arithmetic_ns(operations.value_or(INT64_MAX), device));
    times.push_back(static_cast<uint64_t>(device.rates.launch_ns) + static_cast<uint64_t>(busy));
  }
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
