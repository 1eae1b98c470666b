#include "session/profile.h"

#include <algorithm>

namespace tuff {

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
