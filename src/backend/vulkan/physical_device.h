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

// nullopt: a device that Tuff cannot use, because it or the instance is below Vulkan 1.1 or it has no compute queue.
// `enabled`: what of a host's device is switched on; null: everything offered, to choose from.
std::optional<PhysicalDevice> read_physical_device(const InstanceFunctions& functions, VkPhysicalDevice handle,
                                                   uint32_t newest_version = kNewestVersion | VK_API_VERSION_PATCH(UINT32_MAX),
                                                   const EnabledFeatures* enabled = nullptr);
// Another family than the one that was chosen: a host's. INVALID_ARGUMENT if it has no compute.
Status use_queue_family(const InstanceFunctions& functions, uint32_t family, PhysicalDevice& device);

}  // namespace tuff::vulkan
