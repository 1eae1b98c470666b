#include "backend/vulkan/memory.h"

#include <algorithm>

namespace tuff::vulkan {
namespace {

constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
constexpr VkMemoryPropertyFlags kVisible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
constexpr VkMemoryPropertyFlags kCoherent = VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

// Memory that is protected, allocated lazily, or uncached for debugging (AMD) is never wanted.
constexpr VkMemoryPropertyFlags kUnwanted = VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT |
                                            VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD |
                                            VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;

// Higher is better; negative: the type does not serve.
int score(VkMemoryPropertyFlags flags, MemoryUse use, bool unified) {
  if (flags & kUnwanted) return -1;
  const bool local = flags & kLocal, visible = flags & kVisible, coherent = flags & kCoherent, cached = flags & kCached;
  switch (use) {
    case MemoryUse::kDevice:
      if (unified) return (local ? 8 : 0) + (visible ? 4 : 0) + (cached ? 2 : 0) + (coherent ? 1 : 0);
      // Never over the bus: a plan that does not fit has to know it. The window that the host can see into device memory
      // may be small and is left to those who need it.
      return local ? (visible ? 8 : 12) : -1;
    case MemoryUse::kUpload:
      // Written once, in order: uncached write-combining memory is fine, and the bus reads it best.
      return visible ? (coherent ? 8 : 0) + (cached ? 0 : 2) + (local == unified ? 1 : 0) : -1;
    case MemoryUse::kReadback: return visible ? (cached ? 8 : 0) + (coherent ? 2 : 0) + (local == unified ? 1 : 0) : -1;
  }
  return -1;
}

}  // namespace

uint64_t largest_device_heap_bytes(const VkPhysicalDeviceMemoryProperties& memory) {
  uint64_t largest = 0;
  for (uint32_t i = 0; i < memory.memoryHeapCount; ++i)
    if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      largest = std::max<uint64_t>(largest, memory.memoryHeaps[i].size);
  return largest;
}

bool has_unified_memory(const VkPhysicalDeviceMemoryProperties& memory, VkPhysicalDeviceType type) {
  if (type == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU || type == VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU) return false;
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
    const VkMemoryPropertyFlags flags = memory.memoryTypes[i].propertyFlags;
    if ((flags & kLocal) && (flags & kVisible) && !(flags & kUnwanted)) return true;
  }
  return false;
}

std::optional<uint32_t> choose_memory_type(const VkPhysicalDeviceMemoryProperties& memory, uint32_t allowed_types,
                                           MemoryUse use, bool unified) {
  std::optional<uint32_t> best;
  int best_score = -1;
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
    if (!(allowed_types & (1u << i))) continue;
    const int s = score(memory.memoryTypes[i].propertyFlags, use, unified);
    if (s > best_score) {  // the first of equals: drivers list their preference first
      best_score = s;
      best = i;
    }
  }
  return best;
}

}  // namespace tuff::vulkan
