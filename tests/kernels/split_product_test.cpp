// Products and convolutions whose sums several workgroups share, against the reference: sums, rows and columns that fill no
// part, tile or vector, chunks of exact mode's order, what goes into the kernels before and after the sum; schedules that have
// more parts than there is to sum, which are refused; and devices that choose to share sums, or not to.
#include <algorithm>

#include "kernels/product_graph.h"
#include "reference/reference.h"
#include "simplify/precision.h"

namespace tuff {
namespace {

// The lanes of a graphics card; in fast mode those of the test's device, too, which pass rows around.
std::vector<RunMode> modes_of(int64_t parts, bool exact) {
  RunMode mode;
  mode.parts = parts;
  mode.exact = exact;
  std::vector<RunMode> modes(exact ? 1 : 2, mode);
  modes[0].rates = graphics_rates();
  return modes;
}

enum class Expected { kShared, kRefused };

void check_parts(const GraphCase& c, int64_t parts, Expected fast, Expected exact) {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  for (bool is_exact : {false, true})
    for (const RunMode& mode : modes_of(parts, is_exact)) {
      const Verdict verdict = check_graph(c, *device, {mode});
      CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, mode_text(verdict.mode), ": ", verdict.what, "\n", verdict.sources);
      const bool is_shared = (is_exact ? exact : fast) == Expected::kShared;
      CHECK_MESSAGE((verdict.counter_bytes > 0) == is_shared, mode_text(mode));
      if (!is_shared) CHECK_MESSAGE(verdict.refused_count > 0, mode_text(mode));
    }
}

struct SplitBuilder : ProductBuilder {
  GraphCase done(ValueId y, bool half = false) {
    builder.output(y, "y");
    GraphCase c;
    c.graph = simplified(builder.graph());
    if (!half) return c;
    auto lowered = store_in_f16(c.graph);
    REQUIRE_MESSAGE(lowered.ok(), lowered.status().message());
    c.graph = std::move(lowered->graph);
    return c;
  }
  // As activation, residual and bias: something before the sum, something after it.
  ValueId finished(ValueId y, int64_t columns) {
    y = map(MapOp::add, {y, input("bias", {IntExpr(columns)})});
    y = map(MapOp::mul, {y, map(MapOp::sigmoid, {y})});
    return map(MapOp::add, {y, builder.input("residual", Dtype::kF32, builder.shape(y))});
  }
  ValueId convolution(ValueId x, int64_t columns, int64_t kernel, int64_t stride, int64_t groups) {
    const IntExpr depth(builder.shape(x)[1].constant() / groups);
    return convolved(x, weights({IntExpr(columns), depth, IntExpr(kernel), IntExpr(kernel)}), stride, groups);
  }
};

GraphCase product_case(int64_t rows, int64_t depth, int64_t columns) {
  SplitBuilder b;
  const ValueId x = b.map(MapOp::add, {b.input("x", {IntExpr(rows), IntExpr(depth)}), b.number(0.25)});
  return b.done(b.finished(b.product(x, depth, columns, "w"), columns));
}

// Of as many rows as are said when it runs, so that exact mode's order has chunks.
GraphCase late_case(int64_t rows, int64_t most_rows, int64_t depth, int64_t columns) {
  SplitBuilder b;
  const IntExpr count = b.builder.symbol({"rows", 1, most_rows, 1, nullptr});
  GraphCase c = b.done(b.finished(b.product(b.input("x", {count, IntExpr(depth)}), depth, columns, "w"), columns));
  c.symbols["rows"] = rows;
  return c;
}

// On a device of so many cores that it pays to share sums, if what is left weighs little beside what is read.
RunMode on_cores(int64_t compute_units, bool exact) {
  RunMode mode;
  mode.exact = exact;
  DeviceRates rates;
  rates.compute_units = compute_units;
  rates.dram_bytes_per_us = 1000;
  rates.launch_ns = 1;
  mode.rates = rates;
  return mode;
}

}  // namespace

TEST_CASE("shared sums: sums that fill no part, rows and columns that fill no tile") {
  struct Sizes {
    int64_t rows, depth, columns, parts;
  };
  for (const Sizes& s : {Sizes{5, 6, 3, 2},
                         {7, 5, 4, 3},
                         {2, 97, 12, 2},
                         {9, 127, 7, 5},
                         {31, 128, 33, 4},
                         {33, 129, 31, 43},
                         {65, 61, 6, 2},
                         {17, 260, 64, 7}}) {
    INFO("rows ", s.rows, ", depth ", s.depth, ", columns ", s.columns, ", parts ", s.parts);
    check_parts(product_case(s.rows, s.depth, s.columns), s.parts, Expected::kShared, Expected::kRefused);
  }
}

