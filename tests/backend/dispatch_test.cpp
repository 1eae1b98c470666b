// Uploads, dispatches, barriers and read-backs: what every backend has to get right.
#include <doctest/doctest.h>

#include <numeric>

#include "fixture.h"

namespace tuff::test {
namespace {

std::vector<float> ramp(size_t count, float start) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), start);
  return values;
}

uint32_t groups(size_t count) { return static_cast<uint32_t>((count + 63) / 64); }

TEST_CASE("a copy kernel gives back what was uploaded, at sizes that do not divide") {
  for_each_device([](Device& device, auto&) {
    const auto pipelines = pipelines_of(device);
    for (const size_t count : {1, 2, 3, 63, 64, 65, 1021, 100'003}) {
      INFO("count ", count);
      BoundPlan plan;
      const uint64_t size_bytes = count * sizeof(float);
      append(plan, device.info(),
             {kCopy, {input(0, size_bytes), output(0, size_bytes)}, {static_cast<int32_t>(count)}, {groups(count), 1, 1}});
      const auto src = upload_buffer(device, ramp(count, 0.5f));
      const auto dst = allocate(device, MemoryUse::kReadback, size_bytes);
      RecordDesc desc;
      desc.plan = &plan;
      desc.pipelines = pipelines;
      desc.inputs = {src};
      desc.outputs = {dst};
      desc.parameters = parameter_buffer(device, plan);
      run(*record(device, desc));
      CHECK(read_floats(*dst, count) == ramp(count, 0.5f));
    }
  });
}

TEST_CASE("staging copies run before and after the dispatches of one submit") {
  for_each_device([](Device& device, auto&) {
    constexpr size_t kCount = 777;
    constexpr uint64_t kBytes = kCount * sizeof(float);
    BoundPlan plan;
    append(plan, device.info(), {kCopy, {input(0, kBytes), output(0, kBytes)}, {kCount}, {groups(kCount), 1, 1}});
    const auto staging = upload_buffer(device, ramp(kCount, -3));
    const auto readback = allocate(device, MemoryUse::kReadback, kBytes);
    RecordDesc desc;
    desc.plan = &plan;
    desc.pipelines = pipelines_of(device);
    desc.inputs = {allocate(device, MemoryUse::kDevice, kBytes)};
    desc.outputs = {allocate(device, MemoryUse::kDevice, kBytes)};
    desc.parameters = parameter_buffer(device, plan);
    desc.copies_before = {{staging.get(), desc.inputs[0].buffer.get(), kBytes}};
    desc.copies_after = {{desc.outputs[0].buffer.get(), readback.get(), kBytes}};
    desc.keep_alive = {staging, readback};
    const auto recording = record(device, desc);
    const uint64_t submits_before = device.counters().submits;
    run(*recording);
    CHECK(read_floats(*readback, kCount) == ramp(kCount, -3));
    write_floats(*staging, ramp(kCount, 40));
    run(*recording);
    CHECK(read_floats(*readback, kCount) == ramp(kCount, 40));
    CHECK(device.counters().submits == submits_before + 2);
  });
}

// dst = (a + 2 b) + 3 (a + 2 b)^2-like chain: each step reads what the one before wrote.
struct Chain {
  static constexpr size_t kCount = 4099;
  static constexpr uint64_t kBytes = kCount * sizeof(float);
  BoundPlan plan;
  RecordDesc desc;
  std::vector<float> expected;

  Chain(Device& device, bool with_barriers) {
    const DeviceInfo& info = device.info();
    const uint64_t stride = (kBytes + 255) / 256 * 256;  // arena slots at offsets that every device can bind
    append(
        plan, info,
        {kAdd, {input(0, kBytes), weights(0, kBytes), arena(0, kBytes, Access::kWrite)}, {kCount, 2}, {groups(kCount), 1, 1}});
    append(
        plan, info,
        {kSquare, {arena(0, kBytes, Access::kRead), arena(stride, kBytes, Access::kWrite)}, {}, {kCount, 1, 1}, with_barriers});
    append(plan, info,
           {kAdd,
            {arena(0, kBytes, Access::kRead), arena(stride, kBytes, Access::kRead), output(0, kBytes)},
            {kCount, 3},
            {groups(kCount), 1, 1},
            with_barriers});
    std::vector<float> a(kCount), b(kCount);
    for (size_t i = 0; i < kCount; ++i) {
      a[i] = static_cast<float>(i % 17);
      b[i] = static_cast<float>(i % 5) - 2;
      const float sum = a[i] + 2 * b[i];
      expected.push_back(sum + 3 * (sum * sum));
    }
    desc.plan = &plan;
    desc.pipelines = pipelines_of(device);
    desc.inputs = {upload_buffer(device, a)};
    desc.outputs = {allocate(device, MemoryUse::kReadback, kBytes)};
    desc.weights = allocate(device, MemoryUse::kDevice, kBytes);
    REQUIRE(device.upload(*desc.weights, 0, std::as_bytes(std::span(b))).ok());
    desc.arena = allocate(device, MemoryUse::kDevice, 2 * stride);
    desc.parameters = parameter_buffer(device, plan);
  }
};

TEST_CASE("a dispatch sees what the dispatch before its barrier wrote") {
  for_each_device([](Device& device, auto&) {
    Chain chain(device, true);
    run(*record(device, chain.desc));
    CHECK(read_floats(*chain.desc.outputs[0].buffer, Chain::kCount) == chain.expected);
  });
}

TEST_CASE("a dispatch sees what the dispatch before its barrier wrote in another submit") {
  for_each_device([](Device& device, auto&) {
    for (const std::vector<uint32_t>& splits : {std::vector<uint32_t>{1}, {2}, {1, 2}}) {
      Chain chain(device, true);
      chain.desc.splits = splits;
      chain.desc.timestamps = true;
      const auto recording = record(device, chain.desc);
      const DeviceCounters before = device.counters();
      for (int i = 0; i < 20; ++i) run(*recording);
      CHECK(device.counters().submits == before.submits + 20 * (splits.size() + 1));
      CHECK(device.counters().recordings == before.recordings);
      CHECK(read_floats(*chain.desc.outputs[0].buffer, Chain::kCount) == chain.expected);
      const auto times = recording->dispatch_times_ns();
      REQUIRE(times.ok());
      CHECK(times->size() == (device.info().timestamp_period_ns > 0 ? 3 : 0));
      for (const uint64_t time : *times) CHECK(time < 60'000'000'000);
    }
  });
}

TEST_CASE("the validation layer that these tests rely on sees a barrier that is missing") {
  if (!validation_is_on()) {
    MESSAGE("without the validation layer");
    return;
  }
  for_each_device([](Device& device, std::vector<std::string>& messages) {
    Chain chain(device, false);
    run(*record(device, chain.desc));
    size_t hazards = 0;
    for (const std::string& message : messages)  // as layers of 1.3 and of 1.4 say it
      hazards += message.find("SYNC-HAZARD-READ-AFTER-WRITE") != std::string::npos ||
                 message.find("READ_AFTER_WRITE hazard") != std::string::npos;
    CHECK(hazards >= 2);
    messages.clear();
  });
}

TEST_CASE("a recording runs a hundred times with one submit each and nothing else") {
  for_each_device([](Device& device, auto&) {
    Chain chain(device, true);
    const auto recording = record(device, chain.desc);
    const DeviceCounters before = device.counters();
    for (int i = 0; i < 100; ++i) run(*recording);
    const DeviceCounters after = device.counters();
    CHECK(after.submits == before.submits + 100);
    CHECK(after.recordings == before.recordings);
    CHECK(after.allocations == before.allocations);
    CHECK(after.descriptor_writes == before.descriptor_writes);
    CHECK(after.pipelines == before.pipelines);
    CHECK(read_floats(*chain.desc.outputs[0].buffer, Chain::kCount) == chain.expected);
  });
}

TEST_CASE("counters say what a recording took") {
  for_each_device([](Device& device, auto&) {
    Chain chain(device, true);
    const DeviceCounters before = device.counters();
    const auto recording = record(device, chain.desc);
    const DeviceCounters after = device.counters();
    CHECK(after.recordings == before.recordings + 1);
    CHECK(after.descriptor_writes == before.descriptor_writes + 4 + 2 + 4);
    CHECK(after.submits == before.submits);
  });
}

TEST_CASE("a plan without dispatches is a submit that only copies") {
  for_each_device([](Device& device, auto&) {
    const BoundPlan plan;
    RecordDesc desc;
    desc.plan = &plan;
    desc.pipelines = pipelines_of(device);
    const auto src = upload_buffer(device, ramp(5, 1));
    const auto dst = allocate(device, MemoryUse::kReadback, 20);
    desc.copies_after = {{src.get(), dst.get(), 20}};
    desc.keep_alive = {src, dst};
    run(*record(device, desc));
    CHECK(read_floats(*dst, 5) == ramp(5, 1));
  });
}

TEST_CASE("a recording keeps alive what it uses, in whatever order its owner lets go") {
  for_each_device([](Device& device, auto&) {
    std::shared_ptr<Recording> recording;
    std::shared_ptr<Buffer> result;
    std::vector<float> expected;
    {
      Chain chain(device, true);
      recording = record(device, chain.desc);
      result = chain.desc.outputs[0].buffer;
      expected = chain.expected;
    }
    run(*recording);
    CHECK(read_floats(*result, Chain::kCount) == expected);
    REQUIRE(recording->submit().ok());
    recording.reset();  // waits: the device still writes into the buffers
    CHECK(read_floats(*result, Chain::kCount) == expected);
  });
}

TEST_CASE("an upload reaches device memory at any offset, through staging pieces") {
  for_each_device([](Device& device, auto&) {
    constexpr size_t kCount = 1001;
    const auto weights = allocate(device, MemoryUse::kDevice, kCount * 4 + 16);
    const std::vector<float> values = ramp(kCount, 7);
    REQUIRE(device.upload(*weights, 16, std::as_bytes(std::span(values))).ok());
    CHECK(device.upload(*weights, 20, std::as_bytes(std::span(values))).code() == Code::kInvalidArgument);
    CHECK(device.upload(*weights, UINT64_MAX, std::as_bytes(std::span(values))).code() == Code::kInvalidArgument);
    CHECK(device.upload(*weights, kCount * 4 + 16, {}).ok());

    const BoundPlan plan;
    RecordDesc desc;
    desc.plan = &plan;
    desc.pipelines = pipelines_of(device);
    const auto dst = allocate(device, MemoryUse::kReadback, kCount * 4 + 16);
    desc.copies_after = {{weights.get(), dst.get(), kCount * 4 + 16}};
    desc.keep_alive = {weights, dst};
    run(*record(device, desc));
    const std::vector<float> read = read_floats(*dst, kCount + 4);
    CHECK(std::vector<float>(read.begin() + 4, read.end()) == values);
  });
}

}  // namespace
}  // namespace tuff::test
