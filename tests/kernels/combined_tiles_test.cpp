// Reductions over images that the kernels of products and windows combine as they compute them, against the reference: images
// of one tile and of many, channels that fill no vector or workgroup, reductions, other readers of the elements or none; and
// reductions that keep a kernel of their own.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

#include "kernels/expand_graphs.h"
#include "simplify/precision.h"

namespace tuff {
namespace {

size_t count_combined(const Graph& graph, const RunMode& mode, std::string& text) {
  const Fusion fusion = fusion_of(graph, mode, text);
  return static_cast<size_t>(std::count_if(fusion.groups.begin(), fusion.groups.end(), [&](const Group& group) {
    return std::any_of(group.members.begin(), group.members.end(), [&](NodeId m) {
      return group.kind == AnchorKind::kExpand && std::holds_alternative<ReduceAttrs>(graph.node(m).attrs);
    });
  }));
}

// Of a device for which whatever saves a launch or a pass over memory pays, where it leaves so many compute units two
// workgroups each.
DeviceRates rates_of(int64_t compute_units) {
  DeviceRates rates = graphics_rates();
  rates.compute_units = compute_units;
  rates.dram_bytes_per_us = 10;
  rates.cache_bytes = 0;
  return rates;
}

struct Wanted {
  size_t fast = 1, exact = 1;  // kernels that combine tiles
  bool counters = false;       // is an image of several tiles in fast mode?
};

void check_combined(const Graph& built, const Wanted& wanted, int64_t compute_units = 1,
                    const std::map<std::string, int64_t>& symbols = {}, bool half = false) {
  Graph graph = simplified(built);
  if (half) {
    auto lowered = store_in_f16(graph);
    REQUIRE_MESSAGE(lowered.ok(), lowered.status().message());
    graph = std::move(lowered->graph);
  }
  GraphCase c;
  c.graph = std::move(graph);
  c.symbols = symbols;
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  for (bool exact : {false, true}) {
    const RunMode mode = {exact, true, rates_of(compute_units)};
    std::string text;
    CHECK_MESSAGE(count_combined(c.graph, mode, text) == (exact ? wanted.exact : wanted.fast), mode_text(mode), "\n", text);
    const Verdict verdict = check_graph(c, *device, {mode});
    CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, mode_text(verdict.mode), ": ", verdict.what, "\n", verdict.sources);
    CHECK((verdict.counter_bytes > 0) == (wanted.counters && !exact));
  }
}

void check_case(const CombinedCase& a, const Wanted& wanted = {}, int64_t compute_units = 1) {
  INFO("batch ", a.image.batch, ", ", a.image.depth, " to ", a.image.channels, " channels of ", a.image.height, "x",
       a.image.width, ", kernel ", a.image.kernel, ", stride ", a.image.stride, ", window ", a.window, ", reduce ",
       static_cast<int>(a.reduce), ", read ", a.read, ", squared ", a.squared, ", flat ", a.flat);
  check_combined(CombinedBuilder().build(a), wanted, compute_units);
}

}  // namespace

TEST_CASE("combined tiles: channels and sums that fill no vector or tile") {
  constexpr std::pair<int64_t, int64_t> kSizes[] = {{1, 3}, {2, 4}, {3, 5}, {13, 63}, {16, 64}, {7, 65}, {129, 12}};
  for (auto [depth, channels] : kSizes)
    for (bool window : {true, false}) {
      CombinedCase a;
      a.image.depth = depth, a.image.channels = channels, a.window = window, a.read = depth % 2 == 1;
      check_case(a);
    }
}

TEST_CASE("combined tiles: images of one tile, batches") {
  constexpr std::array<int64_t, 3> kSizes[] = {{1, 1, 2}, {2, 7, 1}, {1, 13, 3}, {2, 8, 9}, {1, 8, 8}, {1, 5, 13}};
  for (auto [batch, height, width] : kSizes)
    for (bool window : {true, false}) {
      CombinedCase a;
      a.image.batch = batch, a.image.height = height, a.image.width = width;
      a.window = window, a.image.stride = 1 + (height > 7 && height % 2);
      check_case(a);
    }
}

