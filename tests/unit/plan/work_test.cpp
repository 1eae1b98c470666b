// What dispatches have to do, and how long the cost model says that it takes.
#include "plan/work.h"

#include <doctest/doctest.h>

namespace tuff {
namespace {

// 10 bytes, 4 multiply-adds a nanosecond, 100 ns a launch.
DeviceInfo device_with_rates() {
  DeviceInfo device;
  device.name = "rated";
  device.rates.dram_bytes_per_us = 10'000;
  device.rates.fma_per_us = 4000;
  device.rates.launch_ns = 100;
  device.rates.compute_units = 12;
  return device;
}

TEST_CASE("a kernel is bound by the largest term of its predicted time") {
  const DeviceInfo device = device_with_rates();
  const StepWork memory{8000, 2000, 100};  // 1000 ns, 25 ns
  CHECK(predicted_ns(memory, device) == 100 + 1000);
  CHECK(bound_of(memory, device) == Bound::kMemory);
  CHECK(flops(memory) == 200);
  const StepWork arithmetic{8000, 2000, 8000};  // 1000 ns, 2000 ns
  CHECK(predicted_ns(arithmetic, device) == 100 + 2000);
  CHECK(bound_of(arithmetic, device) == Bound::kArithmetic);
  const StepWork launch{500, 490, 396};  // 99 ns, 99 ns
  CHECK(predicted_ns(launch, device) == 100 + 99);
  CHECK(bound_of(launch, device) == Bound::kLaunch);
  CHECK(bound_of({500, 500, 400}, device) == Bound::kMemory);  // as long as the launch
  CHECK(bound_of({0, 0, 0}, device) == Bound::kLaunch);
}

TEST_CASE("fewer workgroups than two a core take longer, and so do those that wait for one another") {
  DeviceInfo device = device_with_rates();
  StepWork work{8000, 2000, 100};  // 1000 ns
  work.workgroups = 24;
  CHECK(predicted_ns(work, device) == 100 + 1000);
  work.workgroups = 6;
  CHECK(predicted_ns(work, device) == 100 + 4000);
  work.shares_results = true;
  CHECK(predicted_ns(work, device) == 200 + 4000);
  work.bytes_read = work.bytes_written = INT64_MAX / 2;
  device.rates.dram_bytes_per_us = 1000;
  CHECK_MESSAGE(predicted_ns(work, device) == INT64_MAX, "as long as a number says");
}

TEST_CASE("work is counted at the sizes that are bound, and what no number holds is endless") {
  Symbol n;
  n.name = "n";
  Plan plan;
  plan.kernels.resize(1);
  plan.kernels[0].bytes_read = IntExpr::symbol(n) * IntExpr(8);
  plan.kernels[0].bytes_written = IntExpr::symbol(n) * IntExpr(4);
  plan.kernels[0].multiply_adds = IntExpr::symbol(n) * IntExpr(1000);
  BoundPlan bound;
  BoundDispatch dispatch;
  dispatch.kernel = KernelId(0);
  bound.symbols = {{"n", 30}};
  const StepWork work = work_of(plan, bound, dispatch);
  CHECK(work.bytes_read == 240);
  CHECK(work.bytes_written == 120);
  CHECK(work.multiply_adds == 30'000);
  bound.symbols["n"] = INT64_MAX;
  const StepWork endless = work_of(plan, bound, dispatch);
  CHECK(endless.multiply_adds == INT64_MAX);
  CHECK(flops(endless) == INT64_MAX);
  DeviceInfo slow = device_with_rates();
  slow.rates.fma_per_us = 1;
  CHECK(predicted_ns(endless, slow) == INT64_MAX);
}

// A weight of 4 bytes an element and two halves of one value, which a third kernel reads with the weight and one again.
struct Halves {
  Plan plan;
  BoundPlan bound;

  Halves() {
    Symbol n;
    n.name = "n";
    for (int i = 0; i < 3; ++i) {
      Value value;
      value.dtype = Dtype::kF32;
      value.shape = {IntExpr::symbol(n)};
      plan.graph.values.push_back(value);
    }
    plan.kernels.resize(2);
    plan.kernels[0].bytes_read = IntExpr::symbol(n) * IntExpr(4);
    plan.kernels[0].bytes_written = IntExpr::symbol(n) * IntExpr(2);
    plan.kernels[1].bytes_read = IntExpr::symbol(n) * IntExpr(8);
    plan.kernels[1].bytes_written = IntExpr::symbol(n) * IntExpr(4);
    bound.symbols = {{"n", 100}};
    dispatch(KernelId(0), {0}, 1);
    dispatch(KernelId(0), {0}, 1);
    dispatch(KernelId(1), {0, 1}, 2);
  }

  void dispatch(KernelId kernel, const std::vector<size_t>& reads, size_t written) {
    BoundDispatch added;
    added.kernel = kernel;
    added.grid = {3, 5, 2};
    auto touch = [&](size_t v, Access access) {
      BoundRange range;
      range.value = ValueId(v);
      range.access = access;
      added.ranges.push_back(range);
    };
    for (size_t v : reads) touch(v, Access::kRead);
    touch(written, Access::kWrite);
    bound.dispatches.push_back(added);
  }
};

TEST_CASE("a plan's work is that of its dispatches, one after the other") {
  const Halves halves;
  const StepWork all = work_of(halves.plan, halves.bound);
  CHECK(all.bytes_read == 400 + 400 + 800);
  CHECK(all.bytes_written == 200 + 200 + 400);
  CHECK(predicted_ns(halves.plan, halves.bound, device_with_rates()) == (100 + 60) + (100 + 60) + (100 + 120));
  CHECK(workgroup_count(halves.bound.dispatches[0]) == 30);
  BoundDispatch endless;
  endless.grid = {UINT32_MAX, UINT32_MAX, 2};
  CHECK(workgroup_count(endless) == INT64_MAX);
}

TEST_CASE("the least bytes are each value's once where it is read and once where it is written") {
  const Halves halves;
  // Value 0 is read three times, value 1 written in two pieces and read, value 2 written and read by nobody.
  CHECK(least_bytes(halves.plan, halves.bound) == 400 + (400 + 400) + 400);
}

}  // namespace
}  // namespace tuff
