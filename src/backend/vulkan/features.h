// Features: what of a physical device Tuff asks about and, where it exists, switches on.
//
// Each feature structure is chained only where the device's version or an extension brings it; the same chain is read by
// vkGetPhysicalDeviceFeatures2 and given to vkCreateDevice, so that DeviceInfo never says more than what is enabled.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "backend/vulkan/api.h"

namespace tuff::vulkan {

// What a host has enabled on a device of its own: extensions, and a chain of feature structures (may be null).
struct EnabledFeatures {
  std::set<std::string> extensions;
  const void* chain = nullptr;
};

class Features {
 public:
  // `version` is the version that may be used: the lesser of the device's and Tuff's newest.
  Features(uint32_t version, std::set<std::string> device_extensions);

  bool has_extension(const char* name) const { return extensions_.count(name) != 0; }
  // True where the core version contains the extension or the device lists it.
  bool available(const char* extension, uint32_t core_version) const;

  // The structures that are available, linked; valid until the object moves or chain() is called again.
  VkPhysicalDeviceFeatures2* chain();
  // After the driver has filled the chain: takes the 1.0 features over into `core`.
  void read_back() { core = head_.features; }
  // Clears what Tuff has no use for, so that the rest may be enabled as it is.
  void keep_used(bool statistics);
  // Clears everything: what every Vulkan 1.1 device has is left.
  void clear();
  // Exactly what a host's chain has on, be it in a structure of its own or in one of a core version.
  void enable_only(const void* chain);
  // "VkPhysicalDevice16BitStorageFeatures::storageBuffer16BitAccess" for each that is on.
  std::vector<std::string> names() const;
  // The extensions to enable for what is kept.
  std::vector<const char*> enabled_extensions() const;

  uint32_t version;
  VkPhysicalDeviceFeatures core{};
  VkPhysicalDevice16BitStorageFeatures storage16;
  VkPhysicalDevice8BitStorageFeatures storage8;
  VkPhysicalDeviceShaderFloat16Int8Features float16_int8;
  VkPhysicalDeviceVulkanMemoryModelFeatures memory_model;
  VkPhysicalDeviceSubgroupSizeControlFeatures subgroup_size;
  VkPhysicalDeviceShaderIntegerDotProductFeatures integer_dot;
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix;
  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable;

 private:
  template <class Self, class Visit>
  static void for_each(Self& self, Visit visit);

  std::set<std::string> extensions_;
  VkPhysicalDeviceFeatures2 head_;
  bool link_executable_ = true;
  bool required_only_ = false;
};

}  // namespace tuff::vulkan
