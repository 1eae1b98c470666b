// A product and the window that reads it as one kernel against the reference: windows, images, channels and sums that fill no
// tile, what is done to the product's and to the window's results, what the product is; and products that stay kernels.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "kernels/expand_graphs.h"
#include "simplify/precision.h"

namespace tuff {
namespace {

void check_expanded(const Graph& built, size_t wanted, ExpandValues values = ExpandValues::kUsual,
                    const std::map<std::string, int64_t>& symbols = {}) {
  Graph graph = simplified(built);
  if (values == ExpandValues::kHalfStored) {
    auto lowered = store_in_f16(graph);
    REQUIRE_MESSAGE(lowered.ok(), lowered.status().message());
    graph = std::move(lowered->graph);
  }
  std::vector<RunMode> modes;
  for (bool exact : {false, true}) {
    modes.push_back({exact, true});
    modes.push_back({exact, true, graphics_rates()});
  }
  for (const RunMode& mode : modes) {
    if (!mode.rates) continue;
    std::string text;
    const std::vector<AnchorKind> kinds = kernel_kinds(graph, mode, text);
    CHECK_MESSAGE(static_cast<size_t>(std::count(kinds.begin(), kinds.end(), AnchorKind::kExpand)) == wanted, mode_text(mode),
                  "\n", text);
  }
  GraphCase c;
  c.graph = std::move(graph);
  c.symbols = symbols;
  c.special_values = values == ExpandValues::kSpecial;
  check_agrees(c, modes);
}

void check_case(const ExpandCase& a, ExpandValues values = ExpandValues::kUsual) {
  INFO("batch ", a.batch, ", ", a.depth, " to ", a.channels, " channels of ", a.height, "x", a.width, ", kernel ", a.kernel,
       ", stride ", a.stride, ", dilation ", a.dilation, ", padding ", a.low, " and ", a.high, ", window ",
       static_cast<int>(a.window), ", activation ", static_cast<int>(a.activation), ", product ", static_cast<int>(a.product),
       ", values ", static_cast<int>(values));
  for (bool channels_last : {true, false}) {
    ExpandCase one = a;
    one.channels_last = channels_last;
    ExpandBuilder b;
    b.finish(b.windowed(b.expanded(one), one), one);
    check_expanded(b.builder.graph(), 1, values);
  }
}

}  // namespace

TEST_CASE("expand: channels and sums that fill no vector or tile") {
  constexpr std::pair<int64_t, int64_t> kSizes[] = {{1, 3}, {2, 4}, {3, 5}, {13, 63}, {16, 64}, {7, 65}, {129, 12}};
  for (auto [depth, channels] : kSizes) {
    ExpandCase a;
    a.depth = depth, a.channels = channels;
    check_case(a);
  }
}

TEST_CASE("expand: images and batches") {
  constexpr std::array<int64_t, 3> kSizes[] = {{1, 1, 1}, {2, 1, 7}, {1, 13, 3}, {2, 14, 15}, {1, 17, 29}, {3, 8, 9}};
  for (auto [batch, height, width] : kSizes) {
    ExpandCase a;
    a.batch = batch, a.height = height, a.width = width, a.stride = 1 + height % 2;
    check_case(a);
  }
}

TEST_CASE("expand: windows") {
  struct Shape {
    int64_t kernel, stride, dilation, low, high;
  };
  for (const Shape& s : {Shape{3, 2, 1, 0, 1}, Shape{5, 1, 1, 2, 2}, Shape{5, 2, 1, 1, 2}, Shape{3, 1, 2, 2, 2},
                         Shape{2, 2, 1, 0, 0}, Shape{3, 1, 1, 0, 0}, Shape{3, 3, 1, 4, 5}}) {
    ExpandCase a;
    a.height = 9, a.width = 11;
    a.kernel = s.kernel, a.stride = s.stride, a.dilation = s.dilation, a.low = s.low, a.high = s.high;
    check_case(a);
  }
}

TEST_CASE("expand: what is done to the product's results") {
  constexpr std::pair<Activation, ExpandValues> kCases[] = {{Activation::kNone, ExpandValues::kSpecial},
                                                            {Activation::kClip, ExpandValues::kHalfStored},
                                                            {Activation::kSilu, ExpandValues::kSpecial},
                                                            {Activation::kResidual, ExpandValues::kHalfStored}};
  for (auto [activation, values] : kCases) {
    ExpandCase a;
    a.activation = activation, a.batch = 2, a.channels = 20, a.depth = 12;
    check_case(a, values);
  }
}

TEST_CASE("expand: poolings, with what their padding holds") {
  for (int64_t channels : {1, 12})
    for (WindowOp window : {WindowOp::kSum, WindowOp::kMax}) {
      ExpandCase a;
      a.window = window, a.channels = channels, a.fill_bits = window == WindowOp::kMax ? 0xff800000 : 0x3f000000;
      check_case(a);
    }
}

TEST_CASE("expand: products") {
  for (ExpandProduct product : {ExpandProduct::kStrided, ExpandProduct::kContract}) {
    ExpandCase a;
    a.product = product, a.depth = 12, a.channels = 10, a.batch = 2;
    check_case(a);
  }
}

TEST_CASE("expand: images of many tiles, channels of several workgroups") {
  for (int64_t stride : {1, 2}) {
    ExpandCase a;
    a.height = 57, a.width = 61, a.channels = 36, a.depth = 5, a.kernel = 5, a.stride = stride, a.low = a.high = 2;
    check_case(a);
  }
}

TEST_CASE("expand: sums of several chunks, a batch that is known at bind time") {
  for (int64_t depth : {127, 128, 129, 300}) {
    INFO(depth, " elements a sum");
    ExpandCase a;
    a.product = ExpandProduct::kContract;
    a.depth = depth, a.height = 1, a.width = 1, a.kernel = 3, a.symbolic_batch = true;
    ExpandBuilder b;
    b.finish(b.windowed(b.expanded(a), a), a);
    for (int64_t batch : {1, 2, 5}) check_expanded(b.builder.graph(), 1, ExpandValues::kUsual, {{"batch", batch}});
  }
}

TEST_CASE("expand: what others read stays a kernel's result") {
  const ExpandCase a;
  {
    INFO("two windows");
    ExpandBuilder b;
    const ValueId x = b.expanded(a);
    b.builder.output(b.windowed(x, a), "y");
    b.builder.output(b.map(MapOp::tanh, {b.windowed(x, a)}), "z");
    check_expanded(b.builder.graph(), 0);
  }
  {
    INFO("an output");
    ExpandBuilder b;
    const ValueId x = b.expanded(a);
    b.builder.output(x, "x");
    b.builder.output(b.windowed(x, a), "y");
    check_expanded(b.builder.graph(), 0);
  }
  {
    INFO("the window's own epilogue");
    ExpandBuilder b;
    const ValueId x = b.expanded(a);
    b.builder.output(b.map(MapOp::add, {b.windowed(x, a), x}), "y");
    check_expanded(b.builder.graph(), 0);
  }
}

}  // namespace tuff
