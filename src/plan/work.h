// Work: what dispatches have to do at the sizes that are bound, and how long the cost model says that a device takes.
#pragma once

#include <cstdint>

#include "device/device_info.h"
#include "plan/plan.h"

namespace tuff {

int64_t workgroup_count(const BoundDispatch& dispatch);

struct StepWork {
  int64_t bytes_read = 0, bytes_written = 0;  // of memory, each value once
  // An operation of a map counts as one, by its row in ops.def, and so does an instruction that multiplies four pairs of bytes.
  int64_t multiply_adds = 0;
  int64_t workgroups = 0;       // of one dispatch; 0: enough
  bool shares_results = false;  // among workgroups, the last of which waits for the others
};
StepWork work_of(const Plan& plan, const BoundPlan& bound, const BoundDispatch& dispatch);
// Of all dispatches together.
StepWork work_of(const Plan& plan, const BoundPlan& bound);

// The cost model's time at the device's rates: launch + max(memory, arithmetic), longer where workgroups are fewer than two a
// core; another launch where the last of them waits for what the others leave.
int64_t predicted_ns(const StepWork& work, const DeviceInfo& device);
// Of all dispatches, one after the other.
int64_t predicted_ns(const Plan& plan, const BoundPlan& bound, const DeviceInfo& device);
// Two a multiply-add.
int64_t flops(const StepWork& work);

// The dearest of the model's terms: what a faster kernel would have to have less of.
enum class Bound : uint8_t { kMemory, kArithmetic, kLaunch };
Bound bound_of(const StepWork& work, const DeviceInfo& device);

// What passes through memory if no dispatch reads again what another one has read: each value that is read, once, weights and
// inputs among them, and each that is written, once.
int64_t least_bytes(const Plan& plan, const BoundPlan& bound);

}  // namespace tuff
