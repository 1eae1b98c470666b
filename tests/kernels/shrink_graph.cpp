#include "kernels/shrink_graph.h"

#include <optional>
#include <set>

namespace tuff {
namespace {

// What to change: values that become inputs, values that others replace, outputs that stay.
struct Cut {
  std::set<uint32_t> inputs;
  std::map<uint32_t, ValueId> replaced;
  std::vector<size_t> outputs;  // by position
};

Graph apply(const Graph& graph, const Cut& cut) {
  auto follow = [&](ValueId v) {
    for (auto it = cut.replaced.find(v.value); it != cut.replaced.end(); it = cut.replaced.find(v.value)) v = it->second;
    return v;
  };
  std::vector<bool> needed(graph.values.size());
  for (size_t o : cut.outputs) needed[follow(graph.outputs[o]).value] = true;
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    if (!needed[node.output.value] || cut.inputs.count(node.output.value)) continue;
    for (ValueId in : node.inputs) needed[follow(in).value] = true;
  }
  Graph out;
  out.name = graph.name;
  out.symbols = graph.symbols;
  std::map<uint32_t, ValueId> renamed;
  auto add_value = [&](ValueId v, NodeId producer) {
    ValueId id(out.values.size());
    out.values.push_back({graph.value(v).name, graph.value(v).dtype, graph.value(v).shape, producer});
    renamed[v.value] = id;
    return id;
  };
  for (ValueId v : graph.inputs)
    if (needed[v.value]) out.inputs.push_back(add_value(v, {}));
  for (const Node& node : graph.nodes)
    if (needed[node.output.value] && cut.inputs.count(node.output.value)) {
      ValueId id = add_value(node.output, {});
      out.values[id.value].name = "cut" + std::to_string(node.output.value);
      out.inputs.push_back(id);
    }
  for (const Node& node : graph.nodes) {
    if (!needed[node.output.value] || cut.inputs.count(node.output.value)) continue;
    Node copy = node;
    for (ValueId& in : copy.inputs) in = renamed.at(follow(in).value);
    copy.output = add_value(node.output, NodeId(out.nodes.size()));
    out.nodes.push_back(std::move(copy));
  }
  for (size_t o : cut.outputs) {
    out.outputs.push_back(renamed.at(follow(graph.outputs[o]).value));
    out.output_names.push_back(graph.output_names[o]);
  }
  return out;
}

std::vector<size_t> all_outputs(const Graph& graph) {
  std::vector<size_t> all;
  for (size_t o = 0; o < graph.outputs.size(); ++o) all.push_back(o);
  return all;
}

}  // namespace

GraphCase shrink(GraphCase c, const std::function<bool(const GraphCase&)>& fails) {
  auto try_cut = [&](const Cut& cut) {
    GraphCase smaller = c;
    smaller.graph = apply(c.graph, cut);
    if (smaller.graph.outputs.empty() || !fails(smaller)) return false;
    c = std::move(smaller);
    return true;
  };
  // A result that fails by itself, even one that nothing reads.
  for (const Node& node : c.graph.nodes) {
    GraphCase one = c;
    one.graph.outputs = {node.output};
    one.graph.output_names = {"y"};
    one.graph = apply(one.graph, {{}, {}, {0}});
    if (!fails(one)) continue;
    c = std::move(one);
    break;
  }
  for (bool progress = true; progress;) {
    progress = false;
    for (size_t o = c.graph.outputs.size(); o-- > 0 && c.graph.outputs.size() > 1;) {
      std::vector<size_t> kept;
      for (size_t i = 0; i < c.graph.outputs.size(); ++i)
        if (i != o) kept.push_back(i);
      progress = try_cut({{}, {}, kept}) || progress;
    }
    // Late nodes first: what is cut there takes the most with it.
    for (size_t n = c.graph.nodes.size(); n-- > 0;) {
      if (n >= c.graph.nodes.size()) continue;
      const Node node = c.graph.nodes[n];
      if (!std::holds_alternative<ConstantAttrs>(node.attrs)) {
        const size_t before = c.graph.nodes.size();
        if (try_cut({{node.output.value}, {}, all_outputs(c.graph)}) && c.graph.nodes.size() < before) {
          progress = true;
          continue;
        }
      }
      for (ValueId in : node.inputs) {
        if (c.graph.value(in).dtype != c.graph.value(node.output).dtype ||
            c.graph.value(in).shape != c.graph.value(node.output).shape)
          continue;
        if (try_cut({{}, {{node.output.value, in}}, all_outputs(c.graph)})) {
          progress = true;
          break;
        }
      }
    }
    if (c.special_values) {
      GraphCase plain = c;
      plain.special_values = false;
      if (fails(plain)) c = plain;
    }
  }
  return c;
}

}  // namespace tuff
