#include "session/prepared_shape.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/checked.h"
#include "session/elements.h"
#include "session/segments.h"
#include "session/session_checks.h"

namespace tuff {
namespace {

// Predicted times are of a device's peak rates: a kernel that reaches a sixteenth of them is within the limit all the same.
constexpr uint64_t kPredictionMargin = 16;

std::string milliseconds(uint64_t time_ns) { return std::to_string(time_ns / 1'000'000) + " ms"; }

// The slice that binding give for a tensor; no buffer: the session's own.
BufferSlice slice_of(const std::vector<BufferSlice>& binding, size_t index) {
  return index < binding.size() ? binding[index] : BufferSlice();
}

Status check_slice(const BufferSlice& slice, const BoundTensor& tensor, const DeviceInfo& device) {
  const uint64_t alignment = static_cast<uint64_t>(buffer_offset_alignment(device));
  if (slice.offset_bytes % alignment != 0)
    return invalid_argument("Tensor '" + tensor.name + "' begins at byte " + std::to_string(slice.offset_bytes) +
                            " of its buffer; '" + device.name + "' needs a multiple of " + std::to_string(alignment) + ".");
  const uint64_t size = slice.buffer->size_bytes();
  if (slice.offset_bytes > size || tensor.storage_bytes > size - slice.offset_bytes)
    return invalid_argument("Tensor '" + tensor.name + "' needs " + std::to_string(tensor.storage_bytes) + " bytes at " +
                            std::to_string(slice.offset_bytes) + " of a buffer of " + std::to_string(size) + ".");
  return ok_status();
}

Status write_mapped(Buffer& buffer, std::span<const std::byte> bytes) {
  if (!buffer.mapped()) return internal_error("A buffer that the host writes is not mapped.");
  std::memcpy(buffer.mapped(), bytes.data(), bytes.size());
  return buffer.flush();
}

bool is_empty_grid(const std::array<uint32_t, 3>& grid) { return std::find(grid.begin(), grid.end(), 0u) != grid.end(); }

// The same splits among the dispatches that are left when empty ones are not.
std::vector<uint32_t> splits_of_left(const std::vector<uint32_t>& splits, const std::vector<std::array<uint32_t, 3>>& grids) {
  std::vector<uint32_t> left;
  const auto left_count =
      static_cast<uint32_t>(grids.size() - static_cast<size_t>(std::count_if(grids.begin(), grids.end(), is_empty_grid)));
  for (const uint32_t split : splits) {
    const auto before = split - static_cast<uint32_t>(std::count_if(grids.begin(), grids.begin() + split, is_empty_grid));
    if (before > (left.empty() ? 0 : left.back()) && before < left_count) left.push_back(before);
  }
  return left;
}

}  // namespace

Result<std::unique_ptr<PreparedShape>> PreparedShape::make(std::shared_ptr<const Program> program,
                                                           const SessionOptions& options, const State& state,
                                                           const SymbolValues& symbols) {
  std::unique_ptr<PreparedShape> shape(new PreparedShape(std::move(program), options, state));
  TUFF_ASSIGN(shape->bound_, tuff::bind(shape->program_->plan, symbols, shape->program_->target.info, state.in_place(),
                                        options.dynamic_dimensions));
  shape->sizes_ = shape->next_sizes_ = largest_sizes(shape->bound_);
  shape->find_dimension_sources();
  PreparedInfo& info = shape->info_;
  info.symbols = shape->next_symbols_ = shape->bound_.symbols;
  info.inputs = shape->bound_.inputs;
  info.outputs = shape->bound_.outputs;
  info.dispatch_count = static_cast<uint32_t>(shape->bound_.dispatches.size());
  info.barrier_count = shape->bound_.barrier_count;
  info.arena_bytes = shape->bound_.arena_bytes;
  std::vector<uint32_t> splits;
  if (options.submit_time_limit_ns != 0)
    splits = split(predicted_times_ns(shape->program_->plan, shape->bound_, shape->program_->target.info),
                   std::max<uint64_t>(1, options.submit_time_limit_ns / kPredictionMargin));
  shape->set_splits(std::move(splits));
  TUFF_TRY(shape->check_memory());
  if (shape->bound_.arena_bytes > 0) {
    TUFF_ASSIGN(shape->arena_, shape->device().allocate(MemoryUse::kDevice, shape->bound_.arena_bytes));
  }
  if (shape->bound_.counter_bytes > 0) {
    TUFF_ASSIGN(shape->counters_, shape->device().allocate(MemoryUse::kDevice, shape->bound_.counter_bytes));
  }
  TUFF_TRY(shape->make_parameters());
  // Also for the largest sizes: what falls as a dimension rises is bound for another one.
  TUFF_TRY(rebind(shape->bound_, symbols, shape->next_sizes_));
  shape->take_next_sizes(symbols);
  TUFF_TRY(shape->make_slots());
  return shape;
}

bool PreparedShape::have_shapes(std::span<const TensorView> views, const std::vector<BoundTensor>& tensors) const {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const State::Alias* alias = state_.of_input(i);
    if (!(alias && alias->growth) && views[i].shape != tensors[i].shape) return false;
  }
  return true;
}

