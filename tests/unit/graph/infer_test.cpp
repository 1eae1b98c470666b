// The shape rule of every primitive, and each way in which attributes and inputs do not fit.
#include <doctest/doctest.h>

#include <array>

#include "graph/graph.h"
#include "unit/graph/symbol_n.h"

using namespace tuff;

namespace {

ValueType f32(Dims shape) { return {Dtype::kF32, std::move(shape)}; }
ValueType i64(Dims shape) { return {Dtype::kI64, std::move(shape)}; }
ValueType flags(Dims shape) { return {Dtype::kBool, std::move(shape)}; }

// "f32[1, 2]", or the message of the failure.
std::string infer_text(const Attrs& attrs, const std::vector<ValueType>& inputs) {
  auto type = infer(attrs, inputs);
  if (!type.ok()) {
    const std::string message = type.status().message();
    bool too_large = message.find("64 bits cannot hold") != std::string::npos;
    CHECK(type.status().code() == (too_large ? Code::kLimit : Code::kInvalidArgument));
    return message;
  }
  return std::string(dtype_name(type->dtype)) + dims_text(type->shape);
}

Attrs map(MapOp op) { return MapAttrs{op}; }
Attrs reduce(ReduceOp op, std::vector<int> axes) { return ReduceAttrs{op, std::move(axes), false, {}}; }
WindowAttrs window(WindowOp op, int64_t kernel, int64_t stride, int64_t dilation) {
  return {op, {kernel, kernel}, {stride, stride}, {dilation, dilation}, 1, {}};
}
Attrs pad(PadMode mode, Dims low, Dims high, std::vector<int64_t> interior) {
  return PadAttrs{mode, std::move(low), std::move(high), std::move(interior), 0};
}

}  // namespace

TEST_CASE("infer map") {
  CHECK(infer_text(map(MapOp::add), {f32({n, 2}), f32({n, 2})}) == "f32[n, 2]");
  CHECK(infer_text(map(MapOp::less), {i64({2}), i64({2})}) == "bool[2]");
  CHECK(infer_text(map(MapOp::select), {flags({2}), i64({2}), i64({2})}) == "i64[2]");
  CHECK(infer_text(MapAttrs{MapOp::cast, Dtype::kF16}, {flags({n})}) == "f16[n]");
  CHECK(infer_text(map(MapOp::add), {f32({2})}) == "map.add takes 2 inputs, got 1.");
  CHECK(infer_text(map(MapOp::add), {f32({2}), f32({1})}) == "map.add operand shapes [2] and [1] differ.");
  CHECK(infer_text(map(MapOp::add), {f32({2}), i64({2})}) == "map.add operand types f32[2] and i64[2] differ.");
  CHECK(infer_text(map(MapOp::add), {flags({2}), flags({2})}) == "map.add does not take operands of type bool.");
  CHECK(infer_text(map(MapOp::exp), {i64({2})}) == "map.exp does not take operands of type i64.");
  CHECK(infer_text(map(MapOp::bit_not), {f32({2})}) == "map.bit_not does not take operands of type f32.");
  CHECK(infer_text(map(MapOp::logical_not), {f32({2})}) == "map.logical_not does not take operands of type f32.");
  CHECK(infer_text(map(MapOp::select), {f32({2}), f32({2}), f32({2})}) == "map.select the condition of select must be bool.");
}

TEST_CASE("infer reduce") {
  CHECK(infer_text(reduce(ReduceOp::kSum, {0, 2}), {f32({2, n, 4})}) == "f32[1, n, 1]");
  CHECK(infer_text(reduce(ReduceOp::kArgMax, {1}), {f32({2, n})}) == "i64[2, 1]");
  CHECK(infer_text(reduce(ReduceOp::kAny, {0}), {flags({2, n})}) == "bool[1, n]");
  CHECK(infer_text(reduce(ReduceOp::kSum, {0}), {flags({2})}) == "reduce.sum does not reduce values of type bool.");
  CHECK(infer_text(reduce(ReduceOp::kAll, {0}), {f32({2})}) == "reduce.all does not reduce values of type f32.");
  CHECK(infer_text(reduce(ReduceOp::kArgMin, {0, 1}), {f32({2, 2})}) == "reduce.argmin an arg-reduction has exactly one axis.");
  for (const std::vector<int>& axes : {std::vector<int>{1, 0}, {0, 0}, {-1}, {2}})
    CHECK(infer_text(reduce(ReduceOp::kMax, axes), {f32({2, 2})}) ==
          "reduce.max axes must be ascending and inside the rank 2.");
  CHECK(infer_text(reduce(ReduceOp::kMax, {0}), {}) == "reduce.max takes 1 inputs, got 0.");
}

