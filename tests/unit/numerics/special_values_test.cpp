// What ULP bounds do not say: signs of zeros, NaN, exact cases, thresholds, conversions at every half.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "function_table.h"
#include "lib/numerics_cpp.h"

namespace tuff::numerics_test {
namespace {

using namespace tuff::numerics;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kLeastNormal = 0x1p-126f;
constexpr float kDenormal = 0x1p-127f;
constexpr float kMax = std::numeric_limits<float>::max();
const float kNaN = uintBitsToFloat(0x7fc00000u);

#define CHECK_BITS(expression, expected) CHECK(floatBitsToUint(expression) == floatBitsToUint(expected))

}  // namespace

TEST_CASE("no function returns a denormal or a NaN of its own") {
  for (const UnaryFunction& function : unary_functions()) {
    CAPTURE(std::string(function.name));
    for (std::uint32_t i = 0; i < kSpecialCount; ++i) {
      const float result = function.evaluate(uintBitsToFloat(special_value(i)));
      CAPTURE(special_value(i));
      CHECK((result == 0 || std::isnan(result) || std::fabs(result) >= kLeastNormal));
      if (std::isnan(result)) CHECK_BITS(result, kNaN);
    }
    for (std::uint32_t nan : {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffc00000u, 0xffffffffu}) {
      CHECK_BITS(function.evaluate(uintBitsToFloat(nan)), kNaN);
    }
  }
}

TEST_CASE("flushing: operands keep their sign, results become +0 up to 2^-126") {
  CHECK_BITS(tuff_flush_operand(-kDenormal), -0.0f);
  CHECK_BITS(tuff_flush_operand(kLeastNormal), kLeastNormal);
  CHECK_BITS(tuff_flush_result(kLeastNormal), 0.0f);
  CHECK_BITS(tuff_flush_result(-kLeastNormal), 0.0f);
  CHECK_BITS(tuff_flush_result(-0.0f), 0.0f);
  CHECK_BITS(tuff_flush_result(std::nextafter(kLeastNormal, 1.0f)), std::nextafter(kLeastNormal, 1.0f));
  CHECK_BITS(tuff_add(kDenormal, kDenormal), 0.0f);
  CHECK_BITS(tuff_sub(0x1.8p-126f, kLeastNormal), 0.0f);
  CHECK_BITS(tuff_mul(0x1.fffffep-64f, 0x1.000002p-63f), 0.0f);
  CHECK_BITS(tuff_mul(-1.0f, 0.0f), 0.0f);
  CHECK_BITS(tuff_sub(kInf, kInf), kNaN);
  CHECK_BITS(tuff_mul(kInf, kDenormal), kNaN);
  CHECK_BITS(tuff_flush_inner(0x1p-51f), 0x1p-51f);
  CHECK_BITS(tuff_flush_inner(-0x1.fffffep-52f), 0.0f);
  CHECK_BITS(tuff_flush_inner(-kInf), -kInf);
  CHECK(tuff_is_nan(tuff_flush_inner(kNaN)));
  // Squares and their products' last places stay normal: 2^-102 is an f32 with all its 24 bits.
  CHECK(0x1p-51f * 0x1p-51f * 0x1p-23f >= kLeastNormal);
}

TEST_CASE("order and selection") {
  CHECK_BITS(tuff_max(-0.0f, 0.0f), 0.0f);
  CHECK_BITS(tuff_max(0.0f, -0.0f), 0.0f);
  CHECK_BITS(tuff_min(-0.0f, 0.0f), -0.0f);
  CHECK_BITS(tuff_min(0.0f, -0.0f), -0.0f);
  CHECK_BITS(tuff_max(kNaN, 1.0f), kNaN);
  CHECK_BITS(tuff_min(1.0f, uintBitsToFloat(0xffffffffu)), kNaN);
  CHECK(std::isnan(tuff_fast_max(kNaN, 1.0f)));
  CHECK(std::isnan(tuff_fast_max(1.0f, kNaN)));
  CHECK(std::isnan(tuff_fast_min(kNaN, 1.0f)));
  CHECK(std::isnan(tuff_fast_min(1.0f, kNaN)));
  CHECK(tuff_fast_max(-kInf, -kMax) == -kMax);
  CHECK(tuff_fast_max(2.0f, -3.0f) == 2.0f);
  CHECK(tuff_fast_min(kInf, 3.0f) == 3.0f);
  CHECK(tuff_fast_min(-3.0f, 2.0f) == -3.0f);
  CHECK_BITS(tuff_max(-kInf, -kMax), -kMax);
  CHECK_BITS(tuff_clip(3.0f, -1.0f, 2.0f), 2.0f);
  CHECK_BITS(tuff_clip(-3.0f, -1.0f, 2.0f), -1.0f);
  CHECK_BITS(tuff_clip(0.0f, 2.0f, 1.0f), 1.0f);
  CHECK_BITS(tuff_sign(-0.0f), 0.0f);
  CHECK_BITS(tuff_sign(-kDenormal), 0.0f);
  CHECK_BITS(tuff_neg(0.0f), -0.0f);
  CHECK(tuff_equal(-0.0f, 0.0f));
  CHECK(tuff_equal(kDenormal, 0.0f));
  CHECK_FALSE(tuff_equal(kNaN, kNaN));
  CHECK_FALSE(tuff_less(-0.0f, 0.0f));
  CHECK_FALSE(tuff_less(kNaN, 1.0f));
  CHECK_FALSE(tuff_less(1.0f, kNaN));
  CHECK_FALSE(tuff_less_equal(kNaN, kNaN));
  CHECK(tuff_less_equal(0.0f, -0.0f));
  for (std::uint32_t i = 0; i < kSpecialCount; ++i) {
    for (std::uint32_t j = 0; j < kSpecialCount; ++j) {
      const float x = tuff_flush(uintBitsToFloat(special_value(i))), y = tuff_flush(uintBitsToFloat(special_value(j)));
      CHECK(tuff_less(x, y) == (x < y));
      CHECK(tuff_equal(x, y) == (x == y));
      CHECK(tuff_less_equal(x, y) == (x <= y));
    }
  }
}

TEST_CASE("rounding keeps the sign of zero and takes halves to even") {
  CHECK_BITS(tuff_round(0.5f), 0.0f);
  CHECK_BITS(tuff_round(-0.5f), -0.0f);
  CHECK_BITS(tuff_round(1.5f), 2.0f);
  CHECK_BITS(tuff_round(2.5f), 2.0f);
  CHECK_BITS(tuff_round(-3.5f), -4.0f);
  CHECK_BITS(tuff_round(8388607.5f), 8388608.0f);
  CHECK_BITS(tuff_round(0x1.fffffep-2f), 0.0f);
  CHECK_BITS(tuff_ceil(-0.5f), -0.0f);
  CHECK_BITS(tuff_floor(-kDenormal), -0.0f);
  CHECK_BITS(tuff_floor(-0x1p-100f), -1.0f);
  CHECK_BITS(tuff_trunc(-0.99f), -0.0f);
  CHECK_BITS(tuff_floor(-kInf), -kInf);
}

TEST_CASE("conversions to integers saturate") {
  CHECK(tuff_f32_to_i32(-1.99f) == -1);
  CHECK(tuff_f32_to_i32(2147483520.0f) == 2147483520);
  CHECK(tuff_f32_to_i32(2147483648.0f) == 2147483647);
  CHECK(tuff_f32_to_i32(-2147483648.0f) == -2147483647 - 1);
  CHECK(tuff_f32_to_i32(-kInf) == -2147483647 - 1);
  CHECK(tuff_f32_to_i32(kInf) == 2147483647);
  CHECK(tuff_f32_to_i32(kNaN) == 0);
  CHECK(tuff_f32_to_u32(4294967040.0f) == 4294967040u);
  CHECK(tuff_f32_to_u32(4294967296.0f) == 4294967295u);
  CHECK(tuff_f32_to_u32(kInf) == 4294967295u);
  CHECK(tuff_f32_to_u32(-1.0f) == 0u);
  CHECK(tuff_f32_to_u32(-0.0f) == 0u);
  CHECK(tuff_f32_to_u32(uintBitsToFloat(0xffffffffu)) == 0u);
}

TEST_CASE("every half goes to f32 and back; what lies between goes to the nearest, ties to even") {
  for (std::uint32_t half = 0; half < 0x7c00u; ++half) {
    CAPTURE(half);
    const float value = tuff_f16_bits_to_f32(half);
    const double exact = half < 0x400u ? std::ldexp(half, -24) : std::ldexp((half & 0x3ffu) | 0x400u, int(half >> 10) - 25);
    REQUIRE(double(value) == exact);
    REQUIRE(tuff_f32_to_f16_bits(value) == half);
    REQUIRE(tuff_f32_to_f16_bits(-value) == (half | 0x8000u));
    // 2^16 takes the place of the half after the largest one, hence the tie at 65520.
    const double next = half == 0x7bffu ? 65536.0 : double(tuff_f16_bits_to_f32(half + 1));
    const float middle = static_cast<float>((exact + next) / 2);
    REQUIRE(tuff_f32_to_f16_bits(middle) == half + (half & 1u));
    REQUIRE(tuff_f32_to_f16_bits(std::nextafter(middle, 0.0f)) == half);
    REQUIRE(tuff_f32_to_f16_bits(std::nextafter(middle, kInf)) == half + 1);
  }
  CHECK(tuff_f32_to_f16_bits(kInf) == 0x7c00u);
  CHECK(tuff_f32_to_f16_bits(-kMax) == 0xfc00u);
  CHECK(tuff_f32_to_f16_bits(uintBitsToFloat(0xff800001u)) == 0x7e00u);
  CHECK_BITS(tuff_f16_bits_to_f32(0xfc00u), -kInf);
  CHECK_BITS(tuff_f16_bits_to_f32(0xfc01u), kNaN);
  CHECK_BITS(tuff_f16_bits_to_f32(0x8000u), -0.0f);
}

TEST_CASE("every normal bfloat goes to f32 and back; ties to even") {
  for (std::uint32_t bfloat = 0x80u; bfloat < 0x7f80u; ++bfloat) {
    CAPTURE(bfloat);
    const float value = tuff_bf16_bits_to_f32(bfloat);
    REQUIRE(floatBitsToUint(value) == bfloat << 16);
    REQUIRE(tuff_f32_to_bf16_bits(value) == bfloat);
    REQUIRE(tuff_f32_to_bf16_bits(uintBitsToFloat(bfloat << 16 | 0x8000u)) == bfloat + (bfloat & 1u));
    REQUIRE(tuff_f32_to_bf16_bits(uintBitsToFloat(bfloat << 16 | 0x7fffu)) == bfloat);
    REQUIRE(tuff_f32_to_bf16_bits(uintBitsToFloat(bfloat << 16 | 0x8001u)) == bfloat + 1);
  }
  CHECK(tuff_f32_to_bf16_bits(kMax) == 0x7f80u);
  CHECK(tuff_f32_to_bf16_bits(uintBitsToFloat(0xff800001u)) == 0x7fc0u);
  CHECK(tuff_f32_to_bf16_bits(-kDenormal) == 0x8000u);
  CHECK_BITS(tuff_bf16_bits_to_f32(0x8001u), -0.0f);
  CHECK_BITS(tuff_bf16_bits_to_f32(0xff81u), kNaN);
}

TEST_CASE("quotients, roots and powers that are floats come out exact") {
  for (int i = 1; i <= 2000; ++i) {
    for (int j = 1; j <= 200; ++j) {
      REQUIRE(tuff_div(float(i * j), float(j)) == float(i));
    }
    REQUIRE(tuff_sqrt(float(i * i)) == float(i));
    REQUIRE(tuff_sqrt(std::ldexp(float(i * i), -40)) == std::ldexp(float(i), -20));
  }
  for (int exponent = -125; exponent < 128; ++exponent) {
    REQUIRE(tuff_exp2(float(exponent)) == std::ldexp(1.0f, exponent));
    REQUIRE(tuff_log2(std::ldexp(1.0f, exponent)) == float(exponent));
    REQUIRE(tuff_pow(2.0f, float(exponent)) == std::ldexp(1.0f, exponent));
  }
  for (int base = -300; base <= 300; ++base) {
    double power = 1;
    for (int n = 0; std::fabs(power) <= 0x1p24; ++n, power *= base) {
      CAPTURE(base);
      CAPTURE(n);
      REQUIRE(tuff_pow(float(base), float(n)) == float(power));
      if (n > 30) break;
    }
  }
}

TEST_CASE("thresholds of exp") {
  CHECK_BITS(tuff_exp(0.0f), 1.0f);
  CHECK_BITS(tuff_exp(-87.3f) > 1.2e-38f ? 1.0f : 0.0f, 1.0f);
  CHECK_BITS(tuff_exp(std::nextafter(-87.3f, -kInf)), 0.0f);
  CHECK(tuff_exp(88.72283f) < kInf);
  CHECK_BITS(tuff_exp(88.72284f), kInf);
  CHECK_BITS(tuff_exp(-kInf), 0.0f);
  CHECK_BITS(tuff_exp2(-126.0f), 0.0f);
  CHECK_BITS(tuff_exp2(128.0f), kInf);
}

TEST_CASE("poles, ends of domains, signed zeros") {
  CHECK_BITS(tuff_reciprocal(-0.0f), -kInf);
  CHECK_BITS(tuff_reciprocal(-kInf), -0.0f);
  CHECK_BITS(tuff_div(0.0f, kDenormal), kNaN);
  CHECK_BITS(tuff_div(kInf, -kInf), kNaN);
  CHECK_BITS(tuff_div(-1.0f, kDenormal), -kInf);
  CHECK_BITS(tuff_sqrt(-0.0f), -0.0f);
  CHECK_BITS(tuff_sqrt(-kLeastNormal), kNaN);
  CHECK_BITS(tuff_rsqrt(0.0f), kInf);
  CHECK_BITS(tuff_rsqrt(kInf), 0.0f);
  CHECK_BITS(tuff_log(kDenormal), -kInf);
  CHECK_BITS(tuff_log(1.0f), 0.0f);
  CHECK_BITS(tuff_log1p(-1.0f), -kInf);
  CHECK_BITS(tuff_log1p(-0.0f), -0.0f);
  for (float (*odd)(float) :
       {tuff_sin, tuff_tan, tuff_asin, tuff_atan, tuff_sinh, tuff_tanh, tuff_asinh, tuff_atanh, tuff_erf}) {
    CHECK_BITS(odd(-0.0f), -0.0f);
    CHECK_BITS(odd(-0.25f), -odd(0.25f));
  }
  CHECK_BITS(tuff_sin(kInf), kNaN);
  CHECK_BITS(tuff_tanh(-kInf), -1.0f);
  CHECK_BITS(tuff_erf(kInf), 1.0f);
  CHECK_BITS(tuff_atanh(-1.0f), -kInf);
  CHECK_BITS(tuff_acosh(1.0f), 0.0f);
  CHECK_BITS(tuff_acos(1.0f), 0.0f);
  CHECK_BITS(tuff_asin(1.0f), 1.57079637f);
  CHECK_BITS(tuff_sigmoid(-kInf), 0.0f);
  CHECK_BITS(tuff_sigmoid(0.0f), 0.5f);
  CHECK_BITS(tuff_softplus(kInf), kInf);
  CHECK_BITS(tuff_softplus(-kInf), 0.0f);
}

TEST_CASE("remainders take the sign of the dividend (C) or of the divisor (Python)") {
  CHECK_BITS(tuff_fmod(-7.0f, 3.0f), -1.0f);
  CHECK_BITS(tuff_fmod(-6.0f, 3.0f), -0.0f);
  CHECK_BITS(tuff_fmod(5.0f, -kInf), 5.0f);
  CHECK_BITS(tuff_fmod(kInf, 3.0f), kNaN);
  CHECK_BITS(tuff_fmod(1.0f, kDenormal), kNaN);
  CHECK_BITS(tuff_fmod(kMax, 3.0f), std::fmod(kMax, 3.0f));
  CHECK_BITS(tuff_floormod(-7.0f, 3.0f), 2.0f);
  CHECK_BITS(tuff_floormod(7.0f, -3.0f), -2.0f);
  CHECK_BITS(tuff_floormod(6.0f, -3.0f), -0.0f);
  CHECK_BITS(tuff_floormod(-1.0f, kInf), kInf);
}

TEST_CASE("pow has C's special cases") {
  const float bases[] = {-kInf, -kMax, -2.0f, -1.0f, -0.5f, -0.0f, 0.0f, 0.5f, 1.0f, 2.0f, kMax, kInf, kNaN};
  const float exponents[] = {-kInf, -kMax, -4.0f, -3.0f, -2.5f,          -1.0f,   -0.5f, -0.0f, 0.0f, 0.5f,
                             1.0f,  2.5f,  3.0f,  4.0f,  0x1.fffffep23f, 0x1p24f, kMax,  kInf,  kNaN};
  for (float x : bases) {
    for (float y : exponents) {
      CAPTURE(x);
      CAPTURE(y);
      const float expected = static_cast<float>(std::pow(double(x), double(y)));
      const float actual = tuff_pow(x, y);
      if (std::isnan(expected)) {
        CHECK_BITS(actual, kNaN);
      } else if (expected == 0 || std::isinf(expected) || std::fabs(expected) == 1) {
        CHECK_BITS(actual, expected);
      } else {
        CHECK(double(actual) == doctest::Approx(double(expected)).epsilon(5e-7));
      }
    }
  }
}

TEST_CASE("functions that grow do not step back") {
  for (float (*grows)(float) : {tuff_exp, tuff_tanh, tuff_sigmoid, tuff_atan, tuff_erf}) {
    float last = grows(-12.0f);
    int steps_back = 0;
    for (int i = -12 * 4096 + 1; i <= 12 * 4096; ++i) {
      const float next = grows(float(i) / 4096.0f);
      steps_back += next < last ? 1 : 0;
      last = next;
    }
    CHECK(steps_back == 0);
  }
}

}  // namespace tuff::numerics_test
