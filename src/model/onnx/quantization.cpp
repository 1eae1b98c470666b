// Quantised tensors as maps, with a scale and a zero point of the tensor, of each index along an axis, or of each block along
// it. What is dequantised stays in memory as integers: simplify folds no constant into a larger one.
//   QuantizeLinear         q = saturate(round(x / scale) + zero point), half to even
//   DequantizeLinear       x = (q - zero point) * scale
//   DynamicQuantizeLinear  both parameters from the tensor's least and greatest element
#include "model/onnx/quantization.h"

#include <algorithm>
#include <limits>

#include "base/checked.h"
#include "model/onnx/operators.h"

namespace tuff::onnx {
namespace {

struct IntegerRange {
  double low, high;
};

template <class Int>
constexpr IntegerRange range_of() {
  return {static_cast<double>(std::numeric_limits<Int>::min()), static_cast<double>(std::numeric_limits<Int>::max())};
}

// Of what QuantizeLinear makes; nullopt for other dtypes.
std::optional<IntegerRange> quantized_range(Dtype dtype) {
  switch (dtype) {
    case Dtype::kI8: return range_of<int8_t>();
    case Dtype::kU8: return range_of<uint8_t>();
    case Dtype::kI16: return range_of<int16_t>();
    case Dtype::kU16: return range_of<uint16_t>();
    default: return std::nullopt;
  }
}

// The shape in which whole blocks along the axis have an axis of their own, so that nothing repeats their parameters in memory;
// the shape itself where there are no blocks, or the last is not whole.
Dims in_blocks(NodeImport& node, Dims shape) {
  const int64_t block = node.attributes.integer("block_size", 0);
  auto axis = node.axis(node.attributes.integer("axis", 1), static_cast<int>(shape.size()));
  if (block <= 0 || !axis.ok()) return shape;
  IntExpr& size = shape[static_cast<size_t>(*axis)];
  auto count = divide_exact(size, IntExpr(block));
  if (!count) return shape;
  size = *count;
  shape.insert(shape.begin() + *axis + 1, IntExpr(block));
  return shape;
}

// A scale or a zero point as it broadcasts against a tensor of this shape, in blocks: one number, one for each index along the
// attribute "axis", or one for each "block_size" of them.
Result<Tensor> at_elements(NodeImport& node, Tensor parameter, const Dims& shape) {
  const int rank = static_cast<int>(shape.size());
  const int64_t block = node.attributes.integer("block_size", 0);
  if (block < 0) return invalid_argument("its block_size of " + std::to_string(block) + " is negative.");
  if (product(parameter.shape()).is(1)) return without_axes(parameter);
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", 1), rank));
  const IntExpr& size = shape[static_cast<size_t>(axis)];
  if (block == 0) {
    if (parameter.rank() == 1 && parameter.dim(0) == size) return along(parameter, rank, axis);
    return invalid_argument("its scale or zero point " + dims_text(parameter.shape()) + " is not one number for each of the " +
                            size.text() + " along axis " + std::to_string(axis) + ".");
  }
  Dims wanted = shape;
  wanted[static_cast<size_t>(axis)] = ceil_div(size, IntExpr(block));
  if (parameter.shape() != wanted)
    return invalid_argument("its scale or zero point " + dims_text(parameter.shape()) +
                            " is not one number for each block of " + std::to_string(block) + " along axis " +
                            std::to_string(axis) + " of " + dims_text(shape) + ".");
  Dims apart = wanted, repeated, joined = wanted;
  apart.insert(apart.begin() + axis + 1, IntExpr(1));
  if (in_blocks(node, shape) != shape) return reshape(parameter, apart);
  repeated = apart;
  repeated[static_cast<size_t>(axis) + 1] = IntExpr(block);
  joined[static_cast<size_t>(axis)] *= IntExpr(block);
  return slice(reshape(broadcast(reshape(parameter, apart), repeated), joined), axis, IntExpr(0), size);
}

// The dtype that the zero point or the attribute "output_dtype" says.
Result<Dtype> quantized_dtype(NodeImport& node) {
  const int64_t given = node.attributes.integer("output_dtype", 0);
  std::optional<Dtype> dtype = Dtype::kU8;
  if (given != 0) dtype = dtype_from_tensor_type(static_cast<int32_t>(given));
  if (dtype && node.has_input(2)) {
    const Dtype zero_point = node.input_type(2).dtype;
    if (given != 0 && zero_point != *dtype) return invalid_argument("its zero point is not of its output_dtype.");
    dtype = zero_point;
  }
  if (node.has_input(2) && node.has_four_bits(2)) return unsupported("quantising to integers of 4 bits is not supported.");
  if (!dtype || !quantized_range(*dtype))
    return unsupported("quantising to " +
                       (dtype ? std::string(dtype_name(*dtype)) : tensor_type_name(static_cast<int32_t>(given))) +
                       " is not supported.");
  return *dtype;
}

Status quantize_linear(NodeImport& node) {
  TUFF_ASSIGN(Dtype dtype, quantized_dtype(node));
  const int64_t precision = node.attributes.integer("precision", 0);
  if (precision != 0 && precision != kFloat)
    return unsupported("dividing in " + tensor_type_name(static_cast<int32_t>(precision)) + " is not supported.");
  const Dims shape = node.input_type(0).shape;
  Tensor x = cast(reshape(node.input(0), in_blocks(node, shape)), Dtype::kF32);
  TUFF_ASSIGN(Tensor scale, at_elements(node, cast(node.input(1), Dtype::kF32), shape));
  Tensor zero_point = node.composition.scalar(dtype, 0);
  if (node.has_input(2)) {
    TUFF_ASSIGN(zero_point, at_elements(node, node.input(2), shape));
  }
  return node.output(reshape(quantized(x / scale, zero_point), shape));
}

// Symmetric quantisation is written with a zero point of zeros.
bool is_zero(NodeImport& node, size_t input) {
  auto numbers = node.reals(input, "zero point");
  return numbers.ok() && std::all_of(numbers->begin(), numbers->end(), [](double v) { return v == 0; });
}

Status dequantize_linear(NodeImport& node) {
  const Dtype from = node.input_type(0).dtype;
  if (from != Dtype::kI32 && !quantized_range(from))
    return unsupported("dequantising " + std::string(dtype_name(from)) + " is not supported.");
  Dtype to = node.input_type(1).dtype;
  if (const int64_t given = node.attributes.integer("output_dtype", 0); given != 0) {
    auto dtype = dtype_from_tensor_type(static_cast<int32_t>(given));
    if (!dtype || !is_float(*dtype))
      return unsupported("dequantising to " + tensor_type_name(static_cast<int32_t>(given)) + " is not supported.");
    to = *dtype;
  }
  const Dims shape = node.input_type(0).shape;
  Tensor q = reshape(node.input(0), in_blocks(node, shape));
  TUFF_ASSIGN(Tensor scale, at_elements(node, cast(node.input(1), Dtype::kF32), shape));
  Tensor x = q;
  // 16 bits and their differences are exact in f32; so each reader of q has a chain of its own, whatever others need.
  if (from != Dtype::kI32) x = cast(q, Dtype::kF32);
  if (node.has_input(2) && !is_zero(node, 2)) {
    TUFF_ASSIGN(Tensor zero_point, at_elements(node, node.input(2), shape));
    x = x - cast(zero_point, x.dtype());
  }
  return node.output(reshape(cast(cast(x, Dtype::kF32) * scale, to), shape));
}

// scale = (max(x, 0) - min(x, 0)) / 255, or 1 where all is 0; zero point = saturate(round(0 - min(x, 0) / scale))
Status dynamic_quantize_linear(NodeImport& node) {
  Tensor x = node.input(0);
  std::vector<int> axes;
  for (int i = 0; i < x.rank(); ++i) axes.push_back(i);
  Tensor low = minimum(reshape(reduce(ReduceOp::kMin, x, axes), {}), 0);
  Tensor high = maximum(reshape(reduce(ReduceOp::kMax, x, axes), {}), 0);
  Tensor one = node.composition.scalar(Dtype::kF32, 1);
  Tensor scale = select(map(MapOp::equal, {low, high}), one, (high - low) / node.composition.scalar(Dtype::kF32, 255));
  Tensor zero_point = quantized(0 - low / scale, node.composition.scalar(Dtype::kU8, 0));
  TUFF_TRY(node.output(0, quantized(x / scale, zero_point)));
  TUFF_TRY(node.output(1, scale));
  return node.output(2, zero_point);
}

constexpr Operator kQuantizationOperators[] = {
    {"DequantizeLinear", 10, 2, 3, dequantize_linear},
    {"DequantizeLinear", 1, 2, 3, dequantize_linear, "com.microsoft"},
    {"DynamicQuantizeLinear", 11, 1, 1, dynamic_quantize_linear},
    {"QuantizeLinear", 10, 2, 3, quantize_linear},
    {"QuantizeLinear", 1, 2, 3, quantize_linear, "com.microsoft"},
};

}  // namespace

Tensor quantized(Tensor y, Tensor zero_point) {
  const IntegerRange range = quantized_range(zero_point.dtype()).value_or(IntegerRange{0, 0});
  y = map(MapOp::round, {y}) + cast(zero_point, Dtype::kF32);
  return cast(minimum(maximum(y, range.low), range.high), zero_point.dtype());
}

Tensor centred(Tensor q, Tensor zero_point) { return cast(q, Dtype::kI32) - cast(zero_point, Dtype::kI32); }

Tensor without_axes(Tensor parameter) { return product(parameter.shape()).is(1) ? reshape(parameter, {}) : parameter; }

std::span<const Operator> quantization_operators() { return kQuantizationOperators; }

}  // namespace tuff::onnx