// Of each dynamic dimension an axis of an input that tells its size.
void PreparedShape::find_dimension_sources() {
  for (const Symbol& symbol : bound_.dynamics.symbols) {
    const std::vector<State::Growth>& growths = state_.growths();
    if (std::any_of(growths.begin(), growths.end(), [&](const auto& g) { return g.dimension.name == symbol.name; })) continue;
    for (const DynamicNumber& number : bound_.dynamics.inputs) {
      const std::optional<LinearForm> linear = linear_in(number.value, symbol.name);
      if (!linear || !linear->coefficient.is_constant() || !linear->rest.is_constant()) continue;
      if (linear->coefficient.constant() <= 0) continue;
      dimension_sources_.push_back(
          {number.of, number.at, symbol.name, linear->coefficient.constant(), linear->rest.constant()});
      break;
    }
  }
}

bool PreparedShape::covers(const SymbolValues& symbols) const {
  auto is_dynamic = [&](const std::string& name) {
    const std::vector<Symbol>& dynamic = bound_.dynamics.symbols;
    return std::any_of(dynamic.begin(), dynamic.end(), [&](const Symbol& s) { return s.name == name; });
  };
  return std::equal(symbols.begin(), symbols.end(), info_.symbols.begin(), info_.symbols.end(),
                    [&](const auto& a, const auto& b) { return a == b || (a.first == b.first && is_dynamic(a.first)); });
}

void PreparedShape::take_next_sizes(const SymbolValues& symbols) {
  std::swap(sizes_, next_sizes_);
  for (auto& [name, size] : info_.symbols) size = symbols.find(name)->second;
  info_.inputs = sizes_.inputs;
  info_.outputs = sizes_.outputs;
  ++sizes_version_;
}

Status PreparedShape::set_sizes(const SymbolValues& symbols) {
  if (symbols == info_.symbols) return ok_status();
  TUFF_TRY(rebind(bound_, symbols, next_sizes_));
  take_next_sizes(symbols);
  return ok_status();
}

bool PreparedShape::set_sizes(std::span<const TensorView> inputs) {
  if (inputs.size() != bound_.inputs.size()) return false;
  if (have_shapes(inputs, info_.inputs)) return follow_state().ok();
  if (dimension_sources_.size() + state_.growths().size() < bound_.dynamics.symbols.size() || !is_dynamic()) return false;
  state_.give_sizes(next_symbols_);
  for (const DimensionSource& source : dimension_sources_) {
    const std::vector<int64_t>& shape = inputs[source.input].shape;
    if (source.axis >= shape.size()) return false;
    const std::optional<int64_t> part = checked_add(shape[source.axis], -source.rest);
    if (!part) return false;
    next_symbols_.find(source.dimension)->second = floor_div(*part, source.coefficient);
  }
  if (!rebind(bound_, next_symbols_, next_sizes_).ok() || !have_shapes(inputs, next_sizes_.inputs)) return false;
  take_next_sizes(next_symbols_);
  return true;
}

Status PreparedShape::follow_state() {
  if (state_.growths().empty()) return ok_status();
  for (auto& [name, size] : next_symbols_) size = info_.symbols.find(name)->second;
  state_.give_sizes(next_symbols_);
  return set_sizes(next_symbols_);
}

void PreparedShape::set_splits(std::vector<uint32_t> splits) {
  splits_ = std::move(splits);
  info_.submit_count = static_cast<uint32_t>(splits_.size() + 1);
}

