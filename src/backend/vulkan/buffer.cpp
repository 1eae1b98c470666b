#include "backend/vulkan/buffer.h"

#include "backend/vulkan/memory.h"

namespace tuff::vulkan {

VkBufferUsageFlags tensor_usage(const DeviceInfo& device) {
  VkBufferUsageFlags usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  if (usable_texel_buffers(device) > 0) usage |= VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT;
  return usage;
}

uint64_t VulkanBuffer::native_handle() const {
  // A pointer or, where pointers are 32 bits wide, a number.
  if constexpr (std::is_pointer_v<VkBuffer>)
    return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(buffer_));
  else
    return (uint64_t)buffer_;
}

Result<std::shared_ptr<VulkanBuffer>> VulkanBuffer::create(std::shared_ptr<VulkanDevice> device, MemoryUse use,
                                                           uint64_t size_bytes) {
  TUFF_TRY(device->usable());
  const DeviceInfo& limits = device->info();
  if (size_bytes == 0) return invalid_argument("A buffer of 0 bytes was asked for.");
  const auto most = static_cast<uint64_t>(std::min(limits.max_buffer_bytes, limits.max_allocation_bytes));
  if (size_bytes > most)
    return limit_exceeded("A buffer of " + std::to_string(size_bytes) + " bytes is above the " + std::to_string(most) +
                          " that '" + limits.name + "' allows in one buffer.");

  std::shared_ptr<VulkanBuffer> buffer(new VulkanBuffer(std::move(device)));
  buffer->size_bytes_ = size_bytes;
  TUFF_TRY(buffer->allocate(use));
  return buffer;
}

std::shared_ptr<VulkanBuffer> VulkanBuffer::borrow(std::shared_ptr<VulkanDevice> device, VkBuffer handle, uint64_t size_bytes) {
  std::shared_ptr<VulkanBuffer> buffer(new VulkanBuffer(std::move(device)));
  buffer->buffer_ = handle;
  buffer->size_bytes_ = size_bytes;
  buffer->owned_ = false;
  return buffer;
}

Status VulkanBuffer::allocate(MemoryUse use) {
  const DeviceFunctions& calls = device_->functions();
  auto info = structure<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
  info.size = size_bytes_;
  info.usage = tensor_usage(device_->info()) | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
               VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  if (use == MemoryUse::kUpload) info.usage |= VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
  info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
  TUFF_TRY(device_->check(calls.vkCreateBuffer(device_->handle(), &info, device_->allocator(), &buffer_), "vkCreateBuffer"));

  VkMemoryRequirements needs{};
  calls.vkGetBufferMemoryRequirements(device_->handle(), buffer_, &needs);
  const VkPhysicalDeviceMemoryProperties& memory = device_->parts().physical.memory;
  uint32_t allowed = needs.memoryTypeBits;
  Status allocated = internal_error("'" + device_->info().name + "' has no memory type that serves this use of a buffer.");
  while (const auto type = choose_memory_type(memory, allowed, use, device_->info().unified_memory)) {
    auto allocation = structure<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    allocation.allocationSize = needs.size;
    allocation.memoryTypeIndex = *type;
    const VkResult result = calls.vkAllocateMemory(device_->handle(), &allocation, device_->allocator(), &memory_);
    allocated = device_->check(result, "vkAllocateMemory");
    if (allocated.ok()) {
      const VkMemoryPropertyFlags flags = memory.memoryTypes[*type].propertyFlags;
      coherent_ = flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
      const bool visible = flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
      // Mapped on discrete GPUs only where the use says so: the window into their memory reads slowly.
      if (!visible || (use == MemoryUse::kDevice && !device_->info().unified_memory)) break;
      void* address = nullptr;
      TUFF_TRY(device_->check(calls.vkMapMemory(device_->handle(), memory_, 0, VK_WHOLE_SIZE, 0, &address), "vkMapMemory"));
      mapped_ = static_cast<std::byte*>(address);
      break;
    }
    memory_ = VK_NULL_HANDLE;
    if (allocated.code() != Code::kOutOfMemory) return allocated;
    allowed &= ~(1u << *type);  // its heap is full; another heap may not be
  }
  if (!allocated.ok()) {
    if (allocated.code() != Code::kOutOfMemory) return allocated;
    return out_of_memory("A buffer of " + std::to_string(size_bytes_) + " bytes could not be allocated on '" +
                         device_->info().name + "', whose memory is " + std::to_string(device_->info().device_memory_bytes) +
                         " bytes in all (" + allocated.message() + ")");
  }
  ++device_->count().allocations;
  return device_->check(calls.vkBindBufferMemory(device_->handle(), buffer_, memory_, 0), "vkBindBufferMemory");
}

VulkanBuffer::~VulkanBuffer() {
  if (!owned_ || !device_->may_destroy()) return;
  const DeviceFunctions& calls = device_->functions();
  calls.vkDestroyBuffer(device_->handle(), buffer_, device_->allocator());
  calls.vkFreeMemory(device_->handle(), memory_, device_->allocator());  // unmaps it too
}

Status VulkanBuffer::flush() {
  if (coherent_ || mapped_ == nullptr) return ok_status();
  TUFF_TRY(device_->usable());
  auto range = structure<VkMappedMemoryRange>(VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE);
  range.memory = memory_;
  range.size = VK_WHOLE_SIZE;
  return device_->check(device_->functions().vkFlushMappedMemoryRanges(device_->handle(), 1, &range),
                        "vkFlushMappedMemoryRanges");
}

Status VulkanBuffer::invalidate() {
  if (coherent_ || mapped_ == nullptr) return ok_status();
  TUFF_TRY(device_->usable());
  auto range = structure<VkMappedMemoryRange>(VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE);
  range.memory = memory_;
  range.size = VK_WHOLE_SIZE;
  return device_->check(device_->functions().vkInvalidateMappedMemoryRanges(device_->handle(), 1, &range),
                        "vkInvalidateMappedMemoryRanges");
}

}  // namespace tuff::vulkan
