// GLSL 4.50 to SPIR-V 1.3, in process. The only file that knows glslang's types is glsl.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tuff {

// INTERNAL with the compiler's log and the source line that it names. Any thread may call it.
Result<std::vector<uint32_t>> compile_glsl(const std::string& source, const std::string& kernel_name);

// Part of each cache key: another compiler may write other words.
std::string glsl_compiler_version();

}  // namespace tuff
