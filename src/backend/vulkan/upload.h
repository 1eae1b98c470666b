// upload_bytes, download_bytes: between host memory and a buffer, through a mapping or, where there is none, through a
// bounded staging buffer.
#pragma once

#include "backend/vulkan/buffer.h"

namespace tuff::vulkan {

// They return when the bytes are there. INVALID_ARGUMENT if they do not fit.
Status upload_bytes(const std::shared_ptr<VulkanDevice>& device, VulkanBuffer& dst, uint64_t offset,
                    std::span<const std::byte> data);
Status download_bytes(const std::shared_ptr<VulkanDevice>& device, VulkanBuffer& src, uint64_t offset,
                      std::span<std::byte> data);

}  // namespace tuff::vulkan
