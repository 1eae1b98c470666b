// Every function against double precision, within the bound of its row. Built twice: as the reference is, and
// with contraction, which a driver in fast mode may use and which must not leave the bounds.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "function_table.h"

namespace tuff::numerics_test {
namespace {

constexpr double kMinNormal = 0x1p-126;
constexpr double kFar = std::numeric_limits<double>::infinity();

// The double that a function sees in x.
double flushed(float x) { return std::fabs(double(x)) < kMinNormal ? std::copysign(0.0, double(x)) : double(x); }

// |actual - expected| in units of expected's last place as an f32; infinite where the class is wrong. Overflow
// counts as 2^128, and 0 stands for all that is not above 2^-126 (or is about to be rounded up to it).
double ulp_error(float actual, double expected) {
  if (std::isnan(expected)) return std::bit_cast<std::uint32_t>(actual) == 0x7fc00000u ? 0.0 : kFar;
  if (std::isnan(actual)) return kFar;
  double value = std::isinf(actual) ? std::copysign(0x1p128, actual) : double(actual);
  if (value != 0 && std::fabs(value) < kMinNormal) return kFar;
  if (std::fabs(expected) > 0x1p128) expected = std::copysign(0x1p128, expected);
  if (value == 0 && std::fabs(expected) <= kMinNormal * (1 + 0x1p-22)) return 0.0;
  if (value == expected) return 0.0;
  const int exponent = expected == 0 ? -126 : std::min(127, std::max(-126, std::ilogb(expected)));
  return std::fabs(value - expected) / std::ldexp(1.0, exponent - 23);
}

struct Worst {
  double ulps = 0;
  float x = 0, y = 0;
  void add(double error, float at_x, float at_y = 0) {
    if (error > ulps) *this = {error, at_x, at_y};
  }
};

}  // namespace

TEST_CASE("functions of one argument keep their ULP bounds") {
  for (const UnaryFunction& function : unary_functions()) {
    Worst worst;
    auto check = [&](float x) { worst.add(ulp_error(function.evaluate(x), function.reference(flushed(x))), x); };
    for (std::uint32_t i = 0; i < kSpecialCount; ++i) check(std::bit_cast<float>(special_value(i)));
    for (std::uint64_t bits = 0; bits < 0x100000000u; bits += 4093) {
      check(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    }
    constexpr int kSteps = 1 << 20;
    for (int i = 0; i <= kSteps; ++i) {
      check(static_cast<float>(function.low + (function.high - function.low) * i / kSteps));
    }
    INFO(std::string(function.name), "(", worst.x, ") is ", function.evaluate(worst.x));
    CHECK(worst.ulps <= function.ulp_bound);
  }
}

TEST_CASE("functions of two arguments keep their ULP bounds") {
  for (const BinaryFunction& function : binary_functions()) {
    Worst worst;
    auto check = [&](std::uint32_t x_bits, std::uint32_t y_bits) {
      const float x = std::bit_cast<float>(x_bits), y = std::bit_cast<float>(y_bits);
      worst.add(ulp_error(function.evaluate(x, y), function.reference(flushed(x), flushed(y))), x, y);
    };
    for (std::uint32_t i = 0; i < kInputCount; ++i) {
      const auto [x, y] = comparison_input(i);
      check(x, y);
      // The same mantissas with x in [1/2, 4): where sums cancel, quotients round and powers stay finite.
      check((x & 0x80ffffffu) | 0x3f000000u, y);
    }
    INFO(std::string(function.name), "(", worst.x, ", ", worst.y, ") is ", function.evaluate(worst.x, worst.y));
    CHECK(worst.ulps <= function.ulp_bound);
  }
}

}  // namespace tuff::numerics_test
