// The function tables: one an instance, one a device. A borrowed device fills them from the host's vkGetInstanceProcAddr;
// nothing here is global, so that two loaders can live in one process.
#pragma once

#include "backend/vulkan/api.h"
#include "base/status.h"

namespace tuff::vulkan {

struct InstanceFunctions {
#define TUFF_VK_INSTANCE(name) PFN_##name name = nullptr;
#define TUFF_VK_INSTANCE_OPTIONAL(name) PFN_##name name = nullptr;
#include "backend/vulkan/functions.def"
};

struct DeviceFunctions {
#define TUFF_VK_DEVICE(name) PFN_##name name = nullptr;
#define TUFF_VK_DEVICE_OPTIONAL(name) PFN_##name name = nullptr;
#include "backend/vulkan/functions.def"
};

// UNSUPPORTED naming the first call that the driver lacks.
Result<InstanceFunctions> load_instance_functions(PFN_vkGetInstanceProcAddr get, VkInstance instance);
Result<DeviceFunctions> load_device_functions(const InstanceFunctions& instance, VkDevice device);

}  // namespace tuff::vulkan
