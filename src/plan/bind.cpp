// bind(): a Plan and sizes to dispatches with byte ranges. Pure: no device is touched and nothing is compiled.
#include <algorithm>
#include <tuple>

#include "base/checked.h"
#include "layout/storage.h"
#include "plan/arena.h"
#include "plan/hazards.h"
#include "plan/in_place.h"
#include "plan/plan.h"
#include "plan/sizes.h"

namespace tuff {
namespace {

struct Binder {
  const Plan& plan;
  const DeviceInfo& device;
  BoundPlan bound;
  std::vector<const PlanValue*> places = std::vector<const PlanValue*>(plan.graph.values.size());  // by ValueId

  // At bound.symbols, where dynamic dimensions are at their largest.
  Result<int64_t> size(const IntExpr& e, const std::string& of) const {
    auto value = e.evaluate([&](std::string_view name) -> std::optional<int64_t> {
      auto it = bound.symbols.find(std::string(name));
      return it == bound.symbols.end() ? std::nullopt : std::optional<int64_t>(it->second);
    });
    if (!value)
      return limit_exceeded("The size " + e.text() + " of " + of + " cannot be computed: it overflows or divides by zero.");
    return *value;
  }

  // In the dynamic dimensions alone; nothing where none of them changes it.
  std::optional<IntExpr> dynamic(const IntExpr& e) const {
    if (bound.dynamics.symbols.empty()) return std::nullopt;
    IntExpr rest = e.substitute([&](const Symbol& s) -> std::optional<IntExpr> {
      for (const Symbol& own : bound.dynamics.symbols)
        if (own.name == s.name) return IntExpr::symbol(own);
      auto it = bound.symbols.find(s.name);
      return it == bound.symbols.end() ? std::nullopt : std::optional<IntExpr>(it->second);
    });
    if (rest.is_constant()) return std::nullopt;
    return rest;
  }

  // No size of the dynamic dimensions gives more. One that falls as they grow has its largest elsewhere.
  Result<int64_t> most(const IntExpr& e, const std::string& of) const {
    if (const std::optional<IntExpr> rest = dynamic(e)) return rest->interval().high;
    return size(e, of);
  }

  void note_if_dynamic(const IntExpr& e, size_t of, size_t at, std::vector<DynamicNumber>& numbers) {
    if (std::optional<IntExpr> rest = dynamic(e)) numbers.push_back({std::move(*rest), of, at});
  }

  Status set_symbols(const std::map<std::string, int64_t>& given) {
    bound.symbols = given;
    for (const Symbol& s : bound.dynamics.symbols) bound.symbols[s.name] = s.max;
    for (const Symbol& s : plan.graph.symbols) {
      auto it = bound.symbols.find(s.name);
      if (it == bound.symbols.end()) return invalid_argument("No size was given for the dimension '" + s.name + "'.");
      TUFF_TRY(check_size(s, it->second));
    }
    return ok_status();
  }

  Status add_tensor(ValueId v, const std::string& name, std::vector<BoundTensor>& tensors,
                    std::vector<DynamicNumber>& dynamic_sizes) {
    const Value& value = plan.graph.value(v);
    BoundTensor out{name, value.dtype, {}, 0};
    for (size_t axis = 0; axis < value.shape.size(); ++axis) {
      const IntExpr& d = value.shape[axis];
      TUFF_ASSIGN(int64_t extent, most(d, name));
      if (extent < 0)
        return invalid_argument("The size " + d.text() + " of " + name + " would be " + std::to_string(extent) + ".");
      out.shape.push_back(extent);
      note_if_dynamic(d, tensors.size(), axis, dynamic_sizes);
    }
    TUFF_TRY(set_storage_bytes(out));
    tensors.push_back(std::move(out));
    return ok_status();
  }

  // For all sizes of the dynamic dimensions.
  Result<bool> holds(const Guard& guard, const std::string& kernel) const {
    for (const auto& d : guard.divides) {
      if (const std::optional<IntExpr> rest = dynamic(d.value)) {
        if (known_divisor(*rest) % d.divisor != 0) return false;
        continue;
      }
      TUFF_ASSIGN(int64_t v, size(d.value, kernel));
      if (v % d.divisor != 0) return false;
    }
    for (const auto& m : guard.at_most) {
      TUFF_ASSIGN(int64_t v, most(m.value, kernel));
      if (v > m.limit) return false;
    }
    return true;
  }

