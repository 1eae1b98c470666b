// Rolling rows, the schedule of products whose results stay in a tile of the image where lanes exchange what they load, against
// the reference: strips of an image and whole rows, windows, channels that fill no vector or workgroup, what is between and
// after, what is combined.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

#include "fusion/cost.h"
#include "fusion/expand.h"
#include "kernels/expand_graphs.h"
#include "simplify/precision.h"

namespace tuff {
namespace {

// A device whose lanes exchange what they load, with dear barriers, for which whatever saves a launch pays.
DeviceRates exchanging_rates() {
  DeviceRates rates = graphics_rates();
  rates.registers_per_lane = 192;
  rates.loads_cost_lanes = true;
  rates.shared_memory_on_chip = false;
  return rates;
}

DeviceInfo exchanging_device() {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  DeviceInfo info = (*device)->info();
  info.rates = exchanging_rates();
  return info;
}

// How many of the kernels have rolling rows, and strips among them.
struct Rolling {
  size_t kernels = 0;
  int64_t strips = 1;
};

Rolling rolling_of(const Graph& graph, const RunMode& mode, std::string& text) {
  const DeviceInfo device = exchanging_device();
  Rolling found;
  const Graph isolated = isolate_stored_values(graph);
  for (const Group& group : fusion_of(graph, mode, text).groups) {
    if (group.kind != AnchorKind::kExpand) continue;
    const auto tile = expand_tile(isolated, group, device, mode.exact);
    if (!tile || !tile->rolling) continue;
    ++found.kernels;
    found.strips = std::max(found.strips, tile->strips);
  }
  return found;
}

// Enough channels for two workgroups of up to 16 lanes.
CombinedCase usual_case() {
  CombinedCase a;
  a.image.channels = 36;
  return a;
}

bool has_rolling_rows() { return exchanges_loads(exchanging_device()); }

void check_rolling(const Graph& built, bool wanted = true, ExpandValues values = ExpandValues::kUsual,
                   const std::map<std::string, int64_t>& symbols = {}, int64_t least_strips = 1) {
  Graph graph = simplified(built);
  if (values == ExpandValues::kHalfStored) {
    auto lowered = store_in_f16(graph);
    REQUIRE_MESSAGE(lowered.ok(), lowered.status().message());
    graph = std::move(lowered->graph);
  }
  const RunMode fast = {false, true, exchanging_rates()}, exact = {true, true, exchanging_rates()};
  std::string text;
  if (has_rolling_rows()) {
    const Rolling found = rolling_of(graph, fast, text);
    CHECK_MESSAGE(found.kernels == (wanted ? 1 : 0), text);
    if (wanted) CHECK(found.strips >= least_strips);
  }
  CHECK_MESSAGE(rolling_of(graph, exact, text).kernels == 0, text);
  GraphCase c;
  c.graph = std::move(graph);
  c.symbols = symbols;
  c.special_values = values == ExpandValues::kSpecial;
  check_agrees(c, {fast});
}

void check_case(const CombinedCase& a, bool combined, ExpandValues values = ExpandValues::kUsual, int64_t least_strips = 1,
                bool wanted = true) {
  INFO("batch ", a.image.batch, ", ", a.image.depth, " to ", a.image.channels, " channels of ", a.image.height, "x",
       a.image.width, ", kernel ", a.image.kernel, ", stride ", a.image.stride, ", padding ", a.image.low, " and ",
       a.image.high, ", window ", a.window, " ", static_cast<int>(a.image.window), ", combined ", combined, ", reduce ",
       static_cast<int>(a.reduce), ", read ", a.read, ", squared ", a.squared, ", flat ", a.flat, ", values ",
       static_cast<int>(values));
  CombinedBuilder b;
  if (!combined) b.finish(b.windowed(b.expanded(a.image), a.image), a.image);
  check_rolling(combined ? b.build(a) : b.builder.graph(), wanted, values, {}, least_strips);
}

void check_ways(CombinedCase a, ExpandValues values = ExpandValues::kUsual, int64_t least_strips = 1) {
  check_case(a, false, values, least_strips);
  check_case(a, true, values, least_strips);
  a.window = false;
  check_case(a, true, values, least_strips);
}

}  // namespace

TEST_CASE("rolling rows: channels and sums that fill no vector or workgroup") {
  constexpr std::pair<int64_t, int64_t> kSizes[] = {{1, 35}, {3, 41}, {13, 63}, {16, 64}, {129, 38}};
  for (auto [depth, channels] : kSizes) {
    CombinedCase a = usual_case();
    a.image.depth = depth, a.image.channels = channels, a.read = depth % 2 == 1;
    check_ways(a);
  }
}

TEST_CASE("rolling rows: images and batches") {
  constexpr std::array<int64_t, 3> kSizes[] = {{1, 1, 2}, {2, 1, 7}, {1, 13, 3}, {2, 6, 15}, {1, 17, 1}};
  for (auto [batch, height, width] : kSizes) {
    CombinedCase a = usual_case();
    a.image.batch = batch, a.image.height = height, a.image.width = width, a.image.stride = 1 + height % 2;
    check_ways(a);
  }
}

TEST_CASE("rolling rows: strips of an image") {
  constexpr std::array<int64_t, 3> kSizes[] = {{67, 3, 1}, {71, 5, 2}, {131, 3, 2}};
  for (auto [width, kernel, stride] : kSizes) {
    CombinedCase a = usual_case();
    a.image.height = 5, a.image.width = width, a.image.depth = 5, a.image.channels = 36 + width % 5;
    a.image.kernel = kernel, a.image.stride = stride, a.image.low = a.image.high = kernel / 2;
    check_ways(a, ExpandValues::kUsual, 2);
  }
}

TEST_CASE("rolling rows: windows") {
  struct Shape {
    int64_t kernel, stride, low, high;
  };
  for (const Shape& s :
       {Shape{3, 2, 0, 1}, Shape{5, 1, 2, 2}, Shape{5, 2, 1, 2}, Shape{2, 2, 0, 0}, Shape{3, 1, 0, 0}, Shape{3, 3, 4, 5}}) {
    CombinedCase a = usual_case();
    a.image.height = 9, a.image.width = 11;
    a.image.kernel = s.kernel, a.image.stride = s.stride, a.image.low = s.low, a.image.high = s.high;
    check_case(a, false);
    check_case(a, true);
  }
}

TEST_CASE("rolling rows: poolings, with what their padding holds") {
  for (int64_t channels : {35, 36})
    for (WindowOp window : {WindowOp::kSum, WindowOp::kMax}) {
      CombinedCase a = usual_case();
      a.image.window = window, a.image.channels = channels;
      a.image.fill_bits = window == WindowOp::kMax ? 0xff800000 : 0x3f000000;
      check_case(a, false);
      check_case(a, true);
    }
}

TEST_CASE("rolling rows: what is done to the product's results, and products") {
  constexpr std::pair<Activation, ExpandValues> kCases[] = {{Activation::kNone, ExpandValues::kSpecial},
                                                            {Activation::kClip, ExpandValues::kHalfStored},
                                                            {Activation::kSilu, ExpandValues::kUsual},
                                                            {Activation::kResidual, ExpandValues::kHalfStored}};
  for (auto [activation, values] : kCases) {
    CombinedCase a = usual_case();
    a.image.activation = activation, a.image.batch = 2, a.image.depth = 12;
    a.image.product = activation == Activation::kClip ? ExpandProduct::kStrided : ExpandProduct::kContract;
    check_case(a, false, values);
    if (values != ExpandValues::kSpecial) check_case(a, true, values);
  }
}

TEST_CASE("rolling rows: what is combined, and how") {
  for (bool window : {true, false})
    for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin, ReduceOp::kProduct}) {
      CombinedCase a = usual_case();
      a.squared = window == (op == ReduceOp::kSum || op == ReduceOp::kMin);
      a.window = window, a.reduce = op, a.read = !a.squared, a.flat = a.squared;
      check_case(a, true);
    }
}

TEST_CASE("rolling rows: a batch that is known at bind time, none among them") {
  ExpandCase a = usual_case().image;
  a.symbolic_batch = true, a.width = 73;
  ExpandBuilder b;
  b.finish(b.windowed(b.expanded(a), a), a);
  for (int64_t batch : {1, 5}) check_rolling(b.builder.graph(), true, ExpandValues::kUsual, {{"batch", batch}}, 2);
  CombinedCase none = usual_case();
  none.image.batch = 0;
  check_ways(none);
}

TEST_CASE("rolling rows: dilated windows, strides beyond the window and large ones take shared memory") {
  CombinedCase a = usual_case();
  a.image.height = 12, a.image.width = 11;
  a.image.dilation = 2, a.image.low = a.image.high = 2;
  check_case(a, false, ExpandValues::kUsual, 1, false);
  a.image.dilation = 1, a.image.kernel = 2, a.image.stride = 3;
  check_case(a, false, ExpandValues::kUsual, 1, false);
  a.image.kernel = 9, a.image.stride = 1, a.image.low = a.image.high = 4;
  check_case(a, false, ExpandValues::kUsual, 1, false);
}

}  // namespace tuff