TEST_CASE("shared sums: more parts than there is to sum, and none") {
  for (int64_t parts : {2, 3}) check_parts(product_case(5, 1, 9), parts, Expected::kRefused, Expected::kRefused);
  check_parts(product_case(5, 3, 9), 4, Expected::kRefused, Expected::kRefused);
  check_parts(product_case(5, 8, 9), 3, Expected::kRefused, Expected::kRefused);  // two vectors of k
  check_parts(product_case(5, 36, 9), 8, Expected::kRefused,
              Expected::kRefused);  // nine, of which the last part would get none
  check_parts(late_case(5, 30, 384, 9), 4, Expected::kShared, Expected::kRefused);  // three chunks
}

TEST_CASE("shared sums: exact mode's chunks, one a part or several") {
  struct Sizes {
    int64_t depth, parts;
  };
  for (const Sizes& s : {Sizes{129, 2}, {255, 2}, {256, 2}, {257, 3}, {640, 3}, {641, 2}, {1000, 8}}) {
    INFO("depth ", s.depth, ", parts ", s.parts);
    check_parts(late_case(s.depth % 2 ? 5 : 23, 23, s.depth, 12), s.parts, Expected::kShared, Expected::kShared);
  }
}

TEST_CASE("shared sums: more rows than the schedule was chosen for have a tile's sums each") {
  const GraphCase few = late_case(256, 3000, 300, 5), many = late_case(257, 3000, 300, 5);
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  for (bool exact : {false, true})
    for (const RunMode& mode : modes_of(2, exact)) {
      const Verdict shared = check_graph(few, *device, {mode}), whole = check_graph(many, *device, {mode});
      CHECK_MESSAGE(shared.kind == Verdict::Kind::kAgrees, mode_text(mode), ": ", shared.what, "\n", shared.sources);
      CHECK_MESSAGE(whole.kind == Verdict::Kind::kAgrees, mode_text(mode), ": ", whole.what, "\n", whole.sources);
      CHECK(shared.counter_bytes > 0);
      CHECK(whole.counter_bytes == 0);
    }
}

TEST_CASE("shared sums: few rows") {
  struct Sizes {
    int64_t rows, depth, columns, parts;
  };
  for (const Sizes& s : {Sizes{1, 129, 1, 2}, {1, 1000, 12, 3}, {1, 1000, 70, 8}, {1, 1024, 7, 4}, {1, 4000, 4, 2}}) {
    INFO("rows ", s.rows, ", depth ", s.depth, ", columns ", s.columns, ", parts ", s.parts);
    check_parts(product_case(s.rows, s.depth, s.columns), s.parts, Expected::kShared, Expected::kShared);
  }
  for (int64_t rows : {1, 2, 4}) check_parts(late_case(rows, 4, 700, 9), 3, Expected::kShared, Expected::kShared);
  check_parts(product_case(1, 1000, 12), 5, Expected::kRefused, Expected::kRefused);  // eight chunks: the fifth would get none
  check_parts(product_case(1, 1000, 12), 9, Expected::kRefused, Expected::kRefused);
}

TEST_CASE("shared sums: convolutions") {
  struct Sizes {
    int64_t batch, depth, height, width, columns, kernel, stride, groups, parts;
  };
  for (const Sizes& s : {Sizes{1, 8, 7, 7, 12, 3, 1, 1, 2},
                         {2, 13, 5, 6, 5, 3, 2, 1, 4},
                         {1, 64, 4, 4, 36, 1, 1, 1, 3},
                         {1, 24, 6, 5, 8, 3, 1, 2, 3},
                         {3, 7, 1, 9, 1, 1, 1, 1, 7}}) {
    INFO("batch ", s.batch, ", depth ", s.depth, ", image ", s.height, "x", s.width, ", columns ", s.columns, ", kernel ",
         s.kernel, ", stride ", s.stride, ", groups ", s.groups, ", parts ", s.parts);
    SplitBuilder b;
    ValueId x = b.input("x", {IntExpr(s.batch), IntExpr(s.depth), IntExpr(s.height), IntExpr(s.width)});
    if (s.kernel > 1) {
      PadAttrs pad;
      pad.low = pad.high = {IntExpr(0), IntExpr(0), IntExpr(1), IntExpr(1)};
      pad.interior = {0, 0, 0, 0};
      x = b.take(b.builder.add(pad, {x}));
    }
    const ValueId y = b.biased(b.convolution(x, s.columns, s.kernel, s.stride, s.groups));
    check_parts(b.done(b.map(MapOp::max, {y, b.number(0)})), s.parts, Expected::kShared, Expected::kRefused);
  }
}

