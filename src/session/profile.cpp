#include "session/profile.h"

#include <algorithm>

#include "base/checked.h"
#include "device/rate_times.h"

namespace tuff {
namespace {

// What no number holds takes for ever.
int64_t bounded_sum(int64_t a, int64_t b) { return checked_add(a, b).value_or(INT64_MAX); }

int64_t bytes_of(const StepWork& work) { return bounded_sum(work.bytes_read, work.bytes_written); }

}  // namespace

StepWork work_of(const Plan& plan, const BoundPlan& bound, const BoundDispatch& dispatch) {
  auto at_sizes = [&](const IntExpr& count) {
    const std::optional<int64_t> value = count.evaluate([&](std::string_view name) -> std::optional<int64_t> {
      auto it = bound.symbols.find(std::string(name));
      return it == bound.symbols.end() ? std::nullopt : std::optional<int64_t>(it->second);
    });
    return value.value_or(INT64_MAX);
  };
  const Kernel& kernel = plan.kernels[dispatch.kernel.value];
  return {at_sizes(kernel.bytes_read), at_sizes(kernel.bytes_written), at_sizes(kernel.multiply_adds)};
}

int64_t predicted_ns(const StepWork& work, const DeviceInfo& device) {
  return bounded_sum(device.rates.launch_ns,
                     std::max(memory_ns(bytes_of(work), device), arithmetic_ns(work.multiply_adds, device)));
}

int64_t flops(const StepWork& work) { return bounded_sum(work.multiply_adds, work.multiply_adds); }

Bound bound_of(const StepWork& work, const DeviceInfo& device) {
  const int64_t memory = memory_ns(bytes_of(work), device), arithmetic = arithmetic_ns(work.multiply_adds, device);
  if (device.rates.launch_ns > std::max(memory, arithmetic)) return Bound::kLaunch;
  return arithmetic > memory ? Bound::kArithmetic : Bound::kMemory;
}

uint64_t median(std::vector<uint64_t> samples) {
  if (samples.empty()) return 0;
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>((samples.size() - 1) / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

std::vector<uint64_t> sums_ns(const Profile& profile) {
  std::vector<uint64_t> sums(profile.run_times_ns.size());
  for (const StepProfile& step : profile.steps)
    for (size_t run = 0; run < sums.size() && run < step.times_ns.size(); ++run) sums[run] += step.times_ns[run];
  return sums;
}

}  // namespace tuff
