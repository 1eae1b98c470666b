// Graphs for tests of what fusion makes of them: a builder whose errors fail the test, the plan for the test's device, and the
// comparison with the reference.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "codegen/codegen.h"
#include "fusion/fusion.h"
#include "graph/builder.h"
#include "kernels/check_graph.h"
#include "layout/isolate_stored_values.h"
#include "simplify/simplify.h"

namespace tuff {

struct CheckedBuilder {
  GraphBuilder builder;
  uint64_t seed = 1;  // of the next weights

  ValueId take(Result<ValueId> value) {
    REQUIRE_MESSAGE(value.ok(), value.status().message());
    return *value;
  }
  ValueId number(double v) { return take(builder.scalar(Dtype::kF32, v)); }
  ValueId map(MapOp op, std::vector<ValueId> operands) { return take(builder.map(op, std::move(operands))); }
  ValueId weights(Dims shape) {
    ConstantAttrs attrs;
    attrs.dtype = Dtype::kF32;
    attrs.shape = std::move(shape);
    attrs.data.kind = ConstantData::Kind::kRandom;
    attrs.data.bits = seed++;
    return take(builder.add(attrs, {}));
  }
  // Square windows of weights [channels, depth, kernel, kernel].
  ValueId convolved(ValueId x, ValueId windows, int64_t stride, int64_t groups) {
    const int64_t kernel = builder.shape(windows)[2].constant();
    WindowAttrs attrs;
    attrs.op = WindowOp::kConv;
    attrs.kernel = {kernel, kernel};
    attrs.strides = {stride, stride};
    attrs.dilations = {1, 1};
    attrs.groups = groups;
    return take(builder.add(attrs, {x, windows}));
  }
  ValueId biased(ValueId x) { return map(MapOp::add, {x, weights({IntExpr(1), builder.shape(x)[1], IntExpr(1), IntExpr(1)})}); }
};

// What fusion makes of a graph in this mode on the test's device; `text` explains it.
inline Fusion fusion_of(const Graph& graph, const RunMode& mode, std::string& text) {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  DeviceInfo info = (*device)->info();
  if (mode.rates) info.rates = *mode.rates;
  const Graph isolated = isolate_stored_values(graph);
  auto fusion =
      fuse(isolated, choose_layouts(isolated, info), {mode.fuse, mode.exact, {}, compiles_cooperative_matrices()}, info, {});
  REQUIRE_MESSAGE(fusion.ok(), fusion.status().message());
  text = explain(*fusion, isolated);
  return std::move(*fusion);
}

// The kinds of the kernels that fusion makes of a simplified graph.
inline std::vector<AnchorKind> kernel_kinds(const Graph& graph, const RunMode& mode, std::string& text) {
  std::vector<AnchorKind> kinds;
  for (const Group& group : fusion_of(graph, mode, text).groups) kinds.push_back(group.kind);
  return kinds;
}

// A device with shared memory, for which whatever saves a launch pays; the test devices' own lanes pass rows around.
inline DeviceRates graphics_rates() {
  DeviceRates rates;
  rates.compute_units = 1;
  rates.launch_ns = 1'000'000'000;
  return rates;
}

inline Graph simplified(const Graph& built) {
  auto graph = simplify(built, {});
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  return std::move(*graph);
}

inline void check_agrees(const GraphCase& c, const std::vector<RunMode>& modes = kAllModes) {
  auto device = test_device();
  REQUIRE_MESSAGE(device.ok(), device.status().message());
  const Verdict verdict = check_graph(c, *device, modes);
  CHECK_MESSAGE(verdict.kind == Verdict::Kind::kAgrees, mode_text(verdict.mode), ": ", verdict.what, "\n", verdict.sources);
}

}  // namespace tuff
