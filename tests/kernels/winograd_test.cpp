// Convolutions in Winograd's form against the reference, whose bound for them is their own (reference/winograd_error.h).
#include <algorithm>

#include "fusion/cost.h"
#include "fusion/winograd.h"
#include "kernels/checked_builder.h"

namespace tuff {
namespace {

// A device whose lanes pay for their loads, and whose arithmetic is dear: the form pays wherever it may be.
DeviceRates lane_rates() {
  DeviceRates rates;
  rates.registers_per_lane = 192;
  rates.fma_per_us = 1;
  rates.loads_cost_lanes = true;
  return rates;
}

const std::vector<RunMode>& winograd_modes() {
  static const std::vector<RunMode> modes = {
      {false, true, lane_rates()}, {false, false, lane_rates()}, {true, true, lane_rates()}};
  return modes;
}

bool lanes_exchange() {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  DeviceInfo info = (*device)->info();
  info.rates = lane_rates();
  return exchanges_loads(info);
}

struct Padding {
  int64_t top = 1, left = 1, bottom = 1, right = 1;
};

struct ConvolutionBuilder : CheckedBuilder {
  ValueId padded(ValueId x, const Padding& p) {
    PadAttrs pad;
    pad.low = {IntExpr(0), IntExpr(0), IntExpr(p.top), IntExpr(p.left)};
    pad.high = {IntExpr(0), IntExpr(0), IntExpr(p.bottom), IntExpr(p.right)};
    pad.interior = {0, 0, 0, 0};
    return take(builder.add(pad, {x}));
  }
  static WindowAttrs window(int64_t stride = 1, int64_t dilation = 1, int64_t groups = 1) {
    WindowAttrs attrs;
    attrs.op = WindowOp::kConv;
    attrs.kernel = {3, 3};
    attrs.strides = {stride, stride};
    attrs.dilations = {dilation, dilation};
    attrs.groups = groups;
    return attrs;
  }
  ValueId convolution(ValueId x, int64_t channels) {
    const IntExpr depth = builder.shape(x)[1];
    return convolved(x, weights({IntExpr(channels), depth, IntExpr(3), IntExpr(3)}), 1, 1);
  }
};

// In how many of the fused kernels.
int64_t winograd_count(const Graph& graph, const RunMode& mode, std::string& text) {
  const Fusion fusion = fusion_of(graph, mode, text);
  return std::count_if(fusion.groups.begin(), fusion.groups.end(), [](const Group& g) { return g.winograd; });
}

// All of them, whether that pays or not, fused and unfused.
void check_in_form(const Graph& graph, const std::map<std::string, int64_t>& symbols = {}) {
  if (!lanes_exchange()) {
    MESSAGE("the driver's lanes exchange nothing");
    return;
  }
  std::vector<RunMode> modes = winograd_modes();
  modes.pop_back();
  for (RunMode& mode : modes) mode.winograd = true;
  GraphCase c;
  c.graph = graph;
  c.symbols = symbols;
  check_agrees(c, modes);
}

// So many of them, since it pays, and none in exact mode.
void check_chosen(const Graph& graph, int64_t convolutions) {
  std::string text;
  CHECK_MESSAGE(winograd_count(graph, winograd_modes()[0], text) == (lanes_exchange() ? convolutions : 0), text);
  CHECK(winograd_count(graph, winograd_modes()[2], text) == 0);
  GraphCase c;
  c.graph = graph;
  check_agrees(c, winograd_modes());
  check_in_form(graph);
}

// Small images have large weights for their size: the refusal by bytes is another test's.
constexpr int64_t kLarge = 24;

}  // namespace

TEST_CASE("winograd: sizes around the tile, and channels of any number") {
  struct Sizes {
    int64_t images, depth, channels, rows, columns;
  };
  for (const Sizes& s : {Sizes{1, 1, 1, 9, 11},
                         {1, 3, 5, 10, 8},
                         {2, 4, 8, 7, 16},
                         {1, 8, 16, 23, 24},
                         {3, 7, 13, 17, 15},
                         {1, 16, 36, kLarge + 1, kLarge},
                         {1, 5, 33, 16, 17},
                         {1, 2, 4, 1, 33},
                         {1, 4, 3, 33, 1},
                         {1, 3, 2, 2, 31},
                         {1, 12, 31, 33, 31}}) {
    INFO(s.images, " images, ", s.depth, " to ", s.channels, " channels, ", s.rows, "x", s.columns);
    ConvolutionBuilder b;
    const ValueId x =
        b.builder.input("x", Dtype::kF32, {IntExpr(s.images), IntExpr(s.depth), IntExpr(s.rows), IntExpr(s.columns)});
    b.builder.output(b.convolution(b.padded(x, {}), s.channels), "y");
    check_in_form(b.builder.graph());
  }
}

TEST_CASE("winograd: few pixels, and none") {
  for (int64_t images : {0, 1})
    for (int64_t size : {1, 2, 3}) {
      INFO(images, " images of ", size);
      ConvolutionBuilder b;
      const ValueId x = b.builder.input("x", Dtype::kF32, {IntExpr(images), IntExpr(2), IntExpr(size), IntExpr(size)});
      b.builder.output(b.convolution(b.padded(x, {}), 3), "y");
      check_in_form(b.builder.graph());
    }
}

TEST_CASE("winograd: padding of each side, and none") {
  for (const Padding& p : {Padding{0, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {2, 1, 0, 3}}) {
    INFO("padding ", p.top, " ", p.left, " ", p.bottom, " ", p.right);
    ConvolutionBuilder b;
    const ValueId x = b.builder.input("x", Dtype::kF32, {IntExpr(1), IntExpr(6), IntExpr(15), IntExpr(18)});
    b.builder.output(b.convolution(b.padded(x, p), 10), "y");
    check_in_form(b.builder.graph());
  }
}

TEST_CASE("winograd: bias, activation and a residual in the epilogue, one after another") {
  ConvolutionBuilder b;
  const ValueId x = b.builder.input("x", Dtype::kF32, {IntExpr(1), IntExpr(8), IntExpr(kLarge - 1), IntExpr(kLarge)});
  const ValueId first = b.map(MapOp::max, {b.biased(b.convolution(b.padded(x, {}), 8)), b.number(0)});
  const ValueId second = b.biased(b.convolution(b.padded(first, {}), 8));
  b.builder.output(b.map(MapOp::max, {b.map(MapOp::add, {second, x}), b.number(0)}), "y");
  check_chosen(b.builder.graph(), 2);
}

TEST_CASE("winograd: into pieces of a concat, and from one") {
  ConvolutionBuilder b;
  const ValueId x = b.builder.input("x", Dtype::kF32, {IntExpr(1), IntExpr(4), IntExpr(kLarge), IntExpr(kLarge)});
  // One after the other: of two that write elements in turn at once, validation layers see the range alone.
  const ValueId left = b.convolution(b.padded(x, {}), 4), right = b.convolution(b.padded(left, {}), 8);
  const ValueId both = b.take(b.builder.add(ConcatAttrs{1}, {left, right}));
  b.builder.output(b.convolution(b.padded(both, {}), 4), "y");
  check_chosen(b.builder.graph(), 3);
}

TEST_CASE("winograd: sizes that are known when it runs") {
  for (int64_t size : {1, 30, 31}) {
    INFO("rows ", size);
    ConvolutionBuilder b;
    const IntExpr rows = b.builder.symbol({"rows", 1, 100, 1, nullptr});
    const ValueId x = b.builder.input("x", Dtype::kF32, {IntExpr(1), IntExpr(4), rows, IntExpr(19)});
    b.builder.output(b.convolution(b.padded(x, {}), 8), "y");
    check_in_form(b.builder.graph(), {{"rows", size}});
  }
}

TEST_CASE("winograd: refused where it is not the same sum, or costs too much memory") {
  auto refused = [](const Graph& graph, const std::string& why) {
    std::string text;
    CHECK(winograd_count(graph, winograd_modes()[0], text) == 0);
    CHECK_MESSAGE(text.find(why) != std::string::npos, text);
    GraphCase c;
    c.graph = graph;
    check_agrees(c, winograd_modes());
  };
  struct Other {
    int64_t stride, dilation, groups;
  };
  for (const Other& o : {Other{2, 1, 1}, {1, 2, 1}, {1, 1, 2}}) {
    ConvolutionBuilder b;
    const ValueId x = b.builder.input("x", Dtype::kF32, {IntExpr(1), IntExpr(4), IntExpr(kLarge), IntExpr(kLarge)});
    const ValueId w = b.weights({IntExpr(4), IntExpr(4 / o.groups), IntExpr(3), IntExpr(3)});
    b.builder.output(b.take(b.builder.add(b.window(o.stride, o.dilation, o.groups), {x, w})), "y");
    refused(b.builder.graph(), "");
  }
  if (!lanes_exchange()) return;
  ConvolutionBuilder late;
  const ValueId x = late.builder.input("x", Dtype::kF32, {IntExpr(1), IntExpr(32), IntExpr(7), IntExpr(7)});
  late.builder.output(late.convolution(late.padded(x, {}), 32), "y");
  refused(late.builder.graph(), "over a quarter");

  ConvolutionBuilder given;
  const ValueId image = given.builder.input("x", Dtype::kF32, {IntExpr(1), IntExpr(4), IntExpr(kLarge), IntExpr(kLarge)});
  const ValueId w = given.builder.input("w", Dtype::kF32, {IntExpr(4), IntExpr(4), IntExpr(3), IntExpr(3)});
  given.builder.output(given.take(given.builder.add(given.window(), {image, w})), "y");
  refused(given.builder.graph(), "no constant");

  ConvolutionBuilder shared;
  const ValueId y = shared.builder.input("x", Dtype::kF32, {IntExpr(1), IntExpr(4), IntExpr(kLarge), IntExpr(kLarge)});
  const ValueId twice = shared.weights({IntExpr(4), IntExpr(4), IntExpr(3), IntExpr(3)});
  const ValueId once = shared.take(shared.builder.add(shared.window(), {shared.padded(y, {}), twice}));
  shared.builder.output(shared.take(shared.builder.add(shared.window(), {shared.padded(once, {}), twice})), "y");
  refused(shared.builder.graph(), "others read");
}

}  // namespace tuff
