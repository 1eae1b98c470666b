// A device that a host lends: it is used through the host's queue lock, and nothing of the host's is destroyed.
#include <doctest/doctest.h>

#include "backend/vulkan/device.h"
#include "fixture.h"

namespace tuff::test {
namespace {

bool squares(const std::shared_ptr<Device>& device) {
  BoundPlan plan;
  append(plan, device->info(), {kSquare, {input(0, 256), output(0, 256)}, {}, {64, 1, 1}});
  RecordDesc desc;
  desc.plan = &plan;
  desc.pipelines = pipelines_of(*device);
  desc.inputs = {upload_buffer(*device, std::vector<float>(64, 3))};
  desc.outputs = {allocate(*device, MemoryUse::kReadback, 256)};
  run(*record(*device, desc));
  return read_floats(*desc.outputs[0].buffer, 64) == std::vector<float>(64, 9);
}

TEST_CASE("a borrowed device uses the host's queue lock and leaves the host's objects alone") {
  std::vector<std::string> messages;
  {
    const auto instance = vulkan::Instance::create([&](int severity, std::string_view message) {
      if (severity <= 1) messages.emplace_back(message);
    });
    REQUIRE(instance.ok());
    const auto handles = (*instance)->physical_devices();
    REQUIRE(handles.ok());
    REQUIRE(!handles->empty());
    const auto physical = vulkan::read_physical_device((*instance)->functions(), (*handles)[0]);
    REQUIRE(physical.has_value());
    // The host: it owns instance and device, and lends them.
    const Result<vulkan::DeviceParts> host = vulkan::open_physical_device(*instance, *physical, {});
    REQUIRE(host.ok());

    vulkan::DeviceParts lent = *host;
    lent.instance = nullptr;
    lent.owned = false;
    int depth = 0, locks = 0;
    lent.lock_queue = [&] { ++locks, ++depth; };
    lent.unlock_queue = [&] { --depth; };
    for (int i = 0; i < 2; ++i) {  // the second borrower finds the device as the first found it
      locks = 0;
      const auto device = std::make_shared<vulkan::VulkanDevice>(lent);
      CHECK(squares(device));
      CHECK(locks == static_cast<int>(device->counters().submits));
      CHECK(depth == 0);
    }
    CHECK(squares(std::make_shared<vulkan::VulkanDevice>(*host)));  // the host, which destroys its device
  }
  for (const std::string& message : messages) {
    INFO(message);
    CHECK(message.find("Vulkan validation: ") == std::string::npos);
  }
}

}  // namespace
}  // namespace tuff::test
