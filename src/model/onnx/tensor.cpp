#include "model/onnx/tensor.h"

#include "model/onnx/symbolic_tensor.h"

namespace tuff::onnx {
namespace {

Tensor number_like(Tensor x, double v) { return x.composition().scalar(x.dtype(), v); }

Bytes copy_of(const void* data, size_t size_bytes) {
  return bytes_from_string(std::make_shared<std::string>(static_cast<const char*>(data), size_bytes));
}

}  // namespace

Dtype Tensor::dtype() const { return id_.valid() ? composition_->builder().dtype(id_) : Dtype::kF32; }

const Dims& Tensor::shape() const {
  static const Dims kNone;
  return id_.valid() ? composition_->builder().shape(id_) : kNone;
}

IntExpr Tensor::dim(int axis) const {
  int i = axis < 0 ? axis + rank() : axis;
  return i >= 0 && i < rank() ? shape()[static_cast<size_t>(i)] : IntExpr(1);
}

Tensor Composition::add(Attrs attrs, std::initializer_list<Tensor> inputs) {
  std::vector<ValueId> ids;
  for (const Tensor& t : inputs) ids.push_back(t.id());
  if (!status_.ok()) return {this, {}};
  return take(builder_.add(std::move(attrs), std::move(ids)));
}

Tensor Composition::splat(Dtype dtype, Dims shape, uint64_t bits) {
  ConstantAttrs attrs;
  attrs.dtype = dtype;
  attrs.data.kind = ConstantData::Kind::kSplat;
  attrs.data.bits = bits;
  if (!product(shape).is_constant()) return broadcast(add(std::move(attrs), {}), std::move(shape));
  attrs.shape = std::move(shape);
  return add(std::move(attrs), {});
}

Tensor Composition::constant(Dtype dtype, Dims shape, Bytes bytes) {
  return take(builder_.constant(dtype, std::move(shape), std::move(bytes)));
}

Tensor Composition::floats(Dims shape, const std::vector<float>& values) {
  return constant(Dtype::kF32, std::move(shape), copy_of(values.data(), values.size() * sizeof(float)));
}

Tensor Composition::integers(const std::vector<int64_t>& values) {
  return constant(Dtype::kI64, {IntExpr(static_cast<int64_t>(values.size()))},
                  copy_of(values.data(), values.size() * sizeof(int64_t)));
}

Tensor Composition::dimension(Dtype dtype, const IntExpr& value) {
  if (!value.is_constant()) return add(DimensionAttrs{dtype, value}, {});
  ConstantAttrs attrs;
  attrs.dtype = dtype;
  attrs.data.kind = ConstantData::Kind::kSplat;
  attrs.data.bits = integer_bits(dtype, value.constant());
  return add(std::move(attrs), {});
}

Tensor Composition::iota(Dtype dtype, const IntExpr& count) { return add(IotaAttrs{dtype, {count}, 0}, {}); }

Tensor map(MapOp op, std::initializer_list<Tensor> operands) {
  Composition& c = operands.begin()->composition();
  if (!c.status().ok()) return {&c, {}};
  std::vector<ValueId> ids;
  for (const Tensor& t : operands) ids.push_back(t.id());
  return c.take(c.builder().map(op, std::move(ids)));
}

Tensor operator+(Tensor a, Tensor b) { return map(MapOp::add, {a, b}); }
Tensor operator-(Tensor a, Tensor b) { return map(MapOp::sub, {a, b}); }
Tensor operator*(Tensor a, Tensor b) { return map(MapOp::mul, {a, b}); }
Tensor operator/(Tensor a, Tensor b) { return map(MapOp::div, {a, b}); }
Tensor operator+(Tensor a, double b) { return a + number_like(a, b); }
Tensor operator-(Tensor a, double b) { return a - number_like(a, b); }
Tensor operator-(double a, Tensor b) { return number_like(b, a) - b; }
Tensor operator*(Tensor a, double b) { return a * number_like(a, b); }
Tensor maximum(Tensor a, double b) { return map(MapOp::max, {a, number_like(a, b)}); }
Tensor minimum(Tensor a, double b) { return map(MapOp::min, {a, number_like(a, b)}); }
Tensor less(Tensor a, double b) { return map(MapOp::less, {a, number_like(a, b)}); }
Tensor select(Tensor condition, Tensor a, Tensor b) { return map(MapOp::select, {condition, a, b}); }

Tensor cast(Tensor x, Dtype dtype) {
  Composition& c = x.composition();
  return c.status().ok() ? c.take(c.builder().cast(x.id(), dtype)) : x;
}

Tensor reduce(ReduceOp op, Tensor x, std::vector<int> axes) {
  Composition& c = x.composition();
  if (!c.status().ok()) return x;
  return axes.empty() ? x : c.take(c.builder().reduce(op, x.id(), std::move(axes)));
}

Tensor sum(Tensor x, const std::vector<int>& axes) { return reduce(ReduceOp::kSum, x, axes); }

Tensor mean(Tensor x, const std::vector<int>& axes) {
  Composition& c = x.composition();
  IntExpr n(1);
  for (int axis : axes) n *= x.dim(axis);
  if (n.is(1)) return x;
  Tensor total = sum(x, axes);
  return is_float(x.dtype()) ? total * reciprocal_of(c, x.dtype(), n) : total / c.dimension(x.dtype(), n);
}

Tensor reciprocal_of(Composition& c, Dtype dtype, const IntExpr& n) {
  if (n.is_constant()) return c.scalar(dtype, 1.0 / static_cast<double>(n.constant()));
  return map(MapOp::reciprocal, {c.dimension(dtype, n)});
}

Tensor reshape(Tensor x, Dims shape) {
  Composition& c = x.composition();
  return c.status().ok() ? c.take(c.builder().reshape(x.id(), std::move(shape))) : x;
}

Tensor transpose(Tensor x, std::vector<int> perm) {
  Composition& c = x.composition();
  return c.status().ok() ? c.take(c.builder().transpose(x.id(), std::move(perm))) : x;
}

Tensor broadcast(Tensor x, Dims shape) {
  Composition& c = x.composition();
  return c.status().ok() ? c.take(c.builder().broadcast(x.id(), std::move(shape))) : x;
}

Tensor slice(Tensor x, int axis, const IntExpr& start, const IntExpr& count, int64_t step) {
  size_t rank = x.shape().size(), i = static_cast<size_t>(axis < 0 ? axis + x.rank() : axis);
  if (i >= rank) return x;
  if (start.is(0) && step == 1 && count == x.shape()[i]) return x;
  SliceAttrs attrs{Dims(rank), std::vector<int64_t>(rank, 1), x.shape()};
  attrs.starts[i] = start;
  attrs.steps[i] = step;
  attrs.shape[i] = count;
  return x.composition().add(std::move(attrs), {x});
}

Tensor concat(const std::vector<Tensor>& parts, int axis) {
  Composition& c = parts.front().composition();
  if (!c.status().ok() || parts.size() == 1) return parts.front();
  std::vector<ValueId> ids;
  for (const Tensor& t : parts) ids.push_back(t.id());
  return c.take(c.builder().add(ConcatAttrs{axis}, std::move(ids)));
}

Tensor gather(Tensor x, Tensor indices, int axis) { return x.composition().add(GatherAttrs{axis}, {x, indices}); }

Tensor pad(Tensor x, Dims low, Dims high, uint64_t fill_bits, PadMode mode) {
  Composition& c = x.composition();
  PadAttrs attrs;
  attrs.mode = mode;
  attrs.fill_bits = mode == PadMode::kConstant ? fill_bits : 0;
  bool pads = false;
  for (int axis = 0; axis < x.rank(); ++axis) {
    size_t i = static_cast<size_t>(axis);
    for (const IntExpr& amount : {low[i], high[i]}) {
      if (!proven_nonnegative(amount) && !proven_nonnegative(-amount))
        return c.fail(unsupported("its padding of " + amount.text() + " may be negative or positive."));
    }
    IntExpr crop_low = maximum(IntExpr(0), -low[i]), crop_high = maximum(IntExpr(0), -high[i]);
    x = slice(x, axis, crop_low, x.dim(axis) - crop_low - crop_high);
    attrs.low.push_back(low[i] + crop_low);
    attrs.high.push_back(high[i] + crop_high);
    attrs.interior.push_back(0);
    pads = pads || !attrs.low.back().is(0) || !attrs.high.back().is(0);
  }
  return pads ? c.add(std::move(attrs), {x}) : x;
}

Tensor along(Tensor vector, int rank, int axis) {
  if (axis >= rank) return vector;  // after a failure
  Dims shape(static_cast<size_t>(rank), IntExpr(1));
  shape[static_cast<size_t>(axis)] = vector.dim(0);
  return reshape(vector, std::move(shape));
}

Tensor widen(Tensor x) { return x.dtype() == Dtype::kF16 || x.dtype() == Dtype::kBf16 ? cast(x, Dtype::kF32) : x; }

}  // namespace tuff::onnx
