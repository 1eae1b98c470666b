// A window that a reduction reads needs no kernel of its own: the invocations that combine a row's elements compute them, each
// once, and store them where others read them, too. So an average over a depthwise convolution's grid costs no second pass over
// what it makes. Elements are combined in the order that the reduction by itself has.
#include "fusion/reduced_window.h"

#include <algorithm>

#include "base/checked.h"
#include "device/quirks.h"
#include "fusion/cost.h"
#include "fusion/grow.h"
#include "fusion/separable_cost.h"

namespace tuff {
namespace {

// Invocations that share a row lie at pixels, so that what one loads is no neighbour of what the next does: caches move at
// least so much for each.
constexpr int64_t kLoadBytes = 16;

bool uses_axis(const Dims& coordinates, const std::vector<int>& axes) {
  bool uses = false;
  for (const IntExpr& at : coordinates)
    at.visit_symbols([&](const Symbol& s) {
      for (int axis : axes) uses = uses || (s.extent && s.name == "d" + std::to_string(axis));
    });
  return uses;
}

}  // namespace

struct Fuser::ReducedMerge {
  Group grown;
  int64_t before_ns = 0, after_ns = 0, before_bytes = 0, after_bytes = 0, workgroups = 0;
  std::string refusal;
};

// Why no kernel that goes once through the source's elements is the reduction's; empty: one may be.
std::string Fuser::why_not_reduced(const Group& source, const Group& target, const Group& grown) const {
  if (stays_alone(source.anchor) || stays_alone(target.anchor)) return kNoPipeline;
  const Value& made = graph.value(graph.node(source.anchor).output);
  const ValueId element = graph.node(target.anchor).inputs[0];
  const auto& axes = std::get<ReduceAttrs>(graph.node(target.anchor).attrs).axes;
  if (!in_f32_registers(made.dtype) || !in_f32_registers(graph.value(element).dtype)) return "it is not computed in f32.";
  if (graph.value(element).shape != made.shape) return "a row's elements are not its results, one by one.";
  for (NodeId m : target.members) {
    const Node& node = graph.node(m);
    if (m != target.anchor && !std::holds_alternative<MapAttrs>(node.attrs))
      return label(target.anchor) + " goes through its rows more than once.";
    const auto at = target.coordinates.find(node.output.value);
    if (at != target.coordinates.end() && uses_axis(at->second, axes))
      return label(target.anchor) + " goes through its rows more than once.";
  }
  // What follows the reduction has no such element at hand.
  for (NodeId m : target.members) {
    const Node& node = graph.node(m);
    if (m == target.anchor || !target.coordinates.count(node.output.value)) continue;
    for (ValueId v : loads_behind(node.inputs, target.members))
      if (std::any_of(source.members.begin(), source.members.end(), [&](NodeId s) { return graph.node(s).output == v; }))
        return label(m) + " reads it after the reduction.";
  }
  for (NodeId m : grown.members)
    if (makes_cycle(grown, m)) return "another operand needs a result of this kernel first.";
  return why_too_large(grown);
}

// Of the kernel whose elements a reduction combines, and of the reduction's, which in one kernel reads none of them.
ReducedBytes Fuser::reduced_bytes(uint32_t g, uint32_t t) const {
  const Group &source = groups[g], &target = groups[t];
  ReducedBytes bytes;
  for (NodeId m : source.members) {
    const ValueId v = graph.node(m).output;
    if (source.coordinates.count(v.value) && leaves(v, g)) bytes.source += typical_bytes(graph, v);
  }
  bytes.reduction = typical_bytes(graph, graph.node(target.anchor).output);
  for (ValueId v : loads(source)) bytes.source += typical_bytes(graph, v);
  for (ValueId v : loads(target)) {
    bytes.reduction += typical_bytes(graph, v);
    const NodeId maker = graph.value(v).producer;
    if (!maker.valid() || !std::binary_search(source.members.begin(), source.members.end(), maker)) continue;
    bytes.saved += typical_bytes(graph, v);
    const bool stored = reading_groups(v).size() > 1 || needed[v.value] || !stored_views(v).empty();
    if (!stored) bytes.saved += typical_bytes(graph, v);
  }
  return bytes;
}

Fuser::ReducedMerge Fuser::merge_reduced(uint32_t g, uint32_t t) const {
  const Group &source = groups[g], &target = groups[t];
  ReducedMerge merge;
  Group& grown = merge.grown;
  grown = target;
  add_members(grown, source);
  grown.coordinates.insert(source.coordinates.begin(), source.coordinates.end());
  merge.refusal = has_quirk(device, Quirk::llvmpipe_idle_subgroups) ? kIdleSubgroups : why_not_reduced(source, target, grown);
  const ValueId element = graph.node(target.anchor).inputs[0];
  if (Status legal = merge.refusal.empty() ? check_points(grown, {element}) : ok_status(); !legal.ok())
    merge.refusal = legal.message();
  if (!merge.refusal.empty()) return merge;

  const RowSchedule schedule = row_schedule(graph, layouts, placements, grown, device);
  const RowSchedule alone = row_schedule(graph, layouts, placements, target, device);
  const Dims& shape = graph.value(graph.node(source.anchor).output).shape;
  const int64_t elements = std::max<int64_t>(1, typical(product(shape)));
  SeparableWork work;
  work.depth = std::max<int64_t>(1, typical(shape[1]));
  work.rows = std::max<int64_t>(1, elements / work.depth);
  work.taps = std::get<WindowAttrs>(graph.node(source.anchor).attrs).tap_count();
  for (NodeId m : source.members)
    if (const auto* map = std::get_if<MapAttrs>(&graph.node(m).attrs)) work.map_operations += map_op_row(map->op).cost;

  const ReducedBytes bytes = reduced_bytes(g, t);
  merge.before_bytes = bytes.source + bytes.reduction;
  merge.after_bytes = merge.before_bytes - bytes.saved;
  merge.workgroups = typical(schedule.workgroups());

  const TileCost window = window_cost(graph, source.anchor, work, bytes.source, device);
  const SeparableTile vectors{1, 1, 1, schedule.width};
  const int64_t load_bytes = schedule.columns ? 4 * schedule.width : std::max<int64_t>(kLoadBytes, 4 * schedule.width);
  const int64_t loaded = elements / schedule.width * work.taps * load_bytes;
  const int64_t alone_operations = ceil_div(elements, int64_t{schedule.width}) * window_operations(work, vectors, device);
  const int64_t operations = schedule.columns ? alone_operations : barrier_cost(device, alone_operations);
  merge.before_ns = window.ns + busy_ns(bytes.reduction, bytes.reduction, elements, typical(alone.workgroups()), device);
  merge.after_ns = busy_ns(merge.after_bytes, loaded, operations + elements, merge.workgroups, device);
  const int64_t wanted = 2 * device.rates.compute_units;
  if (merge.workgroups < wanted && window.workgroups >= wanted)
    merge.refusal = std::to_string(merge.workgroups) + " workgroups would keep fewer than two on each of " +
                    std::to_string(device.rates.compute_units) + " compute units busy.";
  else if (merge.after_ns > merge.before_ns)
    merge.refusal = "computing it where it is combined would cost " + std::to_string(merge.after_ns) +
                    " ns, its own kernel and the reduction's cost " + std::to_string(merge.before_ns) + " ns.";
  return merge;
}

void Fuser::write_windows_into_reductions() {
  for (uint32_t g = 0; g < groups.size(); ++g) {
    if (groups[g].members.empty() || groups[g].kind != AnchorKind::kWindow) continue;
    if (!is_own_channel_window(graph, groups[g].anchor)) continue;
    std::set<uint32_t> into;
    for (NodeId m : groups[g].members)
      for (uint32_t t : reading_groups(graph.node(m).output))
        if (groups[t].kind == AnchorKind::kReduce) into.insert(t);
    for (uint32_t t : into) {
      const std::vector<NodeId> nodes = {groups[g].anchor, groups[t].anchor};
      const std::string subject = label(nodes[0]) + " into " + label(nodes[1]);
      ReducedMerge merge = merge_reduced(g, t);
      decide(merge.refusal.empty(), "reduced window", nodes, subject,
             !merge.refusal.empty()
                 ? merge.refusal
                 : std::to_string(merge.workgroups) + " workgroups combine its elements as they compute them; that costs " +
                       std::to_string(merge.after_ns) + " ns, two kernels would cost " + std::to_string(merge.before_ns) +
                       " ns and " + std::to_string(merge.before_bytes - merge.after_bytes) + " bytes more.");
      if (!merge.refusal.empty()) continue;
      GrownGroups grown;
      grown.emplace_back(t, std::move(merge.grown));
      write_into(g, std::move(grown));
      break;
    }
  }
}

}  // namespace tuff
