// fuse(): the ordered list of fusion's passes, and what follows from the groups: stores, order, placements.
#include "fusion/fusion.h"

#include <algorithm>

#include "fusion/cost.h"
#include "fusion/grow.h"
#include "fusion/matrix_units.h"
#include "fusion/winograd.h"

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

// A concat is written in place when its pieces come straight from kernels: each then lies inside the result's storage.
// Otherwise up to four pieces are read through it by whoever wants them, and beyond that pieces are copied.
void Fuser::place_concats() {
  // Last to first, so that a concat of concats gives its own pieces their final owner.
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    const auto* concat = std::get_if<ConcatAttrs>(&node.attrs);
    if (!concat) continue;
    // isolate_stored_values has made each piece a value of its own; here: does a kernel make it directly?
    auto placeable = [&](ValueId piece) {
      const ValueId source = storable_source(graph, piece, nullptr);
      return made_by_compute(graph, source) || graph.producer_as<ConcatAttrs>(piece);
    };
    size_t count = static_cast<size_t>(std::count_if(node.inputs.begin(), node.inputs.end(), placeable));
    const std::string pieces = std::to_string(node.inputs.size()) + " pieces";
    if (!needed[node.output.value] && count < node.inputs.size() && node.inputs.size() <= 4) {
      decide(true, "concat read through", {NodeId(n)}, label(NodeId(n)),
             "it is not stored, since of " + pieces + " " + std::to_string(node.inputs.size() - count) +
                 (node.inputs.size() - count == 1 ? " is" : " are") + " no kernel's own; readers choose by coordinate.");
      continue;
    }
    decide(true, "concat in place", {NodeId(n)}, label(NodeId(n)),
           "of " + pieces + " " + std::to_string(count) + " are stored where they belong, the others are copied.");
    place_pieces(node);
  }
}

void Fuser::place_pieces(const Node& concat) {
  const size_t axis = static_cast<size_t>(std::get<ConcatAttrs>(concat.attrs).axis);
  needed[concat.output.value] = true;
  IntExpr offset;
  for (ValueId piece : concat.inputs) {
    placements[piece.value] = {concat.output, static_cast<int>(axis), offset};
    needed[piece.value] = true;
    offset += graph.value(piece).shape[axis];
  }
}

// A node alone must be a kernel that the device can bind: what it reads through views from too many values is stored.
void Fuser::fit_bindings() {
  const size_t limit = static_cast<size_t>(std::max<int64_t>(1, device.max_storage_buffers - 1));
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    for (;;) {
      const size_t count = loads_behind(node.inputs, {}).size();
      if (count <= limit) break;
      // The operand that reads from most values; each reads from few enough to be copied, since its node came before.
      ValueId widest;
      size_t most = 1;
      for (ValueId in : node.inputs) {
        size_t behind = loads_behind({in}, {}).size();
        if (behind > most) widest = in, most = behind;
      }
      if (widest.valid()) {
        needed[widest.value] = true;
      } else if (std::holds_alternative<ConcatAttrs>(node.attrs)) {
        place_pieces(node);
        break;
      } else {
        break;  // as many values as operands: its kernel will say what the device lacks
      }
      decide(false, "storage buffers", {NodeId(n)}, label(NodeId(n)),
             "it would read from " + std::to_string(count) + " buffers and write one, the device allows " +
                 std::to_string(device.max_storage_buffers) + "; an operand is copied first.");
    }
  }
}

bool Fuser::reads_through_views(ValueId operand, ValueId value) const {
  while (operand != value) {
    const Node* maker = graph.producer(operand);
    if (!maker || !is_view(maker->attrs) || maker->inputs.size() != 1) return false;
    operand = maker->inputs[0];
  }
  return true;
}

bool Fuser::reads_constants_alone(const Group& group) const {
  const std::vector<ValueId> values = loads(group);
  return std::all_of(values.begin(), values.end(), [&](ValueId v) { return graph.producer_as<ConstantAttrs>(v); });
}

// Does a product, window or reduction of the group read the value, perhaps through maps? Else only what follows them does.
bool Fuser::is_operand(const Group& target, ValueId value) const {
  std::vector<ValueId> work;
  auto add_inputs = [&](const Node& node) { work.insert(work.end(), node.inputs.begin(), node.inputs.end()); };
  for (NodeId m : target.members)
    if (!std::holds_alternative<MapAttrs>(graph.node(m).attrs)) add_inputs(graph.node(m));
  std::set<uint32_t> seen;
  while (!work.empty()) {
    const ValueId v = work.back();
    work.pop_back();
    if (v == value) return true;
    const Node* maker = graph.producer(v);
    if (!maker || !seen.insert(v.value).second) continue;
    const NodeId id = graph.value(v).producer;
    const bool joined = std::binary_search(target.members.begin(), target.members.end(), id);
    if (is_view(maker->attrs) || (joined && std::holds_alternative<MapAttrs>(maker->attrs))) add_inputs(*maker);
  }
  return false;
}

