// Products, norms and what reads them, for tests of what fusion makes of them.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "fusion/fusion.h"
#include "graph/builder.h"
#include "kernels/check_graph.h"
#include "layout/isolate_stored_values.h"
#include "simplify/simplify.h"

namespace tuff {

struct ProductBuilder {
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

// Agrees in all modes, and in fast mode it is so many kernels, products all of them.
inline void check_products(Graph built, size_t kernels) {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  auto graph = simplify(built, {});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  const Graph isolated = isolate_stored_values(*graph);
  auto fusion = fuse(isolated, choose_layouts(isolated, (*device)->info()), {}, (*device)->info(), {});
  REQUIRE_MESSAGE(fusion.ok(), fusion.status().message());
  CHECK_MESSAGE(fusion->groups.size() == kernels, explain(*fusion, isolated));
  for (const Group& group : fusion->groups) CHECK_MESSAGE(group.kind == AnchorKind::kContract, explain(*fusion, isolated));
  GraphCase c;
  c.graph = std::move(*graph);
  const Verdict verdict = check_graph(c, *device);
  CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, mode_text(verdict.mode), ": ", verdict.what, "\n", verdict.sources);
}

}  // namespace tuff
