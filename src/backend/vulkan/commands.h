// Commands: a command pool, its command buffers, each a submit, and the fence of the last; what an upload and a recording
// share.
#pragma once

#include "backend/vulkan/device.h"

namespace tuff::vulkan {

// A global memory barrier. Writes named on the left are visible to accesses named on the right.
void write_barrier(const DeviceFunctions& calls, VkCommandBuffer commands, VkPipelineStageFlags src_stages,
                   VkAccessFlags src_access, VkPipelineStageFlags dst_stages, VkAccessFlags dst_access);
void write_copy(const DeviceFunctions& calls, VkCommandBuffer commands, VkBuffer src, VkBuffer dst, uint64_t dst_offset,
                uint64_t size_bytes, uint64_t src_offset = 0);

class Commands {
 public:
  static Result<std::unique_ptr<Commands>> create(std::shared_ptr<VulkanDevice> device, size_t buffer_count = 1);
  ~Commands();  // waits for what is in flight
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  VkCommandBuffer handle(size_t index = 0) const { return buffers_[index]; }
  bool in_flight() const { return in_flight_; }
  bool finished_once() const { return signalled_; }  // the last submit was waited for
  Status begin(size_t index = 0);
  Status end(size_t index = 0);
  Status submit(const SubmitDesc& desc = {});  // of all, in order; BUSY while in flight
  Result<bool> wait(uint64_t timeout_ns);      // true if nothing is in flight

 private:
  explicit Commands(std::shared_ptr<VulkanDevice> device) : device_(std::move(device)) {}
  void finish();

  std::shared_ptr<VulkanDevice> device_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  std::vector<VkCommandBuffer> buffers_;
  VkFence fence_ = VK_NULL_HANDLE;
  bool in_flight_ = false;
  bool signalled_ = false;
};

}  // namespace tuff::vulkan
