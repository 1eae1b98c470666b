// Reductions over axes, and softmax and its relatives, as compositions of reduce and maps. Those that add up work in f32
// where the model has f16 or bf16, and round once at the end.
#include <cmath>

#include "model/onnx/operators.h"
#include "model/onnx/prefix.h"

namespace tuff::onnx {
namespace {

// What is done to the elements before the reduction and to the result after it.
enum class Norm { kL1, kL2, kLogSum, kLogSumExp, kMax, kMean, kMin, kProd, kSum, kSumSquare };

Tensor log(Tensor x) { return map(MapOp::log, {x}); }
Tensor exp(Tensor x) { return map(MapOp::exp, {x}); }

// m + log(sum(exp(x - m))) with m the maximum, or 0 where that is infinite.
Tensor log_sum_exp(Tensor x, const std::vector<int>& axes) {
  Tensor m = reduce(ReduceOp::kMax, x, axes);
  m = select(map(MapOp::is_inf, {m}), x.composition().scalar(x.dtype(), 0), m);
  return m + log(sum(exp(x - m), axes));
}

Tensor apply(Norm norm, Tensor x, const std::vector<int>& axes) {
  switch (norm) {
    case Norm::kL1: return sum(map(MapOp::abs, {x}), axes);
    case Norm::kL2: return map(MapOp::sqrt, {sum(x * x, axes)});
    case Norm::kLogSum: return log(sum(x, axes));
    case Norm::kLogSumExp: return log_sum_exp(x, axes);
    case Norm::kMax: return reduce(ReduceOp::kMax, x, axes);
    case Norm::kMean: return mean(x, axes);
    case Norm::kMin: return reduce(ReduceOp::kMin, x, axes);
    case Norm::kProd: return reduce(ReduceOp::kProduct, x, axes);
    case Norm::kSum: return sum(x, axes);
    case Norm::kSumSquare: return sum(x * x, axes);
  }
  return x;
}

// A reduction leaves its axes as size 1; without keepdims they go.
Tensor without_axes(Tensor x, const std::vector<int>& axes) {
  Dims shape;
  for (int i = 0; i < x.rank(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) shape.push_back(x.dim(i));
  return reshape(x, std::move(shape));
}

template <Norm norm, int axes_input_since>
Status reduce_norm(NodeImport& node) {
  int rank = node.rank(0);
  TUFF_ASSIGN(auto given, node.axes(1, axes_input_since, rank));
  std::vector<int> axes = given.value_or(std::vector<int>());
  if (axes.empty()) {
    if (node.attributes.integer("noop_with_empty_axes", 0) != 0) return node.output(node.input(0));
    for (int i = 0; i < rank; ++i) axes.push_back(i);
  }
  Tensor x = node.input(0);
  bool keep = node.attributes.integer("keepdims", 1) != 0;
  Tensor y;
  if (x.dtype() == Dtype::kBool) {  // the maximum of bools is any, the minimum all
    if (norm != Norm::kMax && norm != Norm::kMin) return invalid_argument("it does not reduce bools.");
    y = reduce(norm == Norm::kMax ? ReduceOp::kAny : ReduceOp::kAll, x, axes);
  } else {
    bool roots = norm == Norm::kL2 || norm == Norm::kLogSum || norm == Norm::kLogSumExp;
    if (roots && !is_float(x.dtype())) return unsupported("it is supported for floats only.");
    bool adds = norm != Norm::kMax && norm != Norm::kMin;
    y = cast(apply(norm, adds ? widen(x) : x, axes), x.dtype());
  }
  return node.output(keep ? y : without_axes(y, axes));
}

template <ReduceOp op>
Status arg_reduce(NodeImport& node) {
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", 0), node.rank(0)));
  ReduceAttrs attrs;
  attrs.op = op;
  attrs.axes = {axis};
  attrs.select_last = node.attributes.integer("select_last_index", 0) != 0;
  Tensor y = node.composition.add(std::move(attrs), {node.input(0)});
  return node.output(node.attributes.integer("keepdims", 1) != 0 ? y : without_axes(y, {axis}));
}

// One axis; before operator set 13 that axis and all after it, as one row.
Result<std::vector<int>> softmax_axes(NodeImport& node) {
  int rank = node.rank(0);
  bool one_axis = node.opset() >= 13;
  int64_t axis = node.attributes.integer("axis", one_axis ? -1 : 1);
  if (!one_axis && axis == rank) return std::vector<int>();  // rows of one element
  TUFF_ASSIGN(int first, node.axis(axis, rank));
  std::vector<int> axes = {first};
  for (int i = first + 1; !one_axis && i < rank; ++i) axes.push_back(i);
  return axes;
}

// exp(x - max) / sum(exp(x - max)), the division last
Status softmax(NodeImport& node) {
  TUFF_ASSIGN(std::vector<int> axes, softmax_axes(node));
  Tensor x = widen(node.input(0));
  Tensor e = exp(x - reduce(ReduceOp::kMax, x, axes));
  return node.output(cast(e / sum(e, axes), node.input_type(0).dtype));
}

// (x - max) - log(sum(exp(x - max)))
Status log_softmax(NodeImport& node) {
  TUFF_ASSIGN(std::vector<int> axes, softmax_axes(node));
  Tensor x = widen(node.input(0));
  Tensor shifted = x - reduce(ReduceOp::kMax, x, axes);
  return node.output(cast(shifted - log(sum(exp(shifted), axes)), node.input_type(0).dtype));
}

// 1 at the first maximum of the row, 0 elsewhere
Status hardmax(NodeImport& node) {
  TUFF_ASSIGN(std::vector<int> axes, softmax_axes(node));
  Tensor x = node.input(0);
  if (axes.empty()) return unsupported("rows of one element are not supported.");
  TUFF_TRY(node.composition.status());
  Dims original = x.shape(), rows = x.shape();
  for (size_t i = 1; i < axes.size(); ++i) {
    rows[static_cast<size_t>(axes[0])] *= rows[static_cast<size_t>(axes[i])];
    rows[static_cast<size_t>(axes[i])] = IntExpr(1);
  }
  x = reshape(x, rows);
  ReduceAttrs attrs;
  attrs.op = ReduceOp::kArgMax;
  attrs.axes = {axes[0]};
  Tensor first = node.composition.add(std::move(attrs), {x});
  Tensor place = along(node.composition.iota(Dtype::kI64, x.dim(axes[0])), x.rank(), axes[0]);
  return node.output(reshape(cast(map(MapOp::equal, {place, first}), x.dtype()), original));
}

// The axis comes last for the sums; exclusive: what comes before each element.
Status cum_sum(NodeImport& node) {
  TUFF_ASSIGN(int64_t given, node.integer(1, "its axis"));
  TUFF_ASSIGN(int axis, node.axis(given, node.rank(0)));
  const bool reverse = node.attributes.integer("reverse", 0) != 0, exclusive = node.attributes.integer("exclusive", 0) != 0;
  Tensor x = widen(node.input(0));
  TUFF_TRY(node.composition.status());
  const IntExpr length = x.dim(axis), zero(0), one(1);
  if (length.is(0)) return node.output(node.input(0));
  std::vector<int> to_end, back(static_cast<size_t>(x.rank()));
  for (int i = 0; i < x.rank(); ++i)
    if (i != axis) to_end.push_back(i);
  to_end.push_back(axis);
  for (size_t i = 0; i < to_end.size(); ++i) back[static_cast<size_t>(to_end[i])] = static_cast<int>(i);
  auto turned = [&](Tensor t) { return reverse ? slice(t, t.rank() - 1, length - one, length, -1) : t; };
  Tensor y = turned(transpose(x, to_end));
  const Dims shape = y.shape();
  y = prefix_sums(reshape(y, {product(Dims(shape.begin(), shape.end() - 1)), length}));
  if (exclusive) y = slice(pad(y, {zero, one}, {zero, zero}, 0), 1, zero, length);
  return node.output(cast(transpose(turned(reshape(y, shape)), back), node.input_type(0).dtype));
}

constexpr Operator kReductionOperators[] = {
    {"ArgMax", 1, 1, 1, arg_reduce<ReduceOp::kArgMax>},
    {"ArgMin", 1, 1, 1, arg_reduce<ReduceOp::kArgMin>},
    {"CumSum", 11, 2, 2, cum_sum},
    {"Hardmax", 1, 1, 1, hardmax},
    {"LogSoftmax", 1, 1, 1, log_softmax},
    {"ReduceL1", 1, 1, 2, reduce_norm<Norm::kL1, 18>},
    {"ReduceL2", 1, 1, 2, reduce_norm<Norm::kL2, 18>},
    {"ReduceLogSum", 1, 1, 2, reduce_norm<Norm::kLogSum, 18>},
    {"ReduceLogSumExp", 1, 1, 2, reduce_norm<Norm::kLogSumExp, 18>},
    {"ReduceMax", 1, 1, 2, reduce_norm<Norm::kMax, 18>},
    {"ReduceMean", 1, 1, 2, reduce_norm<Norm::kMean, 18>},
    {"ReduceMin", 1, 1, 2, reduce_norm<Norm::kMin, 18>},
    {"ReduceProd", 1, 1, 2, reduce_norm<Norm::kProd, 18>},
    {"ReduceSum", 1, 1, 2, reduce_norm<Norm::kSum, 13>},
    {"ReduceSumSquare", 1, 1, 2, reduce_norm<Norm::kSumSquare, 18>},
    {"Softmax", 1, 1, 1, softmax},
};

}  // namespace

std::span<const Operator> reduction_operators() { return kReductionOperators; }

}  // namespace tuff::onnx
