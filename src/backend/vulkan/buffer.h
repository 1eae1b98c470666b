// VulkanBuffer: one VkBuffer with one VkDeviceMemory of its own. Tuff makes few and large ones (weights, arena, parameters,
// inputs, outputs), so an allocator over them would have nothing to share out.
#pragma once

#include "backend/backend.h"
#include "backend/vulkan/device.h"

namespace tuff::vulkan {

// The usage of every buffer that holds tensors, of ours and of hosts.
VkBufferUsageFlags tensor_usage(const DeviceInfo& device);

class VulkanBuffer final : public Buffer {
 public:
  // LIMIT above the device's limits, OUT_OF_MEMORY with the sizes where the memory is not there.
  static Result<std::shared_ptr<VulkanBuffer>> create(std::shared_ptr<VulkanDevice> device, MemoryUse use, uint64_t size_bytes);
  // Someone else's buffer: never mapped, never destroyed.
  static std::shared_ptr<VulkanBuffer> borrow(std::shared_ptr<VulkanDevice> device, VkBuffer handle, uint64_t size_bytes);
  ~VulkanBuffer() override;

  uint64_t size_bytes() const override { return size_bytes_; }
  std::byte* mapped() override { return mapped_; }
  uint64_t native_handle() const override;
  Status flush() override;
  Status invalidate() override;

  VkBuffer handle() const { return buffer_; }
  const VulkanDevice* device() const { return device_.get(); }

 private:
  explicit VulkanBuffer(std::shared_ptr<VulkanDevice> device) : device_(std::move(device)) {}
  Status allocate(MemoryUse use);

  std::shared_ptr<VulkanDevice> device_;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  uint64_t size_bytes_ = 0;
  std::byte* mapped_ = nullptr;
  bool coherent_ = true;
  bool owned_ = true;
};

}  // namespace tuff::vulkan
