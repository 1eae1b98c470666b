// Operators that take elements by index, and masks from coordinates: iota, maps and gather.
#include "model/onnx/operators.h"

namespace tuff::onnx {
namespace {

// Indices that count from the end where they are negative, into [0, size).
Tensor from_start(Tensor index, const IntExpr& size) {
  return select(less(index, 0), index + index.composition().dimension(index.dtype(), size), index);
}

Tensor held_inside(Tensor index, const IntExpr& size) {
  Tensor last = index.composition().dimension(index.dtype(), size - IntExpr(1));
  return maximum(map(MapOp::min, {index, last}), 0);
}

// Known indices that form one progression are a slice, which is cheaper than a gather.
Status gather_axis(NodeImport& node) {
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", 0), node.rank(0)));
  Tensor x = node.input(0);
  TUFF_TRY(node.composition.status());
  const IntExpr size = x.dim(axis);
  const SymbolicTensor* known = node.known(1);
  if (known && known->is_constant() && is_integer(known->dtype) && !known->elements.empty()) {
    std::vector<int64_t> at;
    for (const Element& e : known->elements) at.push_back(e.numerator.constant());
    int64_t limit = size.is_constant() ? size.constant() : Symbol::kMax;
    for (int64_t i : at)
      if (i < -limit || i >= limit)
        return invalid_argument("its index " + std::to_string(i) + " is outside the size " + size.text() + ".");
    int64_t step = at.size() > 1 ? at[1] - at[0] : 1;
    bool progression = step != 0;
    for (size_t i = 1; i < at.size(); ++i) progression = progression && at[i] - at[i - 1] == step && (at[i] < 0) == (at[0] < 0);
    if (progression) {
      IntExpr start = at[0] < 0 ? size + IntExpr(at[0]) : IntExpr(at[0]);
      Tensor y = slice(x, axis, start, IntExpr(static_cast<int64_t>(at.size())), at.size() > 1 ? step : 1);
      Dims shape(x.shape().begin(), x.shape().begin() + axis);
      for (int64_t d : known->shape) shape.push_back(IntExpr(d));
      shape.insert(shape.end(), x.shape().begin() + axis + 1, x.shape().end());
      return node.output(reshape(y, std::move(shape)));
    }
  }
  return node.output(gather(x, node.input(1), axis));
}

// The row-major strides of a shape.
Dims strides_of(const Dims& shape) {
  Dims strides(shape.size(), IntExpr(1));
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// As a gather from the flat data: flat = sum of stride * coordinate, where along `axis` the coordinate is the index.
Status gather_elements(NodeImport& node) {
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", 0), node.rank(0)));
  if (node.rank(1) != node.rank(0)) return invalid_argument("its indices do not have its data's rank.");
  Tensor x = node.input(0), index = cast(node.input(1), Dtype::kI64);
  TUFF_TRY(node.composition.status());
  Dims strides = strides_of(x.shape());
  Tensor flat = held_inside(from_start(index, x.dim(axis)), x.dim(axis));
  flat = flat * node.composition.dimension(Dtype::kI64, strides[static_cast<size_t>(axis)]);
  for (int i = 0; i < x.rank(); ++i) {
    if (i == axis || index.dim(i).is(1)) continue;
    Tensor place = along(node.composition.iota(Dtype::kI64, index.dim(i)), x.rank(), i);
    flat = flat + place * node.composition.dimension(Dtype::kI64, strides[static_cast<size_t>(i)]);
  }
  return node.output(gather(reshape(x, {product(x.shape())}), flat, 0));
}

// Tuples of k indices into the first k axes after the batch: flat = sum of stride * index, over data seen as [those axes
// together, the rest].
Status gather_nd(NodeImport& node) {
  int64_t batch = node.attributes.integer("batch_dims", 0);
  Tensor x = node.input(0), index = cast(node.input(1), Dtype::kI64);
  TUFF_TRY(node.composition.status());
  IntExpr last = index.dim(-1);
  if (index.rank() < 1 || !last.is_constant() || last.constant() < 1 || batch < 0 || batch >= index.rank() ||
      last.constant() > x.rank() - batch)
    return invalid_argument("its indices " + dims_text(index.shape()) + " do not fit its data " + dims_text(x.shape()) + ".");
  int k = static_cast<int>(last.constant()), b = static_cast<int>(batch), tuple_axis = index.rank() - 1;
  Dims addressed(x.shape().begin(), x.shape().begin() + b + k), rest(x.shape().begin() + b + k, x.shape().end());
  Dims strides = strides_of(addressed), tuples(index.shape().begin(), index.shape().end() - 1);
  Tensor flat;
  for (int j = 0; j < k; ++j) {
    size_t axis = static_cast<size_t>(b) + static_cast<size_t>(j);
    Tensor part = reshape(slice(index, tuple_axis, IntExpr(j), IntExpr(1)), tuples);
    part = held_inside(from_start(part, addressed[axis]), addressed[axis]) *
           node.composition.dimension(Dtype::kI64, strides[axis]);
    flat = j == 0 ? part : flat + part;
  }
  for (int i = 0; i < b; ++i) {
    Tensor place = along(node.composition.iota(Dtype::kI64, x.dim(i)), static_cast<int>(tuples.size()), i);
    flat = flat + place * node.composition.dimension(Dtype::kI64, strides[static_cast<size_t>(i)]);
  }
  Dims seen = {product(addressed)};
  seen.insert(seen.end(), rest.begin(), rest.end());
  return node.output(gather(reshape(x, std::move(seen)), flat, 0));
}

// values[1] where the index is the place along the new axis, else values[0]; an index outside [-depth, depth) gives none.
Status one_hot(NodeImport& node) {
  TUFF_ASSIGN(std::vector<double> depths, node.reals(1, "depth"));
  if (depths.size() != 1 || !(depths[0] >= 1 && depths[0] < static_cast<double>(Symbol::kMax)))
    return invalid_argument("its depth must be one positive number.");
  IntExpr depth(static_cast<int64_t>(depths[0]));
  int rank = node.rank(0) + 1;
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", -1), rank));
  if (node.rank(2) != 1 || !node.input_type(2).shape[0].is(2)) return invalid_argument("its values must be two elements.");
  Tensor index = cast(node.input(0), Dtype::kI64), values = node.input(2);
  TUFF_TRY(node.composition.status());
  Dims shape = index.shape();
  shape.insert(shape.begin() + std::min<ptrdiff_t>(axis, static_cast<ptrdiff_t>(shape.size())), IntExpr(1));
  index = reshape(from_start(index, depth), std::move(shape));
  Tensor place = along(node.composition.iota(Dtype::kI64, depth), rank, axis);
  Tensor off = reshape(slice(values, 0, IntExpr(0), IntExpr(1)), {}),
         on = reshape(slice(values, 0, IntExpr(1), IntExpr(1)), {});
  return node.output(select(map(MapOp::equal, {index, place}), on, off));
}

// row and column of the last two axes, as [rows, 1] and [1, columns]
std::pair<Tensor, Tensor> coordinates(Composition& c, const IntExpr& rows, const IntExpr& columns) {
  return {reshape(c.iota(Dtype::kI64, rows), {rows, IntExpr(1)}), reshape(c.iota(Dtype::kI64, columns), {IntExpr(1), columns})};
}

// upper: x where row + k <= column; lower: where column <= row + k
Status trilu(NodeImport& node) {
  if (node.rank(0) < 2) return invalid_argument("its input is not a matrix.");
  Tensor x = node.input(0);
  auto [row, column] = coordinates(node.composition, x.dim(-2), x.dim(-1));
  Tensor diagonal = row;
  if (node.has_input(1)) diagonal = row + reshape(node.input(1), {});
  bool upper = node.attributes.integer("upper", 1) != 0;
  Tensor mask = upper ? map(MapOp::less_equal, {diagonal, column}) : map(MapOp::less_equal, {column, diagonal});
  return node.output(select(mask, x, node.composition.scalar(x.dtype(), 0)));
}

// 1 where row + k = column
Status eye_like(NodeImport& node) {
  if (node.rank(0) != 2) return invalid_argument("its input is not a matrix.");
  Dtype dtype = node.input_type(0).dtype;
  if (node.attributes.has("dtype")) {
    int32_t wanted = static_cast<int32_t>(node.attributes.integer("dtype", 0));
    auto known = dtype_from_tensor_type(wanted);
    if (!known) return unsupported("the element type " + tensor_type_name(wanted) + " is not supported.");
    dtype = *known;
  }
  const Dims& s = node.input_type(0).shape;
  auto [row, column] = coordinates(node.composition, s[0], s[1]);
  int64_t k = node.attributes.integer("k", 0);
  if (k < -Symbol::kMax || k > Symbol::kMax) return invalid_argument("its k is beyond any size.");
  if (k != 0) row = row + node.composition.dimension(Dtype::kI64, IntExpr(k));
  return node.output(cast(map(MapOp::equal, {row, column}), dtype));
}

constexpr Operator kIndexOperators[] = {
    {"EyeLike", 9, 1, 1, eye_like},
    {"Gather", 1, 2, 2, gather_axis},
    {"GatherElements", 11, 2, 2, gather_elements},
    {"GatherND", 11, 2, 2, gather_nd},
    {"OneHot", 9, 3, 3, one_hot},
    {"Trilu", 14, 1, 2, trilu},
    {"Trilu", 1, 1, 2, trilu, "com.microsoft"},
};

}  // namespace

std::span<const Operator> index_operators() { return kIndexOperators; }

}  // namespace tuff::onnx
