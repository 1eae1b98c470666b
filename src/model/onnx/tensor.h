// Tensor: a value of the graph under construction, written as one writes the formula: cast(x * scale + bias, dtype).
//
// In: tensors, numbers, attributes of the primitives. Out: nodes appended to the builder. Invariant: the first failure is
// kept in the Composition and every later step does nothing, so that an operator's function checks once, at its end.
// A failed tensor has rank 0; dim() answers 1 for an axis that is not there.
#pragma once

#include <initializer_list>
#include <vector>

#include "graph/builder.h"

namespace tuff::onnx {

class Composition;

class Tensor {
 public:
  Tensor() = default;
  Tensor(Composition* composition, ValueId id) : composition_(composition), id_(id) {}

  ValueId id() const { return id_; }
  Composition& composition() const { return *composition_; }
  Dtype dtype() const;
  const Dims& shape() const;
  int rank() const { return static_cast<int>(shape().size()); }
  IntExpr dim(int axis) const;  // a negative axis counts from the end

 private:
  Composition* composition_ = nullptr;
  ValueId id_;
};

class Composition {
 public:
  explicit Composition(GraphBuilder& builder) : builder_(builder) {}

  GraphBuilder& builder() { return builder_; }
  const Status& status() const { return status_; }
  Tensor fail(Status status) {
    if (status_.ok()) status_ = std::move(status);
    return {this, {}};
  }
  Tensor take(Result<ValueId> value) { return value.ok() ? Tensor(this, *value) : fail(value.status()); }
  Tensor add(Attrs attrs, std::initializer_list<Tensor> inputs);

  Tensor scalar(Dtype dtype, double v) { return take(builder_.scalar(dtype, v)); }
  Tensor splat(Dtype dtype, Dims shape, uint64_t bits);  // a view of a scalar where the shape has symbols
  Tensor constant(Dtype dtype, Dims shape, Bytes bytes);
  Tensor floats(Dims shape, const std::vector<float>& values);
  Tensor integers(const std::vector<int64_t>& values);  // i64, rank 1
  Tensor dimension(Dtype dtype, const IntExpr& value);  // a scalar; a constant where the value is one
  Tensor iota(Dtype dtype, const IntExpr& count);       // rank 1: 0, 1, ..., count - 1

 private:
  GraphBuilder& builder_;
  Status status_;
};

// Scalar maps; operands broadcast against each other.
Tensor map(MapOp op, std::initializer_list<Tensor> operands);
Tensor operator+(Tensor a, Tensor b);
Tensor operator-(Tensor a, Tensor b);
Tensor operator*(Tensor a, Tensor b);
Tensor operator/(Tensor a, Tensor b);
// A number takes the other operand's dtype.
Tensor operator+(Tensor a, double b);
Tensor operator-(Tensor a, double b);
Tensor operator-(double a, Tensor b);
Tensor operator*(Tensor a, double b);
Tensor maximum(Tensor a, double b);
Tensor minimum(Tensor a, double b);
Tensor less(Tensor a, double b);
Tensor select(Tensor condition, Tensor a, Tensor b);
Tensor cast(Tensor x, Dtype dtype);

// Reductions keep the axes, as size 1.
Tensor reduce(ReduceOp op, Tensor x, std::vector<int> axes);
Tensor sum(Tensor x, const std::vector<int>& axes);
// sum * (1/n), with 1/n rounded to the dtype; integers: sum / n.
Tensor mean(Tensor x, const std::vector<int>& axes);
// 1/n as a scalar: a constant, or the reciprocal of a dimension.
Tensor reciprocal_of(Composition& c, Dtype dtype, const IntExpr& n);

// Views.
Tensor reshape(Tensor x, Dims shape);
Tensor transpose(Tensor x, std::vector<int> perm);
Tensor broadcast(Tensor x, Dims shape);
// out[i] = in[start + step*i] along one axis, count elements.
Tensor slice(Tensor x, int axis, const IntExpr& start, const IntExpr& count, int64_t step = 1);
Tensor concat(const std::vector<Tensor>& parts, int axis);
Tensor gather(Tensor x, Tensor indices, int axis);
// Pads with fill_bits where low and high are positive and crops where they are negative; the sign of each must be known.
Tensor pad(Tensor x, Dims low, Dims high, uint64_t fill_bits, PadMode mode = PadMode::kConstant);
// A vector's elements along one axis of a rank: shape [1, ..., n, ..., 1].
Tensor along(Tensor vector, int rank, int axis);

// f16 and bf16 as f32, for compositions that sum or exponentiate; others as they are.
Tensor widen(Tensor x);

}  // namespace tuff::onnx
