// Devices that a host has opened itself. Plain data, so that the layers above need no header of the API's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace tuff {

// Handles of Vulkan's as the addresses that they are.
struct BorrowedVulkanDevice {
  void (*get_instance_proc_addr)() = nullptr;
  void* instance = nullptr;
  void* physical_device = nullptr;
  uint32_t api_version = 0;  // 0: 1.1
  void* device = nullptr;
  void* queue = nullptr;
  uint32_t queue_family = 0;
  std::vector<std::string> extensions;
  const void* features = nullptr;   // a chain; null: none
  const void* allocator = nullptr;  // VkAllocationCallbacks
  std::function<void()> lock_queue, unlock_queue;
  std::function<void(int severity, std::string_view message)> log;
};
Result<std::shared_ptr<Device>> borrow_vulkan_device(const BorrowedVulkanDevice& host);

struct VulkanRequirements {
  uint32_t queue_family = 0;
  std::vector<std::string> extensions, features;
  std::shared_ptr<const void> chain;  // VkPhysicalDeviceFeatures2, what follows it owned with it
};
// recommended: false: only what nothing runs without.
Result<VulkanRequirements> vulkan_requirements(void (*get_instance_proc_addr)(), void* instance, void* physical_device,
                                               uint32_t api_version, bool recommended);

// VkBufferUsageFlags of buffers that hold tensors.
uint32_t vulkan_buffer_usage(const DeviceInfo& device);

// Stages and accesses, as Vulkan's flags, of the first reads and the last writes of a recording.
struct VulkanDependency {
  uint32_t stages = 0, access = 0;
};
VulkanDependency vulkan_input_dependency();
VulkanDependency vulkan_output_dependency();

}  // namespace tuff
