// Products, norms and what reads them, for tests of what fusion makes of them.
#pragma once

#include "kernels/checked_builder.h"

namespace tuff {

struct ProductBuilder : CheckedBuilder {
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

// Agrees in all modes, also in the schedules of a graphics card; in fast mode it is so many kernels, products all of them.
inline void check_products(const Graph& built, size_t kernels) {
  GraphCase c;
  c.graph = simplified(built);
  std::vector<RunMode> modes = kAllModes;
  modes.push_back({false, true, graphics_rates()});
  modes.push_back({true, true, graphics_rates()});
  for (const RunMode& mode : modes) {
    if (mode.exact || !mode.fuse) continue;
    std::string text;
    CHECK_MESSAGE(kernel_kinds(c.graph, mode, text) == std::vector<AnchorKind>(kernels, AnchorKind::kContract), mode_text(mode),
                  "\n", text);
  }
  check_agrees(c, modes);
}

}  // namespace tuff