// How often a product or a window reads each of the operand's elements.
int64_t Fuser::operand_reads(const Group& target, ValueId operand) const {
  const Node& anchor = graph.node(target.anchor);
  const Dims& out = graph.value(anchor.output).shape;
  if (target.kind == AnchorKind::kContract) {
    const int64_t elements = typical(product(graph.value(operand).shape));
    // Once for the product, and for each statistic that it computes of its rows.
    int64_t phases = 1;
    for (NodeId m : target.members) phases += std::holds_alternative<ReduceAttrs>(graph.node(m).attrs);
    int64_t other = typical(product(out)) / std::max<int64_t>(1, elements);
    return phases * std::max<int64_t>(1, (other + 63) / 64);
  }
  if (anchor.inputs.size() == 2 && reads_through_views(anchor.inputs[1], operand))
    // Weights: each tile of 64 output pixels reads them again.
    return std::max<int64_t>(1, (typical(product(out)) / std::max<int64_t>(1, typical(out[1])) + 63) / 64);
  const auto& window = std::get<WindowAttrs>(anchor.attrs);
  int64_t taps = 1;
  for (size_t i = 0; i < window.kernel.size(); ++i) taps *= std::max<int64_t>(1, window.kernel[i] / window.strides[i]);
  // Output channels beyond one tile (64 columns) read the input again.
  int64_t tiles = window.op == WindowOp::kConv && window.groups == 1 ? (typical(out[1]) + 63) / 64 : 1;
  return taps * tiles;
}

// How often the group would compute each of the value's elements, were the value written into it.
int64_t Fuser::element_reads(const Group& target, ValueId value) const {
  const int64_t elements = std::max<int64_t>(1, typical(product(graph.value(value).shape)));
  switch (target.kind) {
    case AnchorKind::kWindow:
    case AnchorKind::kContract: {
      if (is_operand(target, value)) return operand_reads(target, value);
      // An epilogue reads an element for each result, or for each tile of 64 of them that share it.
      const int64_t results = typical(product(graph.value(graph.node(target.anchor).output).shape)) / elements;
      return std::max<int64_t>(1, (results + 63) / 64);
    }
    case AnchorKind::kAttend: return attention_reads(target, value) / elements;
    case AnchorKind::kReduce:
      return 1 + std::count_if(target.members.begin(), target.members.end(),
                               [&](NodeId m) { return std::holds_alternative<ReduceAttrs>(graph.node(m).attrs); });
    default: return 1;
  }
}

// What a group of maps with so many elements reads of a value: an element for each, if it reads the value through a slice, no
// more than that has. Where a gather reads is not known; kernels are said to read all of it.
int64_t Fuser::bytes_of_load(const Group& source, ValueId value, int64_t elements) const {
  const int64_t bytes = typical_bytes(graph, value);
  for (NodeId m : source.members)
    for (ValueId operand : graph.node(m).inputs) {
      bool is_gathered = false;
      for (const Node* view = graph.producer(operand); view && is_view(view->attrs) && !view->inputs.empty();
           view = graph.producer(view->inputs[0])) {
        is_gathered = is_gathered || std::holds_alternative<GatherAttrs>(view->attrs);
        if (is_gathered && view->inputs[0] == value) return bytes;
      }
    }
  return std::min(bytes, elements * dtype_size_bytes(graph.value(value).dtype));
}

