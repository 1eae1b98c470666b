#include "function_table.h"

#include <cmath>
#include <limits>

#include "lib/numerics_cpp.h"

namespace tuff::numerics_test {
namespace {

using namespace tuff::numerics;

// NUMERICS.md: 0 below -87.3, in whatever is made from exp too.
double flushed_exp(double x) { return x < double(-87.3f) ? 0.0 : std::exp(x); }

// The remainder is itself a float that is flushed.
double floor_modulo(double x, double y) {
  double rest = std::fmod(x, y);
  if (std::fabs(rest) <= 0x1p-126) rest = 0.0;
  return rest != 0 && (rest < 0) != (y < 0) ? rest + y : std::copysign(rest, y);
}

double larger(double x, double y) {
  if (std::isnan(x) || std::isnan(y)) return std::numeric_limits<double>::quiet_NaN();
  return x > y ? x : y;
}

double smaller(double x, double y) {
  if (std::isnan(x) || std::isnan(y)) return std::numeric_limits<double>::quiet_NaN();
  return x < y ? x : y;
}

constexpr UnaryFunction kUnary[] = {
#define UNARY(name, ulp_bound, low, high, reference) \
  {#name, [](float x) { return tuff_##name(x); }, [](double x) -> double { return reference; }, ulp_bound, low, high},
#define BINARY(name, ulp_bound, reference)
#define BITS(name, expression)
#include "functions.def"
#undef UNARY
#undef BINARY
#undef BITS
};

constexpr BinaryFunction kBinary[] = {
#define UNARY(name, ulp_bound, low, high, reference)
#define BINARY(name, ulp_bound, reference)                                                                            \
  {#name, [](float x, float y) { return tuff_##name(x, y); }, [](double x, double y) -> double { return reference; }, \
   ulp_bound},
#define BITS(name, expression)
#include "functions.def"
#undef UNARY
#undef BINARY
#undef BITS
};

std::uint32_t bits_of(std::uint32_t bits) { return bits; }
std::uint32_t bits_of(float x) { return floatBitsToUint(x); }

constexpr BitFunction kAll[] = {
#define ROW(name, expression)                                      \
  {#name, [](Operands operands) -> std::uint32_t {                 \
     [[maybe_unused]] const std::uint32_t bits = operands.x;       \
     [[maybe_unused]] const float x = uintBitsToFloat(bits);       \
     [[maybe_unused]] const float y = uintBitsToFloat(operands.y); \
     return bits_of(expression);                                   \
   }},
#define UNARY(name, ulp_bound, low, high, reference) ROW(name, tuff_##name(x))
#define BINARY(name, ulp_bound, reference) ROW(name, tuff_##name(x, y))
#define BITS(name, expression) ROW(name, expression)
#include "functions.def"
#undef UNARY
#undef BINARY
#undef BITS
#undef ROW
};

constexpr std::uint32_t kSpecial[kSpecialCount / 2] = {
    0x00000000, 0x00000001, 0x007fffff, 0x00800000, 0x00800001, 0x00ffffff, 0x01000000,  // around 2^-126
    0x25ffffff, 0x26000000, 0x33000000, 0x33000001, 0x33800000,                          // 2^-51; ties of halves: 2^-25, 2^-24
    0x387fffff, 0x38800000, 0x3effffff, 0x3f000000, 0x3f490fdb, 0x3f7fffff, 0x3f800000,
    0x3f800001, 0x3fc00000, 0x40200000, 0x42ae999a, 0x42b17218, 0x42fc0000,  // 1.5, 2.5, ends of exp and exp2
    0x477fefff, 0x477ff000, 0x4b7fffff, 0x4f000000, 0x7f7fffff, 0x7f800000, 0x7fa5a5a5,
};

}  // namespace

std::span<const UnaryFunction> unary_functions() { return kUnary; }
std::span<const BinaryFunction> binary_functions() { return kBinary; }
std::span<const BitFunction> all_functions() { return kAll; }

std::uint32_t special_value(std::uint32_t index) { return kSpecial[index / 2] | (index & 1u) << 31; }

Operands comparison_input(std::uint32_t i) {
  if (i < kSpecialCount * kSpecialCount) return {special_value(i % kSpecialCount), special_value(i / kSpecialCount)};
  const std::uint32_t x = i * 0x9e3779b1u;
  std::uint32_t y = (i ^ i >> 9) * 0x85ebca6bu;
  y ^= y >> 13;
  if (i & 1u) y = (y & 0x807fffffu) | (123u + (y >> 23 & 15u)) << 23;
  return {x, y};
}

}  // namespace tuff::numerics_test
