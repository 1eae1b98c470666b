#include "graph/element_text.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "graph/builder.h"

namespace tuff {
namespace {

uint64_t width_mask(Dtype dtype) {
  int64_t size_bytes = dtype_size_bytes(dtype);
  return size_bytes == 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size_bytes)) - 1;
}

std::string bits_text(uint64_t bits) {
  char digits[17];
  char* end = std::to_chars(digits, digits + sizeof digits, bits, 16).ptr;
  return "bits(0x" + std::string(digits, end) + ")";
}

std::string float_text(Dtype dtype, uint64_t bits) {
  double v = scalar_from_bits(dtype, bits);
  if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
  if (std::isnan(v)) {
    bool plain = bits == scalar_bits(dtype, std::numeric_limits<double>::quiet_NaN());
    return plain ? "nan" : bits_text(bits);
  }
  // 17 significant digits give every double back; narrower types need fewer.
  for (int precision = 1; precision <= 17; ++precision) {
    char digits[40];
    char* end = std::to_chars(digits, digits + sizeof digits, v, std::chars_format::general, precision).ptr;
    double back = 0;
    std::from_chars(digits, end, back);
    if (scalar_bits(dtype, back) == bits) return std::string(digits, end);
  }
  return bits_text(bits);
}

}  // namespace

std::string real_text(double v) { return float_text(Dtype::kF64, std::bit_cast<uint64_t>(v)); }

std::string element_text(Dtype dtype, uint64_t bits) {
  bits &= width_mask(dtype);
  if (is_float(dtype)) return float_text(dtype, bits);
  if (dtype == Dtype::kBool) return bits == 0 ? "false" : bits == 1 ? "true" : bits_text(bits);
  if (is_unsigned_integer(dtype)) return bits <= uint64_t{INT64_MAX} ? std::to_string(bits) : bits_text(bits);
  auto v = static_cast<int64_t>(bits << (64 - 8 * dtype_size_bytes(dtype))) >> (64 - 8 * dtype_size_bytes(dtype));
  return v == INT64_MIN ? bits_text(bits) : std::to_string(v);
}

Result<uint64_t> parse_element(Lexer& lexer, Dtype dtype) {
  if (lexer.accept("bits")) {
    TUFF_TRY(lexer.expect("("));
    TUFF_ASSIGN(int64_t bits, lexer.expect_integer());
    if ((static_cast<uint64_t>(bits) & ~width_mask(dtype)) != 0) return lexer.error("the bits are wider than the type");
    TUFF_TRY(lexer.expect(")"));
    return static_cast<uint64_t>(bits);
  }
  if (is_float(dtype)) {
    TUFF_ASSIGN(double v, lexer.expect_real());
    return scalar_bits(dtype, v);
  }
  if (dtype == Dtype::kBool) {
    if (lexer.accept("true")) return uint64_t{1};
    if (lexer.accept("false")) return uint64_t{0};
    return lexer.error("'true' or 'false' was expected");
  }
  TUFF_ASSIGN(int64_t v, lexer.expect_integer());
  uint64_t bits = static_cast<uint64_t>(v) & width_mask(dtype);
  if (element_text(dtype, bits) != std::to_string(v))
    return lexer.error(std::to_string(v) + " does not fit " + std::string(dtype_name(dtype)));
  return bits;
}

}  // namespace tuff
