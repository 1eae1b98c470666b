// Products that an own-channel window reads need no kernel of their own: channels stay apart in the window, so a workgroup
// takes some of them and a tile of the image, computes the product there into shared memory, and applies the window from there.
// The expanding 1x1 convolution of an inverted residual is one kernel so with its depthwise convolution, and a 1x1 convolution
// with a pooling; what lies between the two is neither written nor read. Tiles of an image compute their common edges again;
// whether that pays, and whether enough workgroups are left, follows from the tile. The other way, the window in the product
// that reads it, is taken where it saves more.
#include "fusion/expand.h"

#include <algorithm>

#include "fusion/cost.h"
#include "fusion/expand_cost.h"
#include "fusion/grow.h"

namespace tuff {
namespace {

bool only_maps_beside_anchor(const Graph& graph, const Group& group) {
  return std::all_of(group.members.begin(), group.members.end(),
                     [&](NodeId m) { return m == group.anchor || std::holds_alternative<MapAttrs>(graph.node(m).attrs); });
}

// Does an element of the product take its row from the pixel and its column from the channel alone?
bool has_pixels_for_rows(const Graph& graph, NodeId product) {
  const Node& node = graph.node(product);
  if (const auto* window = std::get_if<WindowAttrs>(&node.attrs)) return window->groups == 1;
  const auto& contract = std::get<ContractAttrs>(node.attrs);
  for (size_t i = 0; i < contract.out.size(); ++i) {
    const bool in_a = has_label(contract.a, contract.out[i]), in_b = has_label(contract.b, contract.out[i]);
    if (i == 1 ? in_a || !in_b : !in_a || in_b) return false;
  }
  return true;
}

bool all_known(const Dims& shape) {
  return std::all_of(shape.begin() + 1, shape.end(), [](const IntExpr& e) { return e.is_constant() && e.constant() > 0; });
}

}  // namespace

std::optional<ExpandedOperand> expanded_operand(const Group& group, const Graph& graph) {
  ExpandedOperand operand;
  for (NodeId m : group.members) {
    if (product_extents(graph, m)) operand.product = m;
    if (std::holds_alternative<ReduceAttrs>(graph.node(m).attrs)) operand.reduction = m;
  }
  if (!is_own_channel_window(graph, group.anchor)) {
    operand.low.assign(graph.value(graph.node(group.anchor).output).shape.size() - 2, 0);
    operand.value = graph.node(operand.reduction).inputs[0];
    return operand;
  }
  operand.window = group.anchor;
  const Node& window = graph.node(group.anchor);
  operand.value = window.inputs[0];
  operand.low.assign(std::get<WindowAttrs>(window.attrs).kernel.size(), 0);
  for (ValueId v = operand.value; graph.producer(v); v = graph.producer(v)->inputs[0]) {
    const Node& node = *graph.producer(v);
    if (const auto* pad = std::get_if<PadAttrs>(&node.attrs)) {
      if (pad->mode != PadMode::kConstant) return std::nullopt;
      for (size_t i = 0; i < pad->low.size(); ++i) {
        const bool spatial = i >= 2;
        if (!pad->low[i].is_constant() || !pad->high[i].is_constant() || pad->interior[i] != 0) return std::nullopt;
        if (!spatial && !(pad->low[i].is(0) && pad->high[i].is(0))) return std::nullopt;
        if (spatial) operand.low[i - 2] += pad->low[i].constant();
      }
      operand.padded = true;
      operand.value = node.inputs[0];
    } else if (!std::holds_alternative<MapAttrs>(node.attrs) || node.inputs.size() != 1 ||
               !std::binary_search(group.members.begin(), group.members.end(), graph.value(v).producer)) {
      break;
    }
  }
  return operand;
}

// The product's one result that others read, at the product's own point; invalid where there is none.
ValueId Fuser::result_of_product(uint32_t g) const {
  const Group& source = groups[g];
  if (source.members.empty() || (source.kind != AnchorKind::kContract && source.kind != AnchorKind::kWindow)) return {};
  if (!product_extents(graph, source.anchor)) return {};
  ValueId result;
  for (NodeId m : source.members) {
    const ValueId v = graph.node(m).output;
    if (!source.coordinates.count(v.value)) continue;  // a prologue
    if (!stored_views(v).empty()) return {};
    if (!leaves(v, g)) continue;
    if (result.valid()) return {};
    result = v;
  }
  return result.valid() && !needed[result.value] ? result : ValueId();
}

// Why no kernel computes tiles of images in the product's group; empty: one can.
std::string Fuser::why_no_image_tiles(const Group& product) const {
  const Node& anchor = graph.node(product.anchor);
  if (!only_maps_beside_anchor(graph, product) || !has_pixels_for_rows(graph, product.anchor))
    return label(product.anchor) + " is no product of pixels by channels alone.";
  for (ValueId v : {anchor.inputs[0], anchor.inputs[1], anchor.output})
    if (!in_f32_registers(graph.value(v).dtype)) return "it is not computed in f32.";
  const Dims& image = graph.value(anchor.output).shape;
  const IntExpr depth = product_extents(graph, product.anchor)->depth;
  if (image.size() < 3 || image.size() > 5 || !all_known(image) || !depth.is_constant() || depth.is(0))
    return "an image of " + dims_text(image) + " and sums of " + depth.text() +
           " elements are not of one to three axes with sizes that are known ahead.";
  return {};
}

// The target, a window, with the product's nodes in it; a refusal where it cannot have them.
std::optional<Group> Fuser::with_product(const Group& target, const Group& source, std::string& refusal) const {
  const Node& window = graph.node(target.anchor);
  const Node& anchor = graph.node(source.anchor);
  refusal = why_no_image_tiles(source);
  if (!refusal.empty()) return std::nullopt;
  if (!only_maps_beside_anchor(graph, target)) {
    refusal = label(target.anchor) + " computes more than a window.";
    return std::nullopt;
  }
  Group grown = target;
  grown.kind = AnchorKind::kExpand;
  add_members(grown, source);
  const auto operand = expanded_operand(grown, graph);
  if (!operand || graph.value(operand->value).shape != graph.value(anchor.output).shape) {
    refusal = label(target.anchor) + " does not read it element by element, with padding of known sizes around it.";
    return std::nullopt;
  }
  for (ValueId v : {operand->value, window.output})
    if (!in_f32_registers(graph.value(v).dtype)) {
      refusal = "it is not computed in f32.";
      return std::nullopt;
    }
  if (!all_known(graph.value(window.output).shape)) {
    refusal = "results of " + dims_text(graph.value(window.output).shape) + " are not of sizes that are known ahead.";
    return std::nullopt;
  }
  if (Status legal = check_expand(grown, source.anchor); !legal.ok()) {
    refusal = legal.message();
    return std::nullopt;
  }
  refusal = why_too_large(grown);
  if (!refusal.empty()) return std::nullopt;
  return grown;
}

// The product's operands without its result; what is staged with it at one point; the window's other operand and the group's
// results without either.
Status Fuser::check_expand(const Group& group, NodeId product) const {
  const Node& window = graph.node(group.anchor);
  const auto operand = expanded_operand(group, graph);
  PointScope scope;
  scope.graph = &graph;
  scope.layouts = &layouts;
  scope.members.assign(graph.nodes.size(), false);
  for (NodeId m : group.members) scope.members[m.value] = true;
  auto check = [&](ValueId value, const Dims& at) {
    PointBuilder builder(scope);
    auto op = builder.element(value, at);
    return op.ok() ? ok_status() : op.status();
  };
  const Node& made = graph.node(product);
  for (ValueId in : made.inputs) TUFF_TRY(check(in, domain_variables(graph.value(in).shape)));
  if (window.inputs.size() > 1) TUFF_TRY(check(window.inputs[1], domain_variables(graph.value(window.inputs[1]).shape)));
  const Dims at = domain_variables(graph.value(made.output).shape);
  scope.inputs[made.output.value] = {at, 0};
  TUFF_TRY(check(operand->value, at));
  scope.inputs.clear();
  scope.inputs[window.output.value] = {group.coordinates.at(window.output.value), 0};
  for (const auto& [value, point] : group.coordinates) TUFF_TRY(check(ValueId(value), point));
  return ok_status();
}

struct Fuser::ExpandMerge {
  std::optional<Group> grown;
  int64_t before_ns = 0, after_ns = 0, before_bytes = 0, after_bytes = 0;
  int64_t workgroups = 0;
  std::string where;  // what is computed of the product goes
  std::string refusal;
};

Fuser::ExpandMerge Fuser::merge_product(uint32_t product, uint32_t window, ValueId result) const {
  ExpandMerge merge;
  const Group& source = groups[product];
  const Group& target = groups[window];
  if (stays_alone(source.anchor) || stays_alone(target.anchor)) {
    merge.refusal = kNoPipeline;
    return merge;
  }
  merge.grown = with_product(target, source, merge.refusal);
  if (!merge.grown) return merge;
  const auto operand = expanded_operand(*merge.grown, graph);
  const ExpandChoice choice = choose_expand(graph, *merge.grown, *operand, device, exact);
  if (!choice.tile) {
    merge.refusal = why_no_tile(choice, device, exact);
    return merge;
  }
  auto bytes_of = [&](const Group& group, ValueId stored) {
    int64_t bytes = typical_bytes(graph, stored);
    for (ValueId v : loads(group)) bytes += typical_bytes(graph, v);
    return bytes;
  };
  const ValueId stored = graph.node(target.anchor).output;
  const int64_t product_bytes = bytes_of(source, result), window_bytes = bytes_of(target, stored);
  ExpandWork work = choice.work;
  work.bytes = merge.after_bytes = bytes_of(*merge.grown, stored);
  merge.before_bytes = product_bytes + window_bytes;
  const TileCost cost = cost_of(*choice.tile, work, device);
  merge.after_ns = cost.ns;
  merge.before_ns = window_cost(graph, source.anchor, {}, product_bytes, device).ns +
                    window_cost(graph, target.anchor, work_of_window(work), window_bytes, device).ns;
  merge.workgroups = cost.workgroups;
  merge.where = choice.tile->rolling ? "row by row, and keep " + std::to_string(choice.tile->staged[0]) + " in registers"
                                     : "into " + std::to_string(choice.tile->shared_bytes()) + " bytes of shared memory each";
  const std::string costs =
      std::to_string(merge.after_ns) + " ns, kernels of their own cost " + std::to_string(merge.before_ns) + " ns.";
  if (merge.after_ns > merge.before_ns)
    merge.refusal = "one kernel of both would cost " + costs;
  else if (merge.after_bytes > merge.before_bytes)
    merge.refusal = "one kernel of both would move " + std::to_string(merge.after_bytes) +
                    " bytes, kernels of their own move " + std::to_string(merge.before_bytes) + ".";
  else if (const int64_t other = saved_in_products_ns(window); other >= merge.before_ns - merge.after_ns)
    merge.refusal = "one kernel of both would cost " + costs.substr(0, costs.size() - 1) +
                    "; to compute the window in what reads it saves " + std::to_string(other) + " ns.";
  return merge;
}

void Fuser::write_products_into_windows() {
  for (uint32_t g = 0; g < groups.size(); ++g) {
    const ValueId result = result_of_product(g);
    if (!result.valid()) continue;
    const std::set<uint32_t> into = reading_groups(result);
    auto is_window = [&](uint32_t t) {
      return groups[t].kind == AnchorKind::kWindow && is_own_channel_window(graph, groups[t].anchor) &&
             is_operand(groups[t], result);
    };
    if (std::none_of(into.begin(), into.end(), is_window)) continue;
    std::vector<NodeId> nodes = {groups[g].anchor};
    for (uint32_t t : into) nodes.push_back(groups[t].anchor);
    const std::string subject = label(groups[g].anchor) + " into " + label(nodes.back());
    if (into.size() != 1) {
      decide(false, "expand", nodes, subject,
             "it has " + std::to_string(into.size()) + " readers, and one kernel of a window alone can stage it.");
      continue;
    }
    const uint32_t window = *into.begin();
    ExpandMerge merge = merge_product(g, window, result);
    if (!merge.refusal.empty()) {
      decide(false, "expand", nodes, subject, merge.refusal);
      continue;
    }
    decide(true, "expand", nodes, subject,
           std::to_string(merge.workgroups) + " workgroups compute their channels of it " + merge.where + "; that costs " +
               std::to_string(merge.after_ns) + " ns, with a kernel of its own it would cost " +
               std::to_string(merge.before_ns) + " ns and " + std::to_string(merge.before_bytes - merge.after_bytes) +
               " bytes more.");
    GrownGroups grown;
    grown.emplace_back(window, std::move(*merge.grown));
    write_into(g, std::move(grown));
  }
}

}  // namespace tuff
