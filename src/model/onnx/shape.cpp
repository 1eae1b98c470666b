// Constants and what follows from shapes. Sizes stay expressions (SymbolicTensor) as long as nobody needs them as data.
#include <cmath>

#include "base/checked.h"
#include "model/onnx/element.h"
#include "model/onnx/operators.h"

namespace tuff::onnx {
namespace {

Status shape(NodeImport& node) {
  const Dims& dims = node.input_type(0).shape;
  int64_t rank = node.rank(0);
  auto clamped = [&](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + rank : v, 0, rank); };
  bool ranged = node.opset() >= 15;
  int64_t start = ranged ? clamped(node.attributes.integer("start", 0)) : 0;
  int64_t end = ranged ? clamped(node.attributes.integer("end", rank)) : rank;
  SymbolicTensor y{Dtype::kI64, {std::max<int64_t>(end - start, 0)}, {}};
  for (int64_t i = start; i < end; ++i) y.elements.push_back(dims[static_cast<size_t>(i)]);
  return node.output(0, std::move(y));
}

Status size(NodeImport& node) { return node.output(0, SymbolicTensor{Dtype::kI64, {}, {product(node.input_type(0).shape)}}); }

Status constant(NodeImport& node) {
  Attributes& a = node.attributes;
  if (const TensorProto* t = a.tensor("value")) return node.output(0, *t);
  if (a.has("value_float")) return node.output(node.composition.scalar(Dtype::kF32, a.real("value_float", 0)));
  if (a.has("value_int")) {
    return node.output(0, SymbolicTensor{Dtype::kI64, {}, {IntExpr(a.integer("value_int", 0))}});
  }
  if (a.has("value_floats")) {
    std::vector<float> values = a.reals("value_floats");
    return node.output(node.composition.floats({IntExpr(static_cast<int64_t>(values.size()))}, values));
  }
  if (a.has("value_ints")) {
    std::vector<int64_t> values = a.integers("value_ints");
    bool is_small = values.size() <= static_cast<size_t>(kSymbolicElementLimit);
    for (int64_t v : values) is_small = is_small && !IntExpr(v).has_overflowed();
    if (!is_small) return node.output(node.composition.integers(values));
    SymbolicTensor y{Dtype::kI64, {static_cast<int64_t>(values.size())}, {}};
    for (int64_t v : values) y.elements.push_back(IntExpr(v));
    return node.output(0, std::move(y));
  }
  return unsupported("a constant without a tensor, integers or floats is not supported.");
}

// A constant of one repeated element: no memory, whatever the shape.
Status constant_of_shape(NodeImport& node) {
  TUFF_ASSIGN(Dims dims, node.sizes(0, "shape"));
  if (dims.size() > kRankLimit)
    return limit_exceeded("its shape has " + std::to_string(dims.size()) + " axes; the limit is " + std::to_string(kRankLimit) +
                          ".");
  ConstantAttrs fill;
  fill.dtype = Dtype::kF32;
  fill.data.kind = ConstantData::Kind::kSplat;
  if (const TensorProto* value = node.attributes.tensor("value")) {
    TUFF_ASSIGN(fill, node.load(*value));
    if (fill.data.kind != ConstantData::Kind::kSplat) return invalid_argument("its value has more than one element.");
  }
  SymbolicTensor known{fill.dtype, {}, {}};
  bool is_small = true;
  int64_t count = 1;
  for (const IntExpr& d : dims) {
    if (d.interval().low < 0) return invalid_argument("its shape " + dims_text(dims) + " may have a negative size.");
    auto next = d.is_constant() ? checked_multiply(count, d.constant()) : std::nullopt;
    is_small = is_small && next && *next <= kSymbolicElementLimit;
    if (!is_small) break;
    count = *next;
    known.shape.push_back(d.constant());
  }
  auto element = symbolic_from_constant(fill);
  if (is_small && element && !is_float(fill.dtype)) {
    known.elements.assign(static_cast<size_t>(count), element->elements[0]);
    return node.output(0, std::move(known));
  }
  return node.output(node.composition.splat(fill.dtype, dims, fill.data.bits));
}

// start + delta * iota. Sizes may be symbols; of floats the count must be known.
Status range(NodeImport& node) {
  Dtype dtype = node.input_type(0).dtype;
  if (is_float(dtype)) {
    TUFF_ASSIGN(std::vector<double> start, node.reals(0, "start"));
    TUFF_ASSIGN(std::vector<double> limit, node.reals(1, "limit"));
    TUFF_ASSIGN(std::vector<double> delta, node.reals(2, "delta"));
    if (start.size() != 1 || limit.size() != 1 || delta.size() != 1) return invalid_argument("its inputs must be scalars.");
    double count = std::ceil((limit[0] - start[0]) / delta[0]);
    if (!(count < static_cast<double>(Symbol::kMax))) return invalid_argument("it has no end, or too many elements.");
    Tensor i = node.composition.iota(dtype, IntExpr(static_cast<int64_t>(std::max(count, 0.0))));
    return node.output(i * delta[0] + start[0]);
  }
  TUFF_ASSIGN(Dims start, node.sizes(0, "start"));
  TUFF_ASSIGN(Dims limit, node.sizes(1, "limit"));
  TUFF_ASSIGN(Dims delta, node.sizes(2, "delta"));
  if (start.size() != 1 || limit.size() != 1 || delta.size() != 1) return invalid_argument("its inputs must be scalars.");
  if (!delta[0].is_constant() || delta[0].is(0))
    return unsupported("its delta of " + delta[0].text() + " must be a constant other than 0.");
  bool down = delta[0].constant() < 0;
  auto span = down ? subtract(start[0], limit[0]) : subtract(limit[0], start[0]);
  auto step = absolute(delta[0]);
  if (!span || !step) return limit_exceeded("it has too many elements.");
  IntExpr count = maximum(IntExpr(0), ceil_div(span->numerator, step->numerator));
  if (count.is_constant() && start[0].is_constant() && count.constant() <= kSymbolicElementLimit) {
    SymbolicTensor y{dtype, {count.constant()}, {}};
    for (int64_t i = 0; i < count.constant(); ++i) {
      auto offset = multiply(Element(IntExpr(i)), delta[0]);
      auto element = offset ? add(start[0], *offset) : offset;
      if (!element) return limit_exceeded("its elements overflow.");
      y.elements.push_back(*element);
    }
    return node.output(0, std::move(y));
  }
  Tensor y = node.composition.iota(dtype, count);
  if (!delta[0].is(1)) y = y * node.composition.dimension(dtype, delta[0]);
  if (!start[0].is(0)) y = y + node.composition.dimension(dtype, start[0]);
  return node.output(y);
}

constexpr Operator kShapeOperators[] = {
    {"Constant", 1, 0, 0, constant}, {"ConstantOfShape", 9, 1, 1, constant_of_shape},
    {"Range", 11, 3, 3, range},      {"Shape", 1, 1, 1, shape},
    {"Size", 1, 1, 1, size},
};

}  // namespace

std::span<const Operator> shape_operators() { return kShapeOperators; }

}  // namespace tuff::onnx
