// Pipelines: what is shared, what the driver's cache may do, and what the compiler tells of kernels.
#include <doctest/doctest.h>

#include "backend/vulkan/pipeline_cache.h"
#include "fixture.h"

namespace tuff::test {
namespace {

std::vector<std::byte> some_bytes(size_t count) {
  std::vector<std::byte> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 37 + 11);
  return bytes;
}

DeviceInfo some_device() {
  DeviceInfo info;
  info.uuid = "00112233445566778899aabbccddeeff";
  info.driver_version = "1.2.3";
  return info;
}

TEST_CASE("a cache blob comes back whole, or not at all after any bit has changed") {
  const std::vector<std::byte> payload = some_bytes(100);
  const std::vector<std::byte> file = vulkan::wrap_pipeline_cache(payload, some_device(), 7);
  const auto whole = vulkan::unwrap_pipeline_cache(file, some_device(), 7);
  REQUIRE(whole.has_value());
  CHECK(std::equal(whole->begin(), whole->end(), payload.begin(), payload.end()));
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::vector<std::byte> damaged = file;
    damaged[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    INFO("bit ", bit);
    CHECK(!vulkan::unwrap_pipeline_cache(damaged, some_device(), 7).has_value());
  }
  for (size_t size = 0; size < file.size(); ++size)
    CHECK(!vulkan::unwrap_pipeline_cache(std::span(file).first(size), some_device(), 7).has_value());
  std::vector<std::byte> longer = file;
  longer.push_back(std::byte{0});
  CHECK(!vulkan::unwrap_pipeline_cache(longer, some_device(), 7).has_value());
}

TEST_CASE("a cache blob of another device or driver is not taken") {
  const std::vector<std::byte> file = vulkan::wrap_pipeline_cache(some_bytes(10), some_device(), 7);
  DeviceInfo other = some_device();
  CHECK(vulkan::unwrap_pipeline_cache(file, other, 7).has_value());
  CHECK(!vulkan::unwrap_pipeline_cache(file, other, 8).has_value());
  other.uuid[0] = '1';
  CHECK(!vulkan::unwrap_pipeline_cache(file, other, 7).has_value());
  other = some_device();
  other.driver_version = "1.2.4";
  CHECK(!vulkan::unwrap_pipeline_cache(file, other, 7).has_value());
}

// Opens a device beside the one under test, to count what a fresh start does.
struct Store {
  std::vector<std::byte> file;
  int loads = 0, stores = 0;
  PipelineOptions io() {
    return {[this] { return ++loads, file; },
            [this](std::span<const std::byte> data) {
              ++stores;
              file.assign(data.begin(), data.end());
            }};
  }
};

bool copies(Device& device, const std::shared_ptr<Pipelines>& pipelines) {
  BoundPlan plan;
  append(plan, device.info(), {kCopy, {input(0, 256), output(0, 256)}, {64}, {1, 1, 1}});
  RecordDesc desc;
  desc.plan = &plan;
  desc.pipelines = pipelines;
  desc.inputs = {upload_buffer(device, std::vector<float>(64, 2.5f))};
  desc.outputs = {allocate(device, MemoryUse::kReadback, 256)};
  desc.parameters = parameter_buffer(device, plan);
  run(*record(device, desc));
  return read_floats(*desc.outputs[0].buffer, 64) == std::vector<float>(64, 2.5f);
}

TEST_CASE("the driver's cache is stored once, loaded again, and damage to it only costs time") {
  for_each_device([](Device& device, auto&) {
    Store store;
    REQUIRE(device.create_pipelines(test_kernels(), store.io()).ok());
    CHECK(store.loads == 1);
    REQUIRE(store.stores == 1);
    REQUIRE(store.file.size() > 72);

    const auto warm = device.create_pipelines(test_kernels(), store.io());
    REQUIRE(warm.ok());
    CHECK(store.loads == 2);
    CHECK(copies(device, *warm));

    const std::vector<std::byte> good = store.file;
    auto with_file = [&](std::vector<std::byte> file) {
      store.file = std::move(file);
      const int stores = store.stores;
      const auto pipelines = device.create_pipelines(test_kernels(), store.io());
      REQUIRE(pipelines.ok());
      CHECK(store.stores == stores + 1);  // what was not taken is replaced
      CHECK(copies(device, *pipelines));
    };
    with_file({});
    with_file(some_bytes(good.size()));
    with_file({good.begin(), good.begin() + static_cast<ptrdiff_t>(good.size() / 2)});
    for (size_t at : {size_t{0}, size_t{9}, size_t{20}, size_t{40}, size_t{60}, size_t{72}, good.size() - 1}) {
      std::vector<std::byte> damaged = good;
      damaged[at] ^= std::byte{16};
      with_file(damaged);
    }
  });
}

TEST_CASE("kernels with the same words share one pipeline") {
  for_each_device([](Device& device, auto&) {
    CompiledKernels kernels = test_kernels();
    kernels.kernels.push_back(kernels.kernels[kCopy]);
    kernels.kernels.back().name = "copy_again";
    const uint64_t before = device.counters().pipelines;
    REQUIRE(device.create_pipelines(kernels, {}).ok());
    CHECK(device.counters().pipelines == before + 3);
  });
}

}  // namespace

// Needs no device that executes: also run with drivers whose hardware is not there.
TEST_SUITE("compile") {
  TEST_CASE("every driver compiles the kernels, and tells of them where it says it does") {
    OpenOptions options;
    options.statistics = true;
    for_each_device(
        [](Device& device, auto&) {
          const auto pipelines = pipelines_of(device);
          const std::vector<PipelineStatistics> all = device.statistics(*pipelines);
          if (!device.info().pipeline_executable_properties) {
            CHECK(all.empty());
            return;
          }
          REQUIRE(all.size() == 3);
          CHECK(all[kAdd].kernel == "add");
          for (const PipelineStatistics& s : all) {
            INFO(s.kernel);
            CHECK(!s.values.empty());
            for (const auto& [name, value] : s.values) CHECK(!name.empty());
            CHECK(s.usage.spill_count() == 0);
            CHECK(s.usage.registers != 0);
          }
        },
        options);
  }

  TEST_CASE("without being asked a device keeps no statistics") {
    for_each_device([](Device& device, auto&) { CHECK(device.statistics(*pipelines_of(device)).empty()); });
  }
}

}  // namespace tuff::test
