// Element types of values, as a model names them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tuff {

enum class Dtype : uint8_t { kF32, kF16, kBf16, kF64, kI8, kI16, kI32, kI64, kU8, kU16, kU32, kU64, kBool };
inline constexpr int kDtypeCount = 13;

std::string_view dtype_name(Dtype dtype);  // "f32", "bool"
std::optional<Dtype> dtype_from_name(std::string_view name);
int64_t dtype_size_bytes(Dtype dtype);  // in a file and in a caller's memory; bool is one byte

constexpr bool is_float(Dtype d) { return d <= Dtype::kF64; }
constexpr bool is_signed_integer(Dtype d) { return d >= Dtype::kI8 && d <= Dtype::kI64; }
constexpr bool is_unsigned_integer(Dtype d) { return d >= Dtype::kU8 && d <= Dtype::kU64; }
constexpr bool is_integer(Dtype d) { return is_signed_integer(d) || is_unsigned_integer(d); }

}  // namespace tuff
