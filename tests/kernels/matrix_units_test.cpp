// Products on matrix units (cooperative matrices) against the reference: sizes that fill no tile, operands either way round,
// batches, work on reading and on writing. Skipped with a word where the build's compiler or the driver has no such matrices;
// a lavapipe of Mesa 26.1 has them, with 8 lanes.
#include <algorithm>

#include "kernels/checked_builder.h"

namespace tuff {
namespace {

// Why these tests do not run here; empty: they do.
std::string why_no_matrices() {
  if (!compiles_cooperative_matrices()) return "this build's GLSL compiler has no cooperative matrices";
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  const std::vector<MatrixShape>& shapes = (*device)->info().matrix_shapes;
  const bool has = std::any_of(shapes.begin(), shapes.end(),
                               [](const MatrixShape& s) { return s.a == "f16" && s.b == "f16" && s.result == "f32"; });
  return has ? "" : "the driver has no cooperative matrices of f16 that sum in f32";
}

// A device on which matrix units always pay.
DeviceRates matrix_rates() {
  DeviceRates rates;
  rates.compute_units = 1;
  rates.fma_per_us = 1;
  rates.matrix_fma_per_us = 1'000'000;
  return rates;
}

struct HalfBuilder : CheckedBuilder {
  ValueId input(const std::string& name, Dims shape) { return builder.input(name, Dtype::kF16, std::move(shape)); }
  ValueId wide(ValueId v) { return take(builder.cast(v, Dtype::kF32)); }
  ValueId product(ValueId a, ValueId b, ContractAttrs attrs = {{0, 1}, {1, 2}, {0, 2}, {}}) {
    return take(builder.add(std::move(attrs), {a, b}));
  }
  ValueId half(double v) { return take(builder.scalar(Dtype::kF16, v)); }
};

const std::vector<RunMode>& matrix_modes() {
  static const std::vector<RunMode> modes = {{false, true, matrix_rates()}, {false, false, matrix_rates()}};
  return modes;
}

// So many products on matrix units, fused and unfused, which agree with the reference.
void check_on_matrix_units(const Graph& graph, int64_t products, const std::map<std::string, int64_t>& symbols = {}) {
  for (const RunMode& mode : matrix_modes()) {
    std::string text;
    const Fusion fusion = fusion_of(graph, mode, text);
    const auto found =
        std::count_if(fusion.groups.begin(), fusion.groups.end(), [](const Group& group) { return group.matrix.has_value(); });
    CHECK_MESSAGE((mode.fuse ? found == products : found >= products), mode_text(mode), "\n", text);
  }
  GraphCase c;
  c.graph = graph;
  c.symbols = symbols;
  check_agrees(c, matrix_modes());
}

#define TUFF_NEEDS_MATRICES()                                    \
  if (const std::string why = why_no_matrices(); !why.empty()) { \
    MESSAGE("skipped: ", why);                                   \
    return;                                                      \
  }

}  // namespace

TEST_CASE("matrix units: products of all sizes, with an epilogue that needs coordinates") {
  TUFF_NEEDS_MATRICES();
  struct Sizes {
    int64_t rows, depth, columns;
  };
  for (const Sizes& s : {Sizes{1, 1, 1},
                         {7, 8, 9},
                         {9, 7, 7},
                         {16, 16, 16},
                         {17, 31, 15},
                         {33, 64, 32},
                         {63, 65, 66},
                         {64, 32, 64},
                         {5, 131, 70},
                         {131, 2, 3},
                         {0, 8, 8},
                         {8, 8, 0},
                         {8, 0, 8}}) {
    INFO("rows ", s.rows, ", depth ", s.depth, ", columns ", s.columns);
    HalfBuilder b;
    const ValueId sums =
        b.product(b.input("a", {IntExpr(s.rows), IntExpr(s.depth)}), b.input("b", {IntExpr(s.depth), IntExpr(s.columns)}));
    const ValueId biased = b.map(MapOp::add, {sums, b.input("bias", {IntExpr(s.columns)})});
    const ValueId active = b.map(MapOp::max, {biased, b.half(0)});
    b.builder.output(b.map(MapOp::add, {active, b.input("residual", {IntExpr(s.rows), IntExpr(s.columns)})}), "y");
    check_on_matrix_units(b.builder.graph(), s.rows * s.depth * s.columns == 0 ? 0 : 1);  // nothing to do is not faster there
  }
}

TEST_CASE("matrix units: each operand either way round") {
  TUFF_NEEDS_MATRICES();
  for (bool a_turned : {false, true}) {
    for (bool b_turned : {false, true}) {
      for (int64_t n : {33, 36}) {
        INFO("a turned ", a_turned, ", b turned ", b_turned, ", size ", n);
        HalfBuilder b;
        const IntExpr rows(n), depth(n - 1), columns(n + 3);
        const ValueId x = b.input("a", a_turned ? Dims{depth, rows} : Dims{rows, depth});
        const ValueId w = b.input("b", b_turned ? Dims{columns, depth} : Dims{depth, columns});
        ContractAttrs attrs;
        attrs.a = a_turned ? std::vector<int>{1, 0} : std::vector<int>{0, 1};
        attrs.b = b_turned ? std::vector<int>{2, 1} : std::vector<int>{1, 2};
        attrs.out = {0, 2};
        b.builder.output(b.product(x, w, attrs), "y");
        check_on_matrix_units(b.builder.graph(), 1);
      }
    }
  }
}

TEST_CASE("matrix units: batches, and a residual of each") {
  TUFF_NEEDS_MATRICES();
  HalfBuilder b;
  const IntExpr batch(3), rows(13), depth(20), columns(24);
  const ValueId sums = b.product(b.input("a", {batch, rows, depth}), b.input("b", {batch, depth, columns}),
                                 {{3, 0, 1}, {3, 1, 2}, {3, 0, 2}, {}});
  b.builder.output(b.map(MapOp::add, {sums, b.input("residual", {batch, rows, columns})}), "y");
  check_on_matrix_units(b.builder.graph(), 1);
}

TEST_CASE("matrix units: sizes that are known when it runs") {
  TUFF_NEEDS_MATRICES();
  for (int64_t size : {0, 1, 29}) {
    INFO("rows ", size);
    HalfBuilder b;
    const IntExpr rows = b.builder.symbol({"rows", 0, 1000, 1, nullptr});
    const ValueId sums = b.product(b.input("a", {rows, IntExpr(12)}), b.input("b", {IntExpr(12), IntExpr(20)}));
    b.builder.output(b.map(MapOp::tanh, {sums}), "y");
    check_on_matrix_units(b.builder.graph(), 1, {{"rows", size}});
  }
}

TEST_CASE("matrix units: factors that are computed, moved or widened on the way") {
  TUFF_NEEDS_MATRICES();
  HalfBuilder computed;
  const ValueId x = computed.input("a", {IntExpr(19), IntExpr(34)});
  const ValueId scaled = computed.map(MapOp::mul, {computed.map(MapOp::max, {x, computed.half(0)}), computed.half(0.3)});
  computed.builder.output(computed.product(scaled, computed.input("b", {IntExpr(34), IntExpr(21)})), "y");
  check_on_matrix_units(computed.builder.graph(), 1);

  HalfBuilder widened;  // as weights and intermediates of f16 are, of a model of f32
  const ValueId a = widened.wide(widened.input("a", {IntExpr(19), IntExpr(36)}));
  const ValueId w =
      widened.take(widened.builder.transpose(widened.wide(widened.input("b", {IntExpr(20), IntExpr(36)})), {1, 0}));
  widened.builder.output(widened.map(MapOp::tanh, {widened.product(a, w)}), "y");
  check_on_matrix_units(widened.builder.graph(), 1);

  HalfBuilder padded;
  PadAttrs pad;
  pad.low = {IntExpr(1), IntExpr(2)};
  pad.high = {IntExpr(3), IntExpr(1)};
  pad.interior = {0, 0};
  const ValueId framed = padded.take(padded.builder.add(pad, {padded.input("a", {IntExpr(9), IntExpr(14)})}));
  padded.builder.output(padded.product(framed, padded.input("b", {IntExpr(17), IntExpr(18)})), "y");
  check_on_matrix_units(padded.builder.graph(), 1);
}

TEST_CASE("matrix units: two products of the same rows") {
  TUFF_NEEDS_MATRICES();
  HalfBuilder b;
  const ValueId x = b.input("x", {IntExpr(21), IntExpr(28)});
  const ValueId gate = b.product(x, b.input("gate", {IntExpr(28), IntExpr(36)}));
  const ValueId up = b.product(x, b.input("up", {IntExpr(28), IntExpr(36)}));
  b.builder.output(b.map(MapOp::mul, {b.map(MapOp::sigmoid, {gate}), up}), "y");
  check_on_matrix_units(b.builder.graph(), 1);
}

TEST_CASE("matrix units: a convolution of one pixel") {
  TUFF_NEEDS_MATRICES();
  for (int64_t stride : {1, 2}) {
    INFO("stride ", stride);
    HalfBuilder b;
    WindowAttrs conv;
    conv.op = WindowOp::kConv;
    conv.kernel = {1, 1};
    conv.strides = {stride, stride};
    conv.dilations = {1, 1};
    const ValueId x = b.input("x", {IntExpr(2), IntExpr(24), IntExpr(9), IntExpr(7)});
    const ValueId w = b.input("w", {IntExpr(20), IntExpr(24), IntExpr(1), IntExpr(1)});
    b.builder.output(b.map(MapOp::max, {b.take(b.builder.add(conv, {x, w})), b.half(0)}), "y");
    check_on_matrix_units(b.builder.graph(), 1);
  }
}

}  // namespace tuff
