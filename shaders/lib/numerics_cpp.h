// numerics_cpp.h: shaders/lib/numerics.glsl as C++20, for the reference and the tests.
//
// In: the GLSL text. Out: the same functions in tuff::numerics. Invariant: the same bits as on a GPU in exact
// mode, given that the including file is built with -ffp-contract=off (the compiler offers no macro to check
// that by) and neither -ffast-math nor x87 arithmetic, which are checked here.
#pragma once

#include <bit>
#include <cfloat>
#include <cstdint>

#ifdef __FAST_MATH__
#error "numerics.glsl needs IEEE 754 arithmetic: build without -ffast-math."
#endif
static_assert(FLT_EVAL_METHOD == 0, "float expressions must round to float");

#define TUFF_FN [[nodiscard]] inline
#define TUFF_PRECISE

namespace tuff::numerics {

using uint = std::uint32_t;

inline uint floatBitsToUint(float x) { return std::bit_cast<uint>(x); }
inline float uintBitsToFloat(uint bits) { return std::bit_cast<float>(bits); }

#include "numerics.glsl"

}  // namespace tuff::numerics

#undef TUFF_FN
#undef TUFF_PRECISE
