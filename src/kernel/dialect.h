// Dialects: how the one printer of kernel code writes types, literals, loads and stores in GLSL and in CUDA.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/dtype.h"

namespace tuff {

// What a kernel computes a dtype in, and what its storage holds (layout/storage.h).
enum class Register : uint8_t { kFloat, kInt, kUint, kBool, kInt64, kUint64, kDouble };
Register register_of(Dtype dtype);

struct Dialect {
  std::string_view name;
  std::string_view types[7];               // by Register; bool is kBool
  std::string_view vector_prefix[3];       // of float, int, uint: "vec", "ivec", "uvec"
  std::string_view vector_constructor[3];  // "vec4(" style: prefix + width + "(" ; CUDA has make_float4(
  std::string_view bits_to_float;          // function of a uint
  std::string_view buffer_index;           // how element i of buffer b is written: "$b.e[$i]"
  std::string_view texel[3];               // texel i of buffer b, as type t of float, int, uint; s: which of its words
  std::string_view hidden_zero;            // 0 as a float, in a way that compilers do not see
  std::string_view narrow_types[2];        // what storage of 8 and of 16 bits is declared as
  std::string_view atomics[2];             // v becomes v & m, v | m
};

const Dialect& glsl();
const Dialect& cuda();

// "a, b, c", and "function(a, b, c)".
std::string listed(const std::vector<std::string>& texts);
std::string call(std::string_view function, const std::vector<std::string>& arguments);
// "v.x", "v.y" ...; of a width of one the vector itself.
std::string component(const std::string& vector, int width, int i);
std::vector<std::string> components(const std::string& vector, int width);

std::string type_name(const Dialect& dialect, Register r, int width);
std::string construct(const Dialect& dialect, Register r, int width, std::string_view arguments);
std::string element(const Dialect& dialect, std::string_view buffer, std::string_view index);
// Texel i, of `width` words, of a buffer of uints as a vector of the register's type (float, int or uint).
std::string texel(const Dialect& dialect, Register r, int width, std::string_view buffer, std::string_view index);
std::string_view narrow_type(const Dialect& dialect, Dtype dtype);
// Statements without their semicolon; `word` is an element of a buffer of uints.
std::string atomic_and(const Dialect& dialect, std::string_view word, std::string_view mask);
std::string atomic_or(const Dialect& dialect, std::string_view word, std::string_view bits);
std::string cast_to(std::string_view type, std::string_view expression);
// A literal of the dtype from its bits.
std::string literal(const Dialect& dialect, Dtype dtype, uint64_t bits);

}  // namespace tuff
