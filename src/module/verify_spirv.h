// Tuff's own rules on a module, shown on the words that the driver gets: whether they were made here or read from a file.
#pragma once

#include <cstdint>
#include <span>

#include "device/device_info.h"
#include "kernel/kernel.h"

namespace tuff {

// Capabilities: only those that the device has; cooperative matrices: only of a product that it lists. Interface: only the
// kernel's bindings and its workgroup. In an exact kernel every float arithmetic instruction is decorated NoContraction, and no
// float instruction is outside the allow-list (NUMERICS, rule 3).
Status verify_spirv(std::span<const uint32_t> words, const Kernel& kernel, const DeviceInfo& device);

}  // namespace tuff
