// The driver's pipeline cache blob inside a header of Tuff's own. Drivers read such blobs with little suspicion, so that a
// damaged one must never reach them: the header binds the payload to its hash, the device and the driver.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "device/device_info.h"

namespace tuff::vulkan {

std::vector<std::byte> wrap_pipeline_cache(std::span<const std::byte> payload, const DeviceInfo& info, uint32_t driver_version);

// The payload; nullopt if a byte is wrong or it is another device's or driver's.
std::optional<std::span<const std::byte>> unwrap_pipeline_cache(std::span<const std::byte> file, const DeviceInfo& info,
                                                                uint32_t driver_version);

}  // namespace tuff::vulkan
