#include "backend/vulkan/result.h"

namespace tuff::vulkan {
namespace {

struct Row {
  VkResult result;
  std::string_view name;
  Code code;
  std::string_view meaning;  // ends the sentence "<call> failed with <name>: "
};

constexpr Row kRows[] = {
    {VK_ERROR_OUT_OF_HOST_MEMORY, "VK_ERROR_OUT_OF_HOST_MEMORY", Code::kOutOfMemory, "the driver found no host memory."},
    {VK_ERROR_OUT_OF_DEVICE_MEMORY, "VK_ERROR_OUT_OF_DEVICE_MEMORY", Code::kOutOfMemory, "the device's memory is used up."},
    {VK_ERROR_OUT_OF_POOL_MEMORY, "VK_ERROR_OUT_OF_POOL_MEMORY", Code::kOutOfMemory, "a descriptor pool is used up."},
    {VK_ERROR_FRAGMENTED_POOL, "VK_ERROR_FRAGMENTED_POOL", Code::kOutOfMemory, "a descriptor pool is fragmented."},
    {VK_ERROR_FRAGMENTATION, "VK_ERROR_FRAGMENTATION", Code::kOutOfMemory, "memory is too fragmented."},
    {VK_ERROR_MEMORY_MAP_FAILED, "VK_ERROR_MEMORY_MAP_FAILED", Code::kOutOfMemory,
     "the memory could not be mapped into the process."},
    {VK_ERROR_DEVICE_LOST, "VK_ERROR_DEVICE_LOST", Code::kDeviceLost,
     "the device was lost (a crash, a reset or an unplugged GPU); what was running on it has no result."},
    {VK_ERROR_INITIALIZATION_FAILED, "VK_ERROR_INITIALIZATION_FAILED", Code::kUnsupported,
     "the driver could not be initialised."},
    {VK_ERROR_LAYER_NOT_PRESENT, "VK_ERROR_LAYER_NOT_PRESENT", Code::kUnsupported, "a layer is not installed."},
    {VK_ERROR_EXTENSION_NOT_PRESENT, "VK_ERROR_EXTENSION_NOT_PRESENT", Code::kUnsupported, "the driver lacks an extension."},
    {VK_ERROR_FEATURE_NOT_PRESENT, "VK_ERROR_FEATURE_NOT_PRESENT", Code::kUnsupported, "the driver lacks a feature."},
    {VK_ERROR_INCOMPATIBLE_DRIVER, "VK_ERROR_INCOMPATIBLE_DRIVER", Code::kUnsupported,
     "no usable Vulkan driver is installed, or VK_ICD_FILENAMES names one that cannot be opened."},
    {VK_ERROR_TOO_MANY_OBJECTS, "VK_ERROR_TOO_MANY_OBJECTS", Code::kLimit, "the driver allows no more such objects."},
    {VK_ERROR_INVALID_SHADER_NV, "VK_ERROR_INVALID_SHADER_NV", Code::kInternal, "the driver rejected a shader."},
    {VK_ERROR_UNKNOWN, "VK_ERROR_UNKNOWN", Code::kInternal, "the driver gives no reason."},
};

}  // namespace

std::string result_name(VkResult result) {
  if (result == VK_SUCCESS) return "VK_SUCCESS";
  for (const Row& row : kRows)
    if (row.result == result) return std::string(row.name);
  return "VkResult " + std::to_string(static_cast<int>(result));
}

Status status_from(VkResult result, std::string_view call) {
  if (result >= VK_SUCCESS) return ok_status();
  Code code = Code::kInternal;
  std::string_view meaning = "Tuff does not know this code.";
  for (const Row& row : kRows) {
    if (row.result != result) continue;
    code = row.code;
    meaning = row.meaning;
  }
  return {code, std::string(call) + " failed with " + result_name(result) + ": " + std::string(meaning)};
}

}  // namespace tuff::vulkan
