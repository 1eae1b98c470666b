// Products of quantised tensors. Sums are of i32, which wrap as ONNX has them; the casts of their operands lie where those are
// loaded, so that memory holds 8 bits. Padding comes after the zero point was taken away: it is 0 then.
//   ConvInteger, MatMulInteger  y = sum((a - a zero point) * (b - b zero point))
//   QLinearConv, QLinearMatMul  saturate(round((y + bias) * (a scale * b scale / y scale)) + y zero point): the factor is
//   rounded
//                               first, as onnxruntime has it
//   MatMulNBits                 a times (q - zero point) * scale in the dtype of a, for 4-bit q in blocks along k
#include "model/onnx/four_bits.h"
#include "model/onnx/operators.h"
#include "model/onnx/products.h"
#include "model/onnx/quantization.h"

namespace tuff::onnx {
namespace {

Status check_8_bits(NodeImport& node, size_t input) {
  const Dtype dtype = node.input_type(input).dtype;
  if (dtype == Dtype::kI8 || dtype == Dtype::kU8) return ok_status();
  return unsupported("an operand of type " + std::string(dtype_name(dtype)) + " is not supported; it must be i8 or u8.");
}

// A scale or zero point of one number or of one along the axis of a tensor of the rank.
Result<Tensor> along_axis(Tensor parameter, int rank, int axis) {
  if (product(parameter.shape()).is(1)) return without_axes(parameter);
  if (parameter.rank() != 1 && parameter.rank() != rank)
    return invalid_argument("its scale or zero point " + dims_text(parameter.shape()) + " is neither one number nor a vector.");
  return parameter.rank() == 1 ? along(parameter, rank, axis) : parameter;
}

// Of a's rows and b's columns, as they broadcast against a, b and the product.
Result<Tensor> of_rows(Tensor parameter, int rank) { return along_axis(parameter, std::max(rank, 2), std::max(rank, 2) - 2); }
Result<Tensor> of_columns(Tensor parameter, int rank) { return along_axis(parameter, rank, rank - 1); }

struct OperandInputs {
  size_t a, a_zero_point, b, b_zero_point;
};

Result<Tensor> integer_matmul(NodeImport& node, const OperandInputs& in) {
  TUFF_TRY(check_8_bits(node, in.a));
  TUFF_TRY(check_8_bits(node, in.b));
  if (node.rank(in.a) == 0 || node.rank(in.b) == 0) return invalid_argument("it does not multiply scalars.");
  Tensor a = node.input(in.a), b = node.input(in.b);
  Tensor a_zero = node.composition.scalar(a.dtype(), 0), b_zero = node.composition.scalar(b.dtype(), 0);
  if (node.has_input(in.a_zero_point)) {
    TUFF_ASSIGN(a_zero, of_rows(node.input(in.a_zero_point), a.rank()));
  }
  if (node.has_input(in.b_zero_point)) {
    TUFF_ASSIGN(b_zero, of_columns(node.input(in.b_zero_point), b.rank()));
  }
  TUFF_TRY(node.composition.status());
  return matmul(centred(a, a_zero), centred(b, b_zero));
}

Result<Tensor> integer_convolution(NodeImport& node, const OperandInputs& in) {
  TUFF_TRY(check_8_bits(node, in.a));
  TUFF_TRY(check_8_bits(node, in.b));
  TUFF_ASSIGN(WindowShape window, convolution_window(node, node.input_type(in.a).shape, node.input_type(in.b).shape));
  Tensor x = node.input(in.a), w = node.input(in.b);
  Tensor x_zero = node.composition.scalar(x.dtype(), 0), w_zero = node.composition.scalar(w.dtype(), 0);
  if (node.has_input(in.a_zero_point)) x_zero = without_axes(node.input(in.a_zero_point));
  if (x_zero.rank() != 0) return unsupported("more than one zero point of its input is not supported.");
  if (node.has_input(in.b_zero_point)) {
    TUFF_ASSIGN(w_zero, along_axis(node.input(in.b_zero_point), w.rank(), 0));
  }
  x = pad_spatial(centred(x, x_zero), window.low, window.high, 0);
  return convolve(x, centred(w, w_zero), window, window.strides, node.attributes.integer("group", 1));
}

// sums * (a scale * b scale / y scale), quantised. The scales are broadcast against the sums.
Tensor requantized(Tensor sums, Tensor a_scale, Tensor b_scale, Tensor y_scale, Tensor zero_point) {
  auto f32 = [](Tensor scale) { return cast(scale, Dtype::kF32); };
  return quantized(f32(sums) * (f32(a_scale) * f32(b_scale) / f32(y_scale)), zero_point);
}

Status matmul_integer(NodeImport& node) {
  TUFF_ASSIGN(Tensor y, integer_matmul(node, {0, 2, 1, 3}));
  return node.output(y);
}

Status conv_integer(NodeImport& node) {
  TUFF_ASSIGN(Tensor y, integer_convolution(node, {0, 2, 1, 3}));
  return node.output(y);
}

Status qlinear_matmul(NodeImport& node) {
  TUFF_TRY(check_8_bits(node, 7));
  TUFF_ASSIGN(Tensor sums, integer_matmul(node, {0, 2, 3, 5}));
  const int rank = sums.rank();
  if (node.rank(0) < 2 || node.rank(3) < 2) return unsupported("a vector as an operand is not supported.");
  TUFF_ASSIGN(Tensor a_scale, of_rows(node.input(1), rank));
  TUFF_ASSIGN(Tensor b_scale, of_columns(node.input(4), rank));
  TUFF_ASSIGN(Tensor y_scale, of_rows(node.input(6), rank));
  TUFF_ASSIGN(Tensor zero_point, of_rows(node.input(7), rank));
  return node.output(requantized(sums, a_scale, b_scale, y_scale, zero_point));
}

Status qlinear_conv(NodeImport& node) {
  TUFF_TRY(check_8_bits(node, 7));
  TUFF_ASSIGN(Tensor sums, integer_convolution(node, {0, 2, 3, 5}));
  Tensor x_scale = without_axes(node.input(1)), y_scale = without_axes(node.input(6)), zero_point = without_axes(node.input(7));
  if (x_scale.rank() != 0 || y_scale.rank() != 0 || zero_point.rank() != 0)
    return unsupported("scales and zero points for each channel are supported of its weights only.");
  TUFF_ASSIGN(Tensor w_scale, along_axis(node.input(4), sums.rank(), 1));
  if (node.has_input(8)) sums = sums + along(node.input(8), sums.rank(), 1);
  return node.output(requantized(sums, x_scale, w_scale, y_scale, zero_point));
}

// Blocks along k: [blocks * block, n] as [blocks, block, n], where the parameters are [blocks, n].
struct Blocks {
  int64_t block, count, columns;
  Dims rows() const { return {IntExpr(count * block), IntExpr(columns)}; }
  Dims apart() const { return {IntExpr(count), IntExpr(block), IntExpr(columns)}; }
  Dims each() const { return {IntExpr(count), IntExpr(1), IntExpr(columns)}; }
};

// The zero points as f32 [blocks, n]: numbers like a's, or 4 bits, of which a row of blocks begins with a byte.
Result<Tensor> block_zero_points(NodeImport& node, const Blocks& blocks) {
  const IntExpr columns(blocks.columns), count(blocks.count);
  if (!node.has_input(3)) return node.composition.scalar(Dtype::kF32, 8);
  if (is_float(node.input_type(3).dtype)) return cast(transpose(reshape(node.input(3), {columns, count}), {1, 0}), Dtype::kF32);
  if (node.input_type(3).dtype != Dtype::kU8)
    return unsupported("zero points of type " + std::string(dtype_name(node.input_type(3).dtype)) + " are not supported.");
  const IntExpr bytes((blocks.count + 1) / 2);
  Tensor packed = transpose(reshape(node.input(3), {columns, bytes}), {1, 0});
  return cast(slice(unpack_four_bits(packed), 0, IntExpr(0), count), Dtype::kF32);
}

// Weights are turned so that columns are neighbours; the bytes stay as many.
Status matmul_n_bits(NodeImport& node) {
  const int64_t depth = node.attributes.integer("K", 0), columns = node.attributes.integer("N", 0);
  const int64_t block = node.attributes.integer("block_size", 0), bits = node.attributes.integer("bits", 4);
  constexpr int64_t kLimit = int64_t{1} << 31;
  if (bits != 4) return unsupported("weights of " + std::to_string(bits) + " bits are not supported; it must be 4.");
  if (block < 16 || block > 256 || (block & (block - 1)) != 0)
    return unsupported("blocks of " + std::to_string(block) + " are not supported; it must be a power of 2 from 16 to 256.");
  if (depth < 1 || depth >= kLimit || columns < 1 || columns >= kLimit)
    return invalid_argument("K and N must be from 1 to 2^31 - 1; they are " + std::to_string(depth) + " and " +
                            std::to_string(columns) + ".");
  if (node.has_input(4)) return unsupported("rows in another order (g_idx) are not supported.");
  if (node.input_type(1).dtype != Dtype::kU8)
    return unsupported("weights of type " + std::string(dtype_name(node.input_type(1).dtype)) + " are not supported.");
  if (node.rank(0) < 1 || !(node.input_type(0).shape.back() == IntExpr(depth)))
    return invalid_argument("its input " + dims_text(node.input_type(0).shape) + " does not end with K, " +
                            std::to_string(depth) + ".");
  const Blocks blocks{block, (depth + block - 1) / block, columns};
  Tensor packed = reshape(node.input(1), {IntExpr(columns), IntExpr(blocks.count * block / 2)});
  Tensor q = cast(unpack_four_bits(transpose(packed, {1, 0})), Dtype::kF32);
  Tensor scale = transpose(reshape(node.input(2), {IntExpr(columns), IntExpr(blocks.count)}), {1, 0});
  TUFF_ASSIGN(Tensor zero_point, block_zero_points(node, blocks));
  if (zero_point.rank() != 0) zero_point = reshape(zero_point, blocks.each());
  Tensor w = (reshape(q, blocks.apart()) - zero_point) * reshape(cast(scale, Dtype::kF32), blocks.each());
  w = slice(reshape(w, blocks.rows()), 0, IntExpr(0), IntExpr(depth));
  TUFF_TRY(node.composition.status());
  Tensor y = matmul(node.input(0), cast(w, node.input_type(0).dtype));
  return node.output(node.has_input(5) ? y + node.input(5) : y);
}

constexpr Operator kQuantizedProductOperators[] = {
    {"ConvInteger", 10, 2, 4, conv_integer},
    {"MatMulInteger", 10, 2, 4, matmul_integer},
    {"MatMulNBits", 1, 3, 6, matmul_n_bits, "com.microsoft"},
    {"QLinearConv", 10, 8, 9, qlinear_conv},
    {"QLinearMatMul", 10, 8, 8, qlinear_matmul},
};

}  // namespace

std::span<const Operator> quantized_product_operators() { return kQuantizedProductOperators; }

}  // namespace tuff::onnx
