#include "kernel/combine_tiles.h"

#include "graph/builder.h"

namespace tuff {

ReducedStores reduced_stores(const KernelRequest& request, NodeId reduction) {
  const Graph& graph = request.graph;
  std::vector<bool> after(graph.nodes.size());
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    for (ValueId in : graph.nodes[n].inputs) {
      const NodeId maker = graph.value(in).producer;
      after[n] = after[n] || (maker.valid() && (after[maker.value] || maker == reduction));
    }
  ReducedStores stores;
  for (ValueId v : request.group.stores) {
    const NodeId maker = graph.value(v).producer;
    (maker == reduction || after[maker.value] ? stores.after : stores.before).push_back(v);
  }
  return stores;
}

IntExpr TileReduction::partial_bytes() const {
  return counter_count() * IntExpr(tile.image_tiles * tile.vectors * tile.width * 4);
}

void TileReduction::combine(Block& block, const std::vector<std::string>& lanes) const {
  const std::string vector = type_name(block.writer().dialect(), Register::kFloat, tile.width);
  block.line("part = combine(part, " + call(vector, lanes) + ");");
}

Status TileReduction::fill(KernelWriter& writer, Block& setup, const std::string& channels, Slots& slots) const {
  const Node& reduction = request.graph.node(node);
  const Dtype dtype = request.graph.value(reduction.inputs[0]).dtype;
  const Reduction how = reduction_of(std::get<ReduceAttrs>(reduction.attrs).op, dtype);
  const std::string vectors = std::to_string(tile.vectors);
  const bool shared = tile.image_tiles > 1;
  setup.line("int at_part = int(gl_LocalInvocationID.x), slot = at_part % " + vectors + ", lane = at_part / " + vectors + ";");
  slots["combined"] = "1";
  slots["combine_lanes"] = "";
  slots["combine"] = map_text(writer, how.combine, sum_dtype(dtype), sum_dtype(dtype), {"a", "b"});
  std::vector<std::string> combined;
  for (int l = 0; l < tile.width; ++l)
    combined.push_back(call("combine", {component("a", tile.width, l), component("b", tile.width, l)}));
  if (tile.width > 1) slots["combine_lanes"] = listed(combined);
  slots["part_identity"] = literal(writer.dialect(), dtype, how.identity);
  slots["slots"] = vectors;
  slots["lanes"] = std::to_string(tile.lanes());
  slots["image_tiles"] = shared ? std::to_string(tile.image_tiles) : "";
  slots["workgroup_x"] = std::to_string(tile.invocations);
  slots["tree"] = "";
  if (tile.lanes() > 1) {
    TUFF_ASSIGN(slots["tree"], expand_skeleton("combine_tree.glsl", slots));
  }
  if (shared) {
    writer.share_results(partial_bytes(), counter_count(), slots["vector"]);
    setup.line("int image = b * " + slices.text() + " + int(gl_WorkGroupID.y);");
    slots["counter"] = "image";
    slots["workgroups"] = slots["image_tiles"];
    slots["left"] = "(image * " + slots["image_tiles"] + " + from) * " + vectors + " + slot";
    TUFF_ASSIGN(slots["arrive"], expand_skeleton("arrive.glsl", slots));
  }
  slots["has_result"] = channels.empty() ? "lane == 0" : "lane == 0 && " + channels;
  TUFF_ASSIGN(slots["results"], results(writer, setup));
  TUFF_ASSIGN(slots["reduction"], expand_skeleton("combine_tiles.glsl", slots));
  return ok_status();
}

Result<std::string> TileReduction::results(KernelWriter& writer, Block& setup) const {
  const ValueId result = request.graph.node(node).output;
  const Value& reduced = request.graph.value(result);
  Block end(writer, &setup);
  end.line("int n = first_n + slot;");
  GroupScope group(request);
  group.scope.inputs[result.value] = {request.group.coordinates.at(result.value), 0};
  const Substitution to_own = {{"d0", IntExpr::loop_variable("b", batch)},
                               {"d1", IntExpr::loop_variable("n", reduced.shape[1])}};
  Emitter emitter({&setup, &end});
  emitter.bind("b", "b", 0);
  emitter.bind("n", "n", 1);
  std::vector<std::string> parts = components("part", tile.width);
  for (std::string& part : parts) part = narrow(reduced.dtype, part);
  emitter.bind_input(0, parts, 1);
  PointBuilder builder(group.scope);
  StoredElements stores;
  for (ValueId v : reduced_stores(request, node).after) {
    TUFF_ASSIGN(StoredElement element, stored_element(request, group.scope, builder, v));
    element.address = replace_variables(element.address, to_own);
    stores.emplace_back(v, std::move(element));
  }
  Point point = builder.point();
  replace_variables(point, to_own);
  for (const auto& [value, stored] : stores) {
    const std::vector<std::string> lanes = emitter.emit(point, stored.op, "n", tile.width);
    TUFF_TRY(emitter.store(value, stored.address, lanes, "n", tile.width));
  }
  return end.text(0);
}

}  // namespace tuff
