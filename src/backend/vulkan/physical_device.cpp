#include "backend/vulkan/physical_device.h"

#include <algorithm>

#include "backend/vulkan/info.h"

namespace tuff::vulkan {
namespace {

std::set<std::string> device_extensions(const InstanceFunctions& functions, VkPhysicalDevice device) {
  std::set<std::string> names;
  uint32_t count = 0;
  if (functions.vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr) < 0) return names;
  std::vector<VkExtensionProperties> properties(count);
  if (functions.vkEnumerateDeviceExtensionProperties(device, nullptr, &count, properties.data()) < 0) return names;
  for (uint32_t i = 0; i < count && i < properties.size(); ++i) names.insert(properties[i].extensionName);
  return names;
}

// A family with graphics beside compute where there is one: the one that every driver tests most, and the one that the
// host of a borrowed device usually has.
std::optional<uint32_t> compute_family(const std::vector<VkQueueFamilyProperties>& families) {
  std::optional<uint32_t> found;
  for (uint32_t i = 0; i < families.size(); ++i) {
    if (families[i].queueCount == 0 || !(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)) continue;
    if (families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT) return i;
    if (!found) found = i;
  }
  return found;
}

}  // namespace

std::optional<PhysicalDevice> read_physical_device(const InstanceFunctions& functions, VkPhysicalDevice handle) {
  VkPhysicalDeviceProperties properties;
  functions.vkGetPhysicalDeviceProperties(handle, &properties);
  if (properties.apiVersion < VK_API_VERSION_1_1) return std::nullopt;

  uint32_t count = 0;
  functions.vkGetPhysicalDeviceQueueFamilyProperties(handle, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  functions.vkGetPhysicalDeviceQueueFamilyProperties(handle, &count, families.data());
  families.resize(count);
  const std::optional<uint32_t> family = compute_family(families);
  if (!family) return std::nullopt;

  const uint32_t version = std::min(properties.apiVersion, kNewestVersion | VK_API_VERSION_PATCH(UINT32_MAX));
  PhysicalDevice device{.handle = handle,
                        .info = {},
                        .features = Features(version, device_extensions(functions, handle)),
                        .queue_family = *family,
                        .timestamp_valid_bits = families[*family].timestampValidBits,
                        .driver_version = properties.driverVersion};
  functions.vkGetPhysicalDeviceFeatures2(handle, device.features.chain());
  functions.vkGetPhysicalDeviceMemoryProperties(handle, &device.memory);
  device.features.read_back();
  device.info = read_device_info(functions, handle, device.features, device.memory, device.timestamp_valid_bits);
  return device;
}

}  // namespace tuff::vulkan
