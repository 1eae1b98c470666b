// fuse(): the ordered list of fusion's passes, and what follows from the groups: stores, order, placements.
#include "fusion/fusion.h"

#include <algorithm>

#include "fusion/cost.h"
#include "fusion/grow.h"

namespace tuff {

bool is_compute(const Attrs& attrs) {
  return std::holds_alternative<MapAttrs>(attrs) || std::holds_alternative<ReduceAttrs>(attrs) ||
         std::holds_alternative<ContractAttrs>(attrs) || std::holds_alternative<WindowAttrs>(attrs);
}

Dims domain_variables(const Dims& shape) {
  Dims out;
  for (size_t i = 0; i < shape.size(); ++i) out.push_back(IntExpr::loop_variable("d" + std::to_string(i), shape[i]));
  return out;
}

namespace {

// Follows bijective views back from a value to what a compute node makes. `path` gets the views, nearest to it first.
ValueId storable_source(const Graph& graph, ValueId value, std::vector<NodeId>* path) {
  for (;;) {
    NodeId maker = graph.value(value).producer;
    if (!maker.valid()) return value;
    const Node& node = graph.node(maker);
    if (!std::holds_alternative<ReshapeAttrs>(node.attrs) && !std::holds_alternative<TransposeAttrs>(node.attrs)) return value;
    if (path) path->push_back(maker);
    value = node.inputs[0];
  }
}

bool made_by_compute(const Graph& graph, ValueId value) {
  const Node* maker = graph.producer(value);
  return maker && is_compute(maker->attrs);
}

}  // namespace

// A concat is written in place when its pieces come straight from kernels: each then lies inside the result's storage.
// Otherwise up to four pieces are read through it by whoever wants them, and beyond that pieces are copied.
void Fuser::place_concats() {
  // Last to first, so that a concat of concats gives its own pieces their final owner.
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    const auto* concat = std::get_if<ConcatAttrs>(&node.attrs);
    if (!concat) continue;
    // isolate_concat_pieces has made each piece a value of its own; here: does a kernel make it directly?
    auto placeable = [&](ValueId piece) {
      const ValueId source = storable_source(graph, piece, nullptr);
      return made_by_compute(graph, source) || graph.producer_as<ConcatAttrs>(piece);
    };
    size_t count = static_cast<size_t>(std::count_if(node.inputs.begin(), node.inputs.end(), placeable));
    const std::string pieces = std::to_string(node.inputs.size()) + " pieces";
    if (!needed[node.output.value] && count < node.inputs.size() && node.inputs.size() <= 4) {
      decide(true, "concat read through", label(NodeId(n)),
             std::to_string(node.inputs.size() - count) + " of " + pieces + " are not a kernel's own result; readers choose by coordinate.");
      continue;
    }
    decide(true, "concat in place", label(NodeId(n)),
           "of " + pieces + " " + std::to_string(count) + " are stored where they belong, the others are copied.");
    needed[node.output.value] = true;
    IntExpr offset;
    for (ValueId piece : node.inputs) {
      placements[piece.value] = {node.output, concat->axis, offset};
      needed[piece.value] = true;
      offset += graph.value(piece).shape[static_cast<size_t>(concat->axis)];
    }
  }
}