// A group of maps is written into the groups that read it, where computing it again costs less than storing it.
void Fuser::write_map_into_readers(uint32_t group, bool is_last_try) {
  const Group& source = groups[group];
  if (source.members.empty() || source.kind != AnchorKind::kMap) return;
  // Its one result, and who reads it. What is stored as a view is stored by the kernel that makes it.
  ValueId result;
  bool single = true;
  for (NodeId m : source.members) {
    ValueId v = graph.node(m).output;
    if (!stored_views(v).empty()) single = false;
    if (!leaves(v, group)) continue;
    single = single && !result.valid();
    result = v;
  }
  if (!result.valid() || !single || needed[result.value]) return;

  const std::set<uint32_t> into = reading_groups(result);
  if (into.empty()) return;
  std::vector<NodeId> nodes = {source.members.back()};
  for (uint32_t t : into) nodes.push_back(groups[t].anchor);
  if (stays_alone(source.anchor) ||
      std::any_of(into.begin(), into.end(), [&](uint32_t t) { return stays_alone(groups[t].anchor); })) {
    if (is_last_try) decide(false, "driver", nodes, label(source.members.back()) + " into its readers", kNoPipeline);
    return;
  }

  int64_t operations = 0;
  for (NodeId m : source.members) operations += map_op_row(std::get<MapAttrs>(graph.node(m).attrs).op).cost;
  int64_t elements = typical(product(graph.value(result).shape));
  int64_t result_bytes = typical_bytes(graph, result);
  int64_t source_bytes = 0;
  for (ValueId v : loads(source)) source_bytes += bytes_of_load(source, v, elements);
  int64_t reads = 0;
  for (uint32_t t : into) reads += element_reads(groups[t], result);
  int64_t copies = static_cast<int64_t>(into.size());
  // Memory sees each reader once, the cache each of its reads.
  int64_t before = device.rates.launch_ns + memory_ns(source_bytes + result_bytes + copies * result_bytes, device) +
                   cache_ns(reads * result_bytes, device) + arithmetic_ns(operations * elements, device);
  int64_t after = memory_ns(copies * source_bytes, device) + cache_ns(reads * source_bytes, device) +
                  arithmetic_ns(operations * elements * reads, device);
  const std::string subject = label(source.members.back()) + " into its " + counted(copies, "reader");
  // What is computed from constants alone and was not folded is weights that memory has narrow; stored wide it would cost
  // their memory, too.
  const bool weights = reads_constants_alone(source) && source_bytes < result_bytes;
  if (after > before && !weights) {
    if (is_last_try)
      decide(false, "recomputation", nodes, subject,
             "computing it " + std::to_string(reads) + " times would cost " + std::to_string(after) + " ns, storing it costs " +
                 std::to_string(before) + " ns.");
    return;
  }
  // Try on copies; all readers or none.
  GrownGroups grown;
  std::string refusal;
  for (uint32_t t : into) {
    Group target = groups[t];
    add_members(target, source);
    refusal = why_too_large(target);
    if (!refusal.empty()) break;
    grown.emplace_back(t, std::move(target));
  }
  if (!refusal.empty()) {
    if (is_last_try) decide(false, "limits", nodes, subject, refusal);
    return;
  }
  decide(true, "prologue", nodes, subject,
         weights ? "memory keeps its constants of " + std::to_string(source_bytes) + " bytes, not the " +
                       std::to_string(result_bytes) + " that it makes of them."
                 : "computing it " + std::to_string(reads) + " times costs " + std::to_string(after) +
                       " ns, storing it would cost " + std::to_string(before) + " ns.");
  write_into(group, std::move(grown));
}

void Fuser::write_into_readers() {
  for (uint32_t g = static_cast<uint32_t>(groups.size()); g-- > 0;) write_map_into_readers(g, true);
}

// What rows are cheaply made of is theirs before they are written elsewhere.
void Fuser::write_maps_into_rows() {
  auto is_row = [&](uint32_t t) { return groups[t].kind == AnchorKind::kReduce; };
  for (uint32_t g = static_cast<uint32_t>(groups.size()); g-- > 0;) {
    if (groups[g].members.size() != 1 || !is_cheap(groups[g].anchor)) continue;
    const std::set<uint32_t> into = reading_groups(graph.node(groups[g].anchor).output);
    if (std::all_of(into.begin(), into.end(), is_row)) write_map_into_readers(g, false);
  }
}

Result<Fusion> fuse(const Graph& graph, const Layouts& layouts, const FusionOptions& options, const DeviceInfo& device,
                    const Observations&) {
  Fuser fuser(graph, layouts, device, options);
  fuser.start_groups();
  // Concats first, fused or not: pieces that are placed must stay results of a kernel.
  fuser.place_concats();
  fuser.fit_bindings();
  if (options.fuse) fuser.join_attention();
  if (options.fuse) fuser.grow_epilogues();
  if (options.fuse) fuser.join_products_of_shared_rows();
  if (options.fuse) fuser.write_maps_into_rows();
  if (options.fuse) fuser.write_rows_into_products();
  if (options.fuse) fuser.write_into_readers();
  // After the maps, so that those between a window and a product are in a kernel of one of them already. A window goes one way
  // alone: into its reader if that is cheaper.
  if (options.fuse) fuser.write_products_into_windows();
  if (options.fuse) fuser.write_windows_into_products();
  // Then those that are still kernels of their own: a product that has a window in it needs no storage for it at all.
  if (options.fuse) fuser.write_windows_into_reductions();
  if (options.fuse) fuser.combine_tiles();
  fuser.choose_stores();
  // Last: what is still a kernel of its own, copies among them.
  if (options.fuse) fuser.join_maps_of_shared_domain();
  if (options.fuse) fuser.explain_boundaries();
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
  choose_matrix_units(fusion, graph, options, device);
  choose_winograd(fusion, graph, options, device);
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
