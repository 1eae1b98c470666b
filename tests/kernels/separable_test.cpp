// Separable convolutions as one kernel against the reference: windows of several kinds, rows, columns and channels that fill no
// tile, what is done to the window's results, what the product is; and blocks that stay two kernels.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "fusion/cost.h"
#include "kernels/checked_builder.h"
#include "simplify/precision.h"

namespace tuff {
namespace {

enum class Between { kNothing, kClip, kSilu, kScale };
enum class Product { kConvolution, kGrouped, kStrided, kContract };

struct Block {
  int64_t batch = 1, channels = 8, height = 7, width = 7, columns = 8;
  int64_t kernel = 3, stride = 1;
  WindowOp window = WindowOp::kConv;
  Between between = Between::kClip;
  Product product = Product::kConvolution;
  bool expanded = true;   // the block's input comes from a 3x3 convolution, which no window can have in its kernel
  bool residual = false;  // the product's epilogue adds a tensor
  bool symbolic = false;  // batch and image have symbols for sizes
};

struct BlockBuilder : CheckedBuilder {
  ValueId window(WindowOp op, ValueId x, int64_t kernel, int64_t stride, int64_t groups, std::vector<ValueId> operands) {
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
  ValueId convolution(ValueId x, int64_t columns, int64_t stride, int64_t groups) {
    const IntExpr depth = floor_div(builder.shape(x)[1], IntExpr(groups));
    return window(WindowOp::kConv, x, 1, stride, groups, {weights({IntExpr(columns), depth, IntExpr(1), IntExpr(1)})});
  }
  ValueId depthwise(ValueId x, const Block& a) {
    if (a.window != WindowOp::kConv) return window(a.window, x, a.kernel, a.stride, 1, {});
    const IntExpr taps(a.kernel);
    return biased(
        window(a.window, x, a.kernel, a.stride, a.channels, {weights({IntExpr(a.channels), IntExpr(1), taps, taps})}));
  }
  ValueId mapped(ValueId x, const Block& a) {
    switch (a.between) {
      case Between::kNothing: return x;
      case Between::kClip: return map(MapOp::min, {map(MapOp::max, {x, number(-0.25)}), number(0.5)});
      case Between::kSilu: return map(MapOp::mul, {x, map(MapOp::sigmoid, {x})});
      case Between::kScale:
        return map(MapOp::mul, {x, builder.input("scale", Dtype::kF32, {builder.shape(x)[0], builder.shape(x)[1], 1, 1})});
    }
    return x;
  }
  ValueId multiplied(ValueId x, const Block& a) {
    if (a.product != Product::kContract)
      return convolution(x, a.columns, a.product == Product::kStrided ? 2 : 1, a.product == Product::kGrouped ? 2 : 1);
    ContractAttrs attrs;
    attrs.a = {0, 1, 2, 3};
    attrs.b = {1, 4};
    attrs.out = {0, 4, 2, 3};
    return take(builder.add(attrs, {x, weights({builder.shape(x)[1], IntExpr(a.columns)})}));
  }
  ValueId input(const Block& a) {
    if (!a.symbolic) return builder.input("x", Dtype::kF32, {a.batch, a.expanded ? 3 : a.channels, a.height, a.width});
    auto size = [&](const char* name) { return builder.symbol({name, 1, 64, 1, nullptr}); };
    return builder.input("x", Dtype::kF32, {size("batch"), a.expanded ? 3 : a.channels, size("height"), size("width")});
  }
  ValueId start(const Block& a) {
    ValueId x = input(a);
    if (!a.expanded) return x;
    return map(MapOp::tanh, {window(WindowOp::kConv, x, 3, 1, 1, {weights({IntExpr(a.channels), IntExpr(3), 3, 3})})});
  }
  Graph build(const Block& a) {
    ValueId y = biased(multiplied(mapped(depthwise(start(a), a), a), a));
    if (a.residual) y = map(MapOp::add, {y, builder.input("residual", Dtype::kF32, builder.shape(y))});
    builder.output(y, "y");
    return builder.graph();
  }
};

size_t count_separable(const Graph& graph, const RunMode& mode, std::string& text) {
  const std::vector<AnchorKind> kinds = kernel_kinds(graph, mode, text);
  return static_cast<size_t>(std::count(kinds.begin(), kinds.end(), AnchorKind::kSeparable));
}

enum class Values { kUsual, kSpecial, kHalfStored };

// Of 16 lanes that exchange rows only 8 have one whose window they compute, so that some windows stay apart at this device's
// own rates.
bool lanes_have_rows() {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  return (*device)->info().subgroup_size <= 8 || !exchanges_loads((*device)->info());
}

// Agrees fused in all modes, with so many kernels that have window and product; where a device of other rates is needed for
// that, this one's plan is as it is.
void check_blocks(const Graph& built, size_t separable, const std::map<std::string, int64_t>& symbols = {},
                  Values values = Values::kUsual, bool at_own_rates = true) {
  Graph graph = simplified(built);
  if (values == Values::kHalfStored) {
    auto lowered = store_in_f16(graph);
    REQUIRE_MESSAGE(lowered.ok(), lowered.status().message());
    graph = std::move(lowered->graph);
  }
  at_own_rates = at_own_rates && lanes_have_rows();
  std::vector<RunMode> modes;
  for (bool exact : {false, true}) {
    modes.push_back({exact, true});
    modes.push_back({exact, true, graphics_rates()});
  }
  for (const RunMode& mode : modes) {
    std::string text;
    if (mode.rates || at_own_rates) CHECK_MESSAGE(count_separable(graph, mode, text) == separable, mode_text(mode), "\n", text);
  }
  GraphCase c;
  c.graph = std::move(graph);
  c.symbols = symbols;
  c.special_values = values == Values::kSpecial;
  check_agrees(c, modes);
}

void check_block(const Block& a, Values values = Values::kUsual) {
  INFO("batch ", a.batch, ", ", a.channels, " channels of ", a.height, "x", a.width, ", columns ", a.columns, ", kernel ",
       a.kernel, ", stride ", a.stride, ", window ", static_cast<int>(a.window), ", between ", static_cast<int>(a.between),
       ", product ", static_cast<int>(a.product), std::string(a.expanded ? ", expanded" : ""),
       std::string(a.residual ? ", residual" : ""), ", values ", static_cast<int>(values));
  check_blocks(BlockBuilder().build(a), 1, {}, values);
}

}  // namespace

TEST_CASE("separable: channels and columns that fill no vector or tile") {
  constexpr std::pair<int64_t, int64_t> kSizes[] = {{2, 1}, {3, 31}, {13, 65}, {12, 257}, {200, 24}};
  for (auto [channels, columns] : kSizes) {
    Block a;
    a.channels = channels, a.columns = columns;
    check_block(a);
  }
}

TEST_CASE("separable: images and batches that fill no tile of rows") {
  constexpr std::array<int64_t, 3> kSizes[] = {{1, 1, 1}, {1, 1, 7}, {1, 2, 4}, {1, 3, 3}, {2, 5, 3}, {3, 9, 11}};
  for (auto [batch, height, width] : kSizes) {
    Block a;
    a.batch = batch, a.height = height, a.width = width, a.stride = 1 + height % 2;
    check_block(a);
  }
}

TEST_CASE("separable: kernels, with and without channels last") {
  for (int64_t kernel : {1, 2, 5})
    for (bool expanded : {true, false}) {
      Block a;
      a.kernel = kernel, a.expanded = expanded, a.stride = kernel == 5 ? 2 : 1;
      a.residual = expanded;
      check_block(a);
    }
}

TEST_CASE("separable: what is done to the window's results") {
  constexpr std::pair<Between, Values> kCases[] = {{Between::kNothing, Values::kSpecial},
                                                   {Between::kClip, Values::kHalfStored},
                                                   {Between::kSilu, Values::kSpecial},
                                                   {Between::kScale, Values::kHalfStored}};
  for (auto [between, values] : kCases) {
    Block a;
    a.between = between, a.batch = 2, a.channels = 20, a.columns = 12;
    check_block(a, values);
  }
}

TEST_CASE("separable: poolings before a product") {
  for (WindowOp window : {WindowOp::kSum, WindowOp::kMax}) {
    Block a;
    a.window = window, a.between = Between::kNothing, a.columns = 20;
    check_block(a);
  }
}

TEST_CASE("separable: products") {
  for (Product product : {Product::kGrouped, Product::kStrided, Product::kContract}) {
    Block a;
    a.product = product, a.channels = 12, a.columns = 10, a.batch = 2;
    check_block(a);
  }
}

TEST_CASE("separable: rows that are staged stretch after stretch") {
  for (int64_t channels : {3000, 3001}) {
    INFO(channels, " channels");
    Block a;
    a.channels = channels, a.columns = 9, a.height = a.width = 5, a.expanded = false;
    check_blocks(BlockBuilder().build(a), 1, {}, Values::kUsual, false);
  }
}

TEST_CASE("separable: sizes that are known at bind time") {
  Block a;
  a.symbolic = true, a.channels = 12, a.columns = 20;
  Block chunked = a;  // rows may be one, so that the product's sum has several chunks
  chunked.product = Product::kContract, chunked.channels = 300, chunked.columns = 5;
  struct Size {
    int64_t batch, height, width;
  };
  for (const Block& block : {a, chunked}) {
    const Graph graph = BlockBuilder().build(block);
    for (const Size& size : {Size{1, 1, 1}, Size{3, 4, 5}}) {
      INFO("batch ", size.batch, ", ", size.height, "x", size.width, ", ", block.channels, " channels");
      check_blocks(graph, 1, {{"batch", size.batch}, {"height", size.height}, {"width", size.width}});
    }
  }
}

TEST_CASE("separable: products of a few rows read each other") {
  struct Size {
    int64_t batch, channels, hidden;
  };
  for (const Size& size : {Size{1, 1, 3}, Size{1, 130, 40}, Size{3, 37, 6}}) {
    INFO("batch ", size.batch, ", ", size.channels, " channels, ", size.hidden, " between");
    BlockBuilder b;
    const ValueId mean = b.builder.input("mean", Dtype::kF32, {size.batch, size.channels, 1, 1});
    const ValueId squeezed = b.biased(b.convolution(mean, size.hidden, 1, 1));
    const ValueId active = b.map(MapOp::mul, {squeezed, b.map(MapOp::sigmoid, {squeezed})});
    b.builder.output(b.map(MapOp::sigmoid, {b.biased(b.convolution(active, size.channels, 1, 1))}), "scale");
    check_blocks(b.builder.graph(), 1, {}, Values::kUsual, false);
  }
}

TEST_CASE("separable: a window that two products read is part of both, one that others read of none") {
  Block a;
  {
    BlockBuilder b;
    const ValueId x = b.mapped(b.depthwise(b.start(a), a), a);
    b.builder.output(b.multiplied(x, a), "y");
    b.builder.output(b.map(MapOp::tanh, {b.multiplied(x, a)}), "z");
    check_blocks(b.builder.graph(), 2);
  }
  {
    INFO("a mean");
    BlockBuilder b;
    const ValueId x = b.mapped(b.depthwise(b.start(a), a), a);
    const ValueId sum = b.take(b.builder.reduce(ReduceOp::kSum, x, {2, 3}));
    b.builder.output(b.multiplied(b.map(MapOp::mul, {x, b.map(MapOp::sigmoid, {sum})}), a), "y");
    check_blocks(b.builder.graph(), 0);
  }
  {
    INFO("the product's own epilogue");
    BlockBuilder b;
    const ValueId x = b.mapped(b.depthwise(b.start(a), a), a);
    b.builder.output(b.map(MapOp::add, {b.multiplied(x, a), x}), "y");
    check_blocks(b.builder.graph(), 0);
  }
  {
    INFO("an output");
    BlockBuilder b;
    const ValueId x = b.mapped(b.depthwise(b.start(a), a), a);
    b.builder.output(x, "x");
    b.builder.output(b.multiplied(x, a), "y");
    check_blocks(b.builder.graph(), 0);
  }
}

}  // namespace tuff
