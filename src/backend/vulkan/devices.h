// The Vulkan devices of this machine, found and opened.
#pragma once

#include "backend/source.h"

namespace tuff::vulkan {

// UNSUPPORTED with a sentence where there is no loader, no driver, or no device that Tuff can use.
Result<std::unique_ptr<DeviceSource>> find_devices(const OpenOptions& options);

}  // namespace tuff::vulkan
