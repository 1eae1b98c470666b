// Products of bytes by the instruction that multiplies four pairs of them, which lie in two words, and adds up the products.
//   sum((a - p) * b) = sum(dot(word of a, word of b)) - p * sum(dot(ones, word of b))      ones: four bytes of 1
// Where the device has no fast instruction for unsigned times signed bytes, those of a have their sign bits turned, which takes
// 128 away; p - 128 stands for p then. Integer sums wrap, so that every bit is that of the sum of single products.
// Private to src/kernel.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/contraction.h"

namespace tuff {

// byte - zero point as i32, the bytes four neighbours along k in one word, or (B alone) along n.
struct ByteOperand {
  PointOp load{PointOp::Kind::kLoad};
  int64_t fill = 0;        // the byte where a check of the load fails
  int64_t zero_point = 0;  // where zero_point_op is -1
  int zero_point_op = -1;  // of IntegerDot::a_point, the same for all k of a row
};

struct IntegerDot {
  Point a_point;
  ByteOperand a;
  std::vector<ByteOperand> b;  // of each product
  bool across = false;         // words of B have four n, not four k
  bool turns_signs = false;    // of a's bytes
  std::string function;        // of a word of a, a vector of words of b and the sums

  // Is the sum of b's bytes needed? Then a row of ones is one more row of the tile.
  bool has_correction() const { return a.zero_point_op >= 0 || constant_factor() != 0; }
  int row_count(int tile_rows) const { return tile_rows + (has_correction() ? 1 : 0); }
  // What it is multiplied by and taken away, but for a zero point that the kernel reads.
  int64_t constant_factor() const { return a.zero_point - (turns_signs ? 128 : 0); }
};

// The product by such instructions, with `width` neighbouring n a vector; or why it is not one.
struct IntegerDotChoice {
  std::optional<IntegerDot> dot;
  std::string why;  // one sentence, of either
};
Result<IntegerDotChoice> choose_integer_dot(const KernelRequest& request, const Contraction& c, int width);

// A word of a's row m, a vector of b's words for `width` columns from n, and what the sums of b's bytes are multiplied by for
// row m, as texts.
std::string dot_row(const IntegerDot& dot, Emitter& emitter);
std::string dot_columns(const IntegerDot& dot, Emitter& emitter, size_t product, int width);
std::string dot_factor(const IntegerDot& dot, Emitter& emitter);

// The declarations that the functions in `body` need; empty where there are none.
std::string integer_dot_extensions(const std::string& body);
std::string integer_dot_functions(const std::string& body);

}  // namespace tuff