void PreparedShape::take_times(Recording& recording) {
  if (!wants_times()) return;
  const Result<std::vector<uint64_t>> times = recording.dispatch_times_ns();
  if (!times.ok() || times->size() != bound_.dispatches.size()) return;  // no clock: the predicted times stay
  const uint64_t limit_ns = options_.submit_time_limit_ns;
  std::vector<uint32_t> splits = split(*times, limit_ns);
  const uint64_t whole_ns = std::accumulate(times->begin(), times->end(), uint64_t{0});
  device().log(2, "A run takes " + milliseconds(whole_ns) + " on '" + device().info().name + "': it is " +
                      std::to_string(splits.size() + 1) + " submits from now on, of at most " + milliseconds(limit_ns) + ".");
  const auto longest = std::max_element(times->begin(), times->end());
  if (longest != times->end() && *longest > limit_ns) {
    const BoundDispatch& dispatch = bound_.dispatches[static_cast<size_t>(longest - times->begin())];
    device().log(1, "The kernel '" + program_->plan.kernels[dispatch.kernel.value].name + "' takes " + milliseconds(*longest) +
                        " on '" + device().info().name + "', more than the " + milliseconds(limit_ns) +
                        " that a submit may take; it cannot be split.");
  }
  set_splits(std::move(splits));
  is_timed_ = true;
}

Status PreparedShape::check_memory() {
  uint64_t copies = (program_->target.info.unified_memory ? 1 : 2) * uint64_t{options_.in_flight_count};
  info_.state_bytes = state_.size_bytes();
  uint64_t& total = info_.buffer_bytes;
  total = bound_.arena_bytes + bound_.counter_bytes + bound_.parameters.size() * sizeof(int32_t) * (is_dynamic() ? copies : 1);
  for (size_t i = 0; i < bound_.inputs.size(); ++i)
    if (!state_.of_input(i)) total += bound_.inputs[i].storage_bytes * copies;
  for (size_t i = 0; i < bound_.outputs.size(); ++i)
    if (!state_.of_output(i)) total += bound_.outputs[i].storage_bytes * copies;
  if (options_.cancellable || is_dynamic()) total += bound_.dispatches.size() * kGridBytes * options_.in_flight_count;
  if (options_.memory_limit_bytes != 0 && total > options_.memory_limit_bytes) {
    return out_of_memory("This shape needs " + std::to_string(total) + " bytes of device memory beside the weights; " +
                         "the session may use " + std::to_string(options_.memory_limit_bytes) + ".");
  }
  return ok_status();
}

Status PreparedShape::make_parameters() {
  if (bound_.parameters.empty() || is_dynamic()) return ok_status();
  std::span<const std::byte> words = std::as_bytes(std::span(bound_.parameters));
  TUFF_ASSIGN(parameters_, device().allocate(MemoryUse::kDevice, words.size()));
  if (!parameters_->mapped()) return device().upload(*parameters_, 0, words);
  std::memcpy(parameters_->mapped(), words.data(), words.size());
  return parameters_->flush();
}

Status PreparedShape::make_slots() {
  slots_.resize(options_.in_flight_count);
  latest_.resize(bound_.inputs.size());
  for (size_t i = 0; i < slots_.size(); ++i) {
    TUFF_TRY(make_sizes(slots_[i]));
    TUFF_TRY(renew_sizes(i));
  }
  return ok_status();
}

Status PreparedShape::make_sizes(RunSlot& slot) {
  if ((options_.cancellable || is_dynamic()) && !bound_.dispatches.empty()) {
    TUFF_ASSIGN(slot.grids, device().allocate(MemoryUse::kUpload, bound_.dispatches.size() * kGridBytes));
  }
  if (is_dynamic() && !bound_.parameters.empty()) {
    TUFF_ASSIGN(slot.parameters, make_staged(bound_.parameters.size() * sizeof(int32_t), MemoryUse::kUpload));
  }
  return ok_status();
}

Result<StagedBuffer> PreparedShape::make_staged(uint64_t size_bytes, MemoryUse staging) {
  StagedBuffer hosted;
  TUFF_ASSIGN(hosted.device, device().allocate(MemoryUse::kDevice, size_bytes));
  if (hosted.device->mapped()) {
    hosted.host = hosted.device;
  } else {
    TUFF_ASSIGN(hosted.host, device().allocate(staging, size_bytes));
  }
  // An input that is never written reads as zero, not as what another program left there.
  if (hosted.host->mapped()) std::memset(hosted.host->mapped(), 0, size_bytes);
  TUFF_TRY(hosted.host->flush());
  return hosted;
}

Status PreparedShape::make_staged_buffers(RunSlot& slot) {
  if (!slot.inputs.empty() || !slot.outputs.empty()) return ok_status();
  std::vector<StagedBuffer> inputs(bound_.inputs.size()), outputs(bound_.outputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (state_.of_input(i)) continue;
    TUFF_ASSIGN(inputs[i], make_staged(bound_.inputs[i].storage_bytes, MemoryUse::kUpload));
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (state_.of_output(i)) continue;
    TUFF_ASSIGN(outputs[i], make_staged(bound_.outputs[i].storage_bytes, MemoryUse::kReadback));
  }
  slot.inputs = std::move(inputs);
  slot.outputs = std::move(outputs);
  return ok_status();
}

