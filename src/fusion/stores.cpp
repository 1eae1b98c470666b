// What each group writes and in which order groups run: the end of fusion, when it is settled who computes what.
#include <algorithm>

#include "fusion/cost.h"
#include "fusion/grow.h"

namespace tuff {

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

// The views of the value that have storage, seen through those that have none.
std::vector<ValueId> Fuser::stored_views(ValueId value) const {
  std::vector<ValueId> found, work = {value};
  std::set<uint32_t> seen;
  while (!work.empty()) {
    ValueId v = work.back();
    work.pop_back();
    for (NodeId user : users[v.value]) {
      const Node& view = graph.node(user);
      if (is_compute(view.attrs) || !seen.insert(user.value).second) continue;
      if (needed[view.output.value])
        found.push_back(view.output);
      else
        work.push_back(view.output);
    }
  }
  return found;
}

// Does some other group read the value from memory, one that does not compute it itself?
bool Fuser::leaves(ValueId value, uint32_t group) const {
  if (needed[value.value]) return true;
  const std::set<uint32_t>& makers = homes[graph.value(value).producer.value];
  for (NodeId reader : readers(value))
    for (uint32_t home_group : homes[reader.value])
      if (home_group != group && !makers.count(home_group)) return true;
  return false;
}

// A group that has the value's source at known coordinates writes the value itself, through the views between them.
bool Fuser::store_through_views(ValueId value) {
  std::vector<NodeId> path;
  const ValueId source = storable_source(graph, value, &path);
  if (!made_by_compute(graph, source)) return false;
  for (uint32_t g : homes[graph.value(source).producer.value]) {
    Group& group = groups[g];
    auto at = group.coordinates.find(source.value);
    if (at == group.coordinates.end() || binding_count(group) > device.max_storage_buffers) continue;
    Dims coordinates = at->second;
    for (size_t i = path.size(); i-- > 0;) coordinates = *push_through_view(graph, graph.node(path[i]), coordinates);
    group.coordinates[value.value] = coordinates;
    group.stores.push_back(value);
    decide(true, "store through views", {graph.value(value).producer, group.anchor}, label(graph.value(value).producer),
           "the kernel of " + label(group.anchor) + " writes it in place; no dispatch only moves it.");
    return true;
  }
  return false;
}

// A kernel whose domain is the value and that reads through the views behind it.
void Fuser::copy(ValueId value) {
  Group group;
  group.kind = AnchorKind::kMap;
  group.anchor = graph.value(value).producer;
  group.coordinates[value.value] = domain_variables(graph.value(value).shape);
  group.stores = {value};
  for (ValueId v : loads(group)) needed[v.value] = true;
  decide(false, "copy", {group.anchor}, label(group.anchor),
         "moves " + std::to_string(typical_bytes(graph, value)) +
             " bytes: it repeats, drops or pads elements, or no kernel makes its source.");
  groups.push_back(std::move(group));
}

// Views first, since a copy makes its sources needed; then what each group computes for others.
void Fuser::choose_stores() {
  for (size_t v = 0; v < graph.values.size(); ++v) {
    const ValueId value(v);
    const Node* maker = graph.producer(value);
    if (!needed[v] || !maker || is_compute(maker->attrs) || std::holds_alternative<ConstantAttrs>(maker->attrs)) continue;
    const bool written_by_pieces =
        std::holds_alternative<ConcatAttrs>(maker->attrs) && placements[maker->inputs[0].value].owner == value;
    if (!written_by_pieces && !store_through_views(value)) copy(value);
  }
  std::vector<bool> done(graph.values.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    Group& group = groups[g];
    for (NodeId m : group.members) {
      const ValueId v = graph.node(m).output;
      // Without coordinates it is a prologue, computed where it is read.
      if (done[v.value] || !group.coordinates.count(v.value) || !leaves(v, static_cast<uint32_t>(g))) continue;
      group.stores.push_back(v);
      done[v.value] = true;
    }
  }
}

std::vector<std::set<uint32_t>> Fuser::dependencies() const {
  std::map<uint32_t, std::vector<uint32_t>> writers;  // by value: a concat has one a piece
  for (uint32_t g = 0; g < groups.size(); ++g)
    for (ValueId v : groups[g].stores) {
      writers[v.value].push_back(g);
      while (placements[v.value].owner != v) {
        v = placements[v.value].owner;
        writers[v.value].push_back(g);
      }
    }
  std::vector<std::set<uint32_t>> before(groups.size());
  for (uint32_t g = 0; g < groups.size(); ++g) {
    if (groups[g].stores.empty()) continue;
    for (ValueId v : loads(groups[g]))
      for (uint32_t w : writers[v.value])
        if (w != g) before[g].insert(w);
  }
  return before;
}

Result<std::vector<Group>> Fuser::in_order() {
  // Kahn's algorithm over groups; ties by the first member, so that the order is that of the model.
  std::vector<uint32_t> live;
  for (uint32_t g = 0; g < groups.size(); ++g)
    if (!groups[g].stores.empty()) live.push_back(g);
  std::vector<std::set<uint32_t>> before = dependencies();
  std::vector<std::vector<uint32_t>> after(groups.size());
  for (uint32_t g : live)
    for (uint32_t earlier : before[g]) after[earlier].push_back(g);
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

}  // namespace tuff
