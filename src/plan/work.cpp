#include "plan/work.h"

#include <algorithm>
#include <set>

#include "base/checked.h"
#include "device/rate_times.h"

namespace tuff {
namespace {

// What no number holds takes for ever.
int64_t bounded_sum(int64_t a, int64_t b) { return checked_add(a, b).value_or(INT64_MAX); }

int64_t bytes_of(const StepWork& work) { return bounded_sum(work.bytes_read, work.bytes_written); }

int64_t at_sizes(const IntExpr& count, const BoundPlan& bound) {
  const std::optional<int64_t> value = count.evaluate([&](std::string_view name) -> std::optional<int64_t> {
    auto it = bound.symbols.find(std::string(name));
    return it == bound.symbols.end() ? std::nullopt : std::optional<int64_t>(it->second);
  });
  return value.value_or(INT64_MAX);
}

}  // namespace

int64_t workgroup_count(const BoundDispatch& dispatch) {
  int64_t count = 1;
  for (uint32_t along_axis : dispatch.grid) count = checked_multiply(count, along_axis).value_or(INT64_MAX);
  return count;
}

StepWork work_of(const Plan& plan, const BoundPlan& bound, const BoundDispatch& dispatch) {
  const Kernel& kernel = plan.kernels[dispatch.kernel.value];
  return {at_sizes(kernel.bytes_read, bound), at_sizes(kernel.bytes_written, bound), at_sizes(kernel.multiply_adds, bound),
          workgroup_count(dispatch), kernel.has_scratch()};
}

StepWork work_of(const Plan& plan, const BoundPlan& bound) {
  StepWork all;
  for (const BoundDispatch& dispatch : bound.dispatches) {
    const StepWork work = work_of(plan, bound, dispatch);
    all.bytes_read = bounded_sum(all.bytes_read, work.bytes_read);
    all.bytes_written = bounded_sum(all.bytes_written, work.bytes_written);
    all.multiply_adds = bounded_sum(all.multiply_adds, work.multiply_adds);
  }
  return all;
}

int64_t predicted_ns(const StepWork& work, const DeviceInfo& device) {
  int64_t ns = std::max(memory_ns(bytes_of(work), device), arithmetic_ns(work.multiply_adds, device));
  const int64_t wanted = 2 * device.rates.compute_units;
  if (work.workgroups > 0 && work.workgroups < wanted)
    ns = static_cast<int64_t>(std::min<__int128>(static_cast<__int128>(ns) * wanted / work.workgroups, INT64_MAX));
  return bounded_sum(ns, bounded_sum(device.rates.launch_ns, work.shares_results ? device.rates.launch_ns : 0));
}

int64_t predicted_ns(const Plan& plan, const BoundPlan& bound, const DeviceInfo& device) {
  int64_t sum = 0;
  for (const BoundDispatch& dispatch : bound.dispatches)
    sum = bounded_sum(sum, predicted_ns(work_of(plan, bound, dispatch), device));
  return sum;
}

int64_t flops(const StepWork& work) { return bounded_sum(work.multiply_adds, work.multiply_adds); }

Bound bound_of(const StepWork& work, const DeviceInfo& device) {
  const int64_t memory = memory_ns(bytes_of(work), device), arithmetic = arithmetic_ns(work.multiply_adds, device);
  if (device.rates.launch_ns > std::max(memory, arithmetic)) return Bound::kLaunch;
  return arithmetic > memory ? Bound::kArithmetic : Bound::kMemory;
}

int64_t least_bytes(const Plan& plan, const BoundPlan& bound) {
  int64_t sum = 0;
  std::set<ValueId> read;
  for (const BoundDispatch& dispatch : bound.dispatches) {
    // Each element has one writer, if often of a piece of a value only.
    sum = bounded_sum(sum, work_of(plan, bound, dispatch).bytes_written);
    for (const BoundRange& range : dispatch.ranges)
      if (range.access == Access::kRead) read.insert(range.value);
  }
  for (ValueId v : read) {
    const Value& value = plan.graph.value(v);
    sum = bounded_sum(sum, at_sizes(product(value.shape) * IntExpr(dtype_size_bytes(value.dtype)), bound));
  }
  return sum;
}

}  // namespace tuff
