#include "model/onnx/prefix.h"

namespace tuff::onnx {
namespace {

constexpr int64_t kBlock = 64;

// Each row by itself: all pairs of places. Not by products with a triangle of ones, which would make NaN of infinities.
Tensor sums_within_rows(Tensor x) {
  Composition& c = x.composition();
  const IntExpr rows = x.dim(0), length = x.dim(1);
  Tensor place = c.iota(Dtype::kI32, length);
  Tensor is_before = map(MapOp::less_equal, {along(place, 3, 2), along(place, 3, 1)});
  Tensor pairs = select(is_before, reshape(x, {rows, IntExpr(1), length}), c.scalar(x.dtype(), 0));
  return reshape(sum(pairs, {2}), {rows, length});
}

}  // namespace

Tensor prefix_sums(Tensor x) {
  const IntExpr rows = x.dim(0), length = x.dim(1), block(kBlock);
  if (length.interval().high <= kBlock) return sums_within_rows(x);
  const IntExpr blocks = ceil_div(length, block);
  const IntExpr zero(0), one(1);
  Tensor padded = slice(pad(x, {zero, zero}, {zero, block - one}, 0), 1, zero, blocks * block);
  Tensor within = sums_within_rows(reshape(padded, {rows * blocks, block}));
  Tensor totals = reshape(slice(within, 1, block - one, one), {rows, blocks});
  Tensor before = slice(pad(prefix_sums(totals), {zero, one}, {zero, zero}, 0), 1, zero, blocks);
  Tensor sums = reshape(within + reshape(before, {rows * blocks, one}), {rows, blocks * block});
  return slice(sums, 1, zero, length);
}

Tensor first_not_less(Tensor ascending, Tensor wanted) {
  Composition& c = ascending.composition();
  const IntExpr length = ascending.dim(0);
  // How many elements are known to be less; each step asks whether `step` more are.
  Tensor less_count = broadcast(c.scalar(Dtype::kI32, 0), wanted.shape());
  int64_t step = 1;
  while (step <= length.interval().high / 2) step *= 2;
  Tensor size = c.dimension(Dtype::kI32, length);
  for (; step >= 1; step /= 2) {
    Tensor probe = less_count + static_cast<double>(step - 1);
    Tensor is_less = map(MapOp::less, {gather(ascending, probe, 0), wanted});
    Tensor is_inside = map(MapOp::less, {probe, size});
    less_count = select(map(MapOp::logical_and, {is_inside, is_less}), probe + 1, less_count);
  }
  return less_count;
}

}  // namespace tuff::onnx
