#include "layout/isolate_stored_values.h"

#include <set>

namespace tuff {

Graph isolate_stored_values(Graph graph) {
  std::set<uint32_t> taken;
  for (ValueId v : graph.inputs) taken.insert(v.value);
  for (const Node& node : graph.nodes)
    if (std::holds_alternative<ConstantAttrs>(node.attrs)) taken.insert(node.output.value);

  std::vector<Node> nodes;
  // The value itself the first time that it is asked for, afterwards a slice of all of it.
  auto isolate = [&](ValueId v, const std::vector<std::string>& origins) {
    if (taken.insert(v.value).second) return v;
    const Value value = graph.value(v);
    SliceAttrs whole{Dims(value.shape.size(), IntExpr(0)), std::vector<int64_t>(value.shape.size(), 1), value.shape};
    ValueId copy(graph.values.size());
    graph.values.push_back({"", value.dtype, value.shape, {}});
    nodes.push_back({std::move(whole), {v}, copy, origins});
    taken.insert(copy.value);
    return copy;
  };
  std::vector<ValueId> outputs;
  std::set<uint32_t> direct;  // outputs that keep their value
  for (ValueId v : graph.outputs)
    if (taken.insert(v.value).second) direct.insert(v.value);
  for (Node& node : graph.nodes) {
    if (std::holds_alternative<ConcatAttrs>(node.attrs))
      for (ValueId& piece : node.inputs) piece = isolate(piece, node.origins);
    nodes.push_back(std::move(node));
  }
  for (ValueId v : graph.outputs) {
    if (direct.erase(v.value)) {
      outputs.push_back(v);
      continue;
    }
    NodeId maker = graph.value(v).producer;
    std::vector<std::string> origins = {"output " + graph.output_names[outputs.size()]};
    if (maker.valid()) {
      for (const Node& n : nodes)
        if (n.output == v) origins = n.origins;
    }
    outputs.push_back(isolate(v, origins));
  }
  graph.outputs = std::move(outputs);
  graph.nodes = std::move(nodes);
  for (size_t n = 0; n < graph.nodes.size(); ++n) graph.value(graph.nodes[n].output).producer = NodeId(n);
  return graph;
}

}  // namespace tuff