TEST_CASE("infer contract") {
  auto contract = [](std::vector<int> a, std::vector<int> b, std::vector<int> out) {
    return Attrs(ContractAttrs{std::move(a), std::move(b), std::move(out), {}});
  };
  Attrs matmul = contract({0, 1}, {1, 2}, {0, 2});
  CHECK(infer_text(matmul, {f32({n, 3}), f32({3, 4})}) == "f32[n, 4]");
  CHECK(infer_text(contract({9, 0, 1}, {9, 2, 1}, {9, 2, 0}), {f32({8, n, 3}), f32({8, 4, 3})}) == "f32[8, 4, n]");
  CHECK(infer_text(matmul, {f32({n, 3}), f32({5, 4})}) == "contract the sizes 3 and 5 meet on one axis.");
  CHECK(infer_text(matmul, {f32({n, 3}), i64({3, 4})}) == "contract the factors differ in type.");
  CHECK(infer_text(matmul, {flags({n, 3}), flags({3, 4})}) == "contract does not multiply bools.");
  CHECK(infer_text(matmul, {f32({n}), f32({3, 4})}) == "contract has labels for another rank than its inputs have.");
  CHECK(infer_text(contract({0, 0}, {0, 1}, {1}), {f32({3, 3}), f32({3, 4})}) == "contract an input repeats a label.");
  for (const std::vector<int>& out : {std::vector<int>{0, 0}, {0, 7}})
    CHECK(infer_text(contract({0, 1}, {1, 2}, out), {f32({n, 3}), f32({3, 4})}) ==
          "contract an output label is repeated or not in the inputs.");
}

TEST_CASE("infer window") {
  IntExpr h = n * IntExpr(2);
  CHECK(infer_text(window(WindowOp::kMax, 2, 2, 1), {f32({1, 3, h, 8})}) == "f32[1, 3, n, 4]");
  CHECK(infer_text(window(WindowOp::kSum, 3, 1, 2), {f32({1, 3, 8, 5})}) == "f32[1, 3, 4, 1]");
  CHECK(infer_text(window(WindowOp::kConv, 3, 2, 1), {f32({1, 3, 9, 8}), f32({16, 3, 3, 3})}) == "f32[1, 16, 4, 3]");
  WindowAttrs grouped = window(WindowOp::kConv, 1, 1, 1);
  grouped.groups = 2;
  CHECK(infer_text(grouped, {f32({1, 4, 8, 8}), f32({6, 2, 1, 1})}) == "f32[1, 6, 8, 8]");
  CHECK(infer_text(grouped, {f32({1, 4, 8, 8}), f32({5, 2, 1, 1})}) ==
        "window.conv has output channels that the groups do not divide.");
  CHECK(infer_text(grouped, {f32({1, 5, 8, 8}), f32({6, 2, 1, 1})}) ==
        "window.conv has 5 input channels where the weights [6, 2, 1, 1] in 2 groups want 4.");
  grouped.groups = 0;
  CHECK(infer_text(grouped, {f32({1, 4, 8, 8}), f32({6, 2, 1, 1})}) == "window.conv has 0 groups.");
  CHECK(infer_text(window(WindowOp::kConv, 3, 1, 1), {f32({1, 3, 8, 8}), f32({16, 3, 3, 1})}) ==
        "window.conv the weights' kernel is not the attribute's.");
  CHECK(infer_text(window(WindowOp::kConv, 3, 1, 1), {f32({1, 3, 8, 8}), i64({16, 3, 3, 3})}) ==
        "window.conv the weights i64[16, 3, 3, 3] do not fit the input f32[1, 3, 8, 8].");
  CHECK(infer_text(window(WindowOp::kMax, 3, 1, 1), {f32({1, 3, 8})}) ==
        "window.max kernel, strides and dilations do not fit the input f32[1, 3, 8].");
  for (auto [kernel, stride, dilation] : {std::array<int64_t, 3>{0, 1, 1}, {1, 0, 1}, {1, 1, -1}})
    CHECK(infer_text(window(WindowOp::kMax, kernel, stride, dilation), {f32({1, 3, 8, 8})}) ==
          "window.max kernel, strides and dilations must be positive.");
  CHECK(infer_text(window(WindowOp::kMax, 5, 1, 2), {f32({1, 3, 8, 9})}) ==
        "window.max the window of 9 is larger than the padded input size 8.");
  CHECK(infer_text(window(WindowOp::kMax, INT64_MAX, 1, INT64_MAX), {f32({1, 3, 8, 9})}).find("larger than") !=
        std::string::npos);
}

