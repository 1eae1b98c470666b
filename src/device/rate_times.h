// How long a device takes for so much, at its rates, in integer nanoseconds.
#pragma once

#include "device/device_info.h"

namespace tuff {

int64_t memory_ns(int64_t bytes, const DeviceInfo& device);
int64_t cache_ns(int64_t bytes, const DeviceInfo& device);
int64_t arithmetic_ns(int64_t operations, const DeviceInfo& device);
int64_t matrix_ns(int64_t multiply_adds, const DeviceInfo& device);  // on matrix units

}  // namespace tuff
