// Plan and BoundPlan as text and as JSON.
#include "base/json.h"
#include "plan/plan.h"
#include "plan/work.h"

namespace tuff {
namespace {

std::string_view buffer_name(BufferKind kind) {
  switch (kind) {
    case BufferKind::kInput: return "input";
    case BufferKind::kOutput: return "output";
    case BufferKind::kWeights: return "weights";
    case BufferKind::kArena: return "arena";
    case BufferKind::kCounters: return "counters";
  }
  return "?";
}

std::string guard_text(const Guard& guard) {
  std::string out;
  for (const auto& d : guard.divides)
    out += (out.empty() ? "" : " and ") + std::to_string(d.divisor) + " divides " + d.value.text();
  for (const auto& m : guard.at_most) out += (out.empty() ? "" : " and ") + m.value.text() + " <= " + std::to_string(m.limit);
  return out.empty() ? "always" : out;
}

void write_work(JsonWriter& json, const StepWork& work, int64_t time_ns) {
  json.key("bytes_read").integer(work.bytes_read);
  json.key("bytes_written").integer(work.bytes_written);
  json.key("multiply_adds").integer(work.multiply_adds);
  json.key("predicted_ns").integer(time_ns);
}

void write_step(JsonWriter& json, const Plan& plan, const Step& step) {
  json.begin_object();
  json.key("origins").begin_array();
  for (const std::string& name : step.origins) json.string(name);
  json.end_array();
  json.key("variants").begin_array();
  for (const Variant& v : step.variants) {
    const Kernel& k = plan.kernels[v.kernel.value];
    json.begin_object();
    json.key("kernel").string(k.name);
    json.key("skeleton").string(k.skeleton);
    json.key("schedule").string(k.schedule);
    json.key("guard").string(guard_text(v.guard));
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_dispatch(JsonWriter& json, const Plan& plan, const BoundPlan& bound, const BoundDispatch& dispatch,
                    const DeviceInfo& device) {
  const StepWork work = work_of(plan, bound, dispatch);
  json.begin_object();
  json.key("step").integer(dispatch.step.value);
  json.key("kernel").string(plan.kernels[dispatch.kernel.value].name);
  json.key("workgroup_count").integer(workgroup_count(dispatch));
  write_work(json, work, predicted_ns(work, device));
  json.end_object();
}

}  // namespace

std::string print(const Plan& plan) {
  std::string out;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    out += "step " + std::to_string(s) + " from";
    for (const std::string& name : step.origins) out += " \"" + name + "\"";
    out += "\n";
    for (const Variant& v : step.variants) {
      const Kernel& k = plan.kernels[v.kernel.value];
      out += "  " + guard_text(v.guard) + ": " + k.name + " (" + schedule_text(k) + ") grid [" + k.grid[0].text() + ", " +
             k.grid[1].text() + ", " + k.grid[2].text() + "]\n";
    }
    out += "  reads";
    for (ValueId v : step.reads) out += " %" + std::to_string(v.value);
    out += ", writes";
    for (ValueId v : step.writes) out += " %" + std::to_string(v.value);
    out += "\n";
  }
  for (const PlanValue& v : plan.values) {
    out += "%" + std::to_string(v.value.value) + " in " + std::string(buffer_name(v.buffer));
    if (v.buffer == BufferKind::kWeights)
      out += " at " + std::to_string(v.weight_offset);
    else if (v.buffer != BufferKind::kArena)
      out += " " + std::to_string(v.index);
    out += ", " + v.size_bytes.text() + (lies_transformed(plan, v.value) ? " bytes, transformed\n" : " bytes\n");
  }
  return out;
}

std::string print(const BoundPlan& bound) {
  std::string out;
  for (const auto& [name, size] : bound.symbols) out += name + " = " + std::to_string(size) + "\n";
  for (const BoundDispatch& d : bound.dispatches) {
    if (d.barrier_before) out += "barrier\n";
    out += "dispatch step " + std::to_string(d.step.value) + " kernel " + std::to_string(d.kernel.value) + " grid " +
           std::to_string(d.grid[0]) + "x" + std::to_string(d.grid[1]) + "x" + std::to_string(d.grid[2]) + "\n";
    for (const BoundRange& r : d.ranges)
      out += std::string(r.access == Access::kRead ? "  reads " : "  writes ") +
             (r.value.valid() ? "%" + std::to_string(r.value.value) : "scratch") + " " + std::string(buffer_name(r.buffer)) +
             (r.buffer == BufferKind::kInput || r.buffer == BufferKind::kOutput ? " " + std::to_string(r.index) : "") +
             " bytes " + std::to_string(r.offset) + " to " + std::to_string(r.offset + r.size_bytes) + "\n";
  }
  out += "arena " + std::to_string(bound.arena_bytes) + " bytes, weights " + std::to_string(bound.weight_bytes) + " bytes, " +
         std::to_string(bound.dispatches.size()) + " dispatches, " + std::to_string(bound.barrier_count) + " barriers\n";
  return out;
}

std::string print_json(const Plan& plan, const BoundPlan* bound, const DeviceInfo& device) {
  JsonWriter json;
  json.begin_object();
  json.key("step_count").integer(static_cast<int64_t>(plan.steps.size()));
  json.key("kernel_count").integer(static_cast<int64_t>(plan.kernels.size()));
  // Without sizes every step counts as one dispatch; with them, empty ones are left out and memory and work are known.
  json.key("dispatch_count").integer(static_cast<int64_t>(bound ? bound->dispatches.size() : plan.steps.size()));
  json.key("submit_count").integer(1);
  if (bound) {
    json.key("barrier_count").integer(bound->barrier_count);
    json.key("arena_bytes").integer(static_cast<int64_t>(bound->arena_bytes));
  }
  json.key("weight_bytes").integer(static_cast<int64_t>(plan.weight_bytes));
  if (bound) {
    write_work(json, work_of(plan, *bound), predicted_ns(plan, *bound, device));
    json.key("least_bytes").integer(least_bytes(plan, *bound));
    json.key("compute_unit_count").integer(device.rates.compute_units);
  }
  json.key("steps").begin_array();
  for (const Step& step : plan.steps) write_step(json, plan, step);
  json.end_array();
  if (bound) {
    json.key("dispatches").begin_array();
    for (const BoundDispatch& dispatch : bound->dispatches) write_dispatch(json, plan, *bound, dispatch, device);
    json.end_array();
  }
  json.end_object();
  return json.text() + "\n";
}

}  // namespace tuff
