#include "kernel/dialect.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <initializer_list>

#include "graph/builder.h"

namespace tuff {

Register register_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
    case Dtype::kF16:
    case Dtype::kBf16: return Register::kFloat;
    case Dtype::kF64: return Register::kDouble;
    case Dtype::kI8:
    case Dtype::kI16:
    case Dtype::kI32: return Register::kInt;
    case Dtype::kU8:
    case Dtype::kU16:
    case Dtype::kU32: return Register::kUint;
    case Dtype::kI64: return Register::kInt64;
    case Dtype::kU64: return Register::kUint64;
    case Dtype::kBool: return Register::kBool;
  }
  return Register::kFloat;
}

const Dialect& glsl() {
  static const Dialect kGlsl = {"glsl",
                                {"float", "int", "uint", "bool", "int64_t", "uint64_t", "double"},
                                {"vec", "ivec", "uvec"},
                                {"vec", "ivec", "uvec"},
                                "uintBitsToFloat",
                                "$b.e[$i]",
                                {"uintBitsToFloat(texelFetch($b, $i)$s)", "$t(texelFetch($b, $i)$s)", "texelFetch($b, $i)$s"},
                                "uintBitsToFloat(gl_NumWorkGroups.x >> 31)",
                                {"uint8_t", "uint16_t"},
                                {"atomicAnd($v, $m)", "atomicOr($v, $m)"}};
  return kGlsl;
}

const Dialect& cuda() {
  static const Dialect kCuda = {"cuda",
                                {"float", "int", "unsigned int", "bool", "long long", "unsigned long long", "double"},
                                {"float", "int", "uint"},
                                {"make_float", "make_int", "make_uint"},
                                "__uint_as_float",
                                "$b[$i]",
                                {"tex1Dfetch<$t>($b, $i)", "tex1Dfetch<$t>($b, $i)", "tex1Dfetch<$t>($b, $i)"},
                                "__uint_as_float(gridDim.x >> 31)",
                                {"unsigned char", "unsigned short"},
                                {"atomicAnd(&$v, $m)", "atomicOr(&$v, $m)"}};
  return kCuda;
}

std::string type_name(const Dialect& dialect, Register r, int width) {
  if (width == 1) return std::string(dialect.types[static_cast<int>(r)]);
  return std::string(dialect.vector_prefix[static_cast<int>(r)]) + std::to_string(width);
}

std::string listed(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::string call(std::string_view function, const std::vector<std::string>& arguments) {
  return std::string(function) + "(" + listed(arguments) + ")";
}

std::string component(const std::string& vector, int width, int i) { return width == 1 ? vector : vector + "." + "xyzw"[i]; }

std::vector<std::string> components(const std::string& vector, int width) {
  std::vector<std::string> all;
  for (int i = 0; i < width; ++i) all.push_back(component(vector, width, i));
  return all;
}

std::string construct(const Dialect& dialect, Register r, int width, std::string_view arguments) {
  return std::string(dialect.vector_constructor[static_cast<int>(r)]) + std::to_string(width) + "(" + std::string(arguments) +
         ")";
}

namespace {

// The pattern with each "$c" replaced by what stands for c.
std::string filled(std::string_view pattern, std::initializer_list<std::pair<char, std::string_view>> texts) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '$') {
      out += pattern[i];
      continue;
    }
    ++i;
    for (const auto& [name, text] : texts)
      if (name == pattern[i]) out += text;
  }
  return out;
}

}  // namespace

std::string element(const Dialect& dialect, std::string_view buffer, std::string_view index) {
  return filled(dialect.buffer_index, {{'b', buffer}, {'i', index}});
}

std::string texel(const Dialect& dialect, Register r, int width, std::string_view buffer, std::string_view index) {
  const std::string_view words = width == 1 ? ".x" : width == 2 ? ".xy" : "";
  return filled(dialect.texel[static_cast<int>(r)],
                {{'b', buffer}, {'i', index}, {'s', words}, {'t', type_name(dialect, r, width)}});
}

std::string_view narrow_type(const Dialect& dialect, Dtype dtype) {
  return dialect.narrow_types[dtype_size_bytes(dtype) == 1 ? 0 : 1];
}

std::string atomic_and(const Dialect& dialect, std::string_view word, std::string_view mask) {
  return filled(dialect.atomics[0], {{'v', word}, {'m', mask}});
}

std::string atomic_or(const Dialect& dialect, std::string_view word, std::string_view bits) {
  return filled(dialect.atomics[1], {{'v', word}, {'m', bits}});
}

std::string cast_to(std::string_view type, std::string_view expression) {
  // C++ has no functional cast for types of two words; GLSL has no other.
  bool words = type.find(' ') != std::string_view::npos;
  return (words ? "((" + std::string(type) + ")" : std::string(type)) + "(" + std::string(expression) + ")" +
         (words ? ")" : "");
}

std::string literal(const Dialect& dialect, Dtype dtype, uint64_t bits) {
  switch (register_of(dtype)) {
    case Register::kBool: return (bits & 0xff) ? "true" : "false";
    case Register::kInt: {
      int64_t v = static_cast<int64_t>(scalar_from_bits(dtype, bits));
      return v == INT32_MIN ? "(-2147483647 - 1)" : v < 0 ? "(" + std::to_string(v) + ")" : std::to_string(v);
    }
    case Register::kUint: return std::to_string(static_cast<uint64_t>(scalar_from_bits(dtype, bits))) + "u";
    case Register::kInt64: {
      // As two words, since no literal suffix is common to both languages.
      int64_t v = static_cast<int64_t>(bits);
      std::string type(dialect.types[static_cast<int>(Register::kInt64)]);
      if (v > INT32_MIN && v <= INT32_MAX) return cast_to(type, std::to_string(v));
      return "((" + cast_to(type, std::to_string(static_cast<int32_t>(v >> 32))) + " << 32) | " +
             cast_to(type, std::to_string(static_cast<uint32_t>(v)) + "u") + ")";
    }
    case Register::kUint64: {
      std::string type(dialect.types[static_cast<int>(Register::kUint64)]);
      return "((" + cast_to(type, std::to_string(static_cast<uint32_t>(bits >> 32)) + "u") + " << 32) | " +
             cast_to(type, std::to_string(static_cast<uint32_t>(bits)) + "u") + ")";
    }
    case Register::kFloat:
    case Register::kDouble: {
      double v = scalar_from_bits(dtype, bits);
      if (!std::isfinite(v)) {
        uint32_t word = std::isnan(v) ? 0x7fc00000u : v > 0 ? 0x7f800000u : 0xff800000u;
        return std::string(dialect.bits_to_float) + "(" + std::to_string(word) + "u)";
      }
      char buffer[64];
      auto end = dtype == Dtype::kF64 ? std::to_chars(buffer, buffer + 60, v).ptr
                                      : std::to_chars(buffer, buffer + 60, static_cast<float>(v)).ptr;
      std::string text(buffer, end);
      if (text.find_first_of(".e") == std::string::npos) text += ".0";
      if (dtype == Dtype::kF64)
        text += dialect.name == "glsl" ? "lf" : "";
      else if (dialect.name == "cuda")
        text += "f";
      return std::signbit(v) ? "(" + text + ")" : text;
    }
  }
  return "0";
}

}  // namespace tuff
