#include "model/onnx/step_order.h"

#include <utility>

namespace tuff::onnx {
namespace {

class Orderer {
 public:
  explicit Orderer(const Graph& graph) : graph_(graph), placed_(graph.nodes.size(), false) {
    order_.reserve(graph.nodes.size());
  }

  // Places the node of a value after its inputs, as far as they belong to the step that begins at `begin`.
  void place(ValueId value, size_t begin) {
    std::vector<std::pair<size_t, size_t>> stack;  // a node, and how many of its inputs have been seen
    push(value, begin, stack);
    while (!stack.empty()) {
      auto& [node, seen] = stack.back();
      if (seen < graph_.nodes[node].inputs.size()) {
        push(graph_.nodes[node].inputs[seen++], begin, stack);
        continue;
      }
      if (!placed_[node]) order_.push_back(node);
      placed_[node] = true;
      stack.pop_back();
    }
  }

  const std::vector<size_t>& order() const { return order_; }

 private:
  void push(ValueId value, size_t begin, std::vector<std::pair<size_t, size_t>>& stack) {
    NodeId node = graph_.value(value).producer;
    if (node.valid() && node.value >= begin && !placed_[node.value]) stack.emplace_back(node.value, 0);
  }

  const Graph& graph_;
  std::vector<bool> placed_;
  std::vector<size_t> order_;
};

}  // namespace

Graph order_steps(Graph graph, const std::vector<Step>& steps) {
  Orderer orderer(graph);
  size_t begin = 0;
  for (const Step& step : steps) {
    for (ValueId result : step.results) orderer.place(result, begin);
    // What no result needs may serve a later step.
    for (size_t n = begin; n < step.end_node; ++n) orderer.place(graph.nodes[n].output, begin);
    begin = step.end_node;
  }
  for (size_t n = begin; n < graph.nodes.size(); ++n) orderer.place(graph.nodes[n].output, begin);

  std::vector<ValueId> renamed(graph.values.size());
  std::vector<Value> values;
  auto move_value = [&](ValueId old, NodeId producer) {
    renamed[old.value] = ValueId(values.size());
    values.push_back(std::move(graph.values[old.value]));
    values.back().producer = producer;
  };
  for (ValueId input : graph.inputs) move_value(input, {});
  std::vector<Node> nodes;
  for (size_t n : orderer.order()) {
    Node& node = graph.nodes[n];
    move_value(node.output, NodeId(nodes.size()));
    node.output = renamed[node.output.value];
    for (ValueId& input : node.inputs) input = renamed[input.value];
    nodes.push_back(std::move(node));
  }
  graph.values = std::move(values);
  graph.nodes = std::move(nodes);
  for (ValueId& input : graph.inputs) input = renamed[input.value];
  for (ValueId& output : graph.outputs) output = renamed[output.value];
  return graph;
}

}  // namespace tuff::onnx
