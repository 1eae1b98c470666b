// The backend's decisions that are pure: which device is meant, which memory type serves. No device is needed.
#include <doctest/doctest.h>

#include "backend/select.h"
#include "backend/vulkan/memory.h"

namespace tuff::test {
namespace {

DeviceEntry entry(const char* name, DeviceKind kind, const char* uuid) {
  DeviceEntry e;
  e.info.name = name;
  e.info.kind = kind;
  e.info.device_uuid = uuid;
  e.backend = "vulkan";
  return e;
}

const std::vector<DeviceEntry> kDevices = {
    entry("llvmpipe (LLVM 15)", DeviceKind::kSoftware, "00000000000000000000000000000001"),
    entry("Intel(R) UHD Graphics 770", DeviceKind::kIntegrated, "00000000000000000000000000000002"),
    entry("NVIDIA GeForce RTX 4090", DeviceKind::kDiscrete, "0000000000000000000000000000000a"),
    entry("NVIDIA GeForce RTX 3090", DeviceKind::kDiscrete, "0000000000000000000000000000000b"),
};

size_t chosen(std::string_view selector, bool allow_software = false) {
  const Result<size_t> index = select_device(kDevices, selector, allow_software);
  INFO(index.status().message());
  REQUIRE(index.ok());
  return *index;
}

TEST_CASE("the best device is discrete, then integrated, then anything but software") {
  CHECK(chosen("") == 2);
  CHECK(*select_device(std::span(kDevices).first(2), "", true) == 1);
  CHECK(*select_device(std::span(kDevices).first(1), "", true) == 0);
  const std::vector<DeviceEntry> rare = {kDevices[0], entry("a", DeviceKind::kOther, ""), entry("b", DeviceKind::kVirtual, "")};
  CHECK(*select_device(rare, "", true) == 2);
  CHECK(*select_device(std::span(rare).first(2), "", true) == 1);
}

TEST_CASE("a device is meant by its index, a part of its name, or its UUID") {
  CHECK(chosen("1") == 1);
  CHECK(chosen("3") == 3);
  CHECK(chosen("uhd") == 1);
  CHECK(chosen("geforce") == 2);
  CHECK(chosen("3090") == 3);  // no index, but a part of a name
  CHECK(chosen("0000000000000000000000000000000B") == 3);
  CHECK(chosen("00000000-0000-0000-0000-00000000000a") == 2);
  CHECK(chosen("llvmpipe", true) == 0);
}

TEST_CASE("a selector that means nothing lists what there is") {
  const Result<size_t> none = select_device(kDevices, "Radeon", true);
  REQUIRE(!none.ok());
  CHECK(none.status().code() == Code::kInvalidArgument);
  CHECK(none.status().message().find("'Radeon'") != std::string::npos);
  for (const DeviceEntry& e : kDevices) CHECK(none.status().message().find(e.info.name) != std::string::npos);
}

TEST_CASE("a software driver is used only when asked for by its option") {
  for (const char* selector : {"0", "llvmpipe", "00000000000000000000000000000001"}) {
    const Result<size_t> refused = select_device(kDevices, selector, false);
    REQUIRE(!refused.ok());
    CHECK(refused.status().code() == Code::kUnsupported);
    CHECK(refused.status().message().find("allow_software") != std::string::npos);
  }
}

constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
constexpr VkMemoryPropertyFlags kVisible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
constexpr VkMemoryPropertyFlags kCoherent = VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

VkPhysicalDeviceMemoryProperties memory_of(std::initializer_list<VkMemoryPropertyFlags> types) {
  VkPhysicalDeviceMemoryProperties memory{};
  for (VkMemoryPropertyFlags flags : types) memory.memoryTypes[memory.memoryTypeCount++].propertyFlags = flags;
  return memory;
}

uint32_t type_for(const VkPhysicalDeviceMemoryProperties& memory, MemoryUse use, VkPhysicalDeviceType type,
                  uint32_t allowed = UINT32_MAX) {
  return vulkan::choose_memory_type(memory, allowed, use, vulkan::has_unified_memory(memory, type)).value_or(UINT32_MAX);
}

TEST_CASE("a discrete GPU keeps its own memory for kernels and the host's for transfers") {
  // As RADV and the NVIDIA driver list them, the third one being the window of resizable BAR.
  const auto memory = memory_of({kLocal, kVisible | kCoherent, kLocal | kVisible | kCoherent, kVisible | kCoherent | kCached});
  const auto type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
  CHECK(type_for(memory, MemoryUse::kDevice, type) == 0);
  CHECK(type_for(memory, MemoryUse::kUpload, type) == 1);
  CHECK(type_for(memory, MemoryUse::kReadback, type) == 3);
  CHECK(type_for(memory, MemoryUse::kDevice, type, 0b0110) == 2);
  CHECK(type_for(memory, MemoryUse::kDevice, type, 0b0010) == UINT32_MAX);  // never over the bus
}

TEST_CASE("unified memory is mapped, cached where there is a choice") {
  const auto phone =
      memory_of({kLocal | kVisible | kCoherent, kLocal | kVisible | kCached, kLocal | VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT});
  const auto type = VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
  CHECK(type_for(phone, MemoryUse::kDevice, type) == 1);
  CHECK(type_for(phone, MemoryUse::kUpload, type) == 0);
  CHECK(type_for(phone, MemoryUse::kReadback, type) == 1);
  const auto laptop = memory_of({kLocal, kLocal | kVisible | kCoherent, kLocal | kVisible | kCoherent | kCached});
  CHECK(type_for(laptop, MemoryUse::kDevice, type) == 2);
  CHECK(!vulkan::has_unified_memory(laptop, VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU));
}

TEST_CASE("protected and lazily allocated memory serves nothing") {
  const auto memory =
      memory_of({kLocal | kVisible | VK_MEMORY_PROPERTY_PROTECTED_BIT, kLocal | VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT});
  for (const MemoryUse use : {MemoryUse::kDevice, MemoryUse::kUpload, MemoryUse::kReadback})
    CHECK(type_for(memory, use, VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU) == UINT32_MAX);
}

}  // namespace
}  // namespace tuff::test
