#include "kernel/expand_results.h"

namespace tuff {

std::string axis_name(const char* name, size_t axis) { return name + std::to_string(axis); }

Dims image_coordinates(const char* name, const Dims& shape, const IntExpr& channels) {
  Dims at = {IntExpr::loop_variable("b", shape[0]), IntExpr::loop_variable("n", channels)};
  for (size_t i = 2; i < shape.size(); ++i) at.push_back(IntExpr::loop_variable(axis_name(name, i - 2), shape[i]));
  return at;
}

Result<TileResults> tile_results(const KernelRequest& request, GroupScope& group, NodeId reduction, const Dims& at) {
  const Graph& graph = request.graph;
  const ValueId anchor = graph.node(request.group.anchor).output;
  Substitution to_own;
  for (size_t i = 0; i < at.size(); ++i) to_own[axis_name("d", i)] = at[i];
  group.scope.inputs[anchor.value] = {request.group.coordinates.at(anchor.value), 0};
  PointBuilder builder(group.scope);
  TileResults results;
  const bool reduces = reduction.valid();
  for (ValueId v : reduces ? reduced_stores(request, reduction).before : request.group.stores) {
    TUFF_ASSIGN(StoredElement element, stored_element(request, group.scope, builder, v));
    element.address = replace_variables(element.address, to_own);
    results.stores.emplace_back(v, std::move(element));
  }
  if (reduces) {
    const ValueId element = graph.node(reduction).inputs[0];
    TUFF_ASSIGN(results.combined, builder.element(element, request.group.coordinates.at(element.value)));
  }
  results.point = builder.point();
  replace_variables(results.point, to_own);
  return results;
}

Status TileResults::write(Emitter& emitter, Block& block, const TileReduction& reduction) const {
  const int width = reduction.tile.width;
  for (const auto& [value, stored] : stores) {
    const std::vector<std::string> lanes = emitter.emit(point, stored.op, "n", width);
    TUFF_TRY(emitter.store(value, stored.address, lanes, "n", width));
  }
  if (combined >= 0) reduction.combine(block, emitter.emit(point, combined, "n", width));
  return ok_status();
}

}  // namespace tuff
