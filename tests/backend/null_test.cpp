// The null backend: it computes nothing, and counts and refuses as a real one does.
#include <doctest/doctest.h>

#include "backend/null/null_device.h"
#include "fixture.h"

namespace tuff::test {
namespace {

TEST_CASE("the null device records and runs a plan without a driver") {
  DeviceInfo info;
  info.name = "nothing";
  info.max_buffer_bytes = 1 << 20;
  const std::shared_ptr<Device> device = open_null_device(info);
  CHECK(device->info().name == "nothing");

  BoundPlan plan;
  append(plan, info, {kCopy, {input(0, 256), output(0, 256)}, {64}, {1, 1, 1}});
  append(plan, info, {kSquare, {output(0, 256), output(1, 256)}, {}, {64, 1, 1}, true});
  RecordDesc desc;
  desc.plan = &plan;
  desc.pipelines = pipelines_of(*device);
  desc.inputs = {upload_buffer(*device, std::vector<float>(64, 3))};
  desc.outputs = {allocate(*device, MemoryUse::kReadback, 256), allocate(*device, MemoryUse::kReadback, 256)};
  desc.parameters = parameter_buffer(*device, plan);
  desc.timestamps = true;
  const auto recording = record(*device, desc);
  for (int i = 0; i < 3; ++i) run(*recording);
  REQUIRE(recording->submit().ok());
  CHECK(recording->submit().code() == Code::kBusy);

  desc.splits = {1};
  run(*record(*device, desc));
  CHECK(device->counters().submits == 6);
  desc.splits = {2};
  CHECK(device->record(desc).status().code() == Code::kInvalidArgument);

  const DeviceCounters counters = device->counters();
  CHECK(counters.submits == 6);
  CHECK(counters.recordings == 2);
  CHECK(counters.allocations == 4);
  CHECK(counters.pipelines == 3);
  CHECK(counters.descriptor_writes == 2 * (2 + 1 + 2));
  CHECK(recording->dispatch_times_ns()->size() == 2);
  CHECK(read_floats(*desc.inputs[0].buffer, 64) == std::vector<float>(64, 3));
}

TEST_CASE("the null device refuses what a real one would") {
  const std::shared_ptr<Device> device = open_null_device({});
  CHECK(device->allocate(MemoryUse::kDevice, 0).status().code() == Code::kInvalidArgument);
  CHECK(device->allocate(MemoryUse::kDevice, UINT64_MAX).status().code() == Code::kLimit);
  CHECK(device->record({}).status().code() == Code::kInvalidArgument);
  const auto buffer = allocate(*device, MemoryUse::kDevice, 8);
  CHECK(device->upload(*buffer, 4, std::vector<std::byte>(5)).code() == Code::kInvalidArgument);
}

TEST_CASE("the null device is never listed") {
  for (const DeviceEntry& entry : list_devices().devices) CHECK(entry.backend != "null");
}

}  // namespace
}  // namespace tuff::test
