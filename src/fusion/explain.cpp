// Fusion as text: what `tuff inspect --stage=fusion` and `tuff explain` print, and the stage's verifier.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "fusion/fusion.h"

namespace tuff {

std::string_view kind_name(AnchorKind kind) {
  switch (kind) {
    case AnchorKind::kMap: return "map";
    case AnchorKind::kReduce: return "reduce";
    case AnchorKind::kContract: return "contract";
    case AnchorKind::kWindow: return "window";
    case AnchorKind::kAttend: return "attend";
    case AnchorKind::kSeparable: return "separable";
    case AnchorKind::kExpand: return "expand";
  }
  return "?";
}

namespace {

std::string value_text(const Graph& graph, ValueId v) {
  const Value& value = graph.value(v);
  return "%" + std::to_string(v.value) + (value.name.empty() ? "" : " \"" + value.name + "\"") + " " +
         std::string(dtype_name(value.dtype)) + dims_text(value.shape);
}

// The model's nodes that a group computes, each once, in order.
std::vector<std::string> model_nodes(const Group& group, const Graph& graph) {
  std::vector<std::string> names;
  auto add = [&](NodeId n) {
    for (const std::string& name : graph.node(n).origins)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (NodeId m : group.members) add(m);
  if (group.members.empty())
    for (ValueId v : group.stores) add(graph.value(v).producer);
  return names;
}

using DecisionText = std::string (*)(const Decision&);
std::string decision_text(const Decision& d) { return "[" + d.rule + "] " + d.subject + ": " + d.why; }
std::string fusion_text(const Decision& d) { return (d.accepted ? "fused " : "apart ") + decision_text(d); }
std::string matrix_text(const Decision& d) { return (d.accepted ? "on " : "not on ") + decision_text(d); }
std::string winograd_text(const Decision& d) { return (d.accepted ? "in " : "not in ") + decision_text(d); }

// The text with one digit for each number.
std::string without_numbers(const std::string& text) {
  std::string out;
  for (char at : text) {
    const bool is_digit = at >= '0' && at <= '9';
    if (!is_digit || out.empty() || out.back() != '0') out += is_digit ? '0' : at;
  }
  return out;
}

std::string explain_decisions(const std::vector<Decision>& decisions, DecisionText text) {
  struct Alike {
    const Decision *first, *last;
    size_t count = 0;
  };
  std::vector<Alike> all;
  std::map<std::array<std::string, 3>, size_t> known;
  for (const Decision& d : decisions) {
    const auto [at, is_new] = known.try_emplace({d.rule, without_numbers(d.subject), d.why}, all.size());
    if (is_new) all.push_back({&d, &d});
    all[at->second].last = &d;
    ++all[at->second].count;
  }
  std::string out;
  for (const Alike& alike : all) {
    out += "  " + text(*alike.first) + "\n";
    if (alike.count == 1) continue;
    const bool is_same = alike.last->subject == alike.first->subject;
    out +=
        "    and " + std::to_string(alike.count - 1) + " alike" + (is_same ? "" : ", the last " + alike.last->subject) + "\n";
  }
  return out;
}

}  // namespace

std::string explain_decisions(const std::vector<Decision>& decisions) { return explain_decisions(decisions, decision_text); }

std::string print(const Fusion& fusion, const Graph& graph) {
  std::string out;
  for (size_t g = 0; g < fusion.groups.size(); ++g) {
    const Group& group = fusion.groups[g];
    out += "group " + std::to_string(g) + " " + (group.members.empty() ? "copy" : std::string(kind_name(group.kind))) + "\n";
    for (NodeId m : group.members) {
      const Node& node = graph.node(m);
      out += std::string(m == group.anchor ? "  * " : "    ") + "%" + std::to_string(node.output.value) + " " +
             std::string(attrs_name(node.attrs));
      for (ValueId in : node.inputs) out += " %" + std::to_string(in.value);
      out += "\n";
    }
    for (ValueId v : group.stores) {
      out += "    store " + value_text(graph, v);
      const Placement& place = fusion.placements[v.value];
      if (place.owner != v)
        out += " in %" + std::to_string(place.owner.value) + " at " + place.offset.text() + " on axis " +
               std::to_string(place.axis);
      out += "\n";
    }
  }
  return out;
}

std::string explain(const Fusion& fusion, const Graph& graph) {
  std::string out =
      std::to_string(graph.nodes.size()) + " primitive ops in " + std::to_string(fusion.groups.size()) + " kernels.\n\n";
  for (size_t g = 0; g < fusion.groups.size(); ++g) {
    const Group& group = fusion.groups[g];
    out += "kernel " + std::to_string(g) + ", " +
           (group.members.empty() ? "copy (only moves data)" : std::string(kind_name(group.kind))) + ":";
    for (const std::string& name : model_nodes(group, graph)) out += " " + name;
    out += "\n  as";
    for (NodeId m : group.members) out += " " + std::string(attrs_name(graph.node(m).attrs));
    out += "\n  writes";
    for (ValueId v : group.stores) out += " " + value_text(graph, v);
    out += "\n";
  }
  for (bool accepted : {true, false}) {
    std::vector<Decision> chosen;
    for (const Decision& d : fusion.decisions)
      if (d.accepted == accepted) chosen.push_back(d);
    out += accepted ? "\nFused:\n" : "\nKept apart:\n";
    out += chosen.empty() ? "  nothing\n" : explain_decisions(chosen);
  }
  if (!fusion.matrix_decisions.empty()) out += "\nOn matrix units, or not:\n";
  out += explain_decisions(fusion.matrix_decisions, matrix_text);
  if (!fusion.winograd_decisions.empty()) out += "\nIn Winograd's form, or not:\n";
  out += explain_decisions(fusion.winograd_decisions, winograd_text);
  return out;
}

std::vector<std::string> explain_groups(const Fusion& fusion) {
  std::vector<std::string> texts;
  for (const Group& group : fusion.groups) {
    std::string& text = texts.emplace_back();
    auto is_here = [&](NodeId n) {
      return n == group.anchor || std::find(group.members.begin(), group.members.end(), n) != group.members.end();
    };
    auto is_about_it = [&](const Decision& d) { return std::any_of(d.nodes.begin(), d.nodes.end(), is_here); };
    auto add = [&](const std::vector<Decision>& decisions, DecisionText line) {
      for (const Decision& d : decisions)
        if (is_about_it(d)) text += line(d) + "\n";
    };
    add(fusion.decisions, fusion_text);
    add(fusion.matrix_decisions, matrix_text);
    add(fusion.winograd_decisions, winograd_text);
  }
  return texts;
}

Status verify(const Fusion& fusion, const Graph& graph) {
  std::vector<bool> written(graph.values.size());
  for (ValueId v : graph.inputs) written[v.value] = true;
  for (const Node& node : graph.nodes)
    if (std::holds_alternative<ConstantAttrs>(node.attrs)) written[node.output.value] = true;
  std::vector<int> pieces_left(graph.values.size());
  for (size_t v = 0; v < graph.values.size(); ++v)
    if (fusion.placements[v].owner != ValueId(v)) ++pieces_left[fusion.placements[v].owner.value];

  auto mark = [&](ValueId v) {
    for (;;) {
      written[v.value] = true;
      ValueId owner = fusion.placements[v.value].owner;
      if (owner == v || --pieces_left[owner.value] > 0) return;
      v = owner;
    }
  };
  for (const Group& group : fusion.groups) {
    std::set<uint32_t> members;
    for (NodeId m : group.members) members.insert(m.value);
    std::set<uint32_t> seen;
    std::vector<ValueId> work;
    for (NodeId m : group.members) work.insert(work.end(), graph.node(m).inputs.begin(), graph.node(m).inputs.end());
    if (group.members.empty())
      for (ValueId v : group.stores) {
        const std::vector<ValueId>& inputs = graph.producer(v)->inputs;
        work.insert(work.end(), inputs.begin(), inputs.end());
      }
    while (!work.empty()) {
      ValueId v = work.back();
      work.pop_back();
      if (!seen.insert(v.value).second) continue;
      const Node* maker = graph.producer(v);
      if (maker && (members.count(graph.value(v).producer.value) || needs_no_memory(maker->attrs))) continue;
      if (fusion.stored[v.value]) {
        if (!written[v.value])
          return internal_error("The group of " + graph.node(group.anchor).origins.front() + " reads " + value_text(graph, v) +
                                " before it is written.");
        continue;
      }
      if (!maker) return internal_error(value_text(graph, v) + " has no storage.");
      if (is_compute(maker->attrs))
        return internal_error("The group of " + graph.node(group.anchor).origins.front() + " reads " + value_text(graph, v) +
                              ", which no group stores.");
      work.insert(work.end(), maker->inputs.begin(), maker->inputs.end());
    }
    for (ValueId v : group.stores) mark(v);
  }
  for (ValueId v : graph.outputs)
    if (!written[v.value]) return internal_error("The output " + value_text(graph, v) + " is never written.");
  return ok_status();
}

}  // namespace tuff
