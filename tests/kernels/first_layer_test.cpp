// Convolutions of few channels, whose tiles are pixels of one row of an image, against the reference: images, windows, padding
// and channels of many sizes, what is done to the results, how the image lies; and windows that keep the general schedule.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "kernels/checked_builder.h"

namespace tuff {
namespace {

enum class After { kNothing, kBias, kRelu, kSilu, kResidual, kMaximum, kBoth };
enum class Pixels { kPlanes, kTogether, kBytes };  // [n, c, h, w]; [n, h, w, c]; the latter as u8

struct Layer {
  int64_t batch = 1, channels = 3, height = 9, width = 11, columns = 8;
  std::array<int64_t, 2> kernel = {3, 3}, strides = {2, 2}, dilations = {1, 1}, low = {1, 1}, high = {1, 1};
  After after = After::kBias;
  Pixels image = Pixels::kPlanes;
  int64_t groups = 1;
  bool symbolic = false;  // the batch has a symbol for its size
};

struct LayerBuilder : CheckedBuilder {
  ValueId input(const Layer& a) {
    const IntExpr batch = a.symbolic ? builder.symbol({"batch", 0, 64, 1, nullptr}) : IntExpr(a.batch);
    if (a.image == Pixels::kPlanes) return builder.input("x", Dtype::kF32, {batch, a.channels, a.height, a.width});
    const Dtype dtype = a.image == Pixels::kBytes ? Dtype::kU8 : Dtype::kF32;
    TransposeAttrs planes;
    planes.perm = {0, 3, 1, 2};
    ValueId x = builder.input("x", dtype, {batch, a.height, a.width, a.channels});
    x = take(builder.add(planes, {x}));
    if (dtype == Dtype::kF32) return x;
    return map(MapOp::mul, {take(builder.cast(x, Dtype::kF32)), number(1.0 / 255)});
  }
  Graph build(const Layer& a) {
    ValueId x = input(a);
    PadAttrs pad;
    pad.low = {0, 0, a.low[0], a.low[1]};
    pad.high = {0, 0, a.high[0], a.high[1]};
    pad.interior = {0, 0, 0, 0};
    if (a.low[0] + a.low[1] + a.high[0] + a.high[1] > 0) x = take(builder.add(pad, {x}));
    WindowAttrs attrs;
    attrs.op = WindowOp::kConv;
    attrs.kernel = {a.kernel[0], a.kernel[1]};
    attrs.strides = {a.strides[0], a.strides[1]};
    attrs.dilations = {a.dilations[0], a.dilations[1]};
    attrs.groups = a.groups;
    ValueId y = take(builder.add(attrs, {x, weights({a.columns, a.channels / a.groups, a.kernel[0], a.kernel[1]})}));
    if (a.after != After::kNothing) y = biased(y);
    switch (a.after) {
      case After::kNothing:
      case After::kBias: break;
      case After::kRelu: y = map(MapOp::max, {y, number(0)}); break;
      case After::kSilu: y = map(MapOp::mul, {y, map(MapOp::sigmoid, {y})}); break;
      case After::kResidual: y = map(MapOp::add, {y, builder.input("residual", Dtype::kF32, builder.shape(y))}); break;
      case After::kMaximum: {
        WindowAttrs pool;
        pool.op = WindowOp::kMax;
        pool.kernel = pool.strides = {2, 2};
        pool.dilations = {1, 1};
        y = take(builder.add(pool, {y}));
        break;
      }
      case After::kBoth:
        builder.output(map(MapOp::max, {y, number(0)}), "positive");
        y = map(MapOp::min, {y, number(0)});
        break;
    }
    builder.output(y, "y");
    return builder.graph();
  }
};

// A device whose lanes load for themselves, with so many registers, that any number of workgroups keeps busy.
RunMode own_loads(bool exact, int64_t registers) {
  RunMode mode{exact, true, graphics_rates()};
  mode.rates->compute_units = 0;
  mode.rates->registers_per_lane = registers;
  return mode;
}

// The test devices' own lanes exchange what they load.
std::vector<RunMode> modes() {
  return {{true, true}, {false, true}, {true, false}, own_loads(true, 256), own_loads(false, 256)};
}

// How many kernels have tiles of rows; all kernels as text.
int64_t count_rows(const Graph& graph, const RunMode& mode, std::string& text) {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  auto schedules = kernel_schedules(graph, *device, mode);
  REQUIRE_MESSAGE(schedules.ok(), schedules.status().message());
  for (const std::string& schedule : *schedules) text += schedule + "\n";
  return std::count_if(schedules->begin(), schedules->end(),
                       [](const std::string& schedule) { return schedule.starts_with("image_rows"); });
}

void check_layer(const Layer& a, bool rows, const std::map<std::string, int64_t>& symbols = {}, bool special = false) {
  INFO("batch ", a.batch, ", ", a.channels, " channels of ", a.height, "x", a.width, ", columns ", a.columns, ", kernel ",
       a.kernel[0], "x", a.kernel[1], ", strides ", a.strides[0], "x", a.strides[1], ", dilations ", a.dilations[0], "x",
       a.dilations[1], ", padding ", a.low[0], ",", a.low[1], " ", a.high[0], ",", a.high[1], ", after ",
       static_cast<int>(a.after), ", image ", static_cast<int>(a.image));
  GraphCase c;
  c.graph = simplified(LayerBuilder().build(a));
  c.symbols = symbols;
  c.special_values = special;
  int64_t count = 0;
  std::string schedules;
  for (const RunMode& mode : modes()) count += count_rows(c.graph, mode, schedules);
  CHECK_MESSAGE((count > 0) == rows, schedules);
  check_agrees(c, modes());
}

}  // namespace

TEST_CASE("first layer: widths around a tile") {
  for (int64_t width : {2, 3, 4, 7, 9, 15, 16, 17, 29}) {
    Layer a;
    a.strides = {1, 1}, a.width = width, a.height = 3;
    check_layer(a, true);
  }
}

TEST_CASE("first layer: whichever way lanes load") {
  Layer a;
  a.width = 63, a.height = 4, a.columns = 40;
  const Graph graph = simplified(LayerBuilder().build(a));
  for (const RunMode& mode : modes()) {
    std::string schedules;
    CHECK_MESSAGE(count_rows(graph, mode, schedules) == 1, mode_text(mode), ":\n", schedules);
    CHECK_MESSAGE((schedules.find("exchanged") != std::string::npos) == !mode.rates, schedules);
  }
  check_layer(a, true);
  // The general schedule takes a smaller tile and fewer registers than any tile of rows.
  std::string schedules;
  CHECK_MESSAGE(count_rows(graph, own_loads(true, 150), schedules) == 0, schedules);
}

TEST_CASE("first layer: images of no results, of one, and narrower than the window") {
  for (auto [height, width, rows] : {std::tuple{1, 1, false}, {1, 2, false}, {2, 5, true}, {7, 1, false}, {1, 29, true}}) {
    Layer a;
    a.height = height, a.width = width;
    check_layer(a, rows);
  }
  Layer narrow;
  narrow.kernel = {7, 7}, narrow.low = {3, 3}, narrow.high = {3, 3}, narrow.width = 4, narrow.height = 3,
  narrow.strides = {1, 1};
  check_layer(narrow, true);
}

TEST_CASE("first layer: batches") {
  for (int64_t batch : {0, 2}) {
    Layer a;
    a.batch = batch, a.width = 31;
    check_layer(a, batch > 0);
    a.symbolic = true;
    check_layer(a, true, {{"batch", batch}});
  }
}

TEST_CASE("first layer: channels and columns") {
  for (auto [channels, columns] : {std::pair{1, 64}, {2, 6}, {3, 1}, {3, 37}, {4, 36}, {4, 68}}) {
    Layer a;
    a.channels = channels, a.columns = columns, a.height = 5, a.width = 32;
    check_layer(a, true);
  }
}

TEST_CASE("first layer: kernels, strides and padding") {
  for (auto [kernel, stride] : {std::pair{2, 1}, {3, 1}, {3, 2}, {5, 3}, {7, 2}}) {
    Layer a;
    a.kernel = {kernel, kernel}, a.strides = {stride, stride};
    a.low = {kernel / 2, 0}, a.high = {0, kernel - 1}, a.width = 35, a.height = 8;
    check_layer(a, true);
    a.low = {0, 2}, a.high = {1, 0}, a.kernel[0] = 1, a.strides[0] = 3;
    check_layer(a, true);
  }
}

TEST_CASE("first layer: taps apart") {
  for (auto [dilation, stride] : {std::pair{2, 1}, {3, 2}}) {
    Layer a;
    a.dilations = {dilation, dilation}, a.strides = {stride, stride}, a.low = {2, 2}, a.high = {2, 3}, a.width = 23;
    GraphCase c;
    c.graph = simplified(LayerBuilder().build(a));
    check_agrees(c, modes());
  }
}

TEST_CASE("first layer: what is done to the results") {
  for (After after : {After::kNothing, After::kRelu, After::kSilu, After::kResidual, After::kMaximum, After::kBoth}) {
    Layer a;
    a.after = after, a.width = 33, a.height = 5, a.batch = 2;
    check_layer(a, true, {}, after == After::kNothing || after == After::kResidual);
  }
}

TEST_CASE("first layer: how the image lies") {
  for (Pixels image : {Pixels::kPlanes, Pixels::kTogether, Pixels::kBytes})
    for (int64_t channels : {1, 3, 4}) {
      if (image == Pixels::kPlanes && channels < 4) continue;
      Layer a;
      a.image = image, a.channels = channels, a.batch = 2;
      check_layer(a, true);
    }
}

TEST_CASE("first layer: windows that keep the general schedule") {
  Layer a;
  a.channels = 5;
  check_layer(a, false);
  a = {};
  a.channels = 4, a.groups = 2;
  check_layer(a, false);
  a = {};
  a.kernel = {3, 1};
  check_layer(a, false);
}

}  // namespace tuff
