#include "compile/run_bounds.h"

#include <map>

#include "session/shapes.h"

namespace tuff {
namespace {

Status check_type(const Graph& graph, ValueId id, const std::string& name, const Tensor& tensor, const SymbolValues& symbols) {
  TUFF_ASSIGN(Shape shape, evaluate_shape(graph, id, symbols));
  if (tensor.dtype == graph.value(id).dtype && tensor.shape == shape) return ok_status();
  return invalid_argument("The tensor given for '" + name + "' is not " + std::string(dtype_name(graph.value(id).dtype)) +
                          dims_text(graph.value(id).shape) + ".");
}

// Nodes that read an output read an input instead, which stands for what the run gave. Such inputs follow the graph's own, in
// the order of `cut`.
Graph cut_behind_outputs(const Graph& graph, std::vector<size_t>& cut) {
  Graph out = graph;
  std::map<uint32_t, ValueId> replaced;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const Value& value = graph.value(graph.outputs[i]);
    if (!value.producer.valid() || replaced.contains(graph.outputs[i].value)) continue;
    const ValueId input(out.values.size());
    out.values.push_back({"", value.dtype, value.shape, {}});
    out.inputs.push_back(input);
    replaced[graph.outputs[i].value] = input;
    cut.push_back(i);
  }
  for (Node& node : out.nodes)
    for (ValueId& read : node.inputs)
      if (auto found = replaced.find(read.value); found != replaced.end()) read = found->second;
  return out;
}

}  // namespace

Result<std::vector<Bounded>> run_bounds(const Graph& graph, const std::vector<Tensor>& inputs,
                                        const std::vector<Tensor>& outputs, const SymbolValues& given,
                                        const std::vector<ValueId>& winograd) {
  if (inputs.size() != graph.inputs.size() || outputs.size() != graph.outputs.size())
    return invalid_argument("The program has " + std::to_string(graph.inputs.size()) + " inputs and " +
                            std::to_string(graph.outputs.size()) + " outputs; " + std::to_string(inputs.size()) + " and " +
                            std::to_string(outputs.size()) + " were given.");
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape);
  TUFF_ASSIGN(SymbolValues symbols, solve_symbols(graph, shapes, given));
  for (size_t i = 0; i < inputs.size(); ++i)
    TUFF_TRY(check_type(graph, graph.inputs[i], graph.value(graph.inputs[i]).name, inputs[i], symbols));
  for (size_t i = 0; i < outputs.size(); ++i)
    TUFF_TRY(check_type(graph, graph.outputs[i], graph.output_names[i], outputs[i], symbols));
  std::vector<size_t> cut;
  const Graph pieces = cut_behind_outputs(graph, cut);
  std::vector<Tensor> all = inputs;
  for (size_t i : cut) all.push_back(outputs[i]);
  return evaluate_with_bounds(pieces, all, symbols, winograd);
}

}  // namespace tuff
