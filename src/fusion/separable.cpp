// Windows that products read need no kernel of their own, nor do products of a few elements: a workgroup of the product
// computes the window at the pixels that are its rows, into shared memory, and multiplies from there. A separable convolution
// (depthwise, then 1x1) is one kernel so, and a pooling before a 1x1 convolution; what lies between the two is neither written
// nor read. Whether that pays follows from the tile that fits: its workgroups must keep the device busy, and where columns do
// not fit one workgroup, each of theirs computes the window again.
#include "fusion/separable.h"

#include <algorithm>

#include "fusion/cost.h"
#include "fusion/grow.h"
#include "fusion/separable_cost.h"

namespace tuff {
NodeId separable_window(const Group& group, const Graph& graph) {
  for (NodeId m : group.members)
    if (m != group.anchor && std::holds_alternative<WindowAttrs>(graph.node(m).attrs)) return m;
  return {};
}

// The target with the window's nodes in it; a refusal where it cannot have them.
std::optional<Group> Fuser::with_window(const Group& target, const Group& source, std::string& refusal) const {
  const Node& anchor = graph.node(target.anchor);
  const auto extents = product_extents(graph, target.anchor);
  auto computes_more = [&](NodeId m) { return m != target.anchor && !std::holds_alternative<MapAttrs>(graph.node(m).attrs); };
  if (!extents || (target.kind != AnchorKind::kContract && target.kind != AnchorKind::kWindow) ||
      std::any_of(target.members.begin(), target.members.end(), computes_more)) {
    refusal = label(target.anchor) + " is no product that loads its rows.";
    return std::nullopt;
  }
  const Node& window = graph.node(source.anchor);
  if (!in_f32_registers(graph.value(window.output).dtype) || !in_f32_registers(graph.value(anchor.output).dtype) ||
      !in_f32_registers(graph.value(anchor.inputs[0]).dtype)) {
    refusal = "it is not computed in f32.";
    return std::nullopt;
  }
  if (!extents->depth.is_constant() || extents->depth.is(0)) {
    refusal = "a row has " + extents->depth.text() + " elements, a number that is not known ahead.";
    return std::nullopt;
  }
  if (extents->chunked && extents->rows.interval().high <= 4) {
    refusal = label(target.anchor) + " has few rows, whose sums it splits over invocations.";
    return std::nullopt;
  }
  Group grown = target;
  grown.kind = AnchorKind::kSeparable;
  add_members(grown, source);
  // The first operand from the window at the same point; the second, and what follows, without it.
  const ValueId a = anchor.inputs[0], b = anchor.inputs[1];
  if (graph.value(a).shape != graph.value(window.output).shape) {
    refusal = label(target.anchor) + " does not have it as its first operand, element by element.";
    return std::nullopt;
  }
  Group rows = grown;
  rows.coordinates = {{a.value, domain_variables(graph.value(a).shape)},
                      {window.output.value, domain_variables(graph.value(a).shape)},
                      {anchor.output.value, domain_variables(graph.value(anchor.output).shape)}};
  Status legal = check_points(rows, {a});
  if (legal.ok()) legal = check_without_window(grown, window.output, b);
  if (!legal.ok()) {
    refusal = legal.message();
    return std::nullopt;
  }
  refusal = why_too_large(grown);
  if (!refusal.empty()) return std::nullopt;
  return grown;
}

// Can the second operand and the results be computed where the window's is out of reach?
Status Fuser::check_without_window(const Group& group, ValueId window, ValueId operand) const {
  PointScope scope;
  scope.graph = &graph;
  scope.layouts = &layouts;
  scope.members.assign(graph.nodes.size(), false);
  for (NodeId m : group.members) scope.members[m.value] = true;
  const ValueId result = graph.node(group.anchor).output;
  PointBuilder at_operand(scope);
  auto op = at_operand.element(operand, domain_variables(graph.value(operand).shape));
  if (!op.ok()) return op.status();
  scope.inputs[result.value] = {group.coordinates.at(result.value), 0};
  PointBuilder at_result(scope);
  for (const auto& [value, at] : group.coordinates) {
    if (ValueId(value) == window) return internal_error("%" + std::to_string(value) + " is not the product's own.");
    op = at_result.element(ValueId(value), at);
    if (!op.ok()) return op.status();
  }
  return ok_status();
}

// The window's one result that others read, at the window's own point; invalid where there is none.
ValueId Fuser::result_of_window(uint32_t g) const {
  const Group& source = groups[g];
  if (source.members.empty() || source.kind != AnchorKind::kWindow) return {};
  const bool short_sum = is_own_channel_window(graph, source.anchor);
  if (!short_sum &&
      (!product_extents(graph, source.anchor) || std::get<WindowAttrs>(graph.node(source.anchor).attrs).groups != 1))
    return {};
  ValueId result;
  for (NodeId m : source.members) {
    const ValueId v = graph.node(m).output;
    if (!source.coordinates.count(v.value)) continue;  // a prologue
    if (!stored_views(v).empty()) return {};
    if (!leaves(v, g)) continue;
    if (result.valid()) return {};
    result = v;
  }
  const bool free = result.valid() && !needed[result.value] &&
                    source.coordinates.at(result.value) == source.coordinates.at(graph.node(source.anchor).output.value);
  return free ? result : ValueId();
}

struct Fuser::SeparableMerge {
  GrownGroups grown;
  int64_t before_ns = 0, after_ns = 0, before_bytes = 0, after_bytes = 0;
  int64_t workgroups = 0, shared_bytes = 0;
  std::string refusal;
};

// The window in each of the groups that read it.
Fuser::SeparableMerge Fuser::merge_window(const Group& source, ValueId result, const std::set<uint32_t>& into) const {
  SeparableMerge merge;
  auto bytes_of = [&](const Group& group, ValueId stored) {
    int64_t bytes = typical_bytes(graph, stored);
    for (ValueId v : loads(group)) bytes += typical_bytes(graph, v);
    return bytes;
  };
  if (stays_alone(source.anchor)) merge.refusal = kNoPipeline;
  SeparableWork window;
  for (uint32_t t : into) {
    if (merge.refusal.empty() && stays_alone(groups[t].anchor)) merge.refusal = kNoPipeline;
    if (!merge.refusal.empty()) return merge;
    auto grown = with_window(groups[t], source, merge.refusal);
    if (!grown) return merge;
    const SeparableChoice choice = choose_separable(graph, *grown, *product_extents(graph, groups[t].anchor), device, exact);
    if (!choice.tile) {
      merge.refusal = choice.most == 0 ? "rows of " + std::to_string(choice.work.depth) + " elements do not fit the " +
                                             std::to_string(device.max_shared_bytes) + " bytes of shared memory."
                                       : std::to_string(choice.most) + " workgroups would keep fewer than two on each of " +
                                             std::to_string(device.rates.compute_units) + " compute units busy.";
      return merge;
    }
    const ValueId stored = graph.node(groups[t].anchor).output;
    SeparableWork fused = choice.work, alone = choice.work;
    fused.bytes = bytes_of(*grown, stored);
    alone.bytes = bytes_of(groups[t], stored);
    alone.taps = 0;
    merge.before_bytes += alone.bytes;
    merge.after_bytes += fused.bytes;
    const TileCost cost = cost_of(*choice.tile, fused, device);
    merge.after_ns += cost.ns;
    merge.before_ns += cost_of(choice.product, alone, device).ns;
    merge.workgroups = cost.workgroups;
    merge.shared_bytes = choice.tile->staged() ? choice.tile->shared_bytes() : 0;
    merge.grown.emplace_back(t, std::move(*grown));
    window = choice.work;
  }
  const int64_t elements = std::max<int64_t>(1, typical(product(graph.value(result).shape)));
  window.rows = std::max<int64_t>(1, elements / (window.batch * window.depth));
  const int64_t window_bytes = bytes_of(source, result);
  merge.before_ns += window_cost(graph, source.anchor, window, window_bytes, device).ns;
  merge.before_bytes += window_bytes;
  if (merge.after_ns > merge.before_ns)
    merge.refusal = "computing it in its readers would cost " + std::to_string(merge.after_ns) +
                    " ns, its own kernel and theirs cost " + std::to_string(merge.before_ns) + " ns.";
  // Each of several readers reads what the window reads.
  if (merge.refusal.empty() && merge.after_bytes > merge.before_bytes)
    merge.refusal = "its readers would move " + std::to_string(merge.after_bytes) +
                    " bytes, with a kernel of its own they move " + std::to_string(merge.before_bytes) + ".";
  return merge;
}

// What it would save to compute the window in the products that read it; 0 where it stays a kernel of its own.
int64_t Fuser::saved_in_products_ns(uint32_t window) const {
  const ValueId result = result_of_window(window);
  if (!result.valid()) return 0;
  const std::set<uint32_t> into = reading_groups(result);
  const SeparableMerge merge = merge_window(groups[window], result, into);
  return merge.refusal.empty() && !into.empty() ? merge.before_ns - merge.after_ns : 0;
}

void Fuser::write_windows_into_products() {
  for (uint32_t g = 0; g < groups.size(); ++g) {
    const ValueId result = result_of_window(g);
    if (!result.valid()) continue;
    const Group& source = groups[g];
    const std::set<uint32_t> into = reading_groups(result);
    auto is_product = [&](uint32_t t) { return product_extents(graph, groups[t].anchor).has_value(); };
    if (std::none_of(into.begin(), into.end(), is_product)) continue;
    std::vector<NodeId> nodes = {source.anchor};
    for (uint32_t t : into) nodes.push_back(groups[t].anchor);
    const std::string subject = label(source.anchor) + " into its " + counted(static_cast<int64_t>(into.size()), "reader");
    SeparableMerge merge = merge_window(source, result, into);
    if (!merge.refusal.empty()) {
      decide(false, "separable", nodes, subject, merge.refusal);
      continue;
    }
    decide(true, "separable", nodes, subject,
           std::to_string(merge.workgroups) + " workgroups compute their rows of it into " +
               (merge.shared_bytes == 0 ? "registers" : std::to_string(merge.shared_bytes) + " bytes of shared memory each") +
               "; that costs " + std::to_string(merge.after_ns) + " ns, with a kernel of its own it would cost " +
               std::to_string(merge.before_ns) + " ns and " + std::to_string(merge.before_bytes - merge.after_bytes) +
               " bytes more.");
    write_into(g, std::move(merge.grown));
  }
}

}  // namespace tuff
