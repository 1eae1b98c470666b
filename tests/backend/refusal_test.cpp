// What must be refused before the driver sees it, and how a run that is not finished answers.
#include <doctest/doctest.h>

#include <thread>

#include "fixture.h"

namespace tuff::test {
namespace {

TEST_CASE("buffers of impossible sizes are refused with the size and the limit") {
  for_each_device([](Device& device, auto&) {
    const auto nothing = device.allocate(MemoryUse::kDevice, 0);
    REQUIRE(!nothing.ok());
    CHECK(nothing.status().code() == Code::kInvalidArgument);
    const uint64_t limit = static_cast<uint64_t>(std::min(device.info().max_buffer_bytes, device.info().max_allocation_bytes));
    for (const uint64_t size : {limit + 1, UINT64_MAX}) {
      const auto huge = device.allocate(MemoryUse::kDevice, size);
      REQUIRE(!huge.ok());
      CHECK(huge.status().code() == Code::kLimit);
      CHECK(huge.status().message().find(std::to_string(size)) != std::string::npos);
      CHECK(huge.status().message().find(std::to_string(limit)) != std::string::npos);
    }
  });
}

// A valid copy of 64 floats, for tests to break.
struct Copy {
  BoundPlan plan;
  RecordDesc desc;
  explicit Copy(Device& device, std::shared_ptr<Pipelines> pipelines = nullptr) {
    append(plan, device.info(), {kCopy, {input(0, 256), output(0, 256)}, {64}, {1, 1, 1}});
    desc.plan = &plan;
    desc.pipelines = pipelines != nullptr ? pipelines : pipelines_of(device);
    desc.inputs = {upload_buffer(device, std::vector<float>(64, 1.5f))};
    desc.outputs = {allocate(device, MemoryUse::kReadback, 256)};
    desc.parameters = parameter_buffer(device, plan);
  }
};

TEST_CASE("a plan that reaches outside a buffer or a limit is refused") {
  struct Break {
    const char* what;
    Code code;
    std::function<void(Copy&, Device&)> apply;
  };
  const Break breaks[] = {
      {"no plan", Code::kInvalidArgument, [](Copy& c, Device&) { c.desc.plan = nullptr; }},
      {"no pipelines", Code::kInvalidArgument, [](Copy& c, Device&) { c.desc.pipelines = nullptr; }},
      {"a split before all dispatches", Code::kInvalidArgument, [](Copy& c, Device&) { c.desc.splits = {0}; }},
      {"a split behind all dispatches", Code::kInvalidArgument, [](Copy& c, Device&) { c.desc.splits = {1}; }},
      {"a kernel that is not there", Code::kInternal, [](Copy& c, Device&) { c.plan.dispatches[0].kernel = KernelId(99); }},
      {"an input that is not there", Code::kInvalidArgument,
       [](Copy& c, Device&) { c.plan.dispatches[0].ranges[0].index = 1; }},
      {"weights that were not given", Code::kInvalidArgument,
       [](Copy& c, Device&) { c.plan.dispatches[0].ranges[0].buffer = BufferKind::kWeights; }},
      {"a range past the end", Code::kInvalidArgument,
       [](Copy& c, Device&) { c.plan.dispatches[0].ranges[1].size_bytes = 260; }},
      {"an offset past the end", Code::kInvalidArgument, [](Copy& c, Device&) { c.plan.dispatches[0].ranges[1].offset = 512; }},
      {"an offset that wraps", Code::kInvalidArgument,
       [](Copy& c, Device&) { c.plan.dispatches[0].ranges[1].offset = UINT64_MAX - 255; }},
      {"an empty range", Code::kInvalidArgument, [](Copy& c, Device&) { c.plan.dispatches[0].ranges[1].size_bytes = 0; }},
      {"an offset between alignments", Code::kInternal,
       [](Copy& c, Device&) { c.plan.dispatches[0].ranges[1].offset = 2, c.plan.dispatches[0].ranges[1].size_bytes = 128; }},
      {"too few ranges", Code::kInternal, [](Copy& c, Device&) { c.plan.dispatches[0].ranges.pop_back(); }},
      {"a grid of nothing", Code::kLimit, [](Copy& c, Device&) { c.plan.dispatches[0].grid[1] = 0; }},
      {"a grid above the limit", Code::kLimit,
       [](Copy& c, Device& d) { c.plan.dispatches[0].grid[1] = static_cast<uint32_t>(d.info().max_workgroup_count[1] + 1); }},
      {"no parameters", Code::kInvalidArgument, [](Copy& c, Device&) { c.desc.parameters = nullptr; }},
      {"parameters past the end", Code::kInternal, [](Copy& c, Device&) { c.plan.dispatches[0].parameter_bytes = 32; }},
      {"a copy of nothing", Code::kInvalidArgument,
       [](Copy& c, Device&) {
         c.desc.copies_after = {{c.desc.outputs[0].buffer.get(), c.desc.inputs[0].buffer.get(), 0}};
       }},
      {"a copy past the end", Code::kInvalidArgument,
       [](Copy& c, Device&) {
         c.desc.copies_before = {{c.desc.outputs[0].buffer.get(), c.desc.inputs[0].buffer.get(), 257}};
       }},
      {"a copy from nowhere", Code::kInvalidArgument,
       [](Copy& c, Device&) {
         c.desc.copies_before = {{nullptr, c.desc.inputs[0].buffer.get(), 4}};
       }},
  };
  for_each_device([&](Device& device, auto&) {
    const auto pipelines = pipelines_of(device);
    {
      Copy copy(device, pipelines);
      run(*record(device, copy.desc));
      CHECK(read_floats(*copy.desc.outputs[0].buffer, 64) == std::vector<float>(64, 1.5f));
    }
    for (const Break& broken : breaks) {
      INFO(broken.what);
      Copy copy(device, pipelines);
      broken.apply(copy, device);
      const auto recording = device.record(copy.desc);
      REQUIRE(!recording.ok());
      INFO(recording.status().message());
      CHECK(recording.status().code() == broken.code);
      CHECK(recording.status().message().back() == '.');
    }
  });
}

TEST_CASE("buffers and pipelines of another device are refused") {
  const DeviceList list = list_devices();
  REQUIRE(!list.devices.empty());
  OpenOptions options;
  options.allow_software = true;
  const auto one = open_device("0", options), two = open_device("0", options);
  REQUIRE(one.ok());
  REQUIRE(two.ok());
  Copy copy(**one);
  CHECK(two.value()->record(copy.desc).status().code() == Code::kInvalidArgument);
  copy.desc.pipelines = pipelines_of(**two);
  CHECK(two.value()->record(copy.desc).status().code() == Code::kInvalidArgument);
}

TEST_CASE("kernels above the device's limits are refused by name") {
  for_each_device([](Device& device, auto&) {
    CompiledKernels kernels = test_kernels();
    kernels.kernels[kAdd].workgroup = {static_cast<uint32_t>(device.info().max_workgroup_size[0] + 1), 1, 1};
    Result<std::shared_ptr<Pipelines>> made = device.create_pipelines(kernels, {});
    REQUIRE(!made.ok());
    CHECK(made.status().code() == Code::kLimit);
    CHECK(made.status().message().find("'add'") != std::string::npos);

    kernels = test_kernels();
    kernels.kernels[kCopy].texel_words.assign(static_cast<size_t>(device.info().max_storage_buffers) + 1, 0);
    made = device.create_pipelines(kernels, {});
    REQUIRE(!made.ok());
    CHECK(made.status().code() == Code::kLimit);
    CHECK(made.status().message().find("'copy'") != std::string::npos);
  });
}

// A run of tens of milliseconds or more, whatever the device.
std::shared_ptr<Recording> slow_recording(Device& device, BoundPlan& plan, std::shared_ptr<Buffer>& result) {
  append(plan, device.info(), {KernelIndex{0}, {output(0, 64 * 4)}, {62'500}, {1, 1, 1}});
  Result<std::shared_ptr<Pipelines>> pipelines = device.create_pipelines({{slow_kernel()}}, {});
  REQUIRE(pipelines.ok());
  RecordDesc desc;
  desc.plan = &plan;
  desc.pipelines = *pipelines;
  desc.outputs = {allocate(device, MemoryUse::kReadback, 64 * 4)};
  desc.parameters = parameter_buffer(device, plan);
  desc.timestamps = true;
  result = desc.outputs[0].buffer;
  return record(device, desc);
}

TEST_CASE("a run that is not finished in time says so, and is BUSY until it has been waited for") {
  for_each_device([](Device& device, auto&) {
    BoundPlan plan;
    std::shared_ptr<Buffer> result;
    const auto recording = slow_recording(device, plan, result);
    CHECK(*recording->wait(0));  // nothing is in flight
    REQUIRE(recording->submit().ok());
    const Result<bool> early = recording->wait(0);
    REQUIRE(early.ok());
    CHECK(!*early);
    CHECK(recording->submit().code() == Code::kBusy);
    CHECK(!recording->dispatch_times_ns().ok() == (device.info().timestamp_period_ns > 0));
    const Result<bool> late = recording->wait(60'000'000'000);
    REQUIRE(late.ok());
    CHECK(*late);
    CHECK(*recording->wait(0));

    uint32_t word = 63;
    for (int i = 0; i < 4'000'000; ++i) word = word * 1664525u + 1013904223u;
    REQUIRE(result->invalidate().ok());
    CHECK(reinterpret_cast<const uint32_t*>(result->mapped())[63] == word);

    const Result<std::vector<uint64_t>> times = recording->dispatch_times_ns();
    REQUIRE(times.ok());
    if (device.info().timestamp_period_ns > 0) {
      REQUIRE(times->size() == 1);
      CHECK((*times)[0] > 0);
      CHECK((*times)[0] < 60'000'000'000);
    } else {
      CHECK(times->empty());
    }
  });
}

TEST_CASE("threads share a device, each with a recording of its own") {
  for_each_device([](Device& device, auto&) {
    std::vector<Copy> copies;
    std::vector<std::shared_ptr<Recording>> recordings;
    for (int i = 0; i < 4; ++i) copies.emplace_back(device);
    for (Copy& copy : copies) {
      copy.desc.plan = &copy.plan;
      recordings.push_back(record(device, copy.desc));
    }
    std::vector<int> failures(4, 0);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const auto more = device.allocate(MemoryUse::kDevice, 4096);
          const Status submitted = recordings[t]->submit();
          const Result<bool> finished = recordings[t]->wait(UINT64_MAX);
          failures[t] += !more.ok() || !submitted.ok() || !finished.ok() || !*finished;
        }
      });
    for (std::thread& thread : threads) thread.join();
    for (int t = 0; t < 4; ++t) {
      CHECK(failures[t] == 0);
      CHECK(read_floats(*copies[t].desc.outputs[0].buffer, 64) == std::vector<float>(64, 1.5f));
    }
  });
}

}  // namespace

TEST_SUITE("no_driver") {
  TEST_CASE("a machine without a driver has no devices and a sentence that says why") {
    const DeviceList list = list_devices();
    CHECK(list.devices.empty());
    MESSAGE(list.why_empty);
    CHECK(list.why_empty.find("VK_ICD_FILENAMES") != std::string::npos);
    CHECK(list.why_empty.back() == '.');
    OpenOptions options;
    options.allow_software = true;
    const auto device = open_device("", options);
    REQUIRE(!device.ok());
    CHECK(device.status().code() == Code::kUnsupported);
    CHECK(device.status().message() == "There is no device to run on. " + list.why_empty);
  }
}

}  // namespace tuff::test
