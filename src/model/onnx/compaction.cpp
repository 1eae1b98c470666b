// Operators whose outputs have the size that the data decide: their elements are found by a prefix sum over what is chosen and
// a search in it, for as many as there can be.
#include "model/onnx/operators.h"
#include "model/onnx/prefix.h"

namespace tuff::onnx {
namespace {

struct Chosen {
  Tensor places;  // i32[n]: where the chosen ones are, in order; 0 beyond them
  Tensor count;   // i32, rank 0
};

Chosen chosen(Tensor flags) {  // bool[n]
  Composition& c = flags.composition();
  const IntExpr length = flags.dim(0), zero(0), one(1);
  Tensor sums = reshape(prefix_sums(reshape(cast(flags, Dtype::kI32), {one, length})), {length});
  Tensor count = reshape(slice(pad(sums, {one}, {zero}, 0), 0, length, one), {});
  Tensor rank = c.iota(Dtype::kI32, length) + 1;
  Tensor places = first_not_less(sums, rank);
  return {select(map(MapOp::less_equal, {rank, count}), places, c.scalar(Dtype::kI32, 0)), count};
}

Tensor flattened(Tensor x) { return reshape(x, {product(x.shape())}); }

// Row k has the k-th coordinates of the elements that are not zero, in row-major order.
Status non_zero(NodeImport& node) {
  Tensor x = node.input(0);
  TUFF_TRY(node.composition.status());
  if (x.rank() == 0) return unsupported("an input of rank 0 is not supported.");
  Tensor flags =
      x.dtype() == Dtype::kBool ? x : map(MapOp::logical_not, {map(MapOp::equal, {x, node.composition.scalar(x.dtype(), 0)})});
  auto [places, count] = chosen(flattened(flags));
  std::vector<Tensor> rows(static_cast<size_t>(x.rank()));
  for (size_t axis = rows.size(); axis-- > 0;) {
    Tensor size = node.composition.dimension(Dtype::kI32, x.dim(static_cast<int>(axis)));
    rows[axis] = axis == 0 ? places : map(MapOp::floormod, {places, size});
    if (axis != 0) places = places / size;
    rows[axis] = reshape(cast(rows[axis], Dtype::kI64), {IntExpr(1), rows[axis].dim(0)});
  }
  node.sized(1, count);
  return node.output(concat(rows, 0));
}

// The slices of x along the axis, or the elements of x, whose flag is set; the flags may be fewer.
Status compress(NodeImport& node) {
  Tensor x = node.input(0), flags = node.input(1);
  TUFF_TRY(node.composition.status());
  int axis = 0;
  if (node.attributes.has("axis")) {
    TUFF_ASSIGN(axis, node.axis(node.attributes.integer("axis", 0), x.rank()));
  } else {
    x = flattened(x);
  }
  if (flags.rank() != 1 || flags.dtype() != Dtype::kBool) return invalid_argument("its condition is not a vector of bools.");
  auto [places, count] = chosen(flags);
  node.sized(axis, count);
  return node.output(gather(x, places, axis));
}

constexpr Operator kCompactionOperators[] = {
    {"Compress", 9, 2, 2, compress},
    {"NonZero", 9, 1, 1, non_zero},
};

}  // namespace

std::span<const Operator> compaction_operators() { return kCompactionOperators; }

}  // namespace tuff::onnx
