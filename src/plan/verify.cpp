// The verifiers of Plan and BoundPlan: what plan.h promises, checked from the finished data alone.
#include "plan/hazards.h"
#include "plan/plan.h"

namespace tuff {

Status verify(const Plan& plan) {
  TUFF_TRY(verify(plan.graph));
  std::vector<bool> written(plan.graph.values.size()), placed(plan.graph.values.size());
  for (const PlanValue& v : plan.values) {
    if (v.value.value >= plan.graph.values.size())
      return internal_error("The plan places a value that the graph does not have.");
    placed[v.value.value] = true;
    if (v.buffer == BufferKind::kInput || v.buffer == BufferKind::kWeights) written[v.value.value] = true;
  }
  for (const Step& step : plan.steps) {
    const std::string where = step.origins.empty() ? "a step" : "the step of " + step.origins.front();
    if (step.origins.empty()) return internal_error("A step names no node of the model.");
    if (step.variants.empty() || !step.variants.back().guard.always())
      return internal_error("In " + where + " no variant applies to all sizes.");
    for (const Variant& v : step.variants)
      if (v.kernel.value >= plan.kernels.size()) return internal_error("In " + where + " a variant names no kernel.");
    for (ValueId v : step.reads)
      if (!placed[v.value] || !written[v.value])
        return internal_error("In " + where + " %" + std::to_string(v.value) + " is read before it is written.");
    for (ValueId v : step.writes) {
      if (!placed[v.value]) return internal_error("In " + where + " %" + std::to_string(v.value) + " has no storage.");
      written[v.value] = true;
    }
  }
  for (const Kernel& k : plan.kernels)
    if (k.origins.empty()) return internal_error("The kernel " + k.name + " names no node of the model.");
  for (ValueId v : plan.graph.outputs)
    if (!written[v.value]) return internal_error("The output %" + std::to_string(v.value) + " is never written.");
  return ok_status();
}

Status verify(const Plan& plan, const BoundPlan& bound, const DeviceInfo& device) {
  size_t since = 0;
  for (size_t d = 0; d < bound.dispatches.size(); ++d) {
    const BoundDispatch& dispatch = bound.dispatches[d];
    const std::string& name = plan.kernels[dispatch.kernel.value].name;
    if (dispatch.ranges.size() != plan.kernels[dispatch.kernel.value].bindings.size())
      return internal_error(name + " is dispatched with another number of ranges than it binds.");
    for (size_t axis = 0; axis < 3; ++axis)
      if (dispatch.grid[axis] == 0 || dispatch.grid[axis] > device.max_workgroup_count[axis])
        return internal_error(name + " has a grid of " + std::to_string(dispatch.grid[axis]) + " workgroups.");
    for (const BoundRange& r : dispatch.ranges) {
      uint64_t size = r.buffer == BufferKind::kArena     ? bound.arena_bytes
                      : r.buffer == BufferKind::kWeights ? bound.weight_bytes
                      : r.buffer == BufferKind::kInput   ? bound.inputs.at(r.index).storage_bytes
                                                         : bound.outputs.at(r.index).storage_bytes;
      if (r.size_bytes == 0 || r.offset + r.size_bytes > size)
        return internal_error(name + " reaches bytes " + std::to_string(r.offset) + " to " +
                              std::to_string(r.offset + r.size_bytes) + " of a buffer of " + std::to_string(size) + ".");
      if (r.offset % static_cast<uint64_t>(buffer_offset_alignment(device)) != 0)
        return internal_error(name + " has a range at " + std::to_string(r.offset) + ", which is not aligned.");
      if (r.access == Access::kWrite && (r.buffer == BufferKind::kInput || r.buffer == BufferKind::kWeights))
        return internal_error(name + " writes an input or a weight.");
      for (const BoundRange& other : dispatch.ranges) {
        if (&other == &r || (r.access == Access::kRead && other.access == Access::kRead) || !overlap(r, other)) continue;
        // Pieces of one concat share its storage: one is read while another is written.
        const auto& bindings = plan.kernels[dispatch.kernel.value].bindings;
        const KernelBinding &own = bindings[static_cast<size_t>(&r - dispatch.ranges.data())],
                            &theirs = bindings[static_cast<size_t>(&other - dispatch.ranges.data())];
        if (own.value != theirs.value || parts_overlap(own, theirs))
          return internal_error(name + " writes bytes that it also reads or writes as another value.");
      }
    }
    if (dispatch.barrier_before) {
      // The barrier must part this dispatch from something since the barrier before it.
      bool parts = false;
      for (size_t e = since; e < d; ++e) parts = parts || hazard_between(bound.dispatches[e], dispatch);
      if (!parts) return internal_error("The barrier before " + name + " parts nothing.");
      since = d;
    }
    for (size_t e = since; e < d; ++e)
      if (hazard_between(bound.dispatches[e], dispatch))
        return internal_error(name + " meets what " + plan.kernels[bound.dispatches[e].kernel.value].name +
                              " reads or writes, with no barrier between them.");
  }
  return ok_status();
}

}  // namespace tuff
