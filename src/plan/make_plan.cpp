#include "plan/make_plan.h"

#include <algorithm>
#include <set>

#include "base/checked.h"

namespace tuff {
namespace {

constexpr uint64_t kWeightAlignment = 256;  // the largest that a device may ask for

}  // namespace

Result<Plan> make_plan(Graph graph, std::vector<std::vector<int>> orders, std::vector<std::vector<GuardedKernel>> groups) {
  Plan plan;
  plan.graph = std::move(graph);
  plan.orders = std::move(orders);
  std::set<std::string> names;
  std::vector<bool> bound(plan.graph.values.size()), winograd(plan.graph.values.size());

  for (std::vector<GuardedKernel>& group : groups) {
    Step step;
    std::set<uint32_t> reads, writes;
    for (GuardedKernel& guarded : group) {
      Kernel& kernel = guarded.kernel;
      // Two layers of one name give kernels of one name; messages and profiles need them apart.
      std::string name = kernel.name;
      for (int n = 2; !names.insert(kernel.name).second; ++n) kernel.name = name + "_" + std::to_string(n);
      for (const KernelBinding& b : kernel.bindings) {
        (b.access == Access::kRead ? reads : writes).insert(b.value.value);
        bound[b.value.value] = true;
        winograd[b.value.value] = b.winograd;
      }
      step.origins = kernel.origins;
      step.variants.push_back({std::move(guarded.guard), KernelId(plan.kernels.size())});
      plan.kernels.push_back(std::move(kernel));
    }
    if (step.variants.empty() || !step.variants.back().guard.always())
      return internal_error("A step of " + (step.origins.empty() ? "the plan" : step.origins.front()) +
                            " has no kernel that always applies.");
    for (uint32_t v : reads) step.reads.push_back(ValueId(v));
    for (uint32_t v : writes) step.writes.push_back(ValueId(v));
    plan.steps.push_back(std::move(step));
  }

  for (ValueId v : plan.graph.inputs) bound[v.value] = true;
  for (ValueId v : plan.graph.outputs) bound[v.value] = true;
  for (size_t v = 0; v < plan.graph.values.size(); ++v) {
    if (!bound[v]) continue;
    const Value& value = plan.graph.values[v];
    PlanValue place;
    place.value = ValueId(v);
    place.size_bytes =
        winograd[v] ? winograd_bytes(plan.graph, ValueId(v)) : product(value.shape) * IntExpr(dtype_size_bytes(value.dtype));
    auto index_in = [&](const std::vector<ValueId>& list) {
      return static_cast<size_t>(std::find(list.begin(), list.end(), ValueId(v)) - list.begin());
    };
    size_t input = index_in(plan.graph.inputs), output = index_in(plan.graph.outputs);
    if (input < plan.graph.inputs.size()) {
      place.buffer = BufferKind::kInput;
      place.index = static_cast<uint32_t>(input);
    } else if (output < plan.graph.outputs.size()) {
      place.buffer = BufferKind::kOutput;
      place.index = static_cast<uint32_t>(output);
    } else if (plan.graph.producer_as<ConstantAttrs>(ValueId(v))) {
      place.buffer = BufferKind::kWeights;
      place.weight_offset = plan.weight_bytes;
      uint64_t size = static_cast<uint64_t>(place.size_bytes.constant());
      plan.weights.push_back({ValueId(v), plan.weight_bytes, size, winograd[v]});
      plan.weight_bytes += (std::max<uint64_t>(size, 4) + kWeightAlignment - 1) / kWeightAlignment * kWeightAlignment;
    }
    plan.values.push_back(std::move(place));
  }
  return plan;
}

}  // namespace tuff
