// The system's Vulkan loader, opened at run time: a machine without one still runs everything that needs no GPU.
#pragma once

#include "backend/vulkan/api.h"
#include "base/status.h"

namespace tuff::vulkan {

// UNSUPPORTED with the system's reason when there is no loader. The library stays loaded until the process ends: drivers
// register thread and exit handlers that must not be unmapped.
Result<PFN_vkGetInstanceProcAddr> open_loader();

}  // namespace tuff::vulkan
