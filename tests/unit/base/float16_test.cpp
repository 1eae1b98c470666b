// Half and bfloat16 on the host: every value there and back, and rounding at each tie.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "base/float16.h"

using namespace tuff;

TEST_CASE("every half is a float and comes back") {
  for (uint32_t h = 0; h < 65536; ++h) {
    float f = half_to_float(static_cast<uint16_t>(h));
    bool nan = (h & 0x7c00) == 0x7c00 && (h & 0x3ff) != 0;
    CHECK(std::isnan(f) == nan);
    if (nan) {
      CHECK(float_to_half(f) == ((h & 0x8000) | 0x7e00));
      continue;
    }
    CHECK(float_to_half(f) == h);
    // The value itself, from the definition.
    uint32_t exponent = (h >> 10) & 31, mantissa = h & 0x3ff;
    double value = exponent == 31  ? HUGE_VAL
                   : exponent == 0 ? std::ldexp(mantissa, -24)
                                   : std::ldexp(1024 + mantissa, static_cast<int>(exponent) - 25);
    CHECK(static_cast<double>(f) == (h & 0x8000 ? -value : value));
    CHECK(std::signbit(f) == ((h & 0x8000) != 0));
  }
}

TEST_CASE("halves round to nearest, ties to even") {
  for (uint32_t h = 0; h < 0x7c00; ++h) {
    double low = half_to_float(static_cast<uint16_t>(h));
    double high = h == 0x7bff ? 65536.0 : half_to_float(static_cast<uint16_t>(h + 1));
    auto middle = static_cast<float>((low + high) / 2);  // exact: a half has 13 bits less than a float
    uint32_t even = h % 2 == 0 ? h : h + 1;
    CHECK(float_to_half(middle) == even);
    CHECK(float_to_half(-middle) == (0x8000 | even));
    CHECK(float_to_half(std::nextafter(middle, 0.0f)) == h);
    CHECK(float_to_half(std::nextafter(middle, 1e9f)) == h + 1);
  }
  CHECK(float_to_half(65519.996f) == 0x7bff);
  CHECK(float_to_half(65520.0f) == 0x7c00);
  CHECK(float_to_half(3.4e38f) == 0x7c00);
  CHECK(float_to_half(-HUGE_VALF) == 0xfc00);
  CHECK(float_to_half(1e-30f) == 0);
  CHECK(float_to_half(-1e-40f) == 0x8000);
}

TEST_CASE("every bfloat16 is a float and comes back") {
  for (uint32_t h = 0; h < 65536; ++h) {
    float f = bfloat16_to_float(static_cast<uint16_t>(h));
    if (std::isnan(f)) {
      CHECK(std::isnan(bfloat16_to_float(float_to_bfloat16(f))));
      continue;
    }
    CHECK(float_to_bfloat16(f) == h);
    if (std::isinf(f)) continue;
    uint32_t bits = h << 16;
    CHECK(float_to_bfloat16(std::bit_cast<float>(bits | 0x8000u)) == h + (h & 1));
    CHECK(float_to_bfloat16(std::bit_cast<float>(bits | 0x7fffu)) == h);
    CHECK(float_to_bfloat16(std::bit_cast<float>(bits | 0x8001u)) == h + 1);
  }
  // A NaN whose payload lies in the low half must not become infinite.
  CHECK(std::isnan(bfloat16_to_float(float_to_bfloat16(std::bit_cast<float>(0x7f800001u)))));
}
