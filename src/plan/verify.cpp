// The verifiers of Plan and BoundPlan: what plan.h promises, checked from the finished data alone.
#include <algorithm>

#include "layout/storage.h"
#include "plan/hazards.h"
#include "plan/in_place.h"
#include "plan/plan.h"

namespace tuff {
namespace {

std::string name_of(ValueId v) { return "%" + std::to_string(v.value); }

bool is_permutation_of_axes(std::vector<int> order, size_t rank) {
  std::sort(order.begin(), order.end());
  for (size_t axis = 0; axis < order.size(); ++axis)
    if (order[axis] != static_cast<int>(axis)) return false;
  return order.size() == rank;
}

// Every id names something, and every value lies where its kind says: what all later readers of a plan index by. Plans are
// read from files, too.
struct References {
  const Plan& plan;
  std::vector<bool> placed = std::vector<bool>(plan.graph.values.size());

  Status place(const PlanValue& v) {
    const Graph& graph = plan.graph;
    if (v.value.value >= graph.values.size() || (v.owner.valid() && v.owner.value >= graph.values.size()))
      return internal_error("The plan places a value that the graph does not have.");
    const std::string name = name_of(v.value);
    const Value& value = graph.value(v.value);
    if (placed[v.value.value]) return internal_error("The plan places " + name + " twice.");
    placed[v.value.value] = true;
    const bool transformed = lies_transformed(plan, v.value);
    if (transformed && !is_winograd_weight(v)) return internal_error("No convolution has " + name + " transformed.");
    if (v.size_bytes !=
        (transformed ? winograd_bytes(graph, v.value) : product(value.shape) * IntExpr(dtype_size_bytes(value.dtype))))
      return internal_error("The plan gives " + name + " " + v.size_bytes.text() + " bytes, which its shape does not.");
    if (v.value.value >= plan.orders.size() || !is_permutation_of_axes(plan.orders[v.value.value], value.shape.size()))
      return internal_error("The storage order of " + name + " is no order of its axes.");
    const bool is_input = v.buffer == BufferKind::kInput, is_output = v.buffer == BufferKind::kOutput;
    const std::vector<ValueId>& list = is_input ? graph.inputs : graph.outputs;
    if ((is_input || is_output) && (v.index >= list.size() || list[v.index] != v.value))
      return internal_error("The plan takes " + name + " for an input or output that it is not.");
    if (v.buffer == BufferKind::kWeights) return weight(v);
    return ok_status();
  }

  // Whoever reads it reads its transform, and is a convolution of it.
  bool is_winograd_weight(const PlanValue& v) const {
    const std::vector<int> taps_first = {2, 3, 1, 0};
    if (v.buffer != BufferKind::kWeights || winograd_bytes(plan.graph, v.value).is(0)) return false;
    if (v.value.value >= plan.orders.size() || plan.orders[v.value.value] != taps_first) return false;
    for (const Kernel& kernel : plan.kernels)
      for (const KernelBinding& b : kernel.bindings)
        if (b.value == v.value && !b.winograd) return false;
    for (const Node& node : plan.graph.nodes)
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (const auto* window = std::get_if<WindowAttrs>(&node.attrs);
            node.inputs[i] == v.value && (i != 1 || !window || !window->is_plain_3x3()))
          return false;
    return true;
  }

  Status weight(const PlanValue& v) {
    if (!plan.graph.producer_as<ConstantAttrs>(v.value))
      return internal_error(name_of(v.value) + " is a weight, but no constant.");
    const uint64_t size = static_cast<uint64_t>(v.size_bytes.constant());
    if (v.weight_offset > plan.weight_bytes || size > plan.weight_bytes - v.weight_offset)
      return internal_error("The weight " + name_of(v.value) + " lies outside the weights.");
    for (const PlanWeight& w : plan.weights)
      if (w.value == v.value && w.offset == v.weight_offset && w.size_bytes == size) return ok_status();
    return internal_error("The weight " + name_of(v.value) + " is never uploaded where it is read.");
  }

  bool has(ValueId v) const { return v.value < placed.size() && placed[v.value]; }

  Status binding(const KernelBinding& b, const std::string& kernel) const {
    if (!has(b.value)) return internal_error("The kernel " + kernel + " binds a value that has no storage.");
    for (const std::vector<ValueId>& part : b.parts)
      if (part.empty())
        return internal_error("The kernel " + kernel + " binds a part of " + name_of(b.value) + " that names nothing.");
    if (b.winograd && !lies_transformed(plan, b.value))
      return internal_error("The kernel " + kernel + " reads " + name_of(b.value) + " as if it were transformed.");
    const int words = b.texel_words;
    if ((words != 0 && words != 1 && words != 2 && words != 4) || (words != 0 && b.access != Access::kRead))
      return internal_error("The kernel " + kernel + " binds " + name_of(b.value) + " as texels that there are not.");
    return ok_status();
  }

