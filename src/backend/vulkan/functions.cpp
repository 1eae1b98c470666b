#include "backend/vulkan/functions.h"

namespace tuff::vulkan {
namespace {

Status missing(const char* name) {
  return unsupported("The Vulkan driver has no function '" + std::string(name) + "', which Vulkan 1.1 requires.");
}

}  // namespace

Result<InstanceFunctions> load_instance_functions(PFN_vkGetInstanceProcAddr get, VkInstance instance) {
  InstanceFunctions table;
#define TUFF_VK_INSTANCE(name)                                     \
  table.name = reinterpret_cast<PFN_##name>(get(instance, #name)); \
  if (table.name == nullptr) return missing(#name);
#define TUFF_VK_INSTANCE_OPTIONAL(name) table.name = reinterpret_cast<PFN_##name>(get(instance, #name));
#include "backend/vulkan/functions.def"
  return table;
}

Result<DeviceFunctions> load_device_functions(const InstanceFunctions& instance, VkDevice device) {
  DeviceFunctions table;
#define TUFF_VK_DEVICE(name)                                                              \
  table.name = reinterpret_cast<PFN_##name>(instance.vkGetDeviceProcAddr(device, #name)); \
  if (table.name == nullptr) return missing(#name);
#define TUFF_VK_DEVICE_OPTIONAL(name) table.name = reinterpret_cast<PFN_##name>(instance.vkGetDeviceProcAddr(device, #name));
#include "backend/vulkan/functions.def"
  return table;
}

}  // namespace tuff::vulkan