std::shared_ptr<const RecordedBinding> PreparedShape::find(const IoBinding& binding) const {
  for (const auto& recorded : recorded_)
    if (recorded->binding == binding && recorded->is_timed == is_timed_) return recorded;
  return nullptr;
}

Result<std::shared_ptr<const RecordedBinding>> PreparedShape::record(const IoBinding& binding, bool is_registered) {
  auto made = std::make_shared<RecordedBinding>();
  for (const auto& recorded : recorded_) {
    if (!(recorded->binding == binding)) continue;
    recorded->is_registered = is_registered = recorded->is_registered || is_registered;
    if (recorded->is_timed == is_timed_) return std::shared_ptr<const RecordedBinding>(recorded);
    made->replaced = recorded;
  }
  bool all_given = true;
  auto check = [&](const std::vector<BufferSlice>& slices, const std::vector<BoundTensor>& tensors, auto alias_of) -> Status {
    for (size_t i = 0; i < tensors.size(); ++i) {
      const BufferSlice slice = slice_of(slices, i);
      if (alias_of(i)) {
        if (slice.buffer) return invalid_argument("Tensor '" + tensors[i].name + "' is state; it is not bound.");
        continue;
      }
      if (!slice.buffer)
        all_given = false;
      else
        TUFF_TRY(check_slice(slice, tensors[i], program_->target.info));
    }
    return ok_status();
  };
  TUFF_TRY(check(binding.inputs, bound_.inputs, [&](size_t i) { return state_.of_input(i) != nullptr; }));
  TUFF_TRY(check(binding.outputs, bound_.outputs, [&](size_t i) { return state_.of_output(i) != nullptr; }));
  made->binding = binding;
  made->is_registered = is_registered;
  made->is_timed = is_timed_;
  for (RunSlot& slot : slots_) {
    if (!all_given) TUFF_TRY(make_staged_buffers(slot));
    for (uint32_t phase = 0; phase < phase_count_; ++phase) {
      TUFF_ASSIGN(std::shared_ptr<Recording> recording, device().record(record_desc(binding, slot, phase)));
      made->recordings.push_back(std::move(recording));
    }
  }
  std::erase_if(recorded_, [&](const auto& r) { return !r->is_registered || r == made->replaced; });
  recorded_.push_back(made);
  return std::shared_ptr<const RecordedBinding>(std::move(made));
}

void PreparedShape::forget_bindings() {
  std::erase_if(recorded_, [](const auto& r) { return !(r->binding == IoBinding()); });
}

Result<RecordDesc> PreparedShape::own_record_desc(size_t slot, uint32_t phase, BoundPlan& plan) {
  TUFF_TRY(make_staged_buffers(slots_[slot]));
  RecordDesc desc = record_desc({}, slots_[slot], phase);
  plan = at_sizes(bound_, info_.symbols, sizes_);
  desc.plan = &plan;
  desc.grids = nullptr;
  desc.splits = splits_of_left(splits_, sizes_.grids);
  return desc;
}

RecordDesc PreparedShape::record_desc(const IoBinding& binding, const RunSlot& slot, uint32_t phase) const {
  RecordDesc desc;
  desc.plan = &bound_;
  desc.pipelines = program_->pipelines;
  desc.weights = program_->weights;
  desc.arena = arena_;
  desc.counters = counters_;
  desc.parameters = is_dynamic() ? slot.parameters.device : parameters_;
  if (slot.parameters.host != slot.parameters.device) {
    desc.copies_before.push_back(
        {slot.parameters.host.get(), slot.parameters.device.get(), bound_.parameters.size() * sizeof(int32_t)});
    desc.keep_alive.push_back(slot.parameters.host);
  }
  desc.grids = slot.grids;
  desc.timestamps = options_.timestamps || wants_times();
  desc.splits = splits_;
  for (size_t i = 0; i < bound_.inputs.size(); ++i) {
    const State::Alias* alias = state_.of_input(i);
    const BufferSlice slice = alias ? BufferSlice(alias->buffers[phase]) : slice_of(binding.inputs, i);
    desc.inputs.push_back(slice.buffer ? slice : BufferSlice(slot.inputs[i].device));
    if (slice.buffer || slot.inputs[i].host == slot.inputs[i].device) continue;
    desc.copies_before.push_back({slot.inputs[i].host.get(), slot.inputs[i].device.get(), bound_.inputs[i].storage_bytes});
    desc.keep_alive.push_back(slot.inputs[i].host);
  }
  for (size_t i = 0; i < bound_.outputs.size(); ++i) {
    const State::Alias* alias = state_.of_output(i);
    const BufferSlice slice = alias ? BufferSlice(alias->buffers[1 - phase]) : slice_of(binding.outputs, i);
    desc.outputs.push_back(slice.buffer ? slice : BufferSlice(slot.outputs[i].device));
    if (slice.buffer || slot.outputs[i].host == slot.outputs[i].device) continue;
    desc.copies_after.push_back({slot.outputs[i].device.get(), slot.outputs[i].host.get(), bound_.outputs[i].storage_bytes});
    desc.keep_alive.push_back(slot.outputs[i].host);
  }
  return desc;
}

