// Which memory type serves which use. Pure: policy over what the driver lists.
#pragma once

#include <cstdint>
#include <optional>

#include "backend/backend.h"
#include "backend/vulkan/api.h"

namespace tuff::vulkan {

uint64_t largest_device_heap_bytes(const VkPhysicalDeviceMemoryProperties& memory);

// True where the device's own memory is the host's too: host access to it costs no bus. A discrete GPU's window into its
// memory (resizable BAR) does not count, since reading through it is slow.
bool has_unified_memory(const VkPhysicalDeviceMemoryProperties& memory, VkPhysicalDeviceType type);

// The best type among `allowed_types` (a bit each); nullopt if none serves.
std::optional<uint32_t> choose_memory_type(const VkPhysicalDeviceMemoryProperties& memory, uint32_t allowed_types,
                                           MemoryUse use, bool unified);

}  // namespace tuff::vulkan
