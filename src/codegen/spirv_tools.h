// SPIRV-Tools' validator for the environment that every module of ours is for: Vulkan 1.1.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/status.h"

namespace tuff {

// INTERNAL with the validator's message: our bug. A module of cooperative matrices passes where SPIRV-Tools does not know them.
Status validate_spirv(std::span<const uint32_t> words, const std::string& kernel_name);

}  // namespace tuff
