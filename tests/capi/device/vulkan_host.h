// A Vulkan host for tests: it makes an instance and a device of its own, lends them, and stands between Tuff and the driver
// as a layer would: it counts what Tuff asks for, and can make any call fail.
#pragma once

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <tuff/tuff_vulkan.h>

struct VulkanCounts {
  uint64_t allocations = 0;  // vkAllocateMemory
  uint64_t allocated_bytes = 0;
  uint64_t descriptor_writes = 0;
  uint64_t recordings = 0;  // vkBeginCommandBuffer
  uint64_t submits = 0;
  uint64_t creations = 0;  // every other vkCreate... and vkAllocate...
};

// One a process: the functions that Tuff calls carry no user data.
class VulkanHost {
 public:
  // tier: what of its wishes Tuff gets. Fails the test where there is no driver.
  explicit VulkanHost(tuff_vulkan_tier_t tier = TUFF_VULKAN_RECOMMENDED);
  ~VulkanHost();
  VulkanHost(const VulkanHost&) = delete;
  VulkanHost& operator=(const VulkanHost&) = delete;

  tuff_vulkan_device_desc_t desc() const;
  tuff_device_t* lend() const;  // with desc()

  VulkanCounts counts() const;
  // The call's n-th use from now on (0: the next) answers `result`; and all later ones too if `lasting`.
  void fail(const std::string& call, uint32_t n, VkResult result, bool lasting = false);
  void stop_failing();

  // The host's own memory, device local.
  VkBuffer make_buffer(uint64_t size_bytes, uint32_t usage);
  // Runs one command buffer, which `record` fills.
  template <class Record>
  void run(Record record) {
    record(begin_commands());
    run_commands();
  }
  VkSemaphore make_timeline();
  uint64_t timeline_value(VkSemaphore semaphore);
  // Waits until the value is there: a driver may signal a fence before the semaphores of the same submit.
  bool reaches(VkSemaphore semaphore, uint64_t value);
  void signal(VkSemaphore semaphore, uint64_t value);
  bool has_timelines() const { return has_timelines_; }

  std::vector<std::string> messages;  // of the validation layer, where it is on

 private:
  VkCommandBuffer begin_commands();
  void run_commands();
  template <class Function>
  Function instance_call(const char* name) const;
  template <class Function>
  Function call(const char* name) const;

  VkInstance instance_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  VkPhysicalDevice physical_ = VK_NULL_HANDLE;
  VkDevice device_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  uint32_t family_ = 0;
  bool has_timelines_ = false;
  tuff_vulkan_requirements_t* requirements_ = nullptr;
  std::vector<std::string> extensions_;
  std::vector<const char*> extension_names_;
  VkPhysicalDeviceTimelineSemaphoreFeatures timeline_{};
  std::vector<VkBuffer> buffers_;
  std::vector<VkDeviceMemory> memory_;
  std::vector<VkSemaphore> semaphores_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkCommandBuffer commands_ = VK_NULL_HANDLE;
};
