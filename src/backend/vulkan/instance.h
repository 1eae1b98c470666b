// Instance: a VkInstance of our own with its function table, and where the driver's and the layers' messages go.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "backend/vulkan/functions.h"

namespace tuff::vulkan {

// Tuff uses nothing above this version except through extensions.
inline constexpr uint32_t kNewestVersion = VK_API_VERSION_1_3;

using Log = std::function<void(int severity, std::string_view message)>;

class Instance {
 public:
  // UNSUPPORTED with a sentence for a person when there is no loader or no driver.
  // The allocator stays with the instance; null: the driver's own.
  static Result<std::shared_ptr<const Instance>> create(Log log, const VkAllocationCallbacks* allocator = nullptr);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  VkInstance handle() const { return handle_; }
  const InstanceFunctions& functions() const { return functions_; }
  bool debug_utils() const { return debug_utils_; }
  const Log& log() const { return log_; }
  const VkAllocationCallbacks* allocator() const { return allocator_; }
  Result<std::vector<VkPhysicalDevice>> physical_devices() const;

 private:
  Instance(Log log, const VkAllocationCallbacks* allocator) : log_(std::move(log)), allocator_(allocator) {}

  Log log_;
  const VkAllocationCallbacks* allocator_;
  VkInstance handle_ = VK_NULL_HANDLE;
  InstanceFunctions functions_;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  bool debug_utils_ = false;
};

}  // namespace tuff::vulkan
