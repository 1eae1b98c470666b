// Products of bytes by dot products of four in a word, against the reference, which sums one by one: integers must be the same.
// All signs, zero points of each kind, sums that are no whole words, tiles that are not full, words along the sum and across
// it.
#include <algorithm>
#include <array>

#include "kernels/checked_builder.h"
#include "reference/reference.h"

namespace tuff {
namespace {

enum class ZeroPoint { kNone, kNumber, kRead, kOfRows };
enum class Columns { kNeighbours, kApart };  // how B lies in memory: its columns are neighbours, or its summed bytes

struct ByteProduct {
  int64_t rows = 8, depth = 8, columns = 8;
  Dtype a = Dtype::kI8, b = Dtype::kI8;
  ZeroPoint zero_point = ZeroPoint::kNone;
  Columns lie = Columns::kNeighbours;
  int64_t batch = 0;  // 0: none
};

// Bytes of all kinds, or the least and the greatest alone: the products that are furthest from 0.
Tensor bytes_of(Dtype dtype, std::vector<int64_t> shape, bool extremes, uint32_t seed) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  std::vector<uint8_t> bytes(static_cast<size_t>(count));
  for (uint8_t& byte : bytes) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<uint8_t>(seed >> 24);
    if (!extremes) continue;
    const bool low = byte % 4 != 0;  // mostly -128, so that sums do not cancel
    byte = dtype == Dtype::kI8 ? (low ? 128 : 127) : (low ? 255 : 0);
  }
  return make_tensor(dtype, std::move(shape), bytes);
}

Dims dims_of(const std::vector<int64_t>& shape) {
  Dims out;
  for (const int64_t size : shape) out.emplace_back(size);
  return out;
}

struct ByteCase : CheckedBuilder {
  GraphCase c;
  std::vector<Tensor> inputs;
  bool extremes = false;
  uint32_t seed = 1;

  ValueId input(const std::string& name, Dtype dtype, const std::vector<int64_t>& shape) {
    inputs.push_back(bytes_of(dtype, shape, extremes, seed++));
    return builder.input(name, dtype, dims_of(shape));
  }
  ValueId constant(Dtype dtype, const std::vector<int64_t>& shape) {
    const Tensor t = bytes_of(dtype, shape, extremes, seed++);
    auto bytes = std::make_shared<std::vector<std::byte>>(t.bytes);
    return take(builder.constant(dtype, dims_of(shape), Bytes{{bytes->data(), bytes->size()}, bytes}));
  }
  ValueId wide(ValueId bytes) { return take(builder.cast(bytes, Dtype::kI32)); }
  ValueId less_zero_point(ValueId bytes, ZeroPoint kind, int64_t rows) {
    const Dtype dtype = builder.dtype(bytes);
    const ValueId x = wide(bytes);
    switch (kind) {
      case ZeroPoint::kNone: return x;
      case ZeroPoint::kNumber: return map(MapOp::sub, {x, take(builder.scalar(Dtype::kI32, dtype == Dtype::kI8 ? -128 : 131))});
      case ZeroPoint::kRead: return map(MapOp::sub, {x, wide(input("zero", dtype, {}))});
      case ZeroPoint::kOfRows: return map(MapOp::sub, {x, wide(input("zeros", dtype, {rows, 1}))});
    }
    return x;
  }
  void finish(ValueId y) {
    builder.output(y, "y");
    c.graph = simplified(std::move(builder).finish());
  }
};

const std::vector<RunMode> kDotModes = {
    {false, true, std::nullopt, ByteDots::kSame},
    {true, true, std::nullopt, ByteDots::kMixed},
    {false, true, graphics_rates(), ByteDots::kSame},
};

// The reference's integers in each mode, by dot products where `by_dots` says so of the mode.
template <class ByDots>
void check_dots(const ByteCase& b, const ByDots& by_dots) {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  const auto expected = evaluate(b.c.graph, b.inputs, {});
  REQUIRE_MESSAGE(expected.ok(), expected.status().message());
  for (const RunMode& mode : kDotModes) {
    const auto run = run_graph(b.c.graph, *device, mode, b.inputs, {});
    REQUIRE_MESSAGE(run.ok(), run.status().message());
    const bool agrees = run->outputs[0].bytes == expected->front().bytes;
    CHECK_MESSAGE(agrees, mode_text(mode), "\n", run->sources);
    const bool has_dots = run->sources.find("tuff_dot_") != std::string::npos;
    CHECK_MESSAGE(has_dots == by_dots(mode.byte_dots), mode_text(mode), "\n", run->sources);
  }
}

