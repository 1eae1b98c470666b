// A physical device's properties and features as a DeviceInfo.
#pragma once

#include "backend/vulkan/features.h"
#include "backend/vulkan/functions.h"
#include "device/device_info.h"

namespace tuff::vulkan {

// `features` holds what the driver offers. Limits that a driver states above what Tuff counts in (int64) are cut.
DeviceInfo read_device_info(const InstanceFunctions& functions, VkPhysicalDevice device, const Features& features,
                            const VkPhysicalDeviceMemoryProperties& memory, uint32_t timestamp_valid_bits);

}  // namespace tuff::vulkan
