#include "model/onnx/node_order.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>

namespace tuff::onnx {
namespace {

constexpr size_t kNamedInMessage = 8;

// "'a', 'b' and 3 more"
std::string list_names(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < kNamedInMessage; ++i) out += (i ? ", '" : "'") + names[i] + "'";
  if (names.size() > kNamedInMessage) out += " and " + std::to_string(names.size() - kNamedInMessage) + " more";
  return out;
}

// Of the nodes that wait for others, those on a cycle or between two: who waits for nobody that waits is peeled off, from
// the end.
std::vector<std::string> cycle_members(const GraphProto& graph, const std::vector<std::vector<size_t>>& readers,
                                       const std::vector<size_t>& missing) {
  std::vector<size_t> waiting_readers(graph.nodes.size(), 0);
  std::vector<std::vector<size_t>> sources(graph.nodes.size());
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (missing[n] == 0) continue;
    for (size_t reader : readers[n]) {
      if (missing[reader] == 0) continue;
      ++waiting_readers[n];
      sources[reader].push_back(n);
    }
  }
  std::vector<bool> gone(graph.nodes.size(), false);
  std::vector<size_t> leaves;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (missing[n] != 0 && waiting_readers[n] == 0) leaves.push_back(n);
  while (!leaves.empty()) {
    size_t n = leaves.back();
    leaves.pop_back();
    gone[n] = true;
    for (size_t source : sources[n])
      if (--waiting_readers[source] == 0) leaves.push_back(source);
  }
  std::vector<std::string> names;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (missing[n] != 0 && !gone[n]) names.push_back(node_label(graph, n));
  return names;
}

}  // namespace

std::string node_label(const GraphProto& graph, size_t index) {
  const NodeProto& node = graph.nodes[index];
  if (!node.name.empty()) return std::string(node.name);
  return std::string(node.op_type) + "_" + std::to_string(index);
}

Result<std::vector<size_t>> node_order(const GraphProto& graph) {
  constexpr size_t kGiven = SIZE_MAX;  // an input or an initializer
  std::unordered_map<std::string_view, size_t> producers;
  for (const TensorProto& t : graph.initializers)
    if (!producers.emplace(t.name, kGiven).second)
      return invalid_argument("Two initializers have the name '" + std::string(t.name) + "'.");
  std::unordered_map<std::string_view, size_t> inputs;
  for (const ValueInfoProto& input : graph.inputs) {
    if (!inputs.emplace(input.name, kGiven).second)
      return invalid_argument("Two inputs have the name '" + std::string(input.name) + "'.");
    producers.emplace(input.name, kGiven);  // an initializer may give an input's default
  }
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (std::string_view output : graph.nodes[n].outputs) {
      if (output.empty()) continue;
      auto [other, fresh] = producers.emplace(output, n);
      if (fresh) continue;
      std::string taken =
          other->second == kGiven ? "an input or initializer" : "node '" + node_label(graph, other->second) + "'";
      return invalid_argument("Node '" + node_label(graph, n) + "' gives the name '" + std::string(output) + "', which " +
                              taken + " already has.");
    }
  }

  std::vector<std::vector<size_t>> readers(graph.nodes.size());
  std::vector<size_t> missing(graph.nodes.size(), 0);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (std::string_view input : graph.nodes[n].inputs) {
      if (input.empty()) continue;
      auto producer = producers.find(input);
      if (producer == producers.end())
        return invalid_argument("Node '" + node_label(graph, n) + "' reads '" + std::string(input) +
                                "', which no node, input or initializer gives.");
      if (producer->second == kGiven) continue;
      readers[producer->second].push_back(n);
      ++missing[n];
    }
  }
  for (const ValueInfoProto& output : graph.outputs)
    if (producers.find(output.name) == producers.end())
      return invalid_argument("The output '" + std::string(output.name) + "' is given by no node, input or initializer.");

  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (missing[n] == 0) ready.push(n);
  std::vector<size_t> order;
  while (!ready.empty()) {
    size_t n = ready.top();
    ready.pop();
    order.push_back(n);
    for (size_t reader : readers[n])
      if (--missing[reader] == 0) ready.push(reader);
  }
  if (order.size() != graph.nodes.size())
    return invalid_argument("The nodes " + list_names(cycle_members(graph, readers, missing)) +
                            " wait for each other in a cycle.");
  return order;
}

}  // namespace tuff::onnx