ValueId product_of(ByteCase& b, const ByteProduct& p, ValueId x, const std::string& name) {
  std::vector<int64_t> shape = {p.depth, p.columns};
  if (p.lie == Columns::kApart) std::swap(shape[0], shape[1]);
  if (p.batch > 0) shape.insert(shape.begin(), p.batch);
  ContractAttrs attrs;
  attrs.a = {0, 1};
  attrs.b = p.lie == Columns::kApart ? std::vector<int>{2, 1} : std::vector<int>{1, 2};
  attrs.out = {0, 2};
  if (p.batch > 0)
    for (std::vector<int>* labels : {&attrs.a, &attrs.b, &attrs.out}) labels->insert(labels->begin(), 3);
  // Constants lie with neighbouring columns, whatever their shape.
  const bool is_constant = p.lie == Columns::kNeighbours && p.rows % 2 == 1;
  const ValueId y = is_constant ? b.constant(p.b, shape) : b.input(name, p.b, shape);
  return b.take(b.builder.add(attrs, {x, b.wide(y)}));
}

ValueId rows_of(ByteCase& b, const ByteProduct& p) {
  std::vector<int64_t> shape = {p.rows, p.depth};
  if (p.batch > 0) shape.insert(shape.begin(), p.batch);
  return b.less_zero_point(b.input("x", p.a, shape), p.zero_point, p.rows);
}

bool has_dots(const ByteProduct& p, ByteDots dots) {
  const bool apart = p.lie == Columns::kApart || p.columns == 1;
  const bool words = p.depth > 0 && p.depth % 4 == 0 && (apart || (p.columns > 0 && p.columns % 4 == 0));
  return words && (dots == ByteDots::kMixed || p.a == p.b || p.a == Dtype::kU8);
}

void check_product(const ByteProduct& p, bool extremes = false) {
  INFO(p.rows, " x ", p.depth, " x ", p.columns, ", ", dtype_name(p.a), " by ", dtype_name(p.b), ", zero point ",
       static_cast<int>(p.zero_point), ", columns ", static_cast<int>(p.lie), ", batch ", p.batch);
  ByteCase b;
  b.extremes = extremes;
  b.finish(product_of(b, p, rows_of(b, p), "w"));
  check_dots(b, [&](ByteDots dots) { return has_dots(p, dots); });
}

constexpr std::array<std::pair<Dtype, Dtype>, 4> kSigns = {
    {{Dtype::kI8, Dtype::kI8}, {Dtype::kU8, Dtype::kI8}, {Dtype::kI8, Dtype::kU8}, {Dtype::kU8, Dtype::kU8}}};
constexpr std::array<ZeroPoint, 4> kZeroPoints = {ZeroPoint::kNone, ZeroPoint::kNumber, ZeroPoint::kRead, ZeroPoint::kOfRows};

TEST_CASE("bytes of any sign and zero point are multiplied as the reference does") {
  int turn = 0;
  for (const auto& [a, b] : kSigns)
    for (const ZeroPoint zero_point : kZeroPoints) {
      const Columns lie = turn % 2 == 0 ? Columns::kNeighbours : Columns::kApart;
      for (const bool extremes : {false, true}) check_product({9, 68, 20, a, b, zero_point, lie, 0}, extremes);
      turn += zero_point == ZeroPoint::kOfRows ? 2 : 1;  // so that each zero point comes with both
    }
}

TEST_CASE("products of bytes of all sizes agree, those that fill no word by single products") {
  struct Sizes {
    int64_t rows, depth, columns;
  };
  int turn = 0;
  for (const Sizes& s : {Sizes{1, 4, 4},
                         {2, 4, 1},
                         {7, 12, 16},
                         {8, 64, 64},
                         {16, 128, 36},
                         {17, 132, 68},
                         {5, 3, 8},
                         {6, 7, 5},
                         {3, 5, 4},
                         {1, 1, 1},
                         {13, 13, 13},
                         {33, 20, 7},
                         {64, 256, 33},
                         {0, 8, 8},
                         {8, 0, 8},
                         {8, 8, 0}})
    for (const Columns lie : {Columns::kNeighbours, Columns::kApart}) {
      const auto [a, b] = kSigns[static_cast<size_t>(turn) % kSigns.size()];
      check_product(
          {s.rows, s.depth, s.columns, a, b, kZeroPoints[static_cast<size_t>(turn / 4) % kZeroPoints.size()], lie, 0});
      turn += 5;
    }
}

