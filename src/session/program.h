// Program: a model compiled for one target. Immutable once made and shared by threads and sessions; it owns the pipelines
// and the weights.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "device/kernel_usage.h"
#include "plan/plan.h"
#include "session/target.h"

namespace tuff {

struct StageTime {
  std::string stage;
  int64_t time_ns = 0;
};

struct Program {
  Target target;
  bool exact = false;
  Plan plan;                             // for the CPU only its graph is set
  std::shared_ptr<Pipelines> pipelines;  // null unless the target is a device
  std::shared_ptr<Buffer> weights;       // null where the plan has none
  std::vector<KernelUsage> usages;       // by kernel, as the driver tells; empty where it was not asked
  std::vector<StageTime> times;          // of the stages that made it, in order
  std::vector<std::string> decisions;    // of fusion, by step, a line each; empty where it was compiled ahead
};

// The plan's constants, permuted to storage order, in one buffer of the device; null where there are none.
Result<std::shared_ptr<Buffer>> upload_weights(const Plan& plan, Device& device);

}  // namespace tuff
