#include "model/onnx/fold.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "base/checked.h"
#include "model/onnx/element.h"
#include "model/onnx/slice_range.h"
#include "model/onnx/tensor_data.h"

namespace tuff::onnx {
namespace {

using Folded = std::optional<std::vector<SymbolicTensor>>;
using Shape = std::vector<int64_t>;

const std::optional<std::vector<SymbolicTensor>> kUnknown;

Folded one(SymbolicTensor t) {
  std::vector<SymbolicTensor> out;
  out.push_back(std::move(t));
  return out;
}

// Calls f with each coordinate of the shape, in row-major order.
void each_coordinate(const Shape& shape, const std::function<void(const Shape&)>& f) {
  if (element_count(shape) == 0) return;
  Shape at(shape.size(), 0);
  for (;;) {
    f(at);
    size_t axis = shape.size();
    while (axis > 0 && ++at[axis - 1] == shape[axis - 1]) at[--axis] = 0;
    if (axis == 0) return;
  }
}

size_t offset(const Shape& shape, const Shape& at) {
  size_t flat = 0;
  for (size_t i = 0; i < shape.size(); ++i) flat = flat * static_cast<size_t>(shape[i]) + static_cast<size_t>(at[i]);
  return flat;
}

// A view: each element of the result is the one at source(coordinate).
SymbolicTensor viewed(const SymbolicTensor& x, Shape shape, const std::function<Shape(const Shape&)>& source) {
  SymbolicTensor out{x.dtype, shape, {}};
  each_coordinate(shape, [&](const Shape& at) { out.elements.push_back(x.elements[offset(x.shape, source(at))]); });
  return out;
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()));
  for (size_t i = 0; i < out.size(); ++i) {
    int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return element_count(out) <= kSymbolicElementLimit ? std::optional<Shape>(out) : std::nullopt;
}

SymbolicTensor broadcast_to(const SymbolicTensor& x, const Shape& shape) {
  return viewed(x, shape, [&](const Shape& at) {
    Shape source(x.shape.size());
    for (size_t i = 0; i < source.size(); ++i) {
      size_t from = shape.size() - source.size() + i;
      source[i] = x.shape[i] == 1 ? 0 : at[from];
    }
    return source;
  });
}

// The product of sizes if the result stays small.
bool is_small(const Shape& shape) {
  if (shape.size() > kRankLimit) return false;
  int64_t count = 1;
  for (int64_t d : shape) {
    auto next = checked_multiply(count, d);
    if (d < 0 || !next || *next > kSymbolicElementLimit) return false;
    count = *next;
  }
  return true;
}

std::optional<int64_t> constant_at(const SymbolicTensor& x, size_t i) {
  const Element& e = x.elements[i];
  if (!e.is_integer() || !e.is_constant()) return std::nullopt;
  return e.numerator.constant();
}

std::optional<Shape> constants(const SymbolicTensor& x) {
  Shape out;
  for (size_t i = 0; i < x.elements.size(); ++i) {
    auto v = constant_at(x, i);
    if (!v) return std::nullopt;
    out.push_back(*v);
  }
  return out;
}

std::optional<size_t> resolve_axis(int64_t axis, size_t rank) {
  int64_t r = static_cast<int64_t>(rank);
  if (axis < -r || axis >= r) return std::nullopt;
  return static_cast<size_t>(axis < 0 ? axis + r : axis);
}

// Whether a constant can be held by the dtype, so that arithmetic on it did not wrap.
bool fits(const Element& e, Dtype dtype) {
  if (is_float(dtype) || !e.numerator.is_constant()) return true;
  int64_t v = e.numerator.constant();
  switch (dtype) {
    case Dtype::kI32: return v >= INT32_MIN && v <= INT32_MAX;
    case Dtype::kBool: return v == 0 || v == 1;
    case Dtype::kI64: return true;
    default: return false;  // other widths are not sizes
  }
}

Folded elementwise(FoldCall& call, Dtype dtype, const std::function<MaybeElement(const Element&, const Element&)>& f) {
  SymbolicTensor total = *call.inputs[0];
  for (size_t i = 1; i < call.inputs.size(); ++i) {
    auto shape = broadcast(total.shape, call.inputs[i]->shape);
    if (!shape || call.inputs[i]->dtype != total.dtype) return kUnknown;
    SymbolicTensor a = broadcast_to(total, *shape), b = broadcast_to(*call.inputs[i], *shape);
    for (size_t e = 0; e < a.elements.size(); ++e) {
      MaybeElement v = f(a.elements[e], b.elements[e]);
      if (!v || !fits(*v, dtype)) return kUnknown;
      a.elements[e] = *v;
    }
    total = std::move(a);
  }
  total.dtype = dtype;
  return one(std::move(total));
}

Folded each(const SymbolicTensor& x, Dtype dtype, const std::function<MaybeElement(const Element&)>& f) {
  SymbolicTensor out{dtype, x.shape, {}};
  for (const Element& e : x.elements) {
    MaybeElement v = f(e);
    if (!v || !fits(*v, dtype)) return kUnknown;
    out.elements.push_back(*v);
  }
  return one(std::move(out));
}

Dtype dtype_of(const FoldCall& call) { return call.inputs[0]->dtype; }

using BinaryFunction = MaybeElement (*)(const Element&, const Element&);
template <BinaryFunction f>
Folded arithmetic(FoldCall& call) {
  return elementwise(call, dtype_of(call), f);
}
template <BinaryFunction f>
Folded comparison(FoldCall& call) {
  return elementwise(call, Dtype::kBool, f);
}
MaybeElement greater(const Element& a, const Element& b) { return less(b, a); }
MaybeElement greater_equal(const Element& a, const Element& b) { return less_equal(b, a); }
MaybeElement both(const Element& a, const Element& b) { return multiply(a, b); }
MaybeElement either(const Element& a, const Element& b) { return larger(a, b); }

Folded divide(FoldCall& call) {
  return elementwise(call, dtype_of(call), is_float(dtype_of(call)) ? divide_reals : divide_integers);
}

Folded modulo_of(FoldCall& call) {
  if (!is_integer(dtype_of(call))) return kUnknown;
  bool sign_of_dividend = call.attributes.integer("fmod", 0) != 0;
  return elementwise(call, dtype_of(call), [&](const Element& a, const Element& b) { return modulo(a, b, sign_of_dividend); });
}

Folded negate(FoldCall& call) {
  return each(*call.inputs[0], dtype_of(call), [](const Element& e) -> MaybeElement {
    if (e.numerator.is_constant() && (e.numerator.is(0) || e.numerator.is(INT64_MIN))) return std::nullopt;  // -0.0
    return Element(-e.numerator, e.denominator);
  });
}
Folded absolute_of(FoldCall& call) { return each(*call.inputs[0], dtype_of(call), absolute); }
Folded floor_of(FoldCall& call) { return each(*call.inputs[0], dtype_of(call), floor); }
Folded ceil_of(FoldCall& call) { return each(*call.inputs[0], dtype_of(call), ceil); }
Folded logical_not(FoldCall& call) {
  return each(*call.inputs[0], Dtype::kBool, [](const Element& e) { return subtract(Element(IntExpr(1)), e); });
}

Folded cast_to(FoldCall& call) {
  auto dtype = dtype_from_tensor_type(static_cast<int32_t>(call.attributes.integer("to", 0)));
  if (!dtype) return kUnknown;
  bool from_float = is_float(dtype_of(call));
  return each(*call.inputs[0], *dtype, [&](const Element& e) -> MaybeElement {
    if (*dtype == Dtype::kBool) {
      MaybeElement zero = equal(e, Element(IntExpr(0)));
      return zero ? subtract(Element(IntExpr(1)), *zero) : zero;
    }
    if (!is_float(*dtype)) return from_float ? truncate(e) : MaybeElement(e);
    // A size is below 2^31, which f32 rounds beyond 2^24; so long as no model depends on that, exact is better. f16 ends
    // at 65504.
    bool wide = *dtype == Dtype::kF32 || *dtype == Dtype::kF64;
    return wide || (e.is_constant() && absolute(e) && less_equal(*absolute(e), Element(IntExpr(256)))->numerator.is(1))
               ? MaybeElement(e)
               : std::nullopt;
  });
}

Folded identity(FoldCall& call) { return one(*call.inputs[0]); }

Folded where(FoldCall& call) {
  auto shape = broadcast(call.inputs[1]->shape, call.inputs[2]->shape);
  if (shape) shape = broadcast(*shape, call.inputs[0]->shape);
  if (!shape || call.inputs[1]->dtype != call.inputs[2]->dtype) return kUnknown;
  SymbolicTensor condition = broadcast_to(*call.inputs[0], *shape);
  SymbolicTensor a = broadcast_to(*call.inputs[1], *shape), b = broadcast_to(*call.inputs[2], *shape);
  for (size_t i = 0; i < a.elements.size(); ++i) {
    auto c = constant_at(condition, i);
    if (!c) return kUnknown;
    if (*c == 0) a.elements[i] = b.elements[i];
  }
  return one(std::move(a));
}

Folded gather_from(FoldCall& call) {
  const SymbolicTensor &x = *call.inputs[0], &indices = *call.inputs[1];
  auto axis = resolve_axis(call.attributes.integer("axis", 0), x.shape.size());
  auto positions = constants(indices);
  if (!axis || !positions) return kUnknown;
  for (int64_t& p : *positions) {
    if (p < 0) p += x.shape[*axis];
    if (p < 0 || p >= x.shape[*axis]) return kUnknown;
  }
  Shape shape(x.shape.begin(), x.shape.begin() + static_cast<ptrdiff_t>(*axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + static_cast<ptrdiff_t>(*axis) + 1, x.shape.end());
  if (!is_small(shape)) return kUnknown;
  return one(viewed(x, shape, [&](const Shape& at) {
    ptrdiff_t begin = static_cast<ptrdiff_t>(*axis), end = begin + static_cast<ptrdiff_t>(indices.shape.size());
    Shape source(at.begin(), at.begin() + begin);
    source.push_back((*positions)[offset(indices.shape, Shape(at.begin() + begin, at.begin() + end))]);
    source.insert(source.end(), at.begin() + end, at.end());
    return source;
  }));
}

Folded slice_of(FoldCall& call) {
  const SymbolicTensor& x = *call.inputs[0];
  Shape starts, ends, axes, steps;
  if (call.opset < 10) {
    starts = call.attributes.integers("starts");
    ends = call.attributes.integers("ends");
    axes = call.attributes.integers("axes");
  } else {
    Shape* lists[] = {&starts, &ends, &axes, &steps};
    for (size_t i = 1; i < call.inputs.size(); ++i) {
      if (!call.inputs[i]) continue;
      auto values = constants(*call.inputs[i]);
      if (!values) return kUnknown;
      *lists[i - 1] = *values;
    }
  }
  if (axes.empty())
    for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  steps.resize(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size()) return kUnknown;
  Shape shape = x.shape, first(x.shape.size(), 0), stride(x.shape.size(), 1);
  for (size_t i = 0; i < axes.size(); ++i) {
    auto axis = resolve_axis(axes[i], x.shape.size());
    if (!axis) return kUnknown;
    auto range = slice_range(IntExpr(x.shape[*axis]), IntExpr(starts[i]), IntExpr(ends[i]), steps[i]);
    if (!range) return kUnknown;
    shape[*axis] = range->count.constant();
    first[*axis] = range->start.constant();
    stride[*axis] = steps[i];
  }
  return one(viewed(x, shape, [&](const Shape& at) {
    Shape source(at.size());
    for (size_t i = 0; i < at.size(); ++i) source[i] = first[i] + stride[i] * at[i];
    return source;
  }));
}

Folded concat_of(FoldCall& call) {
  SymbolicTensor out = *call.inputs[0];
  auto axis = resolve_axis(call.attributes.integer("axis", 0), out.shape.size());
  if (!axis) return kUnknown;
  for (size_t n = 1; n < call.inputs.size(); ++n) {
    const SymbolicTensor& next = *call.inputs[n];
    if (next.dtype != out.dtype || next.shape.size() != out.shape.size()) return kUnknown;
    for (size_t i = 0; i < out.shape.size(); ++i)
      if (i != *axis && next.shape[i] != out.shape[i]) return kUnknown;
    Shape shape = out.shape;
    shape[*axis] += next.shape[*axis];
    if (!is_small(shape)) return kUnknown;
    SymbolicTensor joined{out.dtype, shape, {}};
    each_coordinate(shape, [&](const Shape& at) {
      bool is_first = at[*axis] < out.shape[*axis];
      Shape source = at;
      if (!is_first) source[*axis] -= out.shape[*axis];
      const SymbolicTensor& from = is_first ? out : next;
      joined.elements.push_back(from.elements[offset(from.shape, source)]);
    });
    out = std::move(joined);
  }
  return one(std::move(out));
}

// The axes of Squeeze and Unsqueeze: an attribute, or since version 13 an input.
std::optional<Shape> listed_axes(FoldCall& call) {
  if (call.opset < 13) return call.attributes.integers("axes");
  if (call.inputs.size() < 2 || !call.inputs[1]) return Shape();
  return constants(*call.inputs[1]);
}

Folded unsqueeze_of(FoldCall& call) {
  SymbolicTensor out = *call.inputs[0];
  auto axes = listed_axes(call);
  if (!axes) return kUnknown;
  size_t rank = out.shape.size() + axes->size();
  Shape shape(rank, 0);
  for (int64_t a : *axes) {
    auto axis = resolve_axis(a, rank);
    if (!axis || shape[*axis] != 0) return kUnknown;
    shape[*axis] = 1;
  }
  auto next = out.shape.begin();
  std::vector<bool> added(rank, false);
  for (size_t i = 0; i < rank; ++i)
    if (shape[i] == 0) shape[i] = *next++;
  out.shape = std::move(shape);
  return is_small(out.shape) ? one(std::move(out)) : kUnknown;
}

Folded squeeze_of(FoldCall& call) {
  SymbolicTensor out = *call.inputs[0];
  auto axes = listed_axes(call);
  if (!axes) return kUnknown;
  std::vector<bool> drop(out.shape.size(), false);
  for (int64_t a : *axes) {
    auto axis = resolve_axis(a, out.shape.size());
    if (!axis || out.shape[*axis] != 1) return kUnknown;
    drop[*axis] = true;
  }
  Shape shape;
  for (size_t i = 0; i < out.shape.size(); ++i) {
    bool dropped = axes->empty() ? out.shape[i] == 1 : drop[i];
    if (!dropped) shape.push_back(out.shape[i]);
  }
  out.shape = std::move(shape);
  return one(std::move(out));
}

Folded reshape_to(FoldCall& call) {
  SymbolicTensor out = *call.inputs[0];
  auto target = constants(*call.inputs[1]);
  if (!target || call.attributes.integer("allowzero", 0) != 0 || target->size() > kRankLimit) return kUnknown;
  int64_t count = element_count(out.shape), rest = 1;
  for (size_t i = 0; i < target->size(); ++i) {
    int64_t& d = (*target)[i];
    if (d == 0 && i < out.shape.size()) d = out.shape[i];
    if (d < -1 || d > kSymbolicElementLimit || (d != -1 && (rest *= d) > kSymbolicElementLimit)) return kUnknown;
  }
  auto free = std::find(target->begin(), target->end(), -1);
  if (free != target->end() && rest != 0) *free = count / rest;
  if (std::count(target->begin(), target->end(), -1) != 0 || element_count(*target) != count) return kUnknown;
  out.shape = std::move(*target);
  return one(std::move(out));
}

Folded transpose_of(FoldCall& call) {
  const SymbolicTensor& x = *call.inputs[0];
  Shape perm = call.attributes.integers("perm");
  if (perm.empty())
    for (size_t i = x.shape.size(); i-- > 0;) perm.push_back(static_cast<int64_t>(i));
  Shape sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<int64_t>(i)) return kUnknown;
  if (perm.size() != x.shape.size()) return kUnknown;
  Shape shape;
  for (int64_t p : perm) shape.push_back(x.shape[static_cast<size_t>(p)]);
  return one(viewed(x, shape, [&](const Shape& at) {
    Shape source(at.size());
    for (size_t i = 0; i < at.size(); ++i) source[static_cast<size_t>(perm[i])] = at[i];
    return source;
  }));
}

Folded expand_to(FoldCall& call) {
  auto target = constants(*call.inputs[1]);
  if (!target || !is_small(*target)) return kUnknown;
  auto shape = broadcast(call.inputs[0]->shape, *target);
  return shape ? one(broadcast_to(*call.inputs[0], *shape)) : kUnknown;
}

Folded tile_of(FoldCall& call) {
  const SymbolicTensor& x = *call.inputs[0];
  auto repeats = constants(*call.inputs[1]);
  if (!repeats || repeats->size() != x.shape.size()) return kUnknown;
  Shape shape;
  for (size_t i = 0; i < x.shape.size(); ++i) {
    auto size = checked_multiply(x.shape[i], (*repeats)[i]);
    if (!size) return kUnknown;
    shape.push_back(*size);
  }
  if (!is_small(shape)) return kUnknown;
  return one(viewed(x, shape, [&](const Shape& at) {
    Shape source(at.size());
    for (size_t i = 0; i < at.size(); ++i) source[i] = at[i] % x.shape[i];
    return source;
  }));
}

// Splits a vector, as in batch, length = Split(Shape(x)).
Folded split_of(FoldCall& call) {
  const SymbolicTensor& x = *call.inputs[0];
  if (x.shape.size() != 1 || call.output_count == 0) return kUnknown;
  Shape sizes = call.attributes.integers("split");
  if (call.opset >= 13 && call.inputs.size() > 1 && call.inputs[1]) {
    auto given = constants(*call.inputs[1]);
    if (!given) return kUnknown;
    sizes = *given;
  }
  int64_t pieces = static_cast<int64_t>(call.output_count), total = 0;
  if (sizes.empty() && x.shape[0] % pieces == 0) sizes.assign(call.output_count, x.shape[0] / pieces);
  for (int64_t s : sizes) {
    if (s < 0 || s > x.shape[0]) return kUnknown;
    total += s;
  }
  if (sizes.size() != call.output_count || total != x.shape[0]) return kUnknown;
  std::vector<SymbolicTensor> out;
  auto at = x.elements.begin();
  for (int64_t s : sizes) {
    out.push_back({x.dtype, {s}, {at, at + s}});
    at += s;
  }
  return out;
}

// Reduces a vector to its one result.
template <BinaryFunction f>
Folded reduced(FoldCall& call) {
  const SymbolicTensor& x = *call.inputs[0];
  if (x.shape.size() != 1 || x.elements.empty() || call.attributes.integer("noop_with_empty_axes", 0) != 0) return kUnknown;
  Element total = x.elements[0];
  for (size_t i = 1; i < x.elements.size(); ++i) {
    MaybeElement next = f(total, x.elements[i]);
    if (!next || !fits(*next, x.dtype)) return kUnknown;
    total = *next;
  }
  Shape shape(call.attributes.integer("keepdims", 1) != 0 ? 1 : 0, 1);
  return one({x.dtype, shape, {total}});
}

struct Row {
  Folded (*function)(FoldCall&);
  size_t input_count;  // at least
};

const std::unordered_map<std::string_view, Row>& table() {
  static const std::unordered_map<std::string_view, Row> rows = {
      {"Add", {arithmetic<add>, 2}},
      {"Sub", {arithmetic<subtract>, 2}},
      {"Mul", {arithmetic<multiply>, 2}},
      {"Div", {divide, 2}},
      {"Mod", {modulo_of, 2}},
      {"Min", {arithmetic<smaller>, 1}},
      {"Max", {arithmetic<larger>, 1}},
      {"Neg", {negate, 1}},
      {"Abs", {absolute_of, 1}},
      {"Floor", {floor_of, 1}},
      {"Ceil", {ceil_of, 1}},
      {"Not", {logical_not, 1}},
      {"And", {comparison<both>, 2}},
      {"Or", {comparison<either>, 2}},
      {"Equal", {comparison<equal>, 2}},
      {"Less", {comparison<less>, 2}},
      {"LessOrEqual", {comparison<less_equal>, 2}},
      {"Greater", {comparison<greater>, 2}},
      {"GreaterOrEqual", {comparison<greater_equal>, 2}},
      {"Cast", {cast_to, 1}},
      {"Identity", {identity, 1}},
      {"Where", {where, 3}},
      {"Gather", {gather_from, 2}},
      {"Slice", {slice_of, 1}},
      {"Concat", {concat_of, 1}},
      {"Unsqueeze", {unsqueeze_of, 1}},
      {"Squeeze", {squeeze_of, 1}},
      {"Reshape", {reshape_to, 2}},
      {"Transpose", {transpose_of, 1}},
      {"Expand", {expand_to, 2}},
      {"Tile", {tile_of, 2}},
      {"Split", {split_of, 1}},
      {"ReduceProd", {reduced<multiply>, 1}},
      {"ReduceSum", {reduced<add>, 1}},
      {"ReduceMax", {reduced<larger>, 1}},
      {"ReduceMin", {reduced<smaller>, 1}},
  };
  return rows;
}

}  // namespace

bool can_fold(std::string_view op_type) { return table().count(op_type) != 0; }

std::optional<std::vector<SymbolicTensor>> fold(FoldCall& call) {
  const Row& row = table().at(call.op_type);
  if (call.inputs.size() < row.input_count ||
      !std::all_of(call.inputs.begin(), call.inputs.begin() + static_cast<ptrdiff_t>(row.input_count),
                   [](const SymbolicTensor* t) { return t != nullptr; }))
    return std::nullopt;
  auto out = row.function(call);
  if (out && out->size() < call.output_count) return std::nullopt;
  return out;
}

}  // namespace tuff::onnx