TEST_CASE("infer views") {
  CHECK(infer_text(ReshapeAttrs{{n * IntExpr(2), 3}}, {f32({n, 6})}) == "f32[2*n, 3]");
  CHECK(infer_text(ReshapeAttrs{{}}, {f32({1, 1})}) == "f32[]");
  CHECK(infer_text(ReshapeAttrs{{n, 5}}, {f32({n, 6})}) == "reshape cannot view [n, 6] as [n, 5]: the element counts differ.");
  CHECK(infer_text(ReshapeAttrs{{-2, -3}}, {f32({6})}) == "reshape the size -2 is negative.");
  CHECK(infer_text(ReshapeAttrs{{INT64_MAX, 2}}, {f32({INT64_MAX, 2})}).find("64 bits") != std::string::npos);

  CHECK(infer_text(TransposeAttrs{{2, 0, 1}}, {f32({n, 3, 4})}) == "f32[4, n, 3]");
  CHECK(infer_text(TransposeAttrs{{0, 0}}, {f32({2, 3})}) == "transpose perm is not a permutation.");
  CHECK(infer_text(TransposeAttrs{{0, 2}}, {f32({2, 3})}) == "transpose perm is not a permutation.");
  CHECK(infer_text(TransposeAttrs{{0}}, {f32({2, 3})}) == "transpose perm has another rank than the input.");

  CHECK(infer_text(SliceAttrs{{1, n - IntExpr(1)}, {2, -1}, {2, n}}, {f32({4, n})}) == "f32[2, n]");
  CHECK(infer_text(SliceAttrs{{9}, {1}, {0}}, {f32({4})}) == "f32[0]");
  CHECK(infer_text(SliceAttrs{{0}, {0}, {1}}, {f32({4})}) == "slice a step is 0.");
  CHECK(infer_text(SliceAttrs{{0}, {1}, {-1}}, {f32({4})}) == "slice the size -1 is negative.");
  CHECK(infer_text(SliceAttrs{{2}, {1}, {3}}, {f32({4})}) == "slice slices 2 to 4 out of the size 4.");
  CHECK(infer_text(SliceAttrs{{1}, {-1}, {3}}, {f32({4})}) == "slice slices 1 to -1 out of the size 4.");
  CHECK(infer_text(SliceAttrs{{n}, {1}, {1}}, {f32({n})}) == "slice slices n to n out of the size n.");
  CHECK(infer_text(SliceAttrs{{0, 0}, {1}, {1}}, {f32({4})}) == "slice starts, steps and shape do not have the input's rank.");

  CHECK(infer_text(pad(PadMode::kConstant, {1, 0}, {n, 2}, {0, 1}), {f32({n, 4})}) == "f32[2*n + 1, 9]");
  CHECK(infer_text(pad(PadMode::kConstant, {0}, {0}, {3}), {f32({0})}) == "f32[0]");
  CHECK(infer_text(pad(PadMode::kEdge, {-1}, {0}, {0}), {f32({4})}) == "pad an amount of padding is negative.");
  CHECK(infer_text(pad(PadMode::kEdge, {0}, {-1}, {0}), {f32({4})}) == "pad an amount of padding is negative.");
  CHECK(infer_text(pad(PadMode::kConstant, {0}, {0}, {-1}), {f32({4})}) == "pad an amount of padding is negative.");
  CHECK(infer_text(pad(PadMode::kWrap, {0}, {0}, {1}), {f32({4})}) == "pad interior padding has a constant fill only.");
  CHECK(infer_text(pad(PadMode::kEdge, {0}, {0}, {0, 0}), {f32({4})}) ==
        "pad low, high and interior do not have the input's rank.");

  CHECK(infer_text(BroadcastAttrs{{n, 4}}, {f32({1, 4})}) == "f32[n, 4]");
  CHECK(infer_text(BroadcastAttrs{{n, 4}}, {f32({n, 3})}) == "broadcast cannot broadcast [n, 3] to [n, 4].");
  CHECK(infer_text(BroadcastAttrs{{n, 4}}, {f32({4})}) == "broadcast broadcasts to another rank.");
  CHECK(infer_text(BroadcastAttrs{{-4}}, {f32({1})}) == "broadcast the size -4 is negative.");

  CHECK(infer_text(ConcatAttrs{1}, {f32({2, n}), f32({2, 3})}) == "f32[2, n + 3]");
  CHECK(infer_text(ConcatAttrs{0}, {}) == "concat takes at least 1 input.");
  CHECK(infer_text(ConcatAttrs{2}, {f32({2, n})}) == "concat axis 2 is outside the rank.");
  CHECK(infer_text(ConcatAttrs{-1}, {f32({2, n})}) == "concat axis -1 is outside the rank.");
  for (const ValueType& other : {f32({3, 3}), i64({2, 3}), f32({2})})
    CHECK(infer_text(ConcatAttrs{1}, {f32({2, n}), other}).starts_with("concat joins f32[2, n] and "));

  CHECK(infer_text(GatherAttrs{1}, {f32({2, n, 3}), i64({4, 5})}) == "f32[2, 4, 5, 3]");
  CHECK(infer_text(GatherAttrs{0}, {f32({2}), i64({})}) == "f32[]");
  CHECK(infer_text(GatherAttrs{0}, {f32({2}), f32({})}) == "gather indices must be i32 or i64, not f32.");
  CHECK(infer_text(GatherAttrs{1}, {f32({2}), i64({})}) == "gather axis 1 is outside the rank.");
}

