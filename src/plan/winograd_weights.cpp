// Weights that lie transformed for Winograd's form.
#include <algorithm>

#include "plan/plan.h"

namespace tuff {

IntExpr winograd_bytes(const Graph& graph, ValueId value) {
  const Value& v = graph.value(value);
  const bool is_window = v.dtype == Dtype::kF32 && v.shape.size() == 4 && v.shape[2].is(3) && v.shape[3].is(3);
  return is_window ? v.shape[0] * v.shape[1] * IntExpr(16 * 4) : IntExpr(0);
}

bool has_winograd_form(const Attrs& attrs) {
  const auto* window = std::get_if<WindowAttrs>(&attrs);
  const std::vector<int64_t> three = {3, 3}, one = {1, 1};
  return window && window->op == WindowOp::kConv && window->groups == 1 && window->kernel == three && window->strides == one &&
         window->dilations == one;
}

std::vector<ValueId> winograd_results(const Plan& plan) {
  std::vector<ValueId> results;
  for (const PlanWeight& weight : plan.weights) {
    if (!weight.winograd) continue;
    for (const Node& node : plan.graph.nodes)
      if (std::find(node.inputs.begin(), node.inputs.end(), weight.value) != node.inputs.end()) results.push_back(node.output);
  }
  return results;
}

}  // namespace tuff
