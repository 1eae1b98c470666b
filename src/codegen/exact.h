// What exact mode needs of a module beyond its source. GLSL's `precise` does not reach into called functions, so the
// words themselves are decorated.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"

namespace tuff {

// Asks the driver to keep NaN, infinities and the sign of zeros in f32 arithmetic; for devices that offer it
// (SPV_KHR_float_controls). Modes for denormals and rounding are not asked for: shaders/lib does not depend on the former,
// every device rounds f32 to nearest even, and both tie the other float widths on some devices.
Result<std::vector<uint32_t>> preserve_signed_zero_inf_nan(std::vector<uint32_t> words);

// Decorates every float arithmetic instruction NoContraction, once.
Result<std::vector<uint32_t>> decorate_no_contraction(std::vector<uint32_t> words);

}  // namespace tuff
