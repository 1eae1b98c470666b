#include "plan/in_place.h"

#include <algorithm>

namespace tuff {
namespace {

bool touches(const std::vector<ValueId>& list, ValueId v) { return std::find(list.begin(), list.end(), v) != list.end(); }

bool is_row_major(const std::vector<int>& order) {
  for (size_t i = 0; i < order.size(); ++i)
    if (order[i] != static_cast<int>(i)) return false;
  return true;
}

// The first piece of the concat that makes the output, which is all of the input; invalid where the output is nothing of that
// kind, or the input's elements have another place in it.
ValueId old_part(const Plan& plan, const InPlace& state) {
  const Graph& graph = plan.graph;
  const ValueId input = graph.inputs[state.input], output = graph.outputs[state.output];
  const auto* concat = graph.producer_as<ConcatAttrs>(output);
  if (!concat || graph.value(input).dtype != graph.value(output).dtype) return {};
  if (!is_row_major(plan.orders[input.value]) || !is_row_major(plan.orders[output.value])) return {};
  for (int axis = 0; axis < concat->axis; ++axis)
    if (!graph.value(output).shape[static_cast<size_t>(axis)].is(1)) return {};
  const ValueId piece = graph.producer(output)->inputs[0];
  const auto* slice = graph.producer_as<SliceAttrs>(piece);
  if (!slice || graph.producer(piece)->inputs[0] != input || slice->shape != graph.value(input).shape) return {};
  for (size_t axis = 0; axis < slice->steps.size(); ++axis)
    if (!slice->starts[axis].is(0) || slice->steps[axis] != 1) return {};
  return piece;
}

bool writes_only(const Kernel& kernel, ValueId piece, ValueId owner) {
  return std::all_of(kernel.bindings.begin(), kernel.bindings.end(), [&](const KernelBinding& b) {
    return b.access == Access::kRead || (b.value == owner && b.parts.size() == 1 && b.parts[0].front() == piece);
  });
}

bool can_grow_in_place(const Plan& plan, const InPlace& state) {
  const ValueId input = plan.graph.inputs[state.input], output = plan.graph.outputs[state.output];
  const ValueId piece = old_part(plan, state);
  if (!piece.valid()) return false;
  for (const Step& step : plan.steps) {
    if (!touches(step.writes, output) || copies_old_part(plan, state, step)) continue;
    if (touches(step.reads, input)) return false;
    for (const Variant& variant : step.variants)
      for (const KernelBinding& b : plan.kernels[variant.kernel.value].bindings)
        for (const std::vector<ValueId>& part : b.parts)
          if (b.access == Access::kWrite && b.value == output && (part.front() == piece || part.front() == output))
            return false;
  }
  return true;
}

}  // namespace

bool copies_old_part(const Plan& plan, const InPlace& state, const Step& step) {
  const ValueId output = plan.graph.outputs[state.output], piece = old_part(plan, state);
  return piece.valid() && touches(step.writes, output) &&
         std::all_of(step.variants.begin(), step.variants.end(),
                     [&](const Variant& variant) { return writes_only(plan.kernels[variant.kernel.value], piece, output); });
}

bool can_be_in_place(const Plan& plan, const InPlace& state) {
  if (state.grows) return can_grow_in_place(plan, state);
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
