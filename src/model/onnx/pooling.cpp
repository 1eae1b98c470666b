// Pools as window.max or window.sum over explicitly padded input; global ones as reductions.
#include <cmath>

#include "model/onnx/operators.h"
#include "model/onnx/window_attributes.h"

namespace tuff::onnx {
namespace {

struct Pool {
  WindowShape window;
  Dims beyond;  // padding after `high` that only ceil_mode asks for
};

// ceil_mode: output = ceil((padded - extent) / stride) + 1, less one where the last window would begin in the padding at
// the end. With span = padded - extent and over = mod(-span, stride), the last window begins at span + over, and that is
// beyond input + low when over >= extent - high. Where `over` depends on a symbol, stride - 1 is padded, as for SAME.
Result<Pool> read_pool(NodeImport& node) {
  Pool pool;
  TUFF_ASSIGN(pool.window, read_window(node, {}));
  WindowShape& w = pool.window;
  apply_auto_pad(w, node.input_type(0).shape);
  pool.beyond.assign(w.rank(), IntExpr(0));
  if (node.attributes.integer("ceil_mode", 0) == 0 || w.auto_pad != "NOTSET") return pool;
  for (size_t i = 0; i < w.rank(); ++i) {
    IntExpr stride(w.strides[i]);
    IntExpr span = node.input_type(0).shape[i + 2] + w.low[i] + w.high[i] - IntExpr(w.extent(i));
    IntExpr over = mod(-span, stride);
    int64_t begins_beyond = w.extent(i) - w.high[i].constant();
    IntExpr dropped;
    if (begins_beyond <= 0)
      dropped = IntExpr(1);
    else if (begins_beyond < w.strides[i])
      dropped = minimum(floor_div(over, IntExpr(begins_beyond)), IntExpr(1));
    pool.beyond[i] = (over.is_constant() ? over : stride - IntExpr(1)) - stride * dropped;
  }
  return pool;
}

Tensor window_reduce(WindowOp op, Tensor x, const WindowShape& w) {
  WindowAttrs attrs;
  attrs.op = op;
  attrs.kernel = w.kernel;
  attrs.strides = w.strides;
  attrs.dilations = w.dilations;
  return x.composition().add(std::move(attrs), {x});
}

Dims joined(const Dims& a, const Dims& b) {
  Dims out = a;
  for (size_t i = 0; i < out.size(); ++i) out[i] += b[i];
  return out;
}

// `beyond` can take away as well as add, where the window that it drops had room.
Tensor pad_for(Tensor x, const Pool& pool, uint64_t fill_bits) {
  return pad_spatial(x, pool.window.low, joined(pool.window.high, pool.beyond), fill_bits);
}

// The least value of the dtype, which a maximum ignores.
uint64_t lowest_bits(Dtype dtype) {
  if (is_float(dtype)) return scalar_bits(dtype, -INFINITY);
  if (is_unsigned_integer(dtype) || dtype == Dtype::kBool) return 0;
  return integer_bits(dtype, INT64_MIN >> (64 - 8 * dtype_size_bytes(dtype)));
}

Status max_pool(NodeImport& node) {
  TUFF_ASSIGN(Pool pool, read_pool(node));
  Tensor x = pad_for(node.input(0), pool, lowest_bits(node.input_type(0).dtype));
  return node.output(window_reduce(WindowOp::kMax, x, pool.window));
}

// Sum times 1 / count. The count is the kernel's, or where padding does not count (or ceil_mode padded more) the number of
// elements under each window: a sum over ones, of which the graph keeps the sizes that are not known.
Status average_pool(NodeImport& node) {
  TUFF_ASSIGN(Pool pool, read_pool(node));
  Tensor x = widen(node.input(0));
  const WindowShape& w = pool.window;
  Tensor total = window_reduce(WindowOp::kSum, pad_for(x, pool, 0), w);
  bool counts_padding = node.attributes.integer("count_include_pad", 0) != 0;
  bool varies = false;
  IntExpr count(1);
  for (size_t i = 0; i < w.rank(); ++i) {
    count *= IntExpr(w.kernel[i]);
    varies = varies || !pool.beyond[i].is(0) || (!counts_padding && (!w.low[i].is(0) || !w.high[i].is(0)));
  }
  if (!varies) return node.output(cast(total * reciprocal_of(node.composition, x.dtype(), count), node.input_type(0).dtype));
  Dims shape = {IntExpr(1), IntExpr(1)};
  for (size_t i = 0; i < w.rank(); ++i) shape.push_back(x.dim(static_cast<int>(i + 2)));
  uint64_t one = scalar_bits(x.dtype(), 1);
  Tensor ones = node.composition.splat(x.dtype(), shape, one);
  if (counts_padding) {
    ones = pad_spatial(ones, w.low, w.high, one);
    ones = pad_spatial(ones, Dims(w.rank()), pool.beyond, 0);
  } else {
    ones = pad_for(ones, pool, 0);
  }
  Tensor counts = window_reduce(WindowOp::kSum, ones, w);
  return node.output(cast(total * map(MapOp::reciprocal, {counts}), node.input_type(0).dtype));
}

Tensor absolute_power(Tensor x, int64_t p) {
  Tensor a = map(MapOp::abs, {x});
  if (p == 1) return a;
  if (p == 2) return x * x;
  return map(MapOp::pow, {a, x.composition().scalar(x.dtype(), static_cast<double>(p))});
}

Tensor root(Tensor x, int64_t p) {
  if (p == 1) return x;
  if (p == 2) return map(MapOp::sqrt, {x});
  return map(MapOp::pow, {x, x.composition().scalar(x.dtype(), 1.0 / static_cast<double>(p))});
}

Result<int64_t> norm_order(NodeImport& node) {
  int64_t p = node.attributes.integer("p", 2);
  if (p < 1) return invalid_argument("its p is " + std::to_string(p) + "; it must be positive.");
  return p;
}

// (sum |x|^p)^(1/p)
Status lp_pool(NodeImport& node) {
  TUFF_ASSIGN(Pool pool, read_pool(node));
  TUFF_ASSIGN(int64_t p, norm_order(node));
  Tensor x = absolute_power(widen(node.input(0)), p);
  Tensor y = root(window_reduce(WindowOp::kSum, pad_for(x, pool, 0), pool.window), p);
  return node.output(cast(y, node.input_type(0).dtype));
}

Result<std::vector<int>> spatial_axes(NodeImport& node) {
  if (node.rank(0) < 3) return invalid_argument("its input has no spatial axes.");
  std::vector<int> axes;
  for (int i = 2; i < node.rank(0); ++i) axes.push_back(i);
  return axes;
}

Status global_average_pool(NodeImport& node) {
  TUFF_ASSIGN(std::vector<int> axes, spatial_axes(node));
  return node.output(cast(mean(widen(node.input(0)), axes), node.input_type(0).dtype));
}

Status global_max_pool(NodeImport& node) {
  TUFF_ASSIGN(std::vector<int> axes, spatial_axes(node));
  return node.output(reduce(ReduceOp::kMax, node.input(0), axes));
}

Status global_lp_pool(NodeImport& node) {
  TUFF_ASSIGN(std::vector<int> axes, spatial_axes(node));
  TUFF_ASSIGN(int64_t p, norm_order(node));
  Tensor y = root(sum(absolute_power(widen(node.input(0)), p), axes), p);
  return node.output(cast(y, node.input_type(0).dtype));
}

constexpr Operator kPoolingOperators[] = {
    {"AveragePool", 1, 1, 1, average_pool},
    {"GlobalAveragePool", 1, 1, 1, global_average_pool},
    {"GlobalLpPool", 2, 1, 1, global_lp_pool},
    {"GlobalMaxPool", 1, 1, 1, global_max_pool},
    {"LpPool", 2, 1, 1, lp_pool},
    {"MaxPool", 1, 1, 1, max_pool},
};

}  // namespace

std::span<const Operator> pooling_operators() { return kPoolingOperators; }

}  // namespace tuff::onnx
