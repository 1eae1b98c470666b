#include "kernel/row_statistics.h"

#include <algorithm>

namespace tuff {
namespace {

std::string name_of(size_t phase) { return "row_stat_" + std::to_string(phase); }

}  // namespace

std::vector<std::string> RowStatistics::of_row(const std::string& i) const {
  std::vector<std::string> texts;
  for (size_t p = 0; p < reductions.size(); ++p) texts.push_back(name_of(p) + "[" + i + "]");
  return texts;
}

void bind_statistics(const KernelRequest& request, const RowStatistics& statistics, const Substitution& variables, int first,
                     GroupScope& group) {
  for (size_t p = 0; p < statistics.reductions.size(); ++p) {
    const ValueId value = request.graph.node(statistics.reductions[p]).output;
    group.scope.inputs[value.value] = {replace_variables(request.group.coordinates.at(value.value), variables),
                                       first + static_cast<int>(p)};
  }
}

int64_t statistics_shared_bytes(int64_t workgroup_rows, int64_t lanes, int64_t reduction_count) {
  return reduction_count == 0 ? 0 : int64_t{sizeof(float)} * workgroup_rows * (lanes + reduction_count);
}

Result<RowStatistics> row_statistics(const KernelRequest& request, const Contraction& c, const RowLanes& tile, Block& setup,
                                     KernelWriter& writer, GroupScope& group) {
  const Graph& graph = request.graph;
  RowStatistics made;
  const std::string lanes = std::to_string(tile.lanes);
  for (NodeId m : request.group.members) {
    const Node& node = graph.node(m);
    const auto* reduce = std::get_if<ReduceAttrs>(&node.attrs);
    if (!reduce) continue;
    const ValueId input = node.inputs[0];
    const Dims& shape = graph.value(input).shape;
    Dims at = replace_variables(request.group.coordinates.at(node.output.value), c.output), reduced_shape;
    for (int axis : reduce->axes) reduced_shape.push_back(shape[static_cast<size_t>(axis)]);
    const IntExpr length = product(reduced_shape);
    const Dims r = delinearise(IntExpr::loop_variable("r", length), reduced_shape);
    for (size_t i = 0; i < r.size(); ++i) at[static_cast<size_t>(reduce->axes[i])] = r[i];
    const int width = vector_width(reduced_shape.back());

    bind_statistics(request, made, c.output, 0, group);
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(int op, builder.element(input, at));
    Block row(writer, &setup), element(writer, &row);
    Emitter emitter({&setup, &row, &element});
    if (!c.batch.is(1)) emitter.bind("b", "b", 0);
    emitter.bind("m", "m_row", 1);
    emitter.bind("r", "r", 2);
    const std::vector<std::string> known = made.of_row(tile.first_row + " + i");
    for (size_t p = 0; p < known.size(); ++p) emitter.bind_input(static_cast<int>(p), {known[p]}, 1);
    const std::string phase = std::to_string(made.reductions.size());
    for (const std::string& lane : emitter.emit(builder.point(), op, "r", width))
      element.line("part = combine_" + phase + "(part, " + lane + ");");

    const Reduction reduction = reduction_of(reduce->op, Dtype::kF32);
    made.functions += "float combine_" + phase + "(float a, float b) { return " +
                      map_text(writer, reduction.combine, Dtype::kF32, Dtype::kF32, {"a", "b"}) + "; }\n";
    made.functions += "shared float " + name_of(made.reductions.size()) + "[" + std::to_string(tile.workgroup_rows) + "];\n";
    Slots slots;
    slots["tile_rows"] = std::to_string(tile.rows);
    slots["row"] = tile.row;
    slots["first_row"] = tile.first_row;
    slots["lane"] = tile.lane;
    slots["lanes"] = lanes;
    slots["barrier"] = barrier_text(tile.workgroup_x, tile.workgroup_y, request.device);
    slots["phase"] = phase;
    slots["identity"] = literal(writer.dialect(), Dtype::kF32, reduction.identity);
    slots["length"] = writer.parameter(floor_div(length, IntExpr(width)));
    slots["row_setup"] = row.text(0);
    slots["element"] = element.text(0);
    TUFF_ASSIGN(std::string text, expand_skeleton("row_statistics.glsl", slots));
    made.text += text;
    made.reductions.push_back(m);
  }
  if (made.reductions.empty()) return made;
  const int parts = tile.workgroup_rows * tile.lanes;
  made.functions += "shared float row_part[" + std::to_string(parts) + "];\n";
  made.shared_bytes = statistics_shared_bytes(tile.workgroup_rows, tile.lanes, static_cast<int64_t>(made.reductions.size()));
  return made;
}

}  // namespace tuff
