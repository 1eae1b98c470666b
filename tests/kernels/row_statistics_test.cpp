// Normalised rows in the products that read them, against the reference: as an operand, as a residual, as both; rows and
// columns that fill no tile, few rows, long rows.
#include <doctest/doctest.h>

#include <algorithm>

#include "fusion/fusion.h"
#include "graph/builder.h"
#include "kernels/check_graph.h"
#include "layout/isolate_stored_values.h"
#include "simplify/simplify.h"

namespace tuff {
namespace {

struct NormBuilder {
  GraphBuilder builder;

  ValueId take(Result<ValueId> value) {
    REQUIRE_MESSAGE(value.ok(), value.status().message());
    return *value;
  }
  ValueId number(double v) { return take(builder.scalar(Dtype::kF32, v)); }
  ValueId map(MapOp op, std::vector<ValueId> operands) { return take(builder.map(op, std::move(operands))); }
  ValueId input(const std::string& name, Dims shape) { return builder.input(name, Dtype::kF32, std::move(shape)); }

  // (x - mean) * rsqrt(variance + epsilon) * gamma + beta over the last axis
  ValueId normalised(ValueId x, int64_t length, const std::string& name) {
    const int axis = static_cast<int>(builder.shape(x).size()) - 1;
    const float share = 1.0f / static_cast<float>(length);
    auto mean = [&](ValueId v) { return map(MapOp::mul, {take(builder.reduce(ReduceOp::kSum, v, {axis})), number(share)}); };
    const ValueId centred = map(MapOp::sub, {x, mean(x)});
    const ValueId variance = mean(map(MapOp::mul, {centred, centred}));
    const ValueId scale = map(MapOp::rsqrt, {map(MapOp::add, {variance, number(0.5)})});
    const ValueId scaled = map(MapOp::mul, {map(MapOp::mul, {centred, scale}), input(name + ".gamma", {IntExpr(length)})});
    return map(MapOp::add, {scaled, input(name + ".beta", {IntExpr(length)})});
  }
  ValueId product(ValueId x, int64_t depth, int64_t columns, const std::string& name) {
    const bool batched = builder.shape(x).size() == 3;
    ContractAttrs attrs;
    attrs.a = batched ? std::vector<int>{3, 0, 1} : std::vector<int>{0, 1};
    attrs.b = {1, 2};
    attrs.out = batched ? std::vector<int>{3, 0, 2} : std::vector<int>{0, 2};
    return take(builder.add(attrs, {x, input(name, {IntExpr(depth), IntExpr(columns)})}));
  }
};

// Agrees in all modes, and in fast mode no kernel of rows is left.
void check_rows(Graph built) {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  auto graph = simplify(built, {});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  const Graph isolated = isolate_stored_values(*graph);
  auto fusion = fuse(isolated, choose_layouts(isolated, (*device)->info()), {}, (*device)->info(), {});
  REQUIRE_MESSAGE(fusion.ok(), fusion.status().message());
  for (const Group& group : fusion->groups) CHECK_MESSAGE(group.kind == AnchorKind::kContract, explain(*fusion, isolated));
  GraphCase c;
  c.graph = std::move(*graph);
  const Verdict verdict = check_graph(c, *device);
  CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, mode_text(verdict.mode), ": ", verdict.what, "\n", verdict.sources);
}

}  // namespace

TEST_CASE("a norm before a product is part of it") {
  for (int64_t rows : {1, 4, 9, 65})
    for (int64_t length : {3, 64, 200})
      for (int64_t columns : {1, 8, 70}) {
        INFO("rows ", rows, ", length ", length, ", columns ", columns);
        NormBuilder b;
        const ValueId x = b.input("x", {IntExpr(rows), IntExpr(length)});
        b.builder.output(b.product(b.normalised(x, length, "norm"), length, columns, "w"), "y");
        check_rows(b.builder.graph());
      }
}

TEST_CASE("a norm that is read as a residual, too, is part of both products") {
  for (int64_t rows : {1, 7, 40}) {
    INFO("rows ", rows);
    constexpr int64_t kLength = 36;
    NormBuilder b;
    const ValueId x = b.input("x", {IntExpr(3), IntExpr(rows), IntExpr(kLength)});
    const ValueId n = b.normalised(x, kLength, "norm");
    const ValueId hidden = b.map(MapOp::tanh, {b.product(n, kLength, 50, "w1")});
    b.builder.output(b.map(MapOp::add, {b.product(hidden, 50, kLength, "w2"), n}), "y");
    check_rows(b.builder.graph());
  }
}

TEST_CASE("a product whose operand and residual are one norm") {
  constexpr int64_t kLength = 24;
  NormBuilder b;
  const ValueId x = b.input("x", {IntExpr(13), IntExpr(kLength)});
  const ValueId n = b.normalised(x, kLength, "norm");
  b.builder.output(b.map(MapOp::add, {b.product(n, kLength, kLength, "w"), n}), "y");
  check_rows(b.builder.graph());
}

TEST_CASE("products of queries as rows: statistics of one axis where rows have two") {
  NormBuilder b;
  const ValueId x = b.input("x", {IntExpr(5), IntExpr(6), IntExpr(20)});
  b.builder.output(b.product(b.normalised(x, 20, "norm"), 20, 33, "w"), "y");
  check_rows(b.builder.graph());
}

}  // namespace tuff
