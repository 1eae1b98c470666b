#include "backend/vulkan/upload.h"

#include <algorithm>
#include <cstring>

#include "backend/vulkan/commands.h"

namespace tuff::vulkan {
namespace {

// Weights of gigabytes pass through a buffer of this size: half of it would cost another submit a step, twice buys nothing.
constexpr uint64_t kStagingBytes = 32 << 20;
constexpr uint64_t kCopyTimeoutNs = 60'000'000'000;  // a copy of that size takes milliseconds

}  // namespace

Status upload_bytes(const std::shared_ptr<VulkanDevice>& device, VulkanBuffer& dst, uint64_t offset,
                    std::span<const std::byte> data) {
  TUFF_TRY(device->usable());
  if (offset > dst.size_bytes() || data.size() > dst.size_bytes() - offset)
    return invalid_argument("An upload of " + std::to_string(data.size()) + " bytes at " + std::to_string(offset) +
                            " does not fit into a buffer of " + std::to_string(dst.size_bytes()) + ".");
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
    TUFF_TRY(commands->begin());
    commands->copy(staging->handle(), dst.handle(), offset, piece.size());
    TUFF_TRY(commands->end());
    TUFF_TRY(commands->submit());
    TUFF_ASSIGN(const bool finished, commands->wait(kCopyTimeoutNs));
    if (!finished) {
      device->abandon();
      return {Code::kDeviceLost, "'" + device->info().name + "' did not finish a copy within a minute and was given up."};
    }
    offset += piece.size();
    data = data.subspan(piece.size());
  }
  return ok_status();
}

}  // namespace tuff::vulkan
