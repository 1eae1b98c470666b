// The null backend: every call succeeds, counts, and computes nothing. It is the skeleton of a new backend, to copy, and
// measures what the host side costs by itself. It is never listed: success with made-up output is for tests only.
#pragma once

#include <memory>

#include "backend/backend.h"

namespace tuff {

// A device that claims to be `info` (of a text in tests/devices, say).
std::shared_ptr<Device> open_null_device(DeviceInfo info);

}  // namespace tuff