  Result<int64_t> element_bytes(ValueId v) const {
    const IntExpr& bytes = places[v.value]->size_bytes;
    const std::string name = "%" + std::to_string(v.value);
    if (!dynamic(bytes)) return size(bytes, name);
    // The largest axes bound the product closer than the interval of a sum of products does.
    const Value& value = plan.graph.value(v);
    std::optional<int64_t> product = dtype_size_bytes(value.dtype);
    for (const IntExpr& d : value.shape) {
      TUFF_ASSIGN(int64_t extent, most(d, name));
      product = checked_multiply(*product, std::max<int64_t>(extent, 0));
      if (!product) return limit_exceeded(name + " has more bytes than 64 bits count.");
    }
    return *product;
  }

  Result<uint64_t> value_bytes(ValueId v) const {
    TUFF_ASSIGN(int64_t bytes, element_bytes(v));
    if (bytes < 0 || range_bytes(bytes) > static_cast<uint64_t>(device.max_storage_buffer_bytes))
      return limit_exceeded("%" + std::to_string(v.value) + " " + dims_text(plan.graph.value(v).shape) + " takes " +
                            std::to_string(bytes) + " bytes; a kernel of " + device.name + " sees at most " +
                            std::to_string(device.max_storage_buffer_bytes) + ".");
    // Kernels index elements with 32 bits.
    if (bytes / dtype_size_bytes(plan.graph.value(v).dtype) > INT32_MAX)
      return limit_exceeded("%" + std::to_string(v.value) + " " + dims_text(plan.graph.value(v).shape) +
                            " has more than 2^31 - 1 elements.");
    return range_bytes(bytes);
  }

  Status add_dispatch(StepId id) {
    const Step& step = plan.steps[id.value];
    for (const InPlace& state : bound.in_place)
      if (state.grows && copies_old_part(plan, state, step)) return ok_status();  // it is there
    const Kernel* kernel = nullptr;
    BoundDispatch dispatch;
    dispatch.step = id;
    for (const Variant& variant : step.variants) {
      TUFF_ASSIGN(bool applies, holds(variant.guard, plan.kernels[variant.kernel.value].name));
      if (!applies) continue;
      kernel = &plan.kernels[variant.kernel.value];
      dispatch.kernel = variant.kernel;
      break;
    }
    if (kernel == nullptr) return internal_error("Step " + std::to_string(id.value) + " has no variant for these sizes.");
    for (size_t axis = 0; axis < 3; ++axis) {
      TUFF_ASSIGN(int64_t count, most(kernel->grid[axis], "the grid of " + kernel->name));
      if (count <= 0) return ok_status();  // nothing to compute
      if (count > device.max_workgroup_count[axis])
        return limit_exceeded(kernel->name + " needs " + std::to_string(count) + " workgroups on axis " + std::to_string(axis) +
                              "; " + device.name + " starts at most " + std::to_string(device.max_workgroup_count[axis]) + ".");
      dispatch.grid[axis] = static_cast<uint32_t>(count);
    }
    for (const KernelBinding& b : kernel->bindings) {
      const PlanValue& place = *places[b.value.value];
      BoundRange range;
      range.buffer = place.buffer;
      range.index = place.index;
      for (const InPlace& state : bound.in_place)
        if (place.buffer == BufferKind::kOutput && place.index == state.output)
          std::tie(range.buffer, range.index) = std::pair(BufferKind::kInput, static_cast<uint32_t>(state.input));
      range.access = b.access;
      range.value = b.value;
      range.offset = place.buffer == BufferKind::kWeights ? place.weight_offset : 0;
      TUFF_ASSIGN(range.size_bytes, value_bytes(b.value));
      dispatch.ranges.push_back(range);
      const std::optional<IntExpr> bytes = dynamic(place.size_bytes);
      if (bytes && bytes->interval().low < 0) bound.dynamics.bytes.push_back({*bytes, bound.dispatches.size(), 0});
    }
    if (kernel->has_scratch()) TUFF_TRY(add_scratch(*kernel, dispatch));
    if (!kernel->parameters.empty()) {
      uint64_t words = static_cast<uint64_t>(round_up(static_cast<int64_t>(kernel->parameters.size()), 4));
      uint64_t step_words = static_cast<uint64_t>(device.uniform_offset_alignment) / 4;
      uint64_t start =
          step_words ? (bound.parameters.size() + step_words - 1) / step_words * step_words : bound.parameters.size();
      dispatch.parameter_offset = start * 4;
      dispatch.parameter_bytes = words * 4;
      bound.parameters.resize(start + words);
      for (size_t i = 0; i < kernel->parameters.size(); ++i) {
        TUFF_ASSIGN(int64_t v, size(kernel->parameters[i], "a parameter of " + kernel->name));
        if (v < INT32_MIN || v > INT32_MAX)
          return limit_exceeded("A parameter of " + kernel->name + ", " + kernel->parameters[i].text() + " = " +
                                std::to_string(v) + ", does not fit 32 bits.");
        bound.parameters[start + i] = static_cast<int32_t>(v);
        note_if_dynamic(kernel->parameters[i], start + i, 0, bound.dynamics.parameters);
      }
    }
    for (size_t axis = 0; axis < 3; ++axis)
      note_if_dynamic(kernel->grid[axis], bound.dispatches.size(), axis, bound.dynamics.grids);
    bound.dispatches.push_back(std::move(dispatch));
    return ok_status();
  }

