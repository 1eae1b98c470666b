// A reduction over the image needs no kernel of its own where a product, or a window with the product that it reads, makes its
// elements (expand.h): a workgroup combines those of its tile before they leave its registers, and where an image has several
// tiles, the last of their workgroups to end combines what all have left, in the tiles' order. So an average over a grid costs
// no pass over what it averages. Exact sums have an order that tiles do not keep: there the image is one tile.
#include <algorithm>

#include "fusion/cost.h"
#include "fusion/expand_cost.h"
#include "fusion/grow.h"
#include "fusion/reduced_window.h"

namespace tuff {
bool combines_images(const ReduceAttrs& reduce, const Dims& shape) {
  if (reduce.op == ReduceOp::kArgMax || reduce.op == ReduceOp::kArgMin) return false;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const bool reduced = std::find(reduce.axes.begin(), reduce.axes.end(), static_cast<int>(axis)) != reduce.axes.end();
    if (axis < 2 ? reduced : !reduced && !shape[axis].is(1)) return false;
  }
  return true;
}

struct Fuser::CombinedMerge {
  Group grown;
  int64_t before_ns = 0, after_ns = 0, before_bytes = 0, after_bytes = 0, workgroups = 0, image_tiles = 1;
  std::string refusal;
};

std::string Fuser::why_not_combined(const Group& source, const Group& target, const Group& grown) const {
  const Node &anchor = graph.node(source.anchor), &reduction = graph.node(target.anchor);
  const Dims& image = graph.value(anchor.output).shape;
  if (!combines_images(std::get<ReduceAttrs>(reduction.attrs), image))
    return label(target.anchor) + " does not combine images, each whole.";
  if (std::string why = why_not_reduced(source, target, grown); !why.empty()) return why;
  if (source.kind != AnchorKind::kExpand)
    if (std::string why = why_no_image_tiles(source); !why.empty()) return why;

  PointScope scope;
  scope.graph = &graph;
  scope.layouts = &layouts;
  scope.members.assign(graph.nodes.size(), false);
  for (NodeId m : grown.members) scope.members[m.value] = true;
  auto check = [&](ValueId value, const Dims& at) {
    PointBuilder builder(scope);
    auto op = builder.element(value, at);
    return op.ok() ? std::string() : op.status().message();
  };
  const ValueId element = reduction.inputs[0];
  scope.inputs[anchor.output.value] = {source.coordinates.at(anchor.output.value), 0};
  if (std::string why = check(element, target.coordinates.at(element.value)); !why.empty()) return why;
  scope.inputs.clear();
  scope.inputs[reduction.output.value] = {target.coordinates.at(reduction.output.value), 0};
  for (const auto& [value, at] : target.coordinates) {
    if (source.coordinates.count(value) || ValueId(value) == element) continue;
    const NodeId maker = graph.value(ValueId(value)).producer;
    if (maker.value < target.anchor.value) continue;  // made of the elements before they are combined
    if (std::string why = check(ValueId(value), at); !why.empty()) return why;
  }
  return {};
}

// Of the source's own kernel.
int64_t Fuser::source_ns(const Group& source, int64_t bytes) const {
  if (source.kind != AnchorKind::kExpand) return window_cost(graph, source.anchor, {}, bytes, device).ns;
  ExpandChoice choice = choose_expand(graph, source, *expanded_operand(source, graph), device, exact);
  choice.work.bytes = bytes;
  return cost_of(*choice.tile, choice.work, device).ns;
}

Fuser::CombinedMerge Fuser::merge_combined(uint32_t g, uint32_t t) const {
  const Group &source = groups[g], &target = groups[t];
  CombinedMerge merge;
  Group& grown = merge.grown;
  grown = target;
  grown.kind = AnchorKind::kExpand;
  grown.anchor = source.anchor;
  add_members(grown, source);
  grown.coordinates.insert(source.coordinates.begin(), source.coordinates.end());
  merge.refusal = why_not_combined(source, target, grown);
  if (!merge.refusal.empty()) return merge;

  const ExpandChoice choice = choose_expand(graph, grown, *expanded_operand(grown, graph), device, exact);
  if (!choice.tile) {
    merge.refusal = why_no_tile(choice, device, exact);
    return merge;
  }
  if (choice.tile->image_tiles > 1) merge.refusal = why_too_many_buffers(static_cast<size_t>(binding_count(grown)) + 2);
  if (!merge.refusal.empty()) return merge;
  const ReducedBytes bytes = reduced_bytes(g, t);
  merge.before_bytes = bytes.source + bytes.reduction;
  merge.after_bytes = merge.before_bytes - bytes.saved;
  ExpandWork work = choice.work;
  work.bytes = merge.after_bytes;
  const TileCost cost = cost_of(*choice.tile, work, device);
  const int64_t elements = typical(product(graph.value(graph.node(source.anchor).output).shape));
  const RowSchedule alone = row_schedule(graph, layouts, placements, target, device);
  merge.before_ns = source_ns(source, bytes.source) +
                    busy_ns(bytes.reduction, bytes.reduction, elements, typical(alone.workgroups()), device);
  merge.after_ns = cost.ns;
  merge.workgroups = cost.workgroups;
  merge.image_tiles = choice.tile->image_tiles;
  if (merge.after_ns > merge.before_ns)
    merge.refusal = "to combine it where it is computed would cost " + std::to_string(merge.after_ns) +
                    " ns, kernels of their own cost " + std::to_string(merge.before_ns) + " ns.";
  return merge;
}

void Fuser::combine_tiles() {
  for (uint32_t g = 0; g < groups.size(); ++g) {
    const Group& source = groups[g];
    if (source.members.empty()) continue;
    if (source.kind != AnchorKind::kExpand && !product_extents(graph, source.anchor)) continue;
    if (source.kind != AnchorKind::kExpand && source.kind != AnchorKind::kContract && source.kind != AnchorKind::kWindow)
      continue;
    std::set<uint32_t> into;
    for (NodeId m : source.members)
      for (uint32_t t : reading_groups(graph.node(m).output))
        if (groups[t].kind == AnchorKind::kReduce && !reduced_window(groups[t], graph).valid()) into.insert(t);
    for (uint32_t t : into) {
      const std::vector<NodeId> nodes = {source.anchor, groups[t].anchor};
      const std::string subject = label(nodes[0]) + " into " + label(nodes[1]);
      CombinedMerge merge = merge_combined(g, t);
      const std::string how = merge.image_tiles == 1 ? "" : " of " + std::to_string(merge.image_tiles) + " tiles an image";
      decide(merge.refusal.empty(), "combined tiles", nodes, subject,
             !merge.refusal.empty()
                 ? merge.refusal
                 : std::to_string(merge.workgroups) + " workgroups" + how +
                       " combine its elements as they compute them; that costs " + std::to_string(merge.after_ns) +
                       " ns, two kernels would cost " + std::to_string(merge.before_ns) + " ns and " +
                       std::to_string(merge.before_bytes - merge.after_bytes) + " bytes more.");
      if (!merge.refusal.empty()) continue;
      GrownGroups grown;
      grown.emplace_back(t, std::move(merge.grown));
      write_into(g, std::move(grown));
      break;
    }
  }
}

}  // namespace tuff