TEST_CASE("shared sums: batches, rows that are normalised, several products of the same rows, half floats") {
  SplitBuilder batched;
  const ValueId factors[] = {batched.input("x", {IntExpr(3), IntExpr(5), IntExpr(37)}),
                             batched.input("w", {IntExpr(3), IntExpr(37), IntExpr(11)})};
  ContractAttrs attrs;
  attrs.a = {3, 0, 1}, attrs.b = {3, 1, 2}, attrs.out = {3, 0, 2};
  const ValueId product = batched.take(batched.builder.add(attrs, {factors[0], factors[1]}));
  check_parts(batched.done(batched.map(MapOp::tanh, {product})), 4, Expected::kShared, Expected::kRefused);

  for (int64_t rows : {1, 9}) {
    INFO("rows ", rows);
    SplitBuilder normalised;
    const ValueId x = normalised.input("x", {IntExpr(rows), IntExpr(300)});
    check_parts(normalised.done(normalised.product(normalised.normalised(x, 300, "norm"), 300, 10, "w")), 2, Expected::kShared,
                rows == 1 ? Expected::kShared : Expected::kRefused);
    SplitBuilder gated;
    const ValueId z = gated.input("x", {IntExpr(rows), IntExpr(400)});
    const ValueId gate = gated.product(z, 400, 12, "gate"), up = gated.product(z, 400, 12, "up");
    check_parts(gated.done(gated.map(MapOp::mul, {gated.map(MapOp::sigmoid, {gate}), up})), 2, Expected::kShared,
                rows == 1 ? Expected::kShared : Expected::kRefused);
    SplitBuilder half;
    const ValueId h = half.input("x", {IntExpr(rows), IntExpr(300)});
    check_parts(half.done(half.finished(half.product(h, 300, 10, "w"), 10), true), 3, Expected::kShared,
                rows == 1 ? Expected::kShared : Expected::kRefused);
  }
}

TEST_CASE("shared sums: integers, which are the same in any order") {
  SplitBuilder b;
  ContractAttrs attrs;
  attrs.a = {0, 1}, attrs.b = {1, 2}, attrs.out = {0, 2};
  const ValueId x = b.builder.input("x", Dtype::kI32, {IntExpr(5), IntExpr(50)});
  const ValueId w = b.builder.input("w", Dtype::kI32, {IntExpr(50), IntExpr(6)});
  check_parts(b.done(b.take(b.builder.add(attrs, {x, w}))), 3, Expected::kShared, Expected::kShared);
}

TEST_CASE("shared sums: a device with cores to spare shares them, where sums are long") {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  struct Sizes {
    int64_t rows, depth, columns;
    bool fast, exact;
  };
  for (const Sizes& s : {Sizes{8, 4096, 16, true, false}, {1, 4096, 16, true, true}, {8, 16, 16, false, false}}) {
    const GraphCase c = product_case(s.rows, s.depth, s.columns);
    for (bool exact : {false, true}) {
      INFO("rows ", s.rows, ", depth ", s.depth, ", columns ", s.columns, exact ? ", exact" : ", fast");
      const Verdict verdict = check_graph(c, *device, {on_cores(40, exact)}), own = check_graph(c, *device, {RunMode{exact}});
      CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, verdict.what, "\n", verdict.sources);
      CHECK((verdict.counter_bytes > 0) == (exact ? s.exact : s.fast));
      CHECK_MESSAGE(own.counter_bytes == 0, "the test's device has none to spare");
    }
  }
}

TEST_CASE("shared sums: dot products of bytes, whose sums are corrected part by part") {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  SplitBuilder b;
  auto wide = [&](const std::string& name, Dtype dtype, Dims shape) {
    return b.take(b.builder.cast(b.builder.input(name, dtype, std::move(shape)), Dtype::kI32));
  };
  const ValueId x = b.map(MapOp::sub, {wide("x", Dtype::kU8, {IntExpr(7), IntExpr(4096)}), wide("zero", Dtype::kU8, {})});
  ContractAttrs attrs;
  attrs.a = {0, 1}, attrs.b = {1, 2}, attrs.out = {0, 2};
  const GraphCase c = b.done(b.take(b.builder.add(attrs, {x, wide("w", Dtype::kI8, {IntExpr(4096), IntExpr(8)})})));
  for (bool exact : {false, true}) {
    RunMode mode = on_cores(40, exact);
    mode.byte_dots = ByteDots::kMixed;
    const auto inputs = random_inputs(c);
    const Verdict verdict = check_graph(c, inputs, *device, {mode});
    CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, verdict.what, "\n", verdict.sources);
    CHECK(verdict.counter_bytes > 0);
    const auto run = run_graph(c.graph, *device, mode, inputs, {});
    REQUIRE_MESSAGE(run.ok(), run.status().message());
    CHECK(run->sources.find("tuff_dot_") != std::string::npos);
  }
}

}  // namespace tuff