  int64_t alignment() const { return std::max<int64_t>(16, buffer_offset_alignment(device)); }

  Status add_scratch(const Kernel& kernel, BoundDispatch& dispatch) {
    TUFF_ASSIGN(const int64_t partial_bytes, most(kernel.partial_bytes, "what workgroups of " + kernel.name + " leave"));
    TUFF_ASSIGN(const int64_t counters, most(kernel.counter_count, "the counters of " + kernel.name));
    if (partial_bytes < 0 || counters < 0 || std::max(partial_bytes, counters) > device.max_storage_buffer_bytes / 4)
      return limit_exceeded(kernel.name + " needs " + std::to_string(partial_bytes) + " bytes for sums that workgroups share.");
    BoundRange range;
    range.access = Access::kWrite;
    range.buffer = BufferKind::kArena;
    range.size_bytes = range_bytes(partial_bytes);
    dispatch.ranges.push_back(range);
    range.buffer = BufferKind::kCounters;
    range.size_bytes = range_bytes(counters * 4);
    range.offset = static_cast<uint64_t>(round_up(static_cast<int64_t>(bound.counter_bytes), alignment()));
    bound.counter_bytes = range.offset + range.size_bytes;
    dispatch.ranges.push_back(range);
    return ok_status();
  }

  Status place_arena() {
    // What a dispatch leaves for itself is nobody else's; it has no value to be known by.
    auto key = [](const BoundRange& r, size_t dispatch) {
      return r.value.valid() ? std::pair(r.value.value, size_t{0}) : std::pair(r.value.value, dispatch);
    };
    std::map<std::pair<uint32_t, size_t>, size_t> known;
    std::vector<ArenaValue> values;
    for (size_t d = 0; d < bound.dispatches.size(); ++d) {
      for (const BoundRange& r : bound.dispatches[d].ranges) {
        if (r.buffer != BufferKind::kArena) continue;
        auto [it, is_new] = known.emplace(key(r, d), values.size());
        if (is_new) values.push_back({r.size_bytes, d, d, 0});
        values[it->second].last = d;
      }
    }
    bound.arena_bytes = place_in_arena(values, static_cast<uint64_t>(alignment()));
    for (size_t d = 0; d < bound.dispatches.size(); ++d)
      for (BoundRange& r : bound.dispatches[d].ranges)
        if (r.buffer == BufferKind::kArena) r.offset = values[known[key(r, d)]].offset;
    return ok_status();
  }
};

}  // namespace

uint64_t range_bytes(int64_t element_bytes) {
  return std::max<uint64_t>((static_cast<uint64_t>(element_bytes) + 3) / 4 * 4, 16);
}

Result<BoundPlan> bind(const Plan& plan, const std::map<std::string, int64_t>& symbols, const DeviceInfo& device,
                       const std::vector<InPlace>& in_place, const std::vector<std::string>& dynamic) {
  Binder binder{plan, device, {}};
  for (const PlanValue& place : plan.values) binder.places[place.value.value] = &place;
  BoundPlan& bound = binder.bound;
  TUFF_ASSIGN(bound.dynamics.symbols, dynamic_symbols(plan.graph, dynamic));
  TUFF_TRY(binder.set_symbols(symbols));
  bound.in_place = in_place;
  bound.weight_bytes = plan.weight_bytes;
  for (ValueId v : plan.graph.inputs)
    TUFF_TRY(binder.add_tensor(v, plan.graph.value(v).name, bound.inputs, bound.dynamics.inputs));
  for (size_t i = 0; i < plan.graph.outputs.size(); ++i)
    TUFF_TRY(binder.add_tensor(plan.graph.outputs[i], plan.graph.output_names[i], bound.outputs, bound.dynamics.outputs));
  for (size_t s = 0; s < plan.steps.size(); ++s) TUFF_TRY(binder.add_dispatch(StepId(s)));
  TUFF_TRY(binder.place_arena());
  place_barriers(bound);
  return std::move(binder.bound);
}

}  // namespace tuff
