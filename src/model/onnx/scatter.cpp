// TensorScatter, ScatterElements, ScatterND: each element asks which update, if any, is the last that writes it.
//
// With data-dependent indices that is a comparison with every index that may write the element, which suits few updates (a row
// of a cache, a slice assigned); more are refused.
#include "model/onnx/scatter.h"

#include "model/onnx/operators.h"

namespace tuff::onnx {
namespace {

// Comparisons, for which a device of 10^12 operations a second takes milliseconds.
constexpr int64_t kComparisonLimit = int64_t{1} << 30;

Status check_comparisons(const IntExpr& elements, const IntExpr& updates) {
  const IntExpr comparisons = elements * updates;
  if (comparisons.interval().high <= kComparisonLimit) return ok_status();
  return unsupported("finding which of " + updates.text() + " updates writes each of " + elements.text() +
                     " elements would take too many comparisons; the limit is " + std::to_string(kComparisonLimit) + ".");
}

Status check_reduction(NodeImport& node) {
  const std::string_view reduction = node.attributes.text("reduction", "none");
  if (reduction == "none") return ok_status();
  return unsupported("the reduction '" + std::string(reduction) + "' of what is written twice is not supported.");
}

// Indices that count from the end where they are negative.
Tensor counted_from_start(Tensor index, const IntExpr& size) {
  index = cast(index, Dtype::kI32);
  return select(less(index, 0), index + index.composition().dimension(Dtype::kI32, size), index);
}

// The greatest place along the last axis at which the bools are true, or -1; without that axis.
Tensor last_true(Tensor matches) {
  Composition& c = matches.composition();
  const int axis = matches.rank() - 1;
  Tensor place = along(c.iota(Dtype::kI32, matches.dim(axis)), matches.rank(), axis);
  Tensor last = reduce(ReduceOp::kMax, select(matches, place, c.scalar(Dtype::kI32, -1)), {axis});
  Dims shape(last.shape().begin(), last.shape().end() - 1);
  return reshape(last, std::move(shape));
}

Dims before(const Dims& shape, int axis) { return {shape.begin(), shape.begin() + axis}; }
Dims behind(const Dims& shape, int axis) { return {shape.begin() + axis + 1, shape.end()}; }

}  // namespace

// x: [n, outer, length, inner]. An element's row is `place - start`; where that is a row, it is taken from [n * outer * rows,
// inner].
Tensor with_rows(Tensor x, Tensor rows, Tensor start, int axis, bool circular) {
  Composition& c = x.composition();
  if (!c.status().ok()) return x;
  const IntExpr length = x.dim(axis), count = rows.dim(axis);
  Tensor row = along(c.iota(Dtype::kI32, length), 3, 2) - along(start, 3, 0);
  if (circular) row = map(MapOp::floormod, {row, c.dimension(Dtype::kI32, length)});
  Tensor is_new = map(MapOp::less, {row, c.dimension(Dtype::kI32, count)});
  if (!circular) is_new = map(MapOp::logical_and, {map(MapOp::less_equal, {c.scalar(Dtype::kI32, 0), row}), is_new});

  const Dims outer = before(x.shape(), axis), inner = behind(x.shape(), axis);
  const IntExpr outer_count = product(Dims(outer.begin() + 1, outer.end()));
  Tensor block = along(c.iota(Dtype::kI32, outer[0] * outer_count), 1, 0);
  block = reshape(block, {outer[0], outer_count, IntExpr(1)});
  Tensor flat = block * c.dimension(Dtype::kI32, count) + row;
  Tensor taken = gather(reshape(rows, {product(outer) * count, product(inner)}), flat, 0);
  Tensor four_axes = reshape(x, {outer[0], outer_count, length, product(inner)});
  Tensor y = select(reshape(is_new, {outer[0], IntExpr(1), length, IntExpr(1)}), taken, four_axes);
  return reshape(y, x.shape());
}

namespace {

Status tensor_scatter(NodeImport& node) {
  const int rank = node.rank(0);
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", -2), rank));
  if (axis == 0) return invalid_argument("its axis is the batch's.");
  const std::string_view mode = node.attributes.text("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return invalid_argument("its mode is '" + std::string(mode) + "', not linear or circular.");
  Tensor cache = node.input(0), update = node.input(1);
  TUFF_TRY(node.composition.status());
  if (update.rank() != rank || !proven_nonnegative(cache.dim(axis) - update.dim(axis)))
    return invalid_argument("its update " + dims_text(update.shape()) + " does not fit its cache " + dims_text(cache.shape()) +
                            ".");
  if (!node.has_input(2)) {
    const IntExpr count = update.dim(axis), rest = cache.dim(axis) - count;
    return node.output(rest.is(0) ? update : concat({update, slice(cache, axis, count, rest)}, axis));
  }
  Tensor start = cast(reshape(node.input(2), {cache.dim(0)}), Dtype::kI32);
  return node.output(with_rows(cache, update, start, axis, mode == "circular"));
}

// Along the axis, an element is written by those indices beside it that are its place. Where the indices are fewer than the
// data along another axis, -1 stands for none.
Status scatter_elements(NodeImport& node) {
  TUFF_TRY(check_reduction(node));
  const int rank = node.rank(0);
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", 0), rank));
  Tensor x = node.input(0), index = node.input(1), updates = node.input(2);
  TUFF_TRY(node.composition.status());
  if (index.rank() != rank || updates.shape() != index.shape())
    return invalid_argument("its indices " + dims_text(index.shape()) + " or updates " + dims_text(updates.shape()) +
                            " do not fit its data " + dims_text(x.shape()) + ".");
  for (int i = 0; i < rank; ++i)
    if (i != axis && proven_less(x.dim(i), index.dim(i)))
      return invalid_argument("its indices " + dims_text(index.shape()) + " are more than its data " + dims_text(x.shape()) +
                              ".");
  const IntExpr count = index.dim(axis);
  if (product(index.shape()).is(0)) return node.output(x);
  TUFF_TRY(check_comparisons(product(x.shape()), count));
  index = counted_from_start(index, x.dim(axis));
  const Dims none(static_cast<size_t>(rank), IntExpr(0));
  Dims missing = none;
  for (int i = 0; i < rank; ++i)
    if (i != axis) missing[static_cast<size_t>(i)] = x.dim(i) - index.dim(i);
  index = pad(index, none, missing, scalar_bits(Dtype::kI32, -1));
  updates = pad(updates, none, missing, 0);

  // The indices beside an element, as a last axis: [before, 1, behind, count].
  std::vector<int> perm;
  for (int i = 0; i < rank; ++i)
    if (i != axis) perm.push_back(i);
  perm.push_back(axis);
  Tensor beside = transpose(index, perm);
  Dims shape = beside.shape();
  shape.insert(shape.begin() + axis, IntExpr(1));
  Tensor place = along(node.composition.iota(Dtype::kI32, x.dim(axis)), rank + 1, axis);
  Tensor last = last_true(map(MapOp::equal, {reshape(beside, std::move(shape)), place}));

  // The element's update, of [before, count, behind] in row-major order.
  const IntExpr inner = product(behind(x.shape(), axis)), outer = product(before(x.shape(), axis));
  Composition& c = node.composition;
  Tensor three_axes = reshape(last, {outer, x.dim(axis), inner});
  Tensor flat = (along(c.iota(Dtype::kI32, outer), 3, 0) * c.dimension(Dtype::kI32, count) + three_axes) *
                    c.dimension(Dtype::kI32, inner) +
                along(c.iota(Dtype::kI32, inner), 3, 2);
  Tensor taken = reshape(gather(reshape(updates, {product(updates.shape())}), flat, 0), x.shape());
  Tensor is_kept = less(last, 0);
  return node.output(select(is_kept, x, taken));
}

// Tuples of k indices address rows of the first k axes: an element is written by the last tuple that is its row.
Status scatter_nd(NodeImport& node) {
  TUFF_TRY(check_reduction(node));
  Tensor x = node.input(0), index = node.input(1), updates = node.input(2);
  TUFF_TRY(node.composition.status());
  const IntExpr tuple = index.dim(-1);
  if (index.rank() < 1 || !tuple.is_constant() || tuple.constant() < 1 || tuple.constant() > x.rank())
    return invalid_argument("its indices " + dims_text(index.shape()) + " do not fit its data " + dims_text(x.shape()) + ".");
  const int k = static_cast<int>(tuple.constant());
  const Dims addressed = before(x.shape(), k), tuples = before(index.shape(), index.rank() - 1);
  const IntExpr rows = product(addressed), count = product(tuples),
                inner = product(Dims(x.shape().begin() + k, x.shape().end()));
  if (count.is(0)) return node.output(x);
  TUFF_TRY(check_comparisons(rows, count));
  Composition& c = node.composition;
  index = reshape(index, {count, tuple});
  Tensor flat;
  for (int i = 0; i < k; ++i) {
    const IntExpr& size = addressed[static_cast<size_t>(i)];
    Tensor part = counted_from_start(reshape(slice(index, 1, IntExpr(i), IntExpr(1)), {count}), size);
    flat = i == 0 ? part : flat * c.dimension(Dtype::kI32, size) + part;
  }
  Tensor row = along(c.iota(Dtype::kI32, rows), 2, 0);
  Tensor last = last_true(map(MapOp::equal, {along(flat, 2, 1), row}));
  Tensor taken = gather(reshape(updates, {count, inner}), last, 0);
  Tensor is_kept = reshape(less(last, 0), {rows, IntExpr(1)});
  return node.output(reshape(select(is_kept, reshape(x, {rows, inner}), taken), x.shape()));
}

constexpr Operator kScatterOperators[] = {
    {"ScatterElements", 11, 3, 3, scatter_elements},
    {"ScatterND", 11, 3, 3, scatter_nd},
    {"TensorScatter", 24, 2, 3, tensor_scatter},
};

}  // namespace

std::span<const Operator> scatter_operators() { return kScatterOperators; }

}  // namespace tuff::onnx
