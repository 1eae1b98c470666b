// Epilogues and rows: a group takes in the maps (and, in a row, the reductions) that read what it has in registers.
#include "fusion/grow.h"

#include <algorithm>

#include "fusion/cost.h"
#include "fusion/product.h"

namespace tuff {
Fuser::Fuser(const Graph& g, const Layouts& l, const DeviceInfo& d, const FusionOptions& o)
    : graph(g),
      layouts(l),
      device(d),
      options(o),
      exact(options.exact),
      users(value_users(g)),
      homes(g.nodes.size()),
      needed(g.values.size()) {
  for (size_t v = 0; v < g.values.size(); ++v) placements.push_back({ValueId(v), 0, IntExpr(0)});
  for (ValueId v : g.outputs) needed[v.value] = true;
  // Views are looked through at every read; a long chain of them is cut so that kernels stay readable and finite.
  constexpr int kViewChain = 32;
  std::vector<int> depth(g.values.size());
  for (const Node& node : g.nodes) {
    if (!is_view(node.attrs)) continue;
    int deepest = 0;
    for (ValueId input : node.inputs) deepest = std::max(deepest, needed[input.value] ? 0 : depth[input.value]);
    depth[node.output.value] = deepest + 1;
    if (deepest + 1 >= kViewChain) needed[node.output.value] = true;
  }
}

std::string Fuser::label(NodeId node) const { return tuff::label(graph.node(node)); }

std::string counted(int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void Fuser::decide(bool accepted, std::string rule, std::vector<NodeId> nodes, std::string subject, std::string why) {
  decisions.push_back({accepted, std::move(rule), std::move(subject), std::move(why), std::move(nodes)});
}

void Fuser::start_groups() {
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    if (!is_compute(node.attrs)) continue;
    Group group;
    group.anchor = NodeId(n);
    group.members = {NodeId(n)};
    if (std::holds_alternative<ReduceAttrs>(node.attrs)) group.kind = AnchorKind::kReduce;
    if (std::holds_alternative<ContractAttrs>(node.attrs)) group.kind = AnchorKind::kContract;
    if (std::holds_alternative<WindowAttrs>(node.attrs)) group.kind = AnchorKind::kWindow;
    Dims at = domain_variables(graph.value(group.kind == AnchorKind::kReduce ? node.inputs[0] : node.output).shape);
    if (const auto* reduce = std::get_if<ReduceAttrs>(&node.attrs)) {
      group.coordinates[node.inputs[0].value] = at;  // the element that the row is at
      for (int axis : reduce->axes) at[static_cast<size_t>(axis)] = IntExpr(0);
    }
    group.coordinates[node.output.value] = at;
    homes[n].insert(static_cast<uint32_t>(groups.size()));
    groups.push_back(std::move(group));
  }
}

std::vector<NodeId> Fuser::readers(ValueId value) const {
  std::set<uint32_t> found;
  std::vector<ValueId> work = {value};
  std::set<uint32_t> seen = {value.value};
  while (!work.empty()) {
    ValueId v = work.back();
    work.pop_back();
    for (NodeId user : users[v.value]) {
      const Node& node = graph.node(user);
      if (is_compute(node.attrs))
        found.insert(user.value);
      else if (seen.insert(node.output.value).second && !needed[node.output.value])
        work.push_back(node.output);
    }
  }
  std::vector<NodeId> out;
  for (uint32_t n : found) out.push_back(NodeId(n));
  return out;
}

namespace {

bool in_group(const Group& group, NodeId node) {
  return node.valid() && std::binary_search(group.members.begin(), group.members.end(), node);
}

const ReduceAttrs* row_of(const Graph& graph, const Group& group) {
  return group.kind == AnchorKind::kReduce ? std::get_if<ReduceAttrs>(&graph.node(group.anchor).attrs) : nullptr;
}

}  // namespace

// The coordinates at which the group could compute the node's output: those of an operand that it has in registers,
// pushed through the views in between.
std::optional<Dims> Fuser::join_coordinates(const Group& group, const Node& node) const {
  const ReduceAttrs* row = row_of(graph, group);
  if (row) {
    // A map over whole rows joins at the row's element, wherever its operands come from.
    const Value& element = graph.value(graph.node(group.anchor).inputs[0]);
    if (graph.value(node.output).shape == element.shape && element.shape != graph.value(graph.node(group.anchor).output).shape)
      return group.coordinates.at(graph.node(group.anchor).inputs[0].value);
  }
  for (ValueId operand : node.inputs) {
    // Walk back through bijective views to a value that the group has.
    std::vector<NodeId> path;
    ValueId v = operand;
    for (;;) {
      auto it = group.coordinates.find(v.value);
      // What attention has beside its result it has at another point.
      auto inner = [&](NodeId maker) {
        return group.kind == AnchorKind::kAttend && maker != group.anchor &&
               !std::holds_alternative<MapAttrs>(graph.node(maker).attrs);
      };
      if (it != group.coordinates.end() && in_group(group, graph.value(v).producer) && !inner(graph.value(v).producer)) {
        Dims at = it->second;
        bool ok = true;
        for (size_t i = path.size(); ok && i-- > 0;) {
          auto pushed = push_through_view(graph, graph.node(path[i]), at);
          ok = pushed.has_value();
          if (ok) at = *pushed;
        }
        if (ok) return at;
        break;
      }
      const Node* maker = graph.producer(v);
      if (!maker || !is_view(maker->attrs) || maker->inputs.size() != 1) break;
      path.push_back(graph.value(v).producer);
      v = maker->inputs[0];
    }
  }
  return std::nullopt;
}

// Can every wanted value be computed at its coordinates from loads and from what the skeleton has?
Status Fuser::check_points(const Group& group, const std::vector<ValueId>& wanted) const {
  PointScope scope;
  scope.graph = &graph;
  scope.layouts = &layouts;
  scope.members.assign(graph.nodes.size(), false);
  for (NodeId m : group.members) scope.members[m.value] = true;
  int input = 0;
  for (NodeId m : group.members) {
    const Node& node = graph.node(m);
    if (!std::holds_alternative<MapAttrs>(node.attrs))
      scope.inputs[node.output.value] = {group.coordinates.at(node.output.value), input++};
  }
  PointBuilder builder(scope);
  for (ValueId v : wanted) {
    auto at = group.coordinates.find(v.value);
    if (at == group.coordinates.end()) return internal_error("%" + std::to_string(v.value) + " has no coordinates.");
    auto op = builder.element(v, at->second);
    if (!op.ok()) return op.status();
  }
  return ok_status();
}

std::vector<ValueId> Fuser::loads(const Group& group) const {
  std::vector<ValueId> roots;
  for (NodeId m : group.members)
    for (ValueId in : graph.node(m).inputs) roots.push_back(in);
  // A copy reads what its values show.
  if (group.members.empty())
    for (ValueId v : group.stores)
      for (ValueId in : graph.producer(v)->inputs) roots.push_back(in);
  return loads_behind(std::move(roots), group.members);
}

std::vector<ValueId> Fuser::loads_behind(std::vector<ValueId> work, const std::vector<NodeId>& members) const {
  std::set<uint32_t> found;
  std::set<uint32_t> seen;
  while (!work.empty()) {
    ValueId v = work.back();
    work.pop_back();
    if (!seen.insert(v.value).second) continue;
    NodeId maker = graph.value(v).producer;
    if (maker.valid() && std::binary_search(members.begin(), members.end(), maker)) continue;
    if (maker.valid()) {
      const Node& node = graph.node(maker);
      if (needs_no_memory(node.attrs)) continue;
      if (is_view(node.attrs) && !needed[v.value]) {
        for (ValueId in : node.inputs) work.push_back(in);
        continue;
      }
    }
    found.insert(v.value);
  }
  std::vector<ValueId> out;
  for (uint32_t v : found) out.push_back(ValueId(v));
  return out;
}

int Fuser::binding_count(const Group& group) const {
  int outputs = 0;
  for (NodeId m : group.members) {
    ValueId v = graph.node(m).output;
    if (!group.coordinates.count(v.value)) continue;
    bool outside = needed[v.value];
    for (NodeId reader : readers(v)) outside = outside || !in_group(group, reader);
    for (ValueId view : stored_views(v)) {
      if (storable_source(graph, view, nullptr) == v)
        ++outputs;
      else
        outside = true;  // it will be copied
    }
    outputs += outside;
  }
  return static_cast<int>(loads(group).size()) + std::max(1, outputs);
}

std::string Fuser::why_too_large(const Group& group) const {
  if (group.members.size() > kMaxMembers)
    return "the kernel would have " + std::to_string(group.members.size()) + " nodes, of at most " +
           std::to_string(kMaxMembers) + ".";
  return why_too_many_buffers(static_cast<size_t>(binding_count(group)));
}

std::string Fuser::why_too_many_buffers(size_t count) const {
  if (static_cast<int64_t>(count) <= device.max_storage_buffers) return {};
  return "the kernel would bind " + std::to_string(count) + " buffers, the device allows " +
         std::to_string(device.max_storage_buffers) + ".";
}

std::set<uint32_t> Fuser::reading_groups(ValueId value) const {
  std::set<uint32_t> found;
  for (NodeId reader : readers(value)) found.insert(homes[reader.value].begin(), homes[reader.value].end());
  return found;
}

void add_members(Group& to, const Group& from) {
  std::vector<NodeId> both;
  std::set_union(to.members.begin(), to.members.end(), from.members.begin(), from.members.end(), std::back_inserter(both));
  to.members = std::move(both);
}

void Fuser::write_into(uint32_t group, GrownGroups grown) {
  for (NodeId m : groups[group].members) {
    homes[m.value].erase(group);
    for (const auto& [t, target] : grown) homes[m.value].insert(t);
  }
  groups[group].members.clear();
  for (auto& [t, target] : grown) groups[t] = std::move(target);
}

// Would some path leave the group and come back through the node? What is computed by one kernel runs as one, so the
// walk goes through whole groups. It starts from the node's operands outside the group: a chain has none.
bool Fuser::makes_cycle(const Group& group, NodeId node) const {
  std::set<uint32_t> seen;
  std::vector<NodeId> work;
  auto visit_operands = [&](const Node& n) {
    for (ValueId in : n.inputs) {
      NodeId maker = graph.value(in).producer;
      if (maker.valid() && seen.insert(maker.value).second) work.push_back(maker);
    }
  };
  // A view that has storage and that no kernel can write in place of its source is copied by a kernel of its own.
  auto is_copied = [&](ValueId v) { return needed[v.value] && !made_by_compute(graph, storable_source(graph, v, nullptr)); };
  // From the node's operands outside the group, walk back; reaching a member through an outside kernel is a cycle.
  for (ValueId in : graph.node(node).inputs) {
    NodeId maker = graph.value(in).producer;
    while (maker.valid() && is_view(graph.node(maker).attrs) && graph.node(maker).inputs.size() == 1 && !is_copied(in)) {
      in = graph.node(maker).inputs[0];
      maker = graph.value(in).producer;
    }
    if (!maker.valid() || in_group(group, maker)) continue;
    if (seen.insert(maker.value).second) work.push_back(maker);
  }
  while (!work.empty()) {
    NodeId n = work.back();
    work.pop_back();
    if (in_group(group, n)) return true;
    visit_operands(graph.node(n));
    // What the node's own kernel computes runs with it.
    for (uint32_t g : homes[n.value]) {
      for (NodeId mate : groups[g].members)
        if (seen.insert(mate.value).second) work.push_back(mate);
    }
  }
  return false;
}

bool Fuser::joins_row(const Group& group, const Node& node) const {
  const ReduceAttrs* row = row_of(graph, group);
  const auto* reduce = std::get_if<ReduceAttrs>(&node.attrs);
  if (!row || !reduce || reduce->axes != row->axes) return false;
  ValueId element = graph.node(group.anchor).inputs[0];
  auto at = group.coordinates.find(node.inputs[0].value);
  return at != group.coordinates.end() && at->second == group.coordinates.at(element.value);
}

// A cast from f16, bf16 or a narrow integer that products, windows or reductions read: joined to what makes its operand it
// would be stored at two or four times the bytes. What is dequantised passes maps on its way there, perhaps in other kernels.
bool Fuser::widens_for_loads(const Node& node) const {
  const auto* map = std::get_if<MapAttrs>(&node.attrs);
  if (!map || map->op != MapOp::cast) return false;
  const Dtype from = graph.value(node.inputs[0]).dtype;
  const int64_t narrow_bytes = dtype_size_bytes(from);
  if (narrow_bytes >= dtype_size_bytes(map->dtype)) return false;
  if (is_integer(from) && narrow_bytes <= 2) return stays_wide(node.output, narrow_bytes);
  if (!is_float(from) || !is_float(map->dtype)) return false;
  for (NodeId reader : readers(node.output))
    if (!std::holds_alternative<MapAttrs>(graph.node(reader).attrs)) return true;
  return false;
}

// Does the value, or what maps make of it, leave them before it is narrow again?
bool Fuser::stays_wide(ValueId value, int64_t narrow_bytes) const {
  std::set<uint32_t> seen;
  for (std::vector<ValueId> work = {value}; !work.empty();) {
    const ValueId v = work.back();
    work.pop_back();
    for (NodeId reader : readers(v)) {
      if (!seen.insert(reader.value).second) continue;
      const Node& node = graph.node(reader);
      const bool elsewhere = homes[reader.value].size() != 1 || groups[home(reader)].members.size() != 1;
      if (!std::holds_alternative<MapAttrs>(node.attrs) || elsewhere) return true;
      if (dtype_size_bytes(graph.value(node.output).dtype) > narrow_bytes) work.push_back(node.output);
    }
  }
  return false;
}

// Is one of the nodes' results what maps make the node's operands of?
bool Fuser::follows(NodeId node, const std::vector<NodeId>& nodes) const {
  std::set<uint32_t> seen;
  for (std::vector<NodeId> work = {node}; !work.empty();) {
    const NodeId at = work.back();
    work.pop_back();
    for (ValueId operand : graph.node(at).inputs) {
      const NodeId maker = graph.value(operand).producer;
      if (!maker.valid() || !seen.insert(maker.value).second) continue;
      if (std::find(nodes.begin(), nodes.end(), maker) != nodes.end()) return true;
      const Attrs& attrs = graph.node(maker).attrs;
      if (std::holds_alternative<MapAttrs>(attrs) || is_view(attrs)) work.push_back(maker);
    }
  }
  return false;
}

bool Fuser::is_cheap(NodeId node) const {
  constexpr int kCheap = 2;
  const auto* map = std::get_if<MapAttrs>(&graph.node(node).attrs);
  return map && map_op_row(map->op).cost <= kCheap;
}

// Do reductions alone read the node, rows that tiles of the group do not combine on their way (combined_tiles.cpp)?
bool Fuser::is_read_by_rows(const Group& group, NodeId node) const {
  const ValueId result = graph.node(node).output;
  const std::vector<NodeId> rows = readers(result);
  const bool has_tiles =
      is_own_channel_window(graph, group.anchor) || (product_extents(graph, group.anchor) && why_no_image_tiles(group).empty());
  return !rows.empty() && std::all_of(rows.begin(), rows.end(), [&](NodeId n) {
    const auto* reduce = std::get_if<ReduceAttrs>(&graph.node(n).attrs);
    return reduce && !stays_alone(n) && !(has_tiles && combines_images(*reduce, graph.value(result).shape));
  });
}

// The squares of a sum that is normalised, and the like: reductions make a cheap map again of values that are read once more
// when the rows are reduced. Joined to the kernel that makes these, it would be stored beside them.
bool Fuser::is_made_by_rows(const Group& group, NodeId id) const {
  const Node& node = graph.node(id);
  if (!is_cheap(id) || needed[node.output.value] || !stored_views(node.output).empty() || !is_read_by_rows(group, id))
    return false;
  const std::vector<NodeId> rows = readers(node.output);
  int64_t bytes = 0;
  for (ValueId operand : std::set<ValueId>(node.inputs.begin(), node.inputs.end())) {
    const Node* maker = graph.producer(operand);
    for (; maker && is_view(maker->attrs); maker = graph.producer(operand)) {
      if (maker->inputs.size() != 1) return false;
      operand = maker->inputs[0];
    }
    if (!in_group(group, graph.value(operand).producer)) continue;
    bytes += typical_bytes(graph, operand);
    const std::vector<NodeId> all = readers(operand);
    if (std::none_of(all.begin(), all.end(), [&](NodeId n) { return !in_group(group, n) && follows(n, rows); })) return false;
  }
  return bytes <= 2 * typical_bytes(graph, node.output);  // as it would be written and read
}

bool Fuser::try_join(Group& group, NodeId id) {
  const Node& node = graph.node(id);
  uint32_t other = home(id);
  if (other == UINT32_MAX || homes[id.value].size() != 1 || groups[other].members.size() != 1) return false;
  if (group.members.size() >= kMaxMembers) return false;

  Group grown = group;
  const std::string subject = label(id) + " into " + label(group.anchor);
  const std::vector<NodeId> both = {id, group.anchor};
  if (stays_alone(id) || stays_alone(group.anchor)) {
    decide(false, "driver", both, subject, kNoPipeline);
    return false;
  }
  if (widens_for_loads(node)) {
    decide(false, "widening", both, subject,
           "its readers widen each element as they load it; what is stored is the narrow one.");
    return false;
  }
  if (group.kind != AnchorKind::kReduce && is_made_by_rows(group, id)) {
    decide(false, "made again", both, subject, "its reductions make it again of what is stored anyway.");
    return false;
  }
  std::string rule = "epilogue";
  if (std::holds_alternative<MapAttrs>(node.attrs)) {
    auto at = join_coordinates(group, node);
    if (!at) return false;
    const ReduceAttrs* row = row_of(graph, group);
    if (row) {
      // A map over the whole row re-reads it: the rows must keep the device busy as the map alone would.
      rule = "row";
      const Dims& shape = graph.value(graph.node(group.anchor).inputs[0]).shape;
      int64_t row_length = 1;
      for (int axis : row->axes) row_length *= typical(shape[static_cast<size_t>(axis)]);
      int64_t rows = typical(product(shape)) / std::max<int64_t>(1, row_length);
      bool whole_row = graph.value(node.output).shape == shape && row_length > 1;
      int64_t wanted = 2 * device.rates.compute_units;
      if (whole_row && rows < wanted && row_length > 4096) {
        decide(false, "parallelism", both, subject,
               std::to_string(rows) + " rows of " + std::to_string(row_length) +
                   " would keep fewer than two workgroups on each of " + std::to_string(device.rates.compute_units) +
                   " compute units busy.");
        return false;
      }
    }
    grown.coordinates[node.output.value] = *at;
  } else if (joins_row(group, node)) {
    rule = "row";
    Dims at = group.coordinates.at(node.inputs[0].value);
    for (int axis : std::get<ReduceAttrs>(node.attrs).axes) at[static_cast<size_t>(axis)] = IntExpr(0);
    grown.coordinates[node.output.value] = at;
  } else {
    return false;
  }
  grown.members.insert(std::upper_bound(grown.members.begin(), grown.members.end(), id), id);

  // A reduction's operand is evaluated at the row's element by the skeleton; everything else must follow from there.
  std::vector<ValueId> wanted;
  if (std::holds_alternative<MapAttrs>(node.attrs))
    wanted.push_back(node.output);
  else if (in_group(grown, graph.value(node.inputs[0]).producer))
    wanted.push_back(node.inputs[0]);
  Status legal = check_points(grown, wanted);
  if (!legal.ok()) {
    decide(false, "same point", both, subject, legal.message());
    return false;
  }
  if (makes_cycle(group, id)) {
    decide(false, "cycle", both, subject, "it also reads what another kernel makes of this one's result.");
    return false;
  }
  if (std::string why = why_too_large(grown); !why.empty()) {
    decide(false, "limits", both, subject, std::move(why));
    return false;
  }
  int64_t saved_bytes = 2 * typical_bytes(graph, node.inputs[0]);
  decide(true, rule, both, subject,
         "saves a launch and " + std::to_string(saved_bytes) + " bytes, about " +
             std::to_string(device.rates.launch_ns + memory_ns(saved_bytes, device)) + " ns.");
  groups[other].members.clear();
  homes[id.value] = {static_cast<uint32_t>(&group - groups.data())};
  group = std::move(grown);
  return true;
}

void Fuser::grow_epilogues() {
  // Products and windows last to first: the later of two producers of an addition takes it, when the other's result is
  // ready. Then rows and maps first to last: the reduction at the head of a normalisation takes those that follow, and a
  // chain becomes one group from its first map.
  std::vector<uint32_t> order;
  auto append = [&](auto wanted) {
    for (size_t g = 0; g < groups.size(); ++g)
      if (wanted(groups[g].kind)) order.push_back(static_cast<uint32_t>(g));
  };
  append([](AnchorKind kind) {
    return kind == AnchorKind::kContract || kind == AnchorKind::kWindow || kind == AnchorKind::kAttend;
  });
  std::reverse(order.begin(), order.end());
  append([](AnchorKind kind) { return kind == AnchorKind::kReduce; });
  append([](AnchorKind kind) { return kind == AnchorKind::kMap; });

  for (uint32_t g : order) {
    if (groups[g].members.empty()) continue;
    std::set<uint32_t> refused;
    for (bool grew = true; grew;) {
      grew = false;
      std::set<uint32_t> candidates;
      for (NodeId m : groups[g].members)
        for (NodeId reader : readers(graph.node(m).output)) candidates.insert(reader.value);
      if (groups[g].kind == AnchorKind::kReduce)
        for (NodeId reader : readers(graph.node(groups[g].anchor).inputs[0])) {
          // Other reductions of the same rows; maps join only through what the group computes.
          if (std::holds_alternative<ReduceAttrs>(graph.node(reader).attrs)) candidates.insert(reader.value);
        }
      for (uint32_t n : candidates) {
        if (in_group(groups[g], NodeId(n)) || refused.count(n)) continue;
        if (try_join(groups[g], NodeId(n))) {
          grew = true;
          break;
        }
        // A reduction may become joinable once the map before it has joined; a map may not.
        if (!std::holds_alternative<ReduceAttrs>(graph.node(NodeId(n)).attrs)) refused.insert(n);
      }
      if (grew) refused.clear();
    }
  }
}

}  // namespace tuff
