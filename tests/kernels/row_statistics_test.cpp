// Normalised rows in the products that read them, against the reference: as an operand, as a residual, as both; rows and
// columns that fill no tile, few rows, long rows.
#include "kernels/product_graph.h"
#include "simplify/precision.h"

namespace tuff {

TEST_CASE("a norm before a product is part of it") {
  struct Sizes {
    int64_t rows, length, columns;
  };
  for (const Sizes& s : {Sizes{1, 64, 8}, {1, 200, 70}, {4, 3, 1}, {9, 64, 70}, {65, 200, 8}, {65, 3, 70}}) {
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
  auto lowered = store_in_f16(simplified(b.builder.graph()));
  REQUIRE_MESSAGE(lowered.ok(), lowered.status().message());
  GraphCase c;
  c.graph = std::move(lowered->graph);
  std::string text;
  for (const AnchorKind kind : kernel_kinds(c.graph, {false, true, graphics_rates()}, text))
    CHECK_MESSAGE(kind != AnchorKind::kReduce, text);
  check_agrees(c, {{false, true, graphics_rates()}, {true, true}, {false, false}});
}

TEST_CASE("products of queries as rows: statistics of one axis where rows have two") {
  ProductBuilder b;
  const ValueId x = b.input("x", {IntExpr(5), IntExpr(6), IntExpr(20)});
  b.builder.output(b.product(b.normalised(x, 20, "norm"), 20, 33, "w"), "y");
  check_products(b.builder.graph(), 1);
}

}  // namespace tuff
