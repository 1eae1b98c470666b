#include "plan/in_place.h"

#include <algorithm>

namespace tuff {
namespace {

bool touches(const std::vector<ValueId>& list, ValueId v) { return std::find(list.begin(), list.end(), v) != list.end(); }

}  // namespace

bool can_be_in_place(const Plan& plan, const InPlace& state) {
  const Graph& graph = plan.graph;
  const ValueId input = graph.inputs[state.input], output = graph.outputs[state.output];
  if (input == output || graph.value(input).dtype != graph.value(output).dtype ||
      graph.value(input).shape != graph.value(output).shape || plan.orders[input.value] != plan.orders[output.value])
    return false;
  // Another output that is this value is copied from it, after it was written.
  bool is_written = false;
  for (const Step& step : plan.steps) {
    const bool writes = touches(step.writes, output);
    if (touches(step.reads, input)) {
      if (is_written) return false;
      if (writes && !std::all_of(step.variants.begin(), step.variants.end(), [&](const Variant& variant) {
            const std::vector<Kernel::InPlace>& pairs = plan.kernels[variant.kernel.value].in_place;
            return std::find(pairs.begin(), pairs.end(), Kernel::InPlace{input, output}) != pairs.end();
          }))
        return false;
    }
    is_written = is_written || writes;
  }
  return is_written;
}

}  // namespace tuff
