// Plans of small graphs, as the compiler's stages make them.
#pragma once

#include <doctest/doctest.h>

#include "fusion/fusion.h"
#include "kernel/make_kernels.h"
#include "layout/isolate_stored_values.h"
#include "plan/make_plan.h"

namespace tuff {

// body: the lines between a graph's braces.
inline Plan plan_of(const std::string& body, const DeviceInfo& device, bool fuse_groups) {
  auto parsed = parse_graph("graph \"g\" {\n" + body + "}\n", "test");
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  Graph graph = isolate_stored_values(std::move(*parsed));
  Layouts layouts = choose_layouts(graph, device);
  auto fusion = fuse(graph, layouts, {fuse_groups}, device, {});
  REQUIRE_MESSAGE(fusion.ok(), fusion.status().message());
  std::vector<std::vector<GuardedKernel>> groups;
  for (const Group& group : fusion->groups) {
    auto kernels = make_kernels({graph, layouts, *fusion, group, device, false});
    REQUIRE_MESSAGE(kernels.ok(), kernels.status().message());
    groups.push_back(std::move(*kernels));
  }
  std::vector<std::vector<int>> orders;
  for (const StorageFormat& f : layouts.formats) orders.push_back(f.order);
  auto plan = make_plan(graph, std::move(orders), std::move(groups));
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  Status valid = verify(*plan);
  REQUIRE_MESSAGE(valid.ok(), valid.message());
  return std::move(*plan);
}

}  // namespace tuff
