// VkResult to Status: the only place that knows what a driver's codes mean to a caller.
#pragma once

#include <string>
#include <string_view>

#include "backend/vulkan/api.h"
#include "base/status.h"

namespace tuff::vulkan {

std::string result_name(VkResult result);  // "VK_ERROR_DEVICE_LOST"; a number where the name is not known

// OK for VK_SUCCESS; positive codes (a timeout, an incomplete list) are the caller's to read and are OK here too.
Status status_from(VkResult result, std::string_view call);

}  // namespace tuff::vulkan
