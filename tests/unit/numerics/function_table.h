// function_table.h: functions.def as C++ tables, and the inputs on which their bits are compared.
//
// In: functions.def. Out: each function with its reference in double and its bound in units in the last place.
// Invariant: the position in the file is the same here and in every_function.comp.
#pragma once

#include <cstdint>
#include <span>

namespace tuff::numerics_test {

struct UnaryFunction {
  const char* name;
  float (*evaluate)(float);
  double (*reference)(double);
  double ulp_bound;
  double low, high;
};

struct BinaryFunction {
  const char* name;
  float (*evaluate)(float, float);
  double (*reference)(double, double);
  double ulp_bound;
};

struct Operands {
  std::uint32_t x, y;
};

// Any row of functions.def, from bits to bits.
struct BitFunction {
  const char* name;
  std::uint32_t (*evaluate)(Operands);
};

std::span<const UnaryFunction> unary_functions();
std::span<const BinaryFunction> binary_functions();
std::span<const BitFunction> all_functions();

// Input number i of the comparison: first every pair of special values, then bits spread evenly over all
// patterns, in every second pair with |y| between 2^-4 and 2^11, since there most pairs have a finite result.
inline constexpr std::uint32_t kInputCount = 1u << 20;
Operands comparison_input(std::uint32_t i);

// Patterns at the ends of classes and at the thresholds of the functions; index below kSpecialCount.
inline constexpr std::uint32_t kSpecialCount = 64;
std::uint32_t special_value(std::uint32_t index);

}  // namespace tuff::numerics_test
