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

std::vector<VkQueueFamilyProperties> queue_families(const InstanceFunctions& functions, VkPhysicalDevice device) {
  uint32_t count = 0;
  functions.vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  functions.vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  families.resize(count);
  return families;
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

std::optional<PhysicalDevice> read_physical_device(const InstanceFunctions& functions, VkPhysicalDevice handle,
                                                   uint32_t newest_version, const EnabledFeatures* enabled) {
  VkPhysicalDeviceProperties properties;
  functions.vkGetPhysicalDeviceProperties(handle, &properties);
  const uint32_t version = std::min(properties.apiVersion, newest_version);
  if (version < VK_API_VERSION_1_1) return std::nullopt;
  const std::vector<VkQueueFamilyProperties> families = queue_families(functions, handle);
  const std::optional<uint32_t> family = compute_family(families);
  if (!family) return std::nullopt;

  PhysicalDevice device{.handle = handle,
                        .info = {},
                        .features = Features(version, enabled ? enabled->extensions : device_extensions(functions, handle)),
                        .queue_family = *family,
                        .timestamp_valid_bits = families[*family].timestampValidBits,
                        .driver_version = properties.driverVersion};
  if (enabled)
    device.features.enable_only(enabled->chain);
  else
    functions.vkGetPhysicalDeviceFeatures2(handle, device.features.chain());
  functions.vkGetPhysicalDeviceMemoryProperties(handle, &device.memory);
  if (!enabled) device.features.read_back();
  device.info = read_device_info(functions, handle, device.features, device.memory, device.timestamp_valid_bits);
  return device;
}

Status use_queue_family(const InstanceFunctions& functions, uint32_t family, PhysicalDevice& device) {
  const std::vector<VkQueueFamilyProperties> families = queue_families(functions, device.handle);
  if (family >= families.size() || !(families[family].queueFlags & VK_QUEUE_COMPUTE_BIT))
    return invalid_argument("The queue family " + std::to_string(family) + " of '" + device.info.name + "' does not compute.");
  device.queue_family = family;
  device.timestamp_valid_bits = families[family].timestampValidBits;
  if (device.timestamp_valid_bits == 0) device.info.timestamp_period_ns = 0;
  return ok_status();
}

}  // namespace tuff::vulkan
