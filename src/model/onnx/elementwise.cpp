// Arithmetic, comparison, logic, selection and casts: each element from the elements at the same place.
#include <cmath>
#include <limits>

#include "model/onnx/operators.h"

namespace tuff::onnx {
namespace {

template <MapOp op>
Status unary(NodeImport& node) {
  return node.output(map(op, {node.input(0)}));
}

template <MapOp op>
Status binary(NodeImport& node) {
  return node.output(map(op, {node.input(0), node.input(1)}));
}

template <MapOp op>
Status swapped(NodeImport& node) {
  return node.output(map(op, {node.input(1), node.input(0)}));
}

// Max, Min and Sum of any number of inputs, from left to right.
template <MapOp op>
Tensor folded_inputs(NodeImport& node) {
  Tensor total = node.input(0);
  for (size_t i = 1; i < node.input_count(); ++i) total = map(op, {total, node.input(i)});
  return total;
}

template <MapOp op>
Status variadic(NodeImport& node) {
  return node.output(folded_inputs<op>(node));
}

// The sum times 1/n.
Status mean_of_inputs(NodeImport& node) {
  Tensor total = folded_inputs<MapOp::add>(node);
  return node.output(total * (1.0 / static_cast<double>(node.input_count())));
}

Status identity(NodeImport& node) { return node.output(node.input(0)); }

// Inference: the data pass through. The mask, where someone reads it, is true everywhere.
Status dropout(NodeImport& node) {
  if (node.opset() >= 12 && node.has_input(2)) {
    const SymbolicTensor* training = node.known(2);
    if (!training || training->elements.size() != 1 || !training->elements[0].numerator.is(0))
      return unsupported("its training mode is not supported.");
  }
  Tensor x = node.input(0);
  if (node.output_used(1)) {
    if (node.opset() < 10) return unsupported("its mask is not supported before operator set 10.");
    TUFF_TRY(node.output(1, node.composition.splat(Dtype::kBool, x.shape(), 1)));
  }
  return node.output(x);
}

// With fmod the result has the sign of the dividend, without it that of the divisor.
Status mod(NodeImport& node) {
  bool fmod = node.attributes.integer("fmod", 0) != 0;
  if (!fmod && is_float(node.input_type(0).dtype)) return invalid_argument("Mod of floats needs the attribute fmod = 1.");
  return fmod ? binary<MapOp::fmod>(node) : binary<MapOp::floormod>(node);
}

// x^2 and x^3 as products, which also suits negative x; else pow. An exponent of another type takes the base's, but for a
// float one of an integer base, which is computed in f32 and truncated.
Status power(NodeImport& node) {
  Tensor x = node.input(0);
  const SymbolicTensor* exponent = node.known(1);
  if (exponent && exponent->elements.size() == 1 && exponent->shape.size() <= static_cast<size_t>(node.rank(0))) {
    if (exponent->elements[0].numerator.is(2) && exponent->elements[0].is_integer()) return node.output(x * x);
    if (exponent->elements[0].numerator.is(3) && exponent->elements[0].is_integer()) return node.output(x * x * x);
  }
  Tensor e = node.input(1);
  if (is_integer(x.dtype()) && is_float(e.dtype()))
    return node.output(cast(map(MapOp::pow, {cast(x, Dtype::kF32), cast(e, Dtype::kF32)}), x.dtype()));
  return node.output(map(MapOp::pow, {x, cast(e, x.dtype())}));
}

Status is_inf(NodeImport& node) {
  bool positive = node.attributes.integer("detect_positive", 1) != 0;
  bool negative = node.attributes.integer("detect_negative", 1) != 0;
  Tensor x = node.input(0);
  if (positive && negative) return node.output(map(MapOp::is_inf, {x}));
  if (!positive && !negative) return node.output(node.composition.splat(Dtype::kBool, x.shape(), 0));
  Tensor infinity = node.composition.scalar(x.dtype(), positive ? INFINITY : -INFINITY);
  return node.output(map(MapOp::equal, {x, infinity}));
}

Status bit_shift(NodeImport& node) {
  std::string_view direction = node.attributes.text("direction", "");
  if (direction == "LEFT") return binary<MapOp::shift_left>(node);
  if (direction == "RIGHT") return binary<MapOp::shift_right>(node);
  return invalid_argument("its direction is '" + std::string(direction) + "', not LEFT or RIGHT.");
}

// min(high, max(x, low)): where the limits cross, high wins. NaN stays NaN.
Status clip(NodeImport& node) {
  Tensor y = node.input(0);
  if (node.opset() < 11) {
    constexpr float kLowest = std::numeric_limits<float>::lowest(), kHighest = std::numeric_limits<float>::max();
    float low = node.attributes.real("min", kLowest), high = node.attributes.real("max", kHighest);
    if (low > kLowest) y = maximum(y, low);
    if (high < kHighest) y = minimum(y, high);
    return node.output(y);
  }
  if (node.has_input(1)) y = map(MapOp::max, {y, node.input(1)});
  if (node.has_input(2)) y = map(MapOp::min, {y, node.input(2)});
  return node.output(y);
}

Status cast_to(NodeImport& node) {
  int64_t to = node.attributes.integer("to", 0);
  auto dtype = dtype_from_tensor_type(static_cast<int32_t>(to));
  if (!dtype) return unsupported("casting to " + tensor_type_name(static_cast<int32_t>(to)) + " is not supported.");
  return node.output(cast(node.input(0), *dtype));
}

Status cast_like(NodeImport& node) { return node.output(cast(node.input(0), node.input_type(1).dtype)); }

Status where(NodeImport& node) { return node.output(select(node.input(0), node.input(1), node.input(2))); }

constexpr Operator kElementwiseOperators[] = {
    {"Abs", 6, 1, 1, unary<MapOp::abs>},
    {"Acos", 7, 1, 1, unary<MapOp::acos>},
    {"Acosh", 9, 1, 1, unary<MapOp::acosh>},
    {"Add", 7, 2, 2, binary<MapOp::add>},
    {"And", 7, 2, 2, binary<MapOp::logical_and>},
    {"Asin", 7, 1, 1, unary<MapOp::asin>},
    {"Asinh", 9, 1, 1, unary<MapOp::asinh>},
    {"Atan", 7, 1, 1, unary<MapOp::atan>},
    {"Atanh", 9, 1, 1, unary<MapOp::atanh>},
    {"BitShift", 11, 2, 2, bit_shift},
    {"BitwiseAnd", 18, 2, 2, binary<MapOp::bit_and>},
    {"BitwiseNot", 18, 1, 1, unary<MapOp::bit_not>},
    {"BitwiseOr", 18, 2, 2, binary<MapOp::bit_or>},
    {"BitwiseXor", 18, 2, 2, binary<MapOp::bit_xor>},
    {"Cast", 6, 1, 1, cast_to},
    {"CastLike", 15, 2, 2, cast_like},
    {"Ceil", 6, 1, 1, unary<MapOp::ceil>},
    {"Clip", 6, 1, 3, clip},
    {"Cos", 7, 1, 1, unary<MapOp::cos>},
    {"Cosh", 9, 1, 1, unary<MapOp::cosh>},
    {"Div", 7, 2, 2, binary<MapOp::div>},
    {"Dropout", 7, 1, 3, dropout},
    {"Equal", 7, 2, 2, binary<MapOp::equal>},
    {"Erf", 9, 1, 1, unary<MapOp::erf>},
    {"Exp", 6, 1, 1, unary<MapOp::exp>},
    {"Floor", 6, 1, 1, unary<MapOp::floor>},
    {"Greater", 7, 2, 2, swapped<MapOp::less>},
    {"GreaterOrEqual", 12, 2, 2, swapped<MapOp::less_equal>},
    {"Identity", 1, 1, 1, identity},
    {"IsInf", 10, 1, 1, is_inf},
    {"IsNaN", 9, 1, 1, unary<MapOp::is_nan>},
    {"Less", 7, 2, 2, binary<MapOp::less>},
    {"LessOrEqual", 12, 2, 2, binary<MapOp::less_equal>},
    {"Log", 6, 1, 1, unary<MapOp::log>},
    {"Max", 6, 1, kVariadic, variadic<MapOp::max>},
    {"Mean", 6, 1, kVariadic, mean_of_inputs},
    {"Min", 6, 1, kVariadic, variadic<MapOp::min>},
    {"Mod", 10, 2, 2, mod},
    {"Mul", 7, 2, 2, binary<MapOp::mul>},
    {"Neg", 6, 1, 1, unary<MapOp::neg>},
    {"Not", 1, 1, 1, unary<MapOp::logical_not>},
    {"Or", 7, 2, 2, binary<MapOp::logical_or>},
    {"Pow", 7, 2, 2, power},
    {"Reciprocal", 6, 1, 1, unary<MapOp::reciprocal>},
    {"Round", 11, 1, 1, unary<MapOp::round>},
    {"Sign", 9, 1, 1, unary<MapOp::sign>},
    {"Sin", 7, 1, 1, unary<MapOp::sin>},
    {"Sinh", 9, 1, 1, unary<MapOp::sinh>},
    {"Sqrt", 6, 1, 1, unary<MapOp::sqrt>},
    {"Sub", 7, 2, 2, binary<MapOp::sub>},
    {"Sum", 6, 1, kVariadic, variadic<MapOp::add>},
    {"Tan", 7, 1, 1, unary<MapOp::tan>},
    {"Tanh", 6, 1, 1, unary<MapOp::tanh>},
    {"Where", 9, 3, 3, where},
    {"Xor", 7, 2, 2, binary<MapOp::logical_xor>},
};

}  // namespace

std::span<const Operator> elementwise_operators() { return kElementwiseOperators; }

}  // namespace tuff::onnx
