// Windows whose elements a reduction combines where they are computed, against the reference: grids and channels that fill no
// vector and no workgroup, reductions, other readers of the window's elements or none; and windows that keep a kernel.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "fusion/reduced_window.h"
#include "kernels/checked_builder.h"
#include "simplify/precision.h"

namespace tuff {
namespace {

struct Pooled {
  int64_t batch = 1, channels = 8, height = 9, width = 8;
  int64_t kernel = 3, stride = 1;
  WindowOp window = WindowOp::kConv;
  ReduceOp reduce = ReduceOp::kSum;
  bool expanded = true;   // a 1x1 convolution before: channels lie innermost
  bool read = true;       // the elements are an operand of a product, too
  bool squared = false;   // what is combined is made from the elements
  bool flat = false;      // the mean has no axes of length 1
  bool symbolic = false;  // batch and grid have symbols for sizes
};

struct PooledBuilder : CheckedBuilder {
  ValueId product(ValueId x, int64_t columns) {
    return windowed(x, WindowOp::kConv, 1, 1, 1, {weights({IntExpr(columns), builder.shape(x)[1], IntExpr(1), IntExpr(1)})});
  }
  ValueId windowed(ValueId x, WindowOp op, int64_t kernel, int64_t stride, int64_t groups, std::vector<ValueId> operands) {
    PadAttrs pad;
    const IntExpr edge(kernel / 2);
    pad.low = pad.high = {IntExpr(0), IntExpr(0), edge, edge};
    pad.interior = {0, 0, 0, 0};
    if (kernel > 1) x = take(builder.add(pad, {x}));
    WindowAttrs attrs;
    attrs.op = op;
    attrs.kernel = {kernel, kernel};
    attrs.strides = {stride, stride};
    attrs.dilations = {1, 1};
    attrs.groups = groups;
    operands.insert(operands.begin(), x);
    return take(builder.add(attrs, operands));
  }
  ValueId window(ValueId x, const Pooled& a) {
    if (a.window != WindowOp::kConv) return windowed(x, a.window, a.kernel, a.stride, 1, {});
    const IntExpr taps(a.kernel);
    return windowed(x, a.window, a.kernel, a.stride, a.channels, {weights({IntExpr(a.channels), IntExpr(1), taps, taps})});
  }
  ValueId elements(const Pooled& a) {
    Dims shape = {a.batch, a.expanded ? 3 : a.channels, a.height, a.width};
    if (a.symbolic)
      for (size_t axis : {0u, 2u, 3u}) shape[axis] = builder.symbol({"s" + std::to_string(axis), 1, 64, 1, nullptr});
    ValueId x = builder.input("x", Dtype::kF32, shape);
    if (a.expanded) {
      x = map(MapOp::tanh, {product(x, a.channels)});
      builder.output(product(x, 2), "z");  // a second reader: the window alone cannot take the product in
    }
    x = window(x, a);
    return map(MapOp::mul, {x, map(MapOp::sigmoid, {x})});
  }
  ValueId reduced(ValueId x, const Pooled& a) {
    if (a.squared) x = map(MapOp::mul, {x, x});
    const ValueId all = take(builder.reduce(a.reduce, x, {2, 3}));
    return map(MapOp::mul, {all, number(0.125)});
  }
  Graph build(const Pooled& a) {
    const ValueId x = elements(a);
    const ValueId mean = reduced(x, a);
    if (a.flat) {
      ReshapeAttrs flat;
      flat.shape = {builder.shape(mean)[0], builder.shape(mean)[1]};
      builder.output(take(builder.add(flat, {mean})), "flat");
    }
    if (a.read)
      builder.output(product(map(MapOp::mul, {x, map(MapOp::sigmoid, {product(mean, a.channels)})}), 5), "y");
    else if (!a.flat)
      builder.output(mean, "mean");
    return builder.graph();
  }
};

size_t count_reduced(const Graph& graph, const RunMode& mode, std::string& text) {
  const Fusion fusion = fusion_of(graph, mode, text);
  return static_cast<size_t>(std::count_if(fusion.groups.begin(), fusion.groups.end(), [&](const Group& group) {
    return std::any_of(group.members.begin(), group.members.end(), [&](NodeId m) {
      return group.kind == AnchorKind::kReduce && std::holds_alternative<WindowAttrs>(graph.node(m).attrs);
    });
  }));
}

// Agrees in all modes; at rates where each launch saved pays there are so many such kernels.
void check_reduced(const Graph& built, size_t reduced, const std::map<std::string, int64_t>& symbols = {}, bool half = false) {
  Graph graph = simplified(built);
  if (half) {
    auto lowered = store_in_f16(graph);
    REQUIRE_MESSAGE(lowered.ok(), lowered.status().message());
    graph = std::move(lowered->graph);
  }
  std::vector<RunMode> modes = kAllModes;
  for (bool exact : {false, true}) {
    DeviceRates no_exchange = graphics_rates();
    no_exchange.shared_memory_on_chip = false;
    modes.push_back({exact, true, graphics_rates()});
    modes.push_back({exact, true, no_exchange});
    std::string text;
    const RunMode& mode = modes[modes.size() - 2];
    CHECK_MESSAGE(count_reduced(graph, mode, text) == reduced, mode_text(mode), "\n", text);
  }
  GraphCase c;
  c.graph = std::move(graph);
  c.symbols = symbols;
  check_agrees(c, modes);
}

void check_pooled(const Pooled& a, size_t reduced = 1, bool half = false) {
  INFO("batch ", a.batch, ", ", a.channels, " channels of ", a.height, "x", a.width, ", kernel ", a.kernel, ", stride ",
       a.stride, ", window ", static_cast<int>(a.window), ", reduce ", static_cast<int>(a.reduce), ", read ", a.read,
       ", squared ", a.squared, ", flat ", a.flat, ", expanded ", a.expanded);
  check_reduced(PooledBuilder().build(a), reduced, {}, half);
}

}  // namespace

TEST_CASE("reduced window: channels that fill no vector or workgroup") {
  for (int64_t channels : {3, 4, 5, 63, 64, 65}) {
    Pooled a;
    a.channels = channels;
    a.read = channels % 2 == 1;
    check_pooled(a);
  }
}

TEST_CASE("reduced window: grids and batches") {
  constexpr std::array<int64_t, 3> kSizes[] = {{1, 2, 1}, {2, 1, 7}, {2, 7, 13}, {3, 8, 8}, {1, 5, 13}, {1, 17, 19}};
  for (auto [batch, height, width] : kSizes) {
    Pooled a;
    a.batch = batch, a.height = height, a.width = width, a.stride = 1 + width % 2 * (height > 2);
    check_pooled(a);
  }
}

TEST_CASE("reduced window: what is combined, and how") {
  for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin})
    for (bool squared : {false, true}) {
      Pooled a;
      a.reduce = op, a.squared = squared, a.kernel = squared ? 5 : 3, a.read = !squared, a.flat = squared;
      check_pooled(a);
    }
  for (WindowOp window : {WindowOp::kSum, WindowOp::kMax})
    for (bool expanded : {true, false}) {
      Pooled a;
      a.window = window, a.expanded = expanded;
      check_pooled(a, 1, expanded);
    }
}

TEST_CASE("reduced window: sizes that are known at bind time") {
  Pooled a;
  a.symbolic = true;
  const Graph graph = PooledBuilder().build(a);
  for (std::array<int64_t, 3> size : {std::array<int64_t, 3>{1, 1, 1}, {3, 5, 7}})
    check_reduced(graph, 1, {{"s0", size[0]}, {"s2", size[1]}, {"s3", size[2]}});
}

TEST_CASE("reduced window: rows that are gone through twice keep a kernel of their own") {
  Pooled a;
  PooledBuilder b;
  const ValueId x = b.elements(a);
  const ValueId sum = b.take(b.builder.reduce(ReduceOp::kMax, x, {2, 3}));
  b.builder.output(b.take(b.builder.reduce(ReduceOp::kSum, b.map(MapOp::sub, {x, sum}), {2, 3})), "y");
  check_reduced(b.builder.graph(), 0);
}

}  // namespace tuff