TEST_CASE("infer sources") {
  CHECK(infer_text(IotaAttrs{Dtype::kI32, {n, 2}, 1}, {}) == "i32[n, 2]");
  CHECK(infer_text(IotaAttrs{Dtype::kI32, {n}, 1}, {}) == "iota axis 1 is outside the rank.");
  CHECK(infer_text(IotaAttrs{Dtype::kBool, {n}, 0}, {}) == "iota does not count in bools.");
  CHECK(infer_text(IotaAttrs{Dtype::kI32, {n}, 0}, {f32({})}) == "iota takes 0 inputs, got 1.");
  CHECK(infer_text(DimensionAttrs{Dtype::kI64, n}, {}) == "i64[]");
  CHECK(infer_text(DimensionAttrs{Dtype::kBool, n}, {}) == "dimension must be a number, not bool.");
  CHECK(infer_text(ConstantAttrs{Dtype::kF32, {0, 3}, {}}, {}) == "f32[0, 3]");
  CHECK(infer_text(ConstantAttrs{Dtype::kF32, {2, 3}, {}}, {}) == "constant has 0 bytes of data for f32[2, 3].");
  CHECK(infer_text(ConstantAttrs{Dtype::kF32, {n}, {}}, {}) == "constant a constant's shape must be known.");
  CHECK(infer_text(ConstantAttrs{Dtype::kF32, {INT64_MAX, 8}, {}}, {}).find("64 bits") != std::string::npos);
  // 4 bytes each: the count fits, its size in bytes wraps to 0.
  CHECK(infer_text(ConstantAttrs{Dtype::kF32, {int64_t{1} << 62}, {}}, {}).find("bytes of data") != std::string::npos);
}