TEST_CASE("combined tiles: images of many tiles") {
  for (int64_t batch : {1, 2})
    for (int64_t stride : {1, 2}) {
      CombinedCase a;
      a.image.batch = batch, a.image.height = 57, a.image.width = 61, a.image.channels = 36, a.image.depth = 5;
      a.image.kernel = 5, a.image.stride = stride, a.image.low = a.image.high = 2;
      check_case(a, {1, 0, true});
    }
  // More workgroups than vectors of channels, so that they share images.
  constexpr std::array<int64_t, 3> kSizes[] = {{29, 31, 4}, {17, 13, 5}, {31, 29, 6}};
  for (auto [height, width, channels] : kSizes) {
    CombinedCase a;
    a.image.height = height, a.image.width = width, a.image.channels = channels, a.image.batch = 2, a.window = false;
    check_case(a, {1, 0, true}, 8);
  }
}

TEST_CASE("combined tiles: what is combined, and how") {
  for (bool window : {true, false})
    for (ReduceOp op : {ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin, ReduceOp::kProduct})
      for (bool squared : {false, true}) {
        CombinedCase a;
        a.window = window, a.reduce = op, a.squared = squared, a.read = !squared, a.flat = squared;
        check_case(a);
      }
}

TEST_CASE("combined tiles: windows, products and what is between them") {
  for (bool window : {true, false})
    for (Activation activation : {Activation::kNone, Activation::kSilu, Activation::kResidual})
      for (ExpandProduct product : {ExpandProduct::kConvolution, ExpandProduct::kStrided, ExpandProduct::kContract}) {
        CombinedCase a;
        a.window = window, a.image.activation = activation, a.image.product = product, a.image.depth = 12,
        a.image.channels = 20;
        check_case(a);
      }
}

TEST_CASE("combined tiles: half floats in storage") {
  for (bool window : {true, false}) {
    CombinedCase a;
    a.window = window, a.image.channels = 12;
    check_combined(CombinedBuilder().build(a), {}, 1, {}, true);
  }
}

TEST_CASE("combined tiles: a batch that is known at bind time, none among them") {
  for (bool window : {true, false}) {
    CombinedCase a;
    a.window = window, a.image.symbolic_batch = true;
    a.image.height = 19, a.image.width = 23;
    const Graph graph = CombinedBuilder().build(a);
    for (int64_t batch : {1, 2, 5}) check_combined(graph, {1, window ? 0u : 1u, false}, 1, {{"batch", batch}});
  }
  CombinedCase a;
  a.image.batch = 0;
  check_case(a);
}

TEST_CASE("combined tiles: reductions that keep a kernel") {
  auto built = [](auto build, int64_t height = 7) {
    CombinedBuilder b;
    CombinedCase a;
    a.image.height = height;
    build(b, b.windowed(b.expanded(a.image), a.image));
    return b.builder.graph();
  };
  const Wanted none = {0, 0, false};
  INFO("over one axis of the image");
  check_combined(
      built([](CombinedBuilder& b, ValueId x) { b.builder.output(b.take(b.builder.reduce(ReduceOp::kSum, x, {3})), "y"); }),
      none);
  INFO("over channels, too");
  check_combined(built([](CombinedBuilder& b, ValueId x) {
                   b.builder.output(b.take(b.builder.reduce(ReduceOp::kSum, x, {1, 2, 3})), "y");
                 }),
                 none);
  INFO("the place of the greatest");
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  auto find_top = [](CombinedBuilder& b, ValueId x) {
    b.builder.output(b.take(b.builder.reduce(ReduceOp::kArgMax, x, {3})), "y");
  };
  if ((*device)->info().int64) check_combined(built(find_top, 1), none);
  INFO("twice through the elements");
  check_combined(built([](CombinedBuilder& b, ValueId x) {
                   const ValueId top = b.take(b.builder.reduce(ReduceOp::kMax, x, {2, 3}));
                   b.builder.output(b.take(b.builder.reduce(ReduceOp::kSum, b.map(MapOp::sub, {x, top}), {2, 3})), "y");
                 }),
                 none);
}

}  // namespace tuff