std::optional<size_t> PreparedShape::free_slot() const {
  for (size_t i = 0; i < slots_.size(); ++i)
    if (!slots_[i].in_use) return i;
  return std::nullopt;
}

bool PreparedShape::in_use() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const RunSlot& slot) { return slot.in_use; });
}

Status PreparedShape::write_input(size_t slot, size_t index, const TensorView& view) {
  TUFF_TRY(check_tensor(info_.inputs, index, view, "input"));
  if (state_.of_input(index))
    return invalid_argument("The input '" + bound_.inputs[index].name + "' is state; no host writes it.");
  TUFF_TRY(make_staged_buffers(slots_[slot]));
  StagedBuffer& input = slots_[slot].inputs[index];
  if (!input.host->mapped()) return internal_error("An input's staging buffer is not mapped.");
  store_elements(view, {}, input.host->mapped());
  InputSource& latest = latest_[index];
  input.version = ++latest.version;
  latest.slot = slot;
  latest.shape = view.shape;
  latest.storage_bytes = info_.inputs[index].storage_bytes;
  return input.host->flush();
}

Status PreparedShape::check_inputs(const IoBinding& binding) const {
  for (size_t i = 0; i < latest_.size(); ++i) {
    const std::vector<int64_t>&shape = info_.inputs[i].shape, &written = latest_[i].shape;
    if (latest_[i].version == 0 || written == shape || slice_of(binding.inputs, i).buffer) continue;
    if (!has_no_elements(shape)) return written_for_other_sizes(info_.inputs[i], written);
  }
  return ok_status();
}

Status PreparedShape::renew_inputs(size_t slot) {
  for (size_t i = 0; i < slots_[slot].inputs.size(); ++i) {
    StagedBuffer& input = slots_[slot].inputs[i];
    if (!input.host || input.version == latest_[i].version) continue;
    const StagedBuffer& latest = slots_[latest_[i].slot].inputs[i];
    std::memcpy(input.host->mapped(), latest.host->mapped(), latest_[i].storage_bytes);
    input.version = latest.version;
    TUFF_TRY(input.host->flush());
  }
  return ok_status();
}

Status PreparedShape::read_output(size_t slot, size_t index, const MutableTensorView& view) {
  if (state_.of_output(index))
    return invalid_argument("The output '" + bound_.outputs[index].name + "' is state; it is saved, not read.");
  if (index >= slots_[slot].outputs.size())
    return invalid_argument("The output '" + bound_.outputs[index].name + "' went to the caller's device memory.");
  Buffer& host = *slots_[slot].outputs[index].host;
  if (!host.mapped()) return internal_error("An output's read-back buffer is not mapped.");
  TUFF_TRY(host.invalidate());
  load_elements(host.mapped(), slots_[slot].output_tensors[index].shape, view);
  return ok_status();
}

Status PreparedShape::renew_sizes(size_t index) {
  RunSlot& slot = slots_[index];
  if (slot.sizes_version == sizes_version_) return ok_status();
  if (slot.grids) TUFF_TRY(write_mapped(*slot.grids, std::as_bytes(std::span(sizes_.grids))));
  if (slot.parameters.host) TUFF_TRY(write_mapped(*slot.parameters.host, std::as_bytes(std::span(sizes_.parameters))));
  slot.output_tensors = info_.outputs;
  slot.sizes_version = sizes_version_;
  return ok_status();
}

Status PreparedShape::clear_grids(size_t index) {
  RunSlot& slot = slots_[index];
  if (!options_.cancellable || !slot.grids) return ok_status();
  slot.sizes_version = 0;
  std::memset(slot.grids->mapped(), 0, bound_.dispatches.size() * kGridBytes);
  return slot.grids->flush();
}

}  // namespace tuff
