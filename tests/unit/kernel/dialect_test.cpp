// One Point in each dialect, as a golden: what the printer writes differs in types, literals and accesses alone.
#include "kernel/dialect.h"
#include "fusion/fusion.h"
#include "golden.h"
#include "kernel/kernel_build.h"
#include "layout/isolate_stored_values.h"

namespace tuff {
namespace {

// Loads with and without a check, maps of floats, integers and flags, casts, a row that is the same for all rows.
constexpr std::string_view kMaps = R"(graph "maps" {
  symbol n in 1..64 step 1
  input %0 "x": f32[n, 12]
  input %1 "row": f32[1, 16]
  input %2 "counts": i32[n, 16]
  %3: f32[n, 16] = pad %0 {mode=constant low=[0, 2] high=[0, 2] interior=[0, 0] fill=-inf} from "pad"
  %4: f32[n, 16] = broadcast %1 from "mul"
  %5: f32[n, 16] = map.mul %3, %4 from "mul"
  %6: f32[n, 16] = map.exp %5 from "exp"
  %7: f32[n, 16] = map.cast %2 from "cast"
  %8: bool[n, 16] = map.less %7, %6 from "less"
  %9: f32[] = constant splat(0.1) from "where"
  %10: f32[1, 1] = reshape %9 from "where"
  %11: f32[n, 16] = broadcast %10 from "where"
  %12: f32[n, 16] = map.select %8, %6, %11 from "where"
  output %12 "y"
}
)";

std::string statements(const KernelRequest& request, const Dialect& dialect, int width) {
  KernelWriter writer(request.graph, request.fusion.placements, dialect, request.exact);
  Block body(writer, nullptr);
  Emitter emitter({&body});
  emitter.bind("d0", "row", 0);
  emitter.bind("d1", "column", 0);
  GroupScope group(request);
  PointBuilder builder(group.scope);
  for (ValueId value : request.group.stores) {
    auto element = stored_element(request, group.scope, builder, value);
    REQUIRE_MESSAGE(element.ok(), element.status().message());
    const std::vector<std::string> lanes = emitter.emit(builder.point(), element->op, "d1", width);
    const Status stored = emitter.store(value, element->address, lanes, "d1", width);
    REQUIRE_MESSAGE(stored.ok(), stored.message());
  }
  return body.text(0);
}

}  // namespace

TEST_CASE("a point is written in GLSL and in CUDA") {
  auto parsed = parse_graph(kMaps, "test");
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  const Graph graph = isolate_stored_values(std::move(*parsed));
  DeviceInfo device;
  device.max_storage_buffers = 8;
  device.rates = default_rates(device);
  const Layouts layouts = choose_layouts(graph, device);
  const auto fusion = fuse(graph, layouts, {}, device, {});
  REQUIRE_MESSAGE(fusion.ok(), fusion.status().message());
  REQUIRE(fusion->groups.size() == 1);
  std::string text;
  for (bool exact : {false, true})
    for (const Dialect* dialect : {&glsl(), &cuda()}) {
      const KernelRequest request = {graph, layouts, *fusion, fusion->groups[0], device, exact};
      text += "== " + std::string(dialect->name) + (exact ? ", exact" : "") + "\n";
      text += "-- one element\n" + statements(request, *dialect, 1) + "-- four\n" + statements(request, *dialect, 4);
    }
  golden::check("kernels/dialects", text);
}

}  // namespace tuff