// A group of maps is written into the groups that read it, where computing it again costs less than storing it.
void Fuser::write_into_readers() {
  for (size_t g = groups.size(); g-- > 0;) {
    Group& source = groups[g];
    if (source.members.empty() || source.kind != AnchorKind::kMap) continue;
    // Its one result, and who reads it.
    ValueId result;
    bool single = true;
    for (NodeId m : source.members) {
      ValueId v = graph.node(m).output;
      bool leaves = needed[v.value];
      for (NodeId reader : readers(v)) leaves = leaves || !homes[reader.value].count(static_cast<uint32_t>(g));
      if (!leaves) continue;
      single = single && !result.valid();
      result = v;
    }
    if (!result.valid() || !single || needed[result.value]) continue;
    // Read through a view that is stored for other reasons (a concat in place)? Then it is stored there.
    bool stored_view = false;
    std::vector<ValueId> work = {result};
    std::set<uint32_t> seen_views;
    while (!work.empty()) {
      ValueId v = work.back();
      work.pop_back();
      for (NodeId user : users[v.value]) {
        const Node& view = graph.node(user);
        if (!is_view(view.attrs) || !seen_views.insert(user.value).second) continue;
        if (needed[view.output.value]) stored_view = true;
        else work.push_back(view.output);
      }
    }
    if (stored_view) continue;

    std::set<uint32_t> into;
    for (NodeId reader : readers(result))
      for (uint32_t home_group : homes[reader.value]) into.insert(home_group);
    if (into.empty()) continue;

    int64_t operations = 0;
    for (NodeId m : source.members)
      operations += map_op_row(std::get<MapAttrs>(graph.node(m).attrs).op).cost;
    int64_t elements = typical(product(graph.value(result).shape));
    int64_t result_bytes = typical_bytes(graph, result);
    int64_t source_bytes = 0;
    for (ValueId v : loads(source)) source_bytes += typical_bytes(graph, v);
    int64_t reads = 0;
    for (uint32_t t : into) {
      const Group& target = groups[t];
      const Node& anchor = graph.node(target.anchor);
      if (target.kind == AnchorKind::kWindow) {
        const auto& window = std::get<WindowAttrs>(anchor.attrs);
        int64_t taps = 1;
        for (size_t i = 0; i < window.kernel.size(); ++i) taps *= std::max<int64_t>(1, window.kernel[i] / window.strides[i]);
        // Output channels beyond one tile (64 columns) read the input again.
        int64_t tiles = window.op == WindowOp::kConv && window.groups == 1
                            ? (typical(graph.value(anchor.output).shape[1]) + 63) / 64 : 1;
        reads += taps * tiles;
      } else if (target.kind == AnchorKind::kContract) {
        int64_t other = typical(product(graph.value(anchor.output).shape)) / std::max<int64_t>(1, elements);
        reads += std::max<int64_t>(1, (other + 63) / 64);
      } else if (target.kind == AnchorKind::kReduce) {
        int64_t phases = 1;
        for (NodeId m : target.members) phases += std::holds_alternative<ReduceAttrs>(graph.node(m).attrs);
        reads += phases;
      } else {
        reads += 1;
      }
    }
    int64_t copies = static_cast<int64_t>(into.size());
    int64_t before = device.rates.launch_ns + memory_ns(source_bytes + result_bytes + copies * result_bytes, device) +
                     arithmetic_ns(operations * elements, device);
    int64_t after = memory_ns(copies * source_bytes, device) + arithmetic_ns(operations * elements * reads, device);
    const std::string subject = label(source.members.back()) + " into its " + std::to_string(copies) + " readers";
    if (after > before) {
      decide(false, "recomputation", subject,
             "computing it " + std::to_string(reads) + " times would cost " + std::to_string(after) + " ns, storing it costs " +
                 std::to_string(before) + " ns.");
      continue;
    }
    // Try on copies; all readers or none.
    std::vector<std::pair<uint32_t, Group>> merged;
    bool legal = true;
    for (uint32_t t : into) {
      Group target = groups[t];
      for (NodeId m : source.members)
        target.members.insert(std::upper_bound(target.members.begin(), target.members.end(), m), m);
      int bindings = binding_count(target);
      if (bindings > device.max_storage_buffers) {
        decide(false, "storage buffers", subject,
               label(target.anchor) + " would bind " + std::to_string(bindings) + " buffers, the device allows " +
                   std::to_string(device.max_storage_buffers) + ".");
        legal = false;
        break;
      }
      merged.emplace_back(t, std::move(target));
    }
    if (!legal) continue;
    decide(true, "prologue", subject,
           "computing it " + std::to_string(reads) + " times costs " + std::to_string(after) + " ns, storing it would cost " +
               std::to_string(before) + " ns.");
    for (NodeId m : source.members) {
      homes[m.value].erase(static_cast<uint32_t>(g));
      for (auto& [t, target] : merged) homes[m.value].insert(t);
    }
    source.members.clear();
    for (auto& [t, target] : merged) groups[t] = std::move(target);
  }
}

// What each group stores: its results that others read, and views of them that must have storage of their own.
Status Fuser::choose_stores() {
  std::vector<bool> done(graph.values.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    Group& group = groups[g];
    for (NodeId m : group.members) {
      ValueId v = graph.node(m).output;
      if (!group.coordinates.count(v.value)) continue;  // a prologue: computed where it is read
      bool leaves = needed[v.value];
      for (NodeId reader : readers(v)) {
        bool inside = homes[reader.value].count(static_cast<uint32_t>(g)) > 0;
        bool elsewhere = homes[reader.value].size() > (inside ? 1u : 0u);
        leaves = leaves || elsewhere;
      }
      if (leaves && !done[v.value]) {
        group.stores.push_back(v);
        done[v.value] = true;
        needed[v.value] = true;
      }
    }
  }
  // Views that need storage: stored by the kernel that makes their source, through the views, or copied.
  for (size_t v = 0; v < graph.values.size(); ++v) {
    ValueId value(v);
    const Node* maker = graph.producer(value);
    bool is_constant = maker && std::holds_alternative<ConstantAttrs>(maker->attrs);
    bool input = !maker;
    if (!needed[v] || done[v]) continue;
    if (maker && std::holds_alternative<ConcatAttrs>(maker->attrs) && placements[maker->inputs[0].value].owner == value) {
      done[v] = true;  // written by its pieces
      continue;
    }
    std::vector<NodeId> path;
    ValueId source = storable_source(graph, value, &path);
    if (!is_constant && !input && made_by_compute(graph, source)) {
      const auto& makers = homes[graph.value(source).producer.value];
      bool stored = false;
      for (uint32_t g : makers) {
        Group& group = groups[g];
        auto at = group.coordinates.find(source.value);
        if (at == group.coordinates.end() || stored) continue;
        if (static_cast<int64_t>(loads(group).size() + group.stores.size()) >= device.max_storage_buffers) continue;
        Dims coordinates = at->second;
        for (size_t i = path.size(); i-- > 0;) coordinates = *push_through_view(graph, graph.node(path[i]), coordinates);
        group.coordinates[value.value] = coordinates;
        // Nobody else reads the source itself? Then only the view is stored.
        group.stores.push_back(value);
        stored = true;
        decide(true, "store through views", label(graph.value(value).producer),
               "the kernel of " + label(group.anchor) + " writes it in place; no dispatch only moves it.");
      }
      if (stored) {
        done[v] = true;
        continue;
      }
    }
    // A copy: a kernel whose domain is the value and that reads through the views.
    Group copy;
    copy.kind = AnchorKind::kMap;
    copy.anchor = maker ? graph.value(value).producer : NodeId();
    copy.coordinates[value.value] = domain_variables(graph.value(value).shape);
    copy.stores = {value};
    decide(false, "copy", maker ? label(graph.value(value).producer) : graph.value(value).name,
           "moves " + std::to_string(typical_bytes(graph, value)) + " bytes: it repeats, drops or pads elements, or no kernel makes its source.");
    groups.push_back(std::move(copy));
    done[v] = true;
  }
  return ok_status();
}

