// Chains of tens of thousands of nodes: what is quadratic in them shows as a test that does not end.
#include "graph/builder.h"
#include "rule_case.h"

using namespace tuff;

namespace {

constexpr int kLength = 30000;

// x, then `step` again and again, each from a node of the model of its own.
template <class Step>
Graph chain(Step step) {
  GraphBuilder b;
  ValueId x = b.input("x", Dtype::kF32, {4, 6});
  for (int i = 0; i < kLength; ++i) {
    b.set_origins({"node" + std::to_string(i)});
    Result<ValueId> next = step(b, x, i);
    REQUIRE_MESSAGE(next.ok(), next.status().message());
    x = *next;
  }
  b.output(x, "y");
  return std::move(b).finish();
}

}  // namespace

TEST_CASE("additions of constants become one") {
  Graph graph = chain([](GraphBuilder& b, ValueId x, int i) -> Result<ValueId> {
    TUFF_ASSIGN(ValueId c, b.scalar(Dtype::kF32, i % 2 ? -1 : 1));
    return b.map(MapOp::add, {x, c});
  });
  SimplifyOptions options = folding_options();
  options.exact = true;  // the sum of the constants is 0
  Graph after = checked(simplify(graph, options));
  CHECK(after.nodes.size() == 3);
  CHECK(after.nodes.back().origins.size() == kLength);
}

TEST_CASE("views become one, and pairs of negations none") {
  Graph views = chain([](GraphBuilder& b, ValueId x, int i) {
    return b.add(ReshapeAttrs{i % 2 ? Dims{4, 6} : Dims{24}}, {x});
  });
  CHECK(checked(simplify(views, folding_options())).nodes.empty());
  Graph negations = chain([](GraphBuilder& b, ValueId x, int) { return b.map(MapOp::neg, {x}); });
  CHECK(checked(simplify(negations, folding_options())).nodes.empty());
}

TEST_CASE("maps of a repeated value are computed before it is repeated") {
  Graph graph = chain([](GraphBuilder& b, ValueId x, int i) -> Result<ValueId> {
    if (i == 0) {
      TUFF_ASSIGN(x, b.reshape(x, {4, 6, 1}));
      return b.add(BroadcastAttrs{{4, 6, 5}}, {x});
    }
    return b.map(MapOp::tanh, {x});
  });
  Graph after = checked(simplify(graph, folding_options()));
  CHECK(std::holds_alternative<BroadcastAttrs>(after.nodes.back().attrs));
  CHECK(after.nodes.size() == kLength + 1);
}

TEST_CASE("constants that follow from each other are folded at once") {
  GraphBuilder b;
  auto x = b.scalar(Dtype::kI64, 1);
  for (int i = 0; i < kLength && x.ok(); ++i) {
    b.set_origins({"node" + std::to_string(i)});
    x = b.map(MapOp::bit_not, {*x});
  }
  REQUIRE(x.ok());
  b.output(*x, "y");
  Graph after = checked(simplify(std::move(b).finish(), folding_options()));
  CHECK(after.nodes.size() == 1);
  CHECK(scalar_from_bits(Dtype::kI64, std::get<ConstantAttrs>(after.nodes[0].attrs).data.bits) == 1);
}
