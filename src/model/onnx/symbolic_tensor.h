// SymbolicTensor: a small tensor whose elements are known while importing, as expressions over the dimension symbols.
//
// What models compute from shapes (Shape, Gather, Mul, Concat and so on) is kept in this form, so that none of it is left
// in the graph. Floats occur as quotients, since sizes are multiplied with factors and divided by each other.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace tuff::onnx {

// numerator / denominator; the denominator is positive, and 1 for integers and bools (which are 0 or 1).
struct Element {
  IntExpr numerator;
  IntExpr denominator = IntExpr(1);

  Element() = default;
  Element(IntExpr integer) : numerator(std::move(integer)) {}
  Element(IntExpr n, IntExpr d) : numerator(std::move(n)), denominator(std::move(d)) {}

  bool is_integer() const { return denominator.is(1); }
  bool is_constant() const { return numerator.is_constant() && denominator.is_constant(); }
};

struct SymbolicTensor {
  Dtype dtype = Dtype::kI64;
  std::vector<int64_t> shape;
  std::vector<Element> elements;

  bool is_constant() const;
};

// Tensors beyond this are data, not shapes.
inline constexpr int64_t kSymbolicElementLimit = 1024;

int64_t element_count(const std::vector<int64_t>& shape);
// The constant's elements if they are few and each is an integer or a quotient by a small power of two.
std::optional<SymbolicTensor> symbolic_from_constant(const ConstantAttrs& constant);
// An integer as an element of the dtype, in the low bytes; the bytes above are 0.
uint64_t integer_bits(Dtype dtype, int64_t v);
// The elements as patterns of the dtype, for a tensor that is_constant().
std::vector<uint64_t> constant_bits(const SymbolicTensor& tensor);

// n/d with common constant factors, and d itself where it divides n, taken out.
Element quotient(const IntExpr& n, const IntExpr& d);

}  // namespace tuff::onnx