Result<std::vector<Group>> Fuser::in_order() {
  // Kahn's algorithm over groups; ties by the first member, so that the order is that of the model.
  std::vector<uint32_t> live;
  for (uint32_t g = 0; g < groups.size(); ++g)
    if (!groups[g].stores.empty()) live.push_back(g);
  std::map<uint32_t, std::vector<uint32_t>> writers;  // by value: a concat has one a piece
  auto owner_of = [&](ValueId v) {
    while (placements[v.value].owner != v) v = placements[v.value].owner;
    return v;
  };
  for (uint32_t g : live)
    for (ValueId v : groups[g].stores) {
      writers[v.value].push_back(g);
      ValueId owner = owner_of(v);
      for (ValueId step = v; step != owner;) {
        step = placements[step.value].owner;
        writers[step.value].push_back(g);
      }
    }
  std::map<uint32_t, std::set<uint32_t>> before;  // group -> groups that must run first
  std::map<uint32_t, std::vector<uint32_t>> after;
  for (uint32_t g : live) {
    for (ValueId v : loads(groups[g])) {
      for (uint32_t w : writers[v.value])
        if (w != g && before[g].insert(w).second) after[w].push_back(g);
    }
  }
  auto rank = [&](uint32_t g) {
    return groups[g].members.empty() ? (groups[g].anchor.valid() ? groups[g].anchor.value : 0) : groups[g].members.back().value;
  };
  std::set<std::pair<uint32_t, uint32_t>> ready;
  for (uint32_t g : live)
    if (before[g].empty()) ready.insert({rank(g), g});
  std::vector<Group> out;
  while (!ready.empty()) {
    uint32_t g = ready.begin()->second;
    ready.erase(ready.begin());
    for (uint32_t next : after[g]) {
      before[next].erase(g);
      if (before[next].empty()) ready.insert({rank(next), next});
    }
    out.push_back(std::move(groups[g]));
  }
  if (out.size() != live.size()) return internal_error("The fusion groups depend on each other in a cycle.");
  return out;
}

Result<Fusion> fuse(const Graph& graph, const Layouts& layouts, const FusionOptions& options, const DeviceInfo& device,
                    const Observations&) {
  Fuser fuser(graph, layouts, device);
  fuser.start_groups();
  // Concats first, fused or not: pieces that are placed must stay results of a kernel.
  fuser.place_concats();
  if (options.fuse) fuser.grow_epilogues();
  if (options.fuse) fuser.write_into_readers();
  TUFF_TRY(fuser.choose_stores());
  Fusion fusion;
  TUFF_ASSIGN(fusion.groups, fuser.in_order());
  fusion.placements = std::move(fuser.placements);
  fusion.decisions = std::move(fuser.decisions);
  fusion.stored.assign(graph.values.size(), false);
  for (ValueId v : graph.inputs) fusion.stored[v.value] = true;
  for (const Node& node : graph.nodes)
    if (std::holds_alternative<ConstantAttrs>(node.attrs)) fusion.stored[node.output.value] = true;
  for (const Group& group : fusion.groups)
    for (ValueId v : group.stores) {
      fusion.stored[v.value] = true;
      for (ValueId at = v; fusion.placements[at.value].owner != at;) {
        at = fusion.placements[at.value].owner;
        fusion.stored[at.value] = true;
      }
    }
  return fusion;
}

PointScope group_scope(const Group& group, const Graph& graph, const Layouts& layouts, const Fusion& fusion) {
  PointScope scope;
  scope.graph = &graph;
  scope.layouts = &layouts;
  scope.placements = &fusion.placements;
  scope.members.assign(graph.nodes.size(), false);
  for (NodeId m : group.members) scope.members[m.value] = true;
  scope.stored = &fusion.stored;
  return scope;
}

}  // namespace tuff
