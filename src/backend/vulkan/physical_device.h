// PhysicalDevice: what one driver says of one GPU, read once: the DeviceInfo that the stages see, and what only this
// folder needs to open it.
#pragma once

#include <optional>

#include "backend/vulkan/features.h"
#include "backend/vulkan/instance.h"
#include "device/device_info.h"

namespace tuff::vulkan {

struct PhysicalDevice {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  DeviceInfo info;
  Features features;  // everything offered; keep_used() before opening
  VkPhysicalDeviceMemoryProperties memory{};
  uint32_t queue_family = 0;
  uint32_t timestamp_valid_bits = 0;
  uint32_t driver_version = 0;  // as the number that the driver's own cache is bound to
};

// nullopt: a device that Tuff cannot use, because it is below Vulkan 1.1 or has no compute queue.
std::optional<PhysicalDevice> read_physical_device(const InstanceFunctions& functions, VkPhysicalDevice handle);

}  // namespace tuff::vulkan
