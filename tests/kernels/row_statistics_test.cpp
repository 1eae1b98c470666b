// Normalised rows in the products that read them, against the reference: as an operand, as a residual, as both; rows and
// columns that fill no tile, few rows, long rows.
#include "kernels/product_graph.h"
#include "simplify/precision.h"

namespace tuff {
namespace {

// Do workgroups walk over panels of columns, where lanes pass rows around?
bool walks(const Graph& graph) {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  auto schedules = kernel_schedules(graph, *device, {false, true});
  REQUIRE_MESSAGE(schedules.ok(), schedules.status().message());
  return std::any_of(schedules->begin(), schedules->end(),
                     [](const std::string& schedule) { return schedule.find("panels over") != std::string::npos; });
}

// The columns here are several panels of up to 8 lanes, not of 16.
void check_walks(const Graph& graph) {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  if ((*device)->info().subgroup_size <= 8) CHECK(walks(graph));
}

// No norm has a kernel of its own where whatever saves a launch pays; it agrees fused and unfused.
void check_has_no_norm(Result<Lowered> lowered) {
  REQUIRE_MESSAGE(lowered.ok(), lowered.status().message());
  GraphCase c;
  c.graph = std::move(lowered->graph);
  std::string text;
  for (const AnchorKind kind : kernel_kinds(c.graph, {false, true, graphics_rates()}, text))
    CHECK_MESSAGE(kind != AnchorKind::kReduce, text);
  check_agrees(c, {{false, true, graphics_rates()}, {true, true}, {false, false}});
}

}  // namespace

TEST_CASE("a norm before a product is part of it") {
  struct Sizes {
    int64_t rows, length, columns;
  };
  for (const Sizes& s : {Sizes{1, 64, 8}, {1, 200, 70}, {1, 1100, 8}, {4, 3, 1}, {9, 64, 70}, {65, 200, 8}, {65, 3, 70}}) {
    INFO("rows ", s.rows, ", length ", s.length, ", columns ", s.columns);
    ProductBuilder b;
    const ValueId x = b.input("x", {IntExpr(s.rows), IntExpr(s.length)});
    b.builder.output(b.product(b.normalised(x, s.length, "norm"), s.length, s.columns, "w"), "y");
    check_products(b.builder.graph(), 1);
  }
}

TEST_CASE("a norm that is read as a residual, too, is part of both products") {
  for (int64_t rows : {1, 7, 40}) {
    INFO("rows ", rows);
    constexpr int64_t kLength = 36;
    ProductBuilder b;
    const ValueId x = b.input("x", {IntExpr(3), IntExpr(rows), IntExpr(kLength)});
    const ValueId n = b.normalised(x, kLength, "norm");
    const ValueId hidden = b.map(MapOp::tanh, {b.product(n, kLength, 50, "w1")});
    b.builder.output(b.map(MapOp::add, {b.product(hidden, 50, kLength, "w2"), n}), "y");
    check_products(b.builder.graph(), 2);
  }
}

TEST_CASE("a norm before a product of many columns: its rows' statistics are those of all panels") {
  struct Sizes {
    int64_t rows, length, columns;
  };
  // A workgroup has several panels, all of them, all but a part of one; rows fill a tile or not.
  for (const Sizes& s : {Sizes{7, 8, 3072}, {8, 8, 2060}, {9, 12, 2052}, {130, 20, 70}, {136, 8, 520}, {129, 5, 131}}) {
    INFO("rows ", s.rows, ", length ", s.length, ", columns ", s.columns);
    ProductBuilder b;
    const ValueId x = b.input("x", {IntExpr(s.rows), IntExpr(s.length)});
    b.builder.output(b.product(b.normalised(x, s.length, "norm"), s.length, s.columns, "w"), "y");
    check_walks(simplified(b.builder.graph()));
    check_products(b.builder.graph(), 1);
  }
}

TEST_CASE("panels of rows whose number is known late") {
  for (int64_t rows : {1, 9, 150}) {
    INFO("rows ", rows);
    ProductBuilder b;
    const ValueId x = b.input("x", {b.builder.symbol({"rows", 0, 300, 1, nullptr}), IntExpr(12)});
    b.builder.output(b.product(b.normalised(x, 12, "norm"), 12, 600, "w"), "y");
    GraphCase c;
    c.graph = simplified(b.builder.graph());
    c.symbols["rows"] = rows;
    check_walks(c.graph);
    check_agrees(c, {{false, true}, {true, true}});
  }
}

TEST_CASE("panels whose epilogue reads the normalised rows") {
  constexpr int64_t kLength = 200;
  ProductBuilder b;
  const ValueId x = b.input("x", {IntExpr(130), IntExpr(kLength)});
  const ValueId n = b.normalised(x, kLength, "norm");
  b.builder.output(b.map(MapOp::add, {b.product(n, kLength, kLength, "w"), n}), "y");
  check_walks(simplified(b.builder.graph()));
  check_products(b.builder.graph(), 1);
}

TEST_CASE("a product whose operand and residual are one norm") {
  constexpr int64_t kLength = 24;
  ProductBuilder b;
  const ValueId x = b.input("x", {IntExpr(13), IntExpr(kLength)});
  const ValueId n = b.normalised(x, kLength, "norm");
  b.builder.output(b.map(MapOp::add, {b.product(n, kLength, kLength, "w"), n}), "y");
  check_products(b.builder.graph(), 1);
}

TEST_CASE("a norm between products whose operands are kept in f16 is part of the second") {
  constexpr int64_t kLength = 40;
  ProductBuilder b;
  const ValueId x = b.input("x", {IntExpr(9), IntExpr(kLength)});
  const ValueId first = b.product(b.map(MapOp::tanh, {x}), kLength, kLength, "w1");
  b.builder.output(b.product(b.normalised(first, kLength, "norm"), kLength, 12, "w2"), "y");
  check_has_no_norm(store_in_f16(simplified(b.builder.graph())));
}

TEST_CASE("a norm that is computed in f16 is part of the product that reads it: its statistics stay f32") {
  struct Sizes {
    int64_t rows, length, columns;
  };
  for (const Sizes& s : {Sizes{1, 64, 8}, {9, 40, 12}, {65, 36, 70}, {7, 3, 1}}) {
    INFO("rows ", s.rows, ", length ", s.length, ", columns ", s.columns);
    ProductBuilder b;
    const ValueId x = b.input("x", {IntExpr(s.rows), IntExpr(s.length)});
    const ValueId first = b.product(b.map(MapOp::tanh, {x}), s.length, s.length, "w1");
    b.builder.output(b.product(b.normalised(first, s.length, "norm"), s.length, s.columns, "w2"), "y");
    check_has_no_norm(compute_in_f16(simplified(b.builder.graph())));
  }
}

TEST_CASE("the squares of a residual sum are made where its rows are normalised, not stored beside it") {
  struct Sizes {
    int64_t rows, length, columns;
  };
  for (const Sizes& s : {Sizes{1, 64, 8}, {9, 40, 12}, {65, 200, 70}, {7, 3, 1}}) {
    INFO("rows ", s.rows, ", length ", s.length, ", columns ", s.columns);
    ProductBuilder b;
    const ValueId x = b.input("x", {IntExpr(s.rows), IntExpr(s.length)});
    const ValueId sum = b.map(MapOp::add, {b.product(x, s.length, s.length, "w1"), x});
    const ValueId squares = b.take(b.builder.reduce(ReduceOp::kSum, b.map(MapOp::mul, {sum, sum}), {1}));
    const ValueId scale = b.map(MapOp::rsqrt, {b.map(MapOp::add, {squares, b.number(0.5)})});
    const ValueId hidden = b.map(MapOp::tanh, {b.product(b.map(MapOp::mul, {sum, scale}), s.length, s.columns, "w2")});
    b.builder.output(b.map(MapOp::add, {b.product(hidden, s.columns, s.length, "w3"), sum}), "y");
    GraphCase c;
    c.graph = simplified(b.builder.graph());
    std::string text;
    const auto kinds = kernel_kinds(c.graph, {false, true, graphics_rates()}, text);
    CHECK_MESSAGE(kinds == std::vector<AnchorKind>(3, AnchorKind::kContract), text);
    CHECK_MESSAGE(text.find("[made again]") != std::string::npos, text);
    check_agrees(c, {{false, true, graphics_rates()}, {false, true}, {true, true}, {false, false}});
  }
}

TEST_CASE("products of queries as rows: statistics of one axis where rows have two") {
  ProductBuilder b;
  const ValueId x = b.input("x", {IntExpr(5), IntExpr(6), IntExpr(20)});
  b.builder.output(b.product(b.normalised(x, 20, "norm"), 20, 33, "w"), "y");
  check_products(b.builder.graph(), 1);
}

}  // namespace tuff