TEST_CASE("batches of products of bytes agree") {
  for (const Columns lie : {Columns::kNeighbours, Columns::kApart})
    check_product({6, 16, 12, Dtype::kU8, Dtype::kI8, ZeroPoint::kNumber, lie, 3});
}

TEST_CASE("sums that leave 32 bits wrap as those of single products do") {
  check_product({2, 1 << 16, 4, Dtype::kU8, Dtype::kU8, ZeroPoint::kNone, Columns::kNeighbours, 0}, true);
  check_product({2, 1 << 16, 4, Dtype::kU8, Dtype::kI8, ZeroPoint::kRead, Columns::kApart, 0}, true);
}

TEST_CASE("two products of the same rows are summed by dot products in one kernel") {
  const ByteProduct p = {9, 32, 24, Dtype::kU8, Dtype::kI8, ZeroPoint::kNumber, Columns::kNeighbours, 0};
  ByteCase b;
  const ValueId x = rows_of(b, p);
  const ValueId gate = product_of(b, p, x, "gate");
  b.finish(b.map(MapOp::sub, {gate, product_of(b, p, x, "up")}));
  check_dots(b, [](ByteDots) { return true; });
}

TEST_CASE("a second operand with a zero point is multiplied by single products") {
  ByteCase b;
  const ByteProduct p = {8, 16, 12, Dtype::kI8, Dtype::kI8};
  const ValueId w = b.map(MapOp::sub, {b.wide(b.input("w", Dtype::kI8, {16, 12})), b.take(b.builder.scalar(Dtype::kI32, 3))});
  ContractAttrs attrs;
  attrs.a = {0, 1};
  attrs.b = {1, 2};
  attrs.out = {0, 2};
  b.finish(b.take(b.builder.add(attrs, {rows_of(b, p), w})));
  check_dots(b, [](ByteDots) { return false; });
}

struct ByteWindow {
  int64_t channels = 8, columns = 12, kernel = 3, stride = 1, groups = 1;
  Dtype a = Dtype::kU8;
  ZeroPoint zero_point = ZeroPoint::kNone;
};

ValueId convolved(ByteCase& b, ValueId x, int64_t columns, int64_t kernel, int64_t stride, int64_t groups) {
  const int64_t depth = b.builder.shape(x)[1].constant() / groups;
  return b.convolved(x, b.wide(b.constant(Dtype::kI8, {columns, depth, kernel, kernel})), stride, groups);
}

void check_window(const ByteWindow& w) {
  INFO("channels ", w.channels, " to ", w.columns, ", kernel ", w.kernel, ", stride ", w.stride, ", groups ", w.groups, ", ",
       dtype_name(w.a), ", zero point ", static_cast<int>(w.zero_point));
  ByteCase b;
  // A picture has its channels apart; what another convolution stores has them together.
  const ValueId picture = b.wide(b.input("x", Dtype::kI8, {2, 4, 9, 7}));
  const ValueId stored = b.take(b.builder.cast(convolved(b, picture, w.channels, 1, 1, 1), w.a));
  PadAttrs pad;
  const IntExpr edge(w.kernel / 2);
  pad.low = pad.high = {IntExpr(0), IntExpr(0), edge, edge};
  pad.interior = {0, 0, 0, 0};
  ValueId x = b.less_zero_point(stored, w.zero_point, 1);
  if (w.kernel > 1) x = b.take(b.builder.add(pad, {x}));
  b.finish(convolved(b, x, w.columns, w.kernel, w.stride, w.groups));
  // A zero point that is read has no byte to pad with that is known beforehand.
  const bool dots =
      w.channels / w.groups % 4 == 0 && w.columns / w.groups % 4 == 0 && !(w.zero_point == ZeroPoint::kRead && w.kernel > 1);
  check_dots(b, [&](ByteDots) { return dots; });
}

TEST_CASE("convolutions of bytes agree, padded with what is zero") {
  check_window({});
  check_window({.a = Dtype::kI8});
  check_window({.zero_point = ZeroPoint::kNumber});
  check_window({.a = Dtype::kI8, .zero_point = ZeroPoint::kNumber});
  check_window({.kernel = 1, .zero_point = ZeroPoint::kRead});
  check_window({.zero_point = ZeroPoint::kRead});
  check_window({.channels = 16, .columns = 8, .stride = 2, .groups = 2, .zero_point = ZeroPoint::kNumber});
  check_window({.channels = 3});
  check_window({.channels = 6, .columns = 5});
}

}  // namespace
}  // namespace tuff
