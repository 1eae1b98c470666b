// Which invocations combine which rows.
#include <algorithm>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/product.h"
#include "fusion/reduced_window.h"

namespace tuff {
namespace {

// One invocation a row where rows lie across the storage, so that neighbouring invocations read neighbouring elements, and
// there are enough of them to fill the device or a workgroup's invocations cannot exchange anything cheaply; else one
// workgroup a row.
bool rows_are_invocations(const DeviceInfo& device, int64_t row_vectors) {
  if (!device.rates.shared_memory_on_chip) return row_vectors >= 2 * device.rates.compute_units;
  return row_vectors >= 4 * RowSchedule::kInvocations * device.rates.compute_units;
}

int64_t window_rounds(const Graph& graph, NodeId window, int64_t length) {
  return length * (1 + 2 * std::get<WindowAttrs>(graph.node(window).attrs).tap_count());
}

}  // namespace

IntExpr RowSchedule::workgroups() const { return columns ? ceil_div(row_vectors, IntExpr(kInvocations)) : row_vectors; }

int innermost_axis(const Graph& graph, const Layouts& layouts, const std::vector<Placement>& placements, ValueId value) {
  ValueId owner = value;
  while (placements[owner.value].owner != owner) owner = placements[owner.value].owner;
  const auto& order = layouts.of(owner).order;
  const Dims& shape = graph.value(value).shape;
  for (size_t i = order.size(); i-- > 0;)
    if (!shape[static_cast<size_t>(order[i])].is(1)) return order[i];
  return order.empty() ? -1 : order.back();
}

NodeId reduced_window(const Group& group, const Graph& graph) {
  for (NodeId m : group.members)
    if (group.kind == AnchorKind::kReduce && std::holds_alternative<WindowAttrs>(graph.node(m).attrs)) return m;
  return {};
}

RowSchedule row_schedule(const Graph& graph, const Layouts& layouts, const std::vector<Placement>& placements,
                         const Group& group, const DeviceInfo& device) {
  const Node& anchor = graph.node(group.anchor);
  const auto& axes = std::get<ReduceAttrs>(anchor.attrs).axes;
  const ValueId element = anchor.inputs[0];
  const Dims& shape = graph.value(element).shape;
  const auto reduced = [&](int axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); };
  RowSchedule schedule;
  for (int axis : layouts.of(element).order)
    if (!reduced(axis)) {
      schedule.row_axes.push_back(axis);
      schedule.row_shape.push_back(shape[static_cast<size_t>(axis)]);
    }
  for (int axis : axes) schedule.reduced_shape.push_back(shape[static_cast<size_t>(axis)]);
  schedule.rows = product(schedule.row_shape);
  schedule.length = product(schedule.reduced_shape);
  const int inner = innermost_axis(graph, layouts, placements, element);
  const bool across = inner >= 0 && !reduced(inner);
  auto set_width = [&](int width) {
    schedule.width = width;
    schedule.row_vectors = schedule.rows.is(0) ? IntExpr(0) : floor_div(schedule.rows, IntExpr(width));
  };
  set_width(across && !schedule.row_shape.empty() ? vector_width(schedule.row_shape.back()) : 1);
  schedule.columns = across && rows_are_invocations(device, typical(schedule.row_vectors));
  const NodeId window = reduced_window(group, graph);
  if (!window.valid()) return schedule;

  const int64_t wanted = 2 * device.rates.compute_units;
  const bool ends =
      device.max_loop_rounds == 0 || window_rounds(graph, window, typical(schedule.length)) < device.max_loop_rounds;
  schedule.columns = schedule.columns && ends && typical(schedule.workgroups()) >= wanted;
  while (!schedule.columns && schedule.width > 1 && typical(schedule.row_vectors) < wanted) set_width(schedule.width / 2);
  return schedule;
}

}  // namespace tuff
