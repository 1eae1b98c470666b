// Profile: where the time of a run goes, dispatch by dispatch, beside what each has to do as the cost model counts it.
//
// The profile has recordings of its own: those of a session's runs are not touched by it.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/work.h"

namespace tuff {

struct StepProfile {
  StepId step;
  KernelId kernel;
  StepWork work;
  std::vector<uint64_t> times_ns;  // one a run
};

struct ProfileOptions {
  uint32_t warmup_count = 0;  // runs that are not counted
  uint32_t run_count = 1;
  bool host_clock = false;  // though the device has timestamps
};

struct Profile {
  bool host_clock = false;             // times are the host's, of dispatches that are a submit each
  std::vector<uint64_t> run_times_ns;  // from the first submit to the end, by the host's clock, one a run
  std::vector<StepProfile> steps;      // in run order
};

// The value that half of the samples do not exceed (nearest rank); 0 of none.
uint64_t median(std::vector<uint64_t> samples);
// Of each run: the sum over all dispatches.
std::vector<uint64_t> sums_ns(const Profile& profile);

}  // namespace tuff
