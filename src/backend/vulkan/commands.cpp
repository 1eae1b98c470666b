#include "backend/vulkan/commands.h"

namespace tuff::vulkan {
namespace {

// How long releasing an object, or a submit that failed half-way, waits for the device. Drivers reset a GPU that hangs after 2
// to 10 seconds, so that work which has not ended by now never will.
constexpr uint64_t kReleaseTimeoutNs = 60'000'000'000;

}  // namespace

Result<std::unique_ptr<Commands>> Commands::create(std::shared_ptr<VulkanDevice> device, size_t buffer_count) {
  const DeviceFunctions& calls = device->functions();
  const VkDevice handle = device->handle();
  std::unique_ptr<Commands> commands(new Commands(device));

  auto pool = structure<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  pool.queueFamilyIndex = device->parts().physical.queue_family;
  TUFF_TRY(
      device->check(calls.vkCreateCommandPool(handle, &pool, device->allocator(), &commands->pool_), "vkCreateCommandPool"));

  auto buffer = structure<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
  buffer.commandPool = commands->pool_;
  buffer.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  buffer.commandBufferCount = static_cast<uint32_t>(buffer_count);
  commands->buffers_.resize(buffer_count);
  TUFF_TRY(
      device->check(calls.vkAllocateCommandBuffers(handle, &buffer, commands->buffers_.data()), "vkAllocateCommandBuffers"));

  const auto fence = structure<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
  TUFF_TRY(device->check(calls.vkCreateFence(handle, &fence, device->allocator(), &commands->fence_), "vkCreateFence"));
  return commands;
}

Commands::~Commands() {
  if (in_flight_ && device_->may_destroy()) finish();
  if (!device_->may_destroy()) return;
  const DeviceFunctions& calls = device_->functions();
  calls.vkDestroyFence(device_->handle(), fence_, device_->allocator());
  calls.vkDestroyCommandPool(device_->handle(), pool_, device_->allocator());
}

// A lost device has nothing in flight. Anything else that does not end keeps its memory: freeing it would let the GPU write
// into someone else's.
void Commands::finish() {
  const Result<bool> finished = wait(kReleaseTimeoutNs);
  if ((finished.ok() && !*finished) || (!finished.ok() && finished.status().code() != Code::kDeviceLost)) device_->abandon();
}

Status Commands::begin(size_t index) {
  const auto info = structure<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
  return device_->check(device_->functions().vkBeginCommandBuffer(buffers_[index], &info), "vkBeginCommandBuffer");
}

Status Commands::end(size_t index) {
  return device_->check(device_->functions().vkEndCommandBuffer(buffers_[index]), "vkEndCommandBuffer");
}

Status Commands::submit(const SubmitDesc& desc) {
  TUFF_TRY(device_->usable());
  if (in_flight_) return {Code::kBusy, "The previous run has not been waited for."};
  if (signalled_) {
    TUFF_TRY(device_->check(device_->functions().vkResetFences(device_->handle(), 1, &fence_), "vkResetFences"));
    signalled_ = false;
  }
  const Status status = device_->submit(buffers_, fence_, desc, in_flight_);
  // What has begun of a run that failed is over before anything that it uses is written or freed.
  if (!status.ok() && in_flight_) finish();
  return status;
}

Result<bool> Commands::wait(uint64_t timeout_ns) {
  TUFF_TRY(device_->usable());
  if (!in_flight_) return true;
  const VkResult result = device_->functions().vkWaitForFences(device_->handle(), 1, &fence_, VK_TRUE, timeout_ns);
  if (result == VK_TIMEOUT) return false;
  TUFF_TRY(device_->check(result, "vkWaitForFences"));
  in_flight_ = false;
  signalled_ = true;
  return true;
}

void write_barrier(const DeviceFunctions& calls, VkCommandBuffer commands, VkPipelineStageFlags src_stages,
                   VkAccessFlags src_access, VkPipelineStageFlags dst_stages, VkAccessFlags dst_access) {
  auto memory = structure<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
  memory.srcAccessMask = src_access;
  memory.dstAccessMask = dst_access;
  calls.vkCmdPipelineBarrier(commands, src_stages, dst_stages, 0, 1, &memory, 0, nullptr, 0, nullptr);
}

void write_copy(const DeviceFunctions& calls, VkCommandBuffer commands, VkBuffer src, VkBuffer dst, uint64_t dst_offset,
                uint64_t size_bytes, uint64_t src_offset) {
  const VkBufferCopy region{.srcOffset = src_offset, .dstOffset = dst_offset, .size = size_bytes};
  calls.vkCmdCopyBuffer(commands, src, dst, 1, &region);
}

}  // namespace tuff::vulkan