  Status guard(const Guard& g, const std::string& where) const {
    for (const Guard::Divides& d : g.divides)
      if (d.divisor <= 0) return internal_error("In " + where + " a guard divides by " + std::to_string(d.divisor) + ".");
    return ok_status();
  }

  // What a step's kernels touch is what the step says that they do.
  Status variant(const Step& step, const Variant& v, const std::string& where) const {
    if (v.kernel.value >= plan.kernels.size()) return internal_error("In " + where + " a variant names no kernel.");
    for (const KernelBinding& b : plan.kernels[v.kernel.value].bindings) {
      const std::vector<ValueId>& list = b.access == Access::kRead ? step.reads : step.writes;
      if (std::find(list.begin(), list.end(), b.value) == list.end())
        return internal_error("In " + where + " a kernel touches " + name_of(b.value) + ", which the step does not.");
    }
    return guard(v.guard, where);
  }
};

// Every number that changes has its place, and no grid grows beyond the one that was checked against the device.
Status verify_dynamics(const BoundPlan& bound) {
  const Dynamics& dynamics = bound.dynamics;
  auto is_axis = [](const std::vector<BoundTensor>& tensors, const DynamicNumber& n) {
    return n.of < tensors.size() && n.at < tensors[n.of].shape.size() && n.value.interval().high <= tensors[n.of].shape[n.at];
  };
  const bool placed =
      std::all_of(dynamics.inputs.begin(), dynamics.inputs.end(), [&](const auto& n) { return is_axis(bound.inputs, n); }) &&
      std::all_of(dynamics.outputs.begin(), dynamics.outputs.end(), [&](const auto& n) { return is_axis(bound.outputs, n); }) &&
      std::all_of(dynamics.parameters.begin(), dynamics.parameters.end(),
                  [&](const auto& n) { return n.of < bound.parameters.size(); }) &&
      std::all_of(dynamics.bytes.begin(), dynamics.bytes.end(), [&](const auto& n) { return n.of < bound.dispatches.size(); });
  if (!placed) return internal_error("A dynamic dimension changes a number that the plan does not have.");
  for (const DynamicNumber& n : dynamics.grids)
    if (n.of >= bound.dispatches.size() || n.at >= 3 ||
        n.value.interval().high > static_cast<int64_t>(bound.dispatches[n.of].grid[n.at]))
      return internal_error("A dynamic dimension makes the grid " + n.value.text() + ", which is larger than what was bound.");
  return ok_status();
}

// A range for each buffer, scratch behind the values; counters behind those of all dispatches before.
Status verify_scratch(const BoundDispatch& dispatch, const Kernel& kernel, uint64_t& counted) {
  if (dispatch.ranges.size() != texel_words_of(kernel).size())
    return internal_error(kernel.name + " is dispatched with another number of ranges than it binds.");
  for (size_t i = 0; i < dispatch.ranges.size(); ++i) {
    const BoundRange& r = dispatch.ranges[i];
    const bool is_scratch = i >= kernel.bindings.size(), is_last = is_scratch && i + 1 == dispatch.ranges.size();
    if (r.value.valid() == is_scratch || (r.buffer == BufferKind::kCounters) != is_last ||
        (is_scratch && (r.access != Access::kWrite || (!is_last && r.buffer != BufferKind::kArena))))
      return internal_error(kernel.name + " has values where its scratch belongs, or scratch in place of a value.");
    if (!is_last) continue;
    if (r.offset < counted) return internal_error(kernel.name + " counts where another dispatch has counted.");
    counted = r.offset + r.size_bytes;
  }
  return ok_status();
}

}  // namespace

Status verify(const Plan& plan) {
  TUFF_TRY(verify(plan.graph));
  References references{plan};
  for (const PlanValue& v : plan.values) TUFF_TRY(references.place(v));
  for (const PlanWeight& w : plan.weights)
    if (!references.has(w.value)) return internal_error("The plan uploads a weight that has no storage.");
  for (const Kernel& k : plan.kernels)
    for (const KernelBinding& b : k.bindings) TUFF_TRY(references.binding(b, k.name));
  std::vector<bool> written(plan.graph.values.size());
  for (const PlanValue& v : plan.values) {
    if (v.buffer == BufferKind::kInput || v.buffer == BufferKind::kWeights) written[v.value.value] = true;
  }
  for (const Step& step : plan.steps) {
    const std::string where = step.origins.empty() ? "a step" : "the step of " + step.origins.front();
    if (step.origins.empty()) return internal_error("A step names no node of the model.");
    if (step.variants.empty() || !step.variants.back().guard.always())
      return internal_error("In " + where + " no variant applies to all sizes.");
    for (const Variant& v : step.variants) TUFF_TRY(references.variant(step, v, where));
    for (ValueId v : step.reads)
      if (!references.has(v) || !written[v.value])
        return internal_error("In " + where + " %" + std::to_string(v.value) + " is read before it is written.");
    for (ValueId v : step.writes) {
      if (!references.has(v)) return internal_error("In " + where + " %" + std::to_string(v.value) + " has no storage.");
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
  for (const InPlace& state : bound.in_place)
    if (!can_be_in_place(plan, state))
      return internal_error("The output '" + plan.graph.output_names[state.output] +
                            "' is written over elements of the input '" +
                            plan.graph.value(plan.graph.inputs[state.input]).name + "' that are still to be read.");
  TUFF_TRY(verify_dynamics(bound));
  auto is_state = [&](const BoundRange& r) {
    return std::any_of(bound.in_place.begin(), bound.in_place.end(), [&](const InPlace& state) {
      return r.index == state.input && r.value == plan.graph.outputs[state.output];
    });
  };
  size_t since = 0;
  uint64_t counted = 0;
  for (size_t d = 0; d < bound.dispatches.size(); ++d) {
    const BoundDispatch& dispatch = bound.dispatches[d];
    const std::string& name = plan.kernels[dispatch.kernel.value].name;
    TUFF_TRY(verify_scratch(dispatch, plan.kernels[dispatch.kernel.value], counted));
    for (size_t axis = 0; axis < 3; ++axis)
      if (dispatch.grid[axis] == 0 || dispatch.grid[axis] > device.max_workgroup_count[axis])
        return internal_error(name + " has a grid of " + std::to_string(dispatch.grid[axis]) + " workgroups.");
    for (const BoundRange& r : dispatch.ranges) {
      uint64_t size = r.buffer == BufferKind::kArena      ? bound.arena_bytes
                      : r.buffer == BufferKind::kCounters ? bound.counter_bytes
                      : r.buffer == BufferKind::kWeights  ? bound.weight_bytes
                      : r.buffer == BufferKind::kInput    ? bound.inputs.at(r.index).storage_bytes
                                                          : bound.outputs.at(r.index).storage_bytes;
      // State that grows has the output's bytes, the longer ones.
      for (const InPlace& state : bound.in_place)
        if (r.buffer == BufferKind::kInput && r.index == state.input)
          size = std::max(size, bound.outputs.at(state.output).storage_bytes);
      if (r.size_bytes == 0 || r.offset + r.size_bytes > size)
        return internal_error(name + " reaches bytes " + std::to_string(r.offset) + " to " +
                              std::to_string(r.offset + r.size_bytes) + " of a buffer of " + std::to_string(size) + ".");
      if (r.offset % static_cast<uint64_t>(buffer_offset_alignment(device)) != 0)
        return internal_error(name + " has a range at " + std::to_string(r.offset) + ", which is not aligned.");
      if (r.access == Access::kWrite && (r.buffer == BufferKind::kWeights || (r.buffer == BufferKind::kInput && !is_state(r))))
        return internal_error(name + " writes an input or a weight.");
      for (const BoundRange& other : dispatch.ranges) {
        if (&other == &r || (r.access == Access::kRead && other.access == Access::kRead) || !overlap(r, other)) continue;
        if (!r.value.valid() || !other.value.valid()) return internal_error(name + " has its scratch where it has a value.");
        // Pieces of one concat share its storage: one is read while another is written.
        const auto& bindings = plan.kernels[dispatch.kernel.value].bindings;
        const KernelBinding &own = bindings[static_cast<size_t>(&r - dispatch.ranges.data())],
                            &theirs = bindings[static_cast<size_t>(&other - dispatch.ranges.data())];
        const auto& pairs = plan.kernels[dispatch.kernel.value].in_place;
        if (std::find(pairs.begin(), pairs.end(), Kernel::InPlace{own.value, theirs.value}) != pairs.end() ||
            std::find(pairs.begin(), pairs.end(), Kernel::InPlace{theirs.value, own.value}) != pairs.end())
          continue;
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
