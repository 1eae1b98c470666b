// Products of the same rows that meet at one point, in one kernel, against the reference: gated units, with a norm before and a
// product after; rows and columns that fill no tile, few rows.
#include "kernels/product_graph.h"

namespace tuff {
namespace {

// silu(x * gate) * (x * up)
ValueId gated(ProductBuilder& b, ValueId x, int64_t depth, int64_t columns) {
  const ValueId gate = b.product(x, depth, columns, "gate");
  const ValueId opened = b.map(MapOp::mul, {gate, b.map(MapOp::sigmoid, {gate})});
  return b.map(MapOp::mul, {opened, b.product(x, depth, columns, "up")});
}

}  // namespace

TEST_CASE("a gated unit is one kernel") {
  struct Sizes {
    int64_t rows, depth, columns;
  };
  for (const Sizes& s : {Sizes{1, 131, 70}, {4, 4, 12}, {5, 131, 1}, {33, 4, 70}, {33, 131, 12}}) {
    INFO("rows ", s.rows, ", depth ", s.depth, ", columns ", s.columns);
    ProductBuilder b;
    b.builder.output(gated(b, b.input("x", {IntExpr(s.rows), IntExpr(s.depth)}), s.depth, s.columns), "y");
    check_products(b.builder.graph(), 1);
  }
}

TEST_CASE("a gated unit of normalised rows, and the product after it, are two kernels") {
  for (int64_t rows : {1, 6}) {
    INFO("rows ", rows);
    ProductBuilder b;
    const ValueId x = b.input("x", {IntExpr(2), IntExpr(rows), IntExpr(40)});
    const ValueId hidden = gated(b, b.normalised(x, 40, "norm"), 40, 56);
    b.builder.output(b.map(MapOp::add, {b.product(hidden, 56, 40, "down"), x}), "y");
    check_products(b.builder.graph(), 2);
  }
}

TEST_CASE("the later product may be the one that is given away") {
  ProductBuilder b;
  const ValueId x = b.input("x", {IntExpr(9), IntExpr(16)});
  const ValueId up = b.product(x, 16, 20, "up");
  b.builder.output(b.map(MapOp::mul, {up, b.map(MapOp::tanh, {b.product(x, 16, 20, "gate")})}), "y");
  check_products(b.builder.graph(), 1);
}

TEST_CASE("products that do not share rows, or whose results others need, stay apart") {
  ProductBuilder other_rows;
  const ValueId x = other_rows.input("x", {IntExpr(9), IntExpr(16)}), z = other_rows.input("z", {IntExpr(9), IntExpr(16)});
  other_rows.builder.output(
      other_rows.map(MapOp::mul, {other_rows.product(x, 16, 20, "w"), other_rows.product(z, 16, 20, "v")}), "y");
  check_products(other_rows.builder.graph(), 2);

  ProductBuilder needed;
  const ValueId rows = needed.input("x", {IntExpr(9), IntExpr(16)});
  const ValueId gate = needed.product(rows, 16, 20, "gate");
  needed.builder.output(gate, "g");
  needed.builder.output(needed.map(MapOp::mul, {gate, needed.product(rows, 16, 20, "up")}), "y");
  check_products(needed.builder.graph(), 2);

  ProductBuilder weights;  // the second product's own weights are the first one's result
  const ValueId square = weights.input("x", {IntExpr(16), IntExpr(16)});
  weights.builder.output(weights.take(weights.builder.add(ContractAttrs{{0, 1}, {1, 2}, {0, 2}, {}},
                                                          {square, weights.product(square, 16, 16, "w")})),
                         "y");
  check_products(weights.builder.graph(), 2);
}

TEST_CASE("three products that meet are two kernels") {
  ProductBuilder b;
  const ValueId x = b.input("x", {IntExpr(7), IntExpr(12)});
  const ValueId two = b.map(MapOp::mul, {b.product(x, 12, 20, "a"), b.product(x, 12, 20, "b")});
  b.builder.output(b.map(MapOp::add, {two, b.product(x, 12, 20, "c")}), "y");
  check_products(b.builder.graph(), 2);
}

}  // namespace tuff
