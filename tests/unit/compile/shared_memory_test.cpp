// Kernels take no more shared memory than the device has, with all that meets in one of them.
#include <doctest/doctest.h>

#include <algorithm>

#include "compile/stages.h"
#include "graph/builder.h"
#include "unit/device_text.h"

namespace tuff {
namespace {

ValueId taken(Result<ValueId> value) {
  REQUIRE_MESSAGE(value.ok(), value.status().message());
  return *value;
}

// tanh(n * w) * (n * v) of one long normalised row: two products over as many chunks as are split, and a statistic.
Graph gated_row(int64_t depth, int64_t columns) {
  GraphBuilder b;
  b.set_origins({"gated"});
  const ValueId x = b.input("x", Dtype::kF32, {IntExpr(1), IntExpr(depth)});
  const ValueId squares = taken(b.reduce(ReduceOp::kSum, taken(b.map(MapOp::mul, {x, x})), {1}));
  const ValueId n = taken(b.map(MapOp::mul, {x, taken(b.map(MapOp::rsqrt, {squares}))}));
  auto product = [&](const char* name) {
    ContractAttrs attrs{{0, 1}, {1, 2}, {0, 2}, {}};
    return taken(b.add(attrs, {n, b.input(name, Dtype::kF32, {IntExpr(depth), IntExpr(columns)})}));
  };
  b.output(taken(b.map(MapOp::mul, {taken(b.map(MapOp::tanh, {product("w")})), product("v")})), "y");
  return b.graph();
}

}  // namespace

TEST_CASE("what is shared in a kernel fits the device") {
  DeviceInfo device = device_text("rx_6900");
  device.rates.compute_units = 1;  // so that 64 columns are a workgroup
  bool splits = false, is_tiled = false;
  for (int64_t bytes : {64 << 10, 16 << 10})
    for (int64_t depth : {512, 2048, 4096}) {
      device.max_shared_bytes = bytes;
      auto stages = run_stages(gated_row(depth, 128), device, {}, Stage::kPlan);
      REQUIRE_MESSAGE(stages.ok(), stages.status().message());
      REQUIRE(stages->fusion.groups.size() == 1);
      for (const Kernel& kernel : stages->plan.kernels) {
        CAPTURE(depth);
        CAPTURE(kernel.skeleton);
        CHECK(kernel.shared_bytes <= bytes);
        (kernel.skeleton == "gemv" ? splits : is_tiled) = true;
      }
    }
  CHECK(splits);    // where it fits
  CHECK(is_tiled);  // where it does not
}

}  // namespace tuff
