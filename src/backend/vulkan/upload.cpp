#include "backend/vulkan/upload.h"

#include <algorithm>
#include <cstring>

#include "backend/vulkan/commands.h"

namespace tuff::vulkan {
namespace {

// Weights of gigabytes pass through a buffer of this size: half of it would cost another submit a step, twice buys nothing.
constexpr uint64_t kStagingBytes = 32 << 20;
constexpr uint64_t kCopyTimeoutNs = 60'000'000'000;  // a copy of that size takes milliseconds

Status check_range(const char* what, uint64_t offset, uint64_t size_bytes, const VulkanBuffer& buffer) {
  if (offset <= buffer.size_bytes() && size_bytes <= buffer.size_bytes() - offset) return ok_status();
  return invalid_argument(std::string(what) + " of " + std::to_string(size_bytes) + " bytes at " + std::to_string(offset) +
                          " does not fit into a buffer of " + std::to_string(buffer.size_bytes()) + ".");
}

// One copy in a submit of its own, waited for.
Status copy_and_wait(VulkanDevice& device, Commands& commands, VkBuffer src, uint64_t src_offset, VkBuffer dst,
                     uint64_t dst_offset, uint64_t size_bytes) {
  TUFF_TRY(commands.begin());
  // What earlier submits wrote is read here, and what is read here later ones may write.
  constexpr VkPipelineStageFlags kStages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
  write_barrier(device.functions(), commands.handle(), kStages, VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
                VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT);
  write_copy(device.functions(), commands.handle(), src, dst, dst_offset, size_bytes, src_offset);
  write_barrier(device.functions(), commands.handle(), VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT,
                VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
  TUFF_TRY(commands.end());
  TUFF_TRY(commands.submit());
  TUFF_ASSIGN(const bool finished, commands.wait(kCopyTimeoutNs));
  if (finished) return ok_status();
  device.abandon();
  return {Code::kDeviceLost, "'" + device.info().name + "' did not finish a copy within a minute and was given up."};
}

}  // namespace

Status upload_bytes(const std::shared_ptr<VulkanDevice>& device, VulkanBuffer& dst, uint64_t offset,
                    std::span<const std::byte> data) {
  TUFF_TRY(device->usable());
  TUFF_TRY(check_range("An upload", offset, data.size(), dst));
  if (data.empty()) return ok_status();
  if (dst.mapped() != nullptr) {
    std::memcpy(dst.mapped() + offset, data.data(), data.size());
    return dst.flush();
  }

  TUFF_ASSIGN(std::shared_ptr<VulkanBuffer> staging,
              VulkanBuffer::create(device, MemoryUse::kUpload, std::min<uint64_t>(data.size(), kStagingBytes)));
  TUFF_ASSIGN(std::unique_ptr<Commands> commands, Commands::create(device));
  while (!data.empty()) {
    const auto piece = data.first(std::min<size_t>(data.size(), staging->size_bytes()));
    std::memcpy(staging->mapped(), piece.data(), piece.size());
    TUFF_TRY(staging->flush());
    TUFF_TRY(copy_and_wait(*device, *commands, staging->handle(), 0, dst.handle(), offset, piece.size()));
    offset += piece.size();
    data = data.subspan(piece.size());
  }
  return ok_status();
}

Status download_bytes(const std::shared_ptr<VulkanDevice>& device, VulkanBuffer& src, uint64_t offset,
                      std::span<std::byte> data) {
  TUFF_TRY(device->usable());
  TUFF_TRY(check_range("A download", offset, data.size(), src));
  if (data.empty()) return ok_status();
  if (src.mapped() != nullptr) {
    TUFF_TRY(src.invalidate());
    std::memcpy(data.data(), src.mapped() + offset, data.size());
    return ok_status();
  }

  TUFF_ASSIGN(std::shared_ptr<VulkanBuffer> staging,
              VulkanBuffer::create(device, MemoryUse::kReadback, std::min<uint64_t>(data.size(), kStagingBytes)));
  TUFF_ASSIGN(std::unique_ptr<Commands> commands, Commands::create(device));
  while (!data.empty()) {
    const auto piece = data.first(std::min<size_t>(data.size(), staging->size_bytes()));
    TUFF_TRY(copy_and_wait(*device, *commands, src.handle(), offset, staging->handle(), 0, piece.size()));
    TUFF_TRY(staging->invalidate());
    std::memcpy(piece.data(), staging->mapped(), piece.size());
    offset += piece.size();
    data = data.subspan(piece.size());
  }
  return ok_status();
}

}  // namespace tuff::vulkan
