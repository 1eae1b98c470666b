// Weights that lie transformed for Winograd's form.
#include <algorithm>

#include "plan/plan.h"

namespace tuff {

IntExpr winograd_bytes(const Graph& graph, ValueId value) {
  const Value& v = graph.value(value);
  const bool is_window = v.dtype == Dtype::kF32 && v.shape.size() == 4 && v.shape[2].is(3) && v.shape[3].is(3);
  return is_window ? v.shape[0] * v.shape[1] * IntExpr(16 * 4) : IntExpr(0);
}

bool lies_transformed(const Plan& plan, ValueId value) {
  return std::any_of(plan.weights.begin(), plan.weights.end(),
                     [&](const PlanWeight& w) { return w.value == value && w.winograd; });
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
