// The session of a device: prepared shapes, the runs in flight, and the state between runs.
#include <algorithm>

#include "base/checked.h"
#include "plan/in_place.h"
#include "plan/sizes.h"
#include "session/elements.h"
#include "session/prepared_shape.h"
#include "session/profile_runs.h"
#include "session/session_checks.h"

namespace tuff {
namespace {

const IoBinding kOwnBinding;

Status busy() { return Status(Code::kBusy, "As many runs of this session as may be are still in flight."); }

struct Run {
  RunId id;
  PreparedShape* shape = nullptr;
  size_t slot = 0;
  std::shared_ptr<const RecordedBinding> binding;
  std::shared_ptr<Recording> recording;
  uint32_t phase = 0;  // that it started from
  bool ended = false, cancelled = false, released = false;
  Status failure;  // why it ended without a result
};

class DeviceSession : public Session {
 public:
  DeviceSession(std::shared_ptr<const Program> program, const SessionOptions& options)
      : program_(std::move(program)), options_(options) {
    options_.in_flight_count = std::max<uint32_t>(options_.in_flight_count, 1);
    options_.prepared_shape_count = std::max<uint64_t>(options_.prepared_shape_count, 1);
    runs_.reserve(options_.in_flight_count);
  }

  Status alias(size_t output, size_t input) override;
  const std::vector<int64_t>* growing_shape(size_t input) const override;
  Status reset_state() override;
  Result<std::vector<std::byte>> save_state() override;
  Status load_state(std::span<const std::byte> bytes) override;

  Status choose_shape(const SymbolValues& given) override;
  bool choose_kept_shape(std::span<const TensorView> inputs) override;
  const PreparedInfo* prepared() const override { return current_ ? &current_->info() : nullptr; }
  const BoundPlan* bound_plan() const override { return current_ ? &current_->bound() : nullptr; }
  Status record(const IoBinding* binding) override;
  Status forget_bindings() override;

  Status write_input(size_t index, const TensorView& view) override;
  Result<RunId> submit(const RunDesc& desc) override;
  Result<bool> wait(RunId id, uint64_t timeout_ns) override;
  Status cancel(RunId id) override;
  Status read_output(RunId id, size_t index, const MutableTensorView& view) override;
  void release(RunId id) override;
  Status read_output(size_t index, const MutableTensorView& view) override;
  Result<std::vector<int64_t>> output_shape(size_t index) override;
  Result<std::vector<uint64_t>> dispatch_times_ns() override;
  Result<Profile> profile(const ProfileOptions& options) override;
  Status record_into(uint64_t command_buffer, const IoBinding* binding) override;
  DeviceCounters counters() const override { return device().counters(); }

 private:
  struct Ended {  // the run that ended last
    PreparedShape* shape = nullptr;
    size_t slot = 0;
    std::shared_ptr<const RecordedBinding> binding;
    std::shared_ptr<Recording> recording;
  };

  Device& device() const { return *program_->target.device; }
  Run* find(RunId id);
  void reap();
  void end(Run& run, bool with_outputs);
  bool in_flight();
  Status require_shape() const;
  Status follow_state() { return current_ ? current_->follow_state() : ok_status(); }
  Status alias_growing(InPlace state, const std::string& names);
  Status drop_oldest_shape();
  void drop_current_shape();
  Result<Ended> last_ended();
  Status read(const Ended& run, size_t index, const MutableTensorView& view) const;
  Result<std::vector<int64_t>> shape_of(const Ended& run, size_t index) const;
  Result<std::shared_ptr<const RecordedBinding>> recorded_for(const IoBinding* binding);

  std::shared_ptr<const Program> program_;
  SessionOptions options_;
  State state_;
  uint32_t phase_ = 0;  // the state's buffers that the next run reads
  std::vector<std::unique_ptr<PreparedShape>> shapes_;
  PreparedShape* current_ = nullptr;
  uint64_t use_count_ = 0;
  std::vector<Run> runs_;  // not released yet, or not ended, oldest first
  uint32_t run_count_ = 0;
  Ended last_;
};

Run* DeviceSession::find(RunId id) {
  for (Run& run : runs_)
    if (run.id == id) return &run;
  return nullptr;
}

// Lets go of runs that nobody asks about any more, as soon as the device is done with them.
void DeviceSession::reap() {
  for (Run& run : runs_) {
    if (!run.released || run.ended) continue;
    Result<bool> finished = run.recording->wait(0);
    if (!finished.ok() || *finished) end(run, finished.ok() && !run.cancelled);
  }
  for (Run& run : runs_)
    if (run.released && run.ended) run.shape->slot(run.slot).in_use = false;
  std::erase_if(runs_, [](const Run& run) { return run.released && run.ended; });
}

void DeviceSession::end(Run& run, bool with_outputs) {
  if (with_outputs) run.shape->take_times(*run.recording);
  run.ended = true;
  if (with_outputs)
    last_ = {run.shape, run.slot, run.binding, run.recording};
  else if (last_.shape == run.shape && last_.slot == run.slot)
    last_ = {};
}

bool DeviceSession::in_flight() {
  reap();
  return std::any_of(runs_.begin(), runs_.end(), [](const Run& run) { return !run.ended; });
}

Status DeviceSession::require_shape() const {
  return current_ ? ok_status() : invalid_argument("A session is prepared before it is used.");
}

Status DeviceSession::alias(size_t output, size_t input) {
  const Graph& graph = program_->plan.graph;
  // The run after a cancelled one may have begun, and then it has overwritten what the cancelled one started from.
  if (options_.cancellable && options_.in_flight_count > 1)
    return unsupported("A session with state whose runs can be cancelled has one run in flight, not " +
                       std::to_string(options_.in_flight_count) + ".");
  if (!shapes_.empty()) return invalid_argument("State is declared before a session is prepared.");
  if (output >= graph.outputs.size() || input >= graph.inputs.size())
    return invalid_argument("There is no output " + std::to_string(output) + " or no input " + std::to_string(input) + ".");
  const Value &from = graph.value(graph.outputs[output]), &to = graph.value(graph.inputs[input]);
  const std::string names = "Output '" + graph.output_names[output] + "' and input '" + to.name + "'";
  if (state_.of_output(output) || state_.of_input(input)) return invalid_argument(names + " are state already.");
  if (from.dtype == to.dtype && from.shape != to.shape && from.shape.size() == to.shape.size())
    return alias_growing({output, input}, names);
  if (from.dtype != to.dtype || from.shape != to.shape)
    return invalid_argument(names + " have different types: " + std::string(dtype_name(from.dtype)) + dims_text(from.shape) +
                            " and " + std::string(dtype_name(to.dtype)) + dims_text(to.shape) + ".");
  BoundTensor tensor{to.name, to.dtype, {}, 0};
  int64_t bytes = dtype_size_bytes(to.dtype);
  for (const IntExpr& size : to.shape) {
    if (!size.is_constant()) return unsupported(names + " change their size with " + size.text() + "; state cannot.");
    tensor.shape.push_back(size.constant());
    bytes *= size.constant();
  }
  tensor.storage_bytes = range_bytes(bytes);
  const InPlace state{output, input};
  const bool in_place = !options_.cancellable && can_be_in_place(program_->plan, state);
  return state_.add(device(), state, in_place, tensor);
}

// The output is the input and what a run adds to it along one axis.
Status DeviceSession::alias_growing(InPlace state, const std::string& names) {
  const Graph& graph = program_->plan.graph;
  const Dims &from = graph.value(graph.outputs[state.output]).shape, &to = graph.value(graph.inputs[state.input]).shape;
  const std::string types = names + ", " + dims_text(from) + " and " + dims_text(to) + ", ";
  size_t axis = 0;
  while (from[axis] == to[axis]) ++axis;
  BoundTensor largest{graph.value(graph.inputs[state.input]).name, graph.value(graph.inputs[state.input]).dtype, {}, 0};
  for (size_t i = 0; i < to.size(); ++i) {
    if (i != axis && from[i] != to[i]) return invalid_argument(types + "differ along more than one axis.");
    if (i != axis && !to[i].is_constant()) return unsupported(types + "change more than one size; state grows along one axis.");
    largest.shape.push_back(i == axis ? 0 : to[i].constant());
  }
  TUFF_ASSIGN(const std::vector<Symbol> dynamic, dynamic_symbols(graph, options_.dynamic_dimensions));
  const auto grows =
      std::find_if(dynamic.begin(), dynamic.end(), [&](const Symbol& s) { return IntExpr::symbol(s) == to[axis]; });
  if (grows == dynamic.end())
    return invalid_argument(types + "have different shapes: state grows where the input's size is a dynamic dimension.");
  const State::Growth growth{*grows, from[axis] - to[axis]};
  const std::vector<Symbol> parts = growth.step.symbols();
  const bool is_bounded =
      std::all_of(parts.begin(), parts.end(), [&](const Symbol& s) { return s.name != grows->name && s.max < Symbol::kMax; });
  const IntExpr::Interval step = growth.step.interval();
  if (!is_bounded || step.low < 1)
    return invalid_argument(types + "are no state that grows: a run would add " + growth.step.text() + ".");
  const std::optional<int64_t> most = checked_add(grows->max, step.high);
  if (!most) return limit_exceeded(types + "grow beyond 64 bits.");
  largest.shape[axis] = *most;
  TUFF_TRY(set_storage_bytes(largest));
  state.grows = true;
  return state_.add_growing(device(), state, can_be_in_place(program_->plan, state), largest, axis, growth);
}

const std::vector<int64_t>* DeviceSession::growing_shape(size_t input) const {
  const State::Alias* alias = state_.of_input(input);
  return alias && alias->growth ? &alias->shape : nullptr;
}

Status DeviceSession::reset_state() {
  if (in_flight()) return busy();
  TUFF_TRY(state_.reset(device()));
  return follow_state();
}

Result<std::vector<std::byte>> DeviceSession::save_state() {
  if (in_flight()) return busy();
  return state_.save(device(), phase_);
}

Status DeviceSession::load_state(std::span<const std::byte> bytes) {
  if (in_flight()) return busy();
  TUFF_TRY(state_.load(device(), phase_, bytes));
  return follow_state();
}

// The oldest goes first, so that its memory is there for the new one.
Status DeviceSession::drop_oldest_shape() {
  reap();
  auto oldest = shapes_.end();
  for (auto it = shapes_.begin(); it != shapes_.end(); ++it)
    if (!(*it)->in_use() && (oldest == shapes_.end() || (*it)->last_use < (*oldest)->last_use)) oldest = it;
  if (oldest == shapes_.end()) return busy();
  if (oldest->get() == current_) current_ = nullptr;
  if (oldest->get() == last_.shape) last_ = {};
  shapes_.erase(oldest);
  return ok_status();
}

// A shape that could not be recorded is not prepared, and its memory is needed.
void DeviceSession::drop_current_shape() {
  std::erase_if(shapes_, [&](const auto& shape) { return shape.get() == current_; });
  current_ = nullptr;
}

Status DeviceSession::choose_shape(const SymbolValues& given) {
  SymbolValues known = given;
  state_.give_sizes(known);
  TUFF_ASSIGN(SymbolValues symbols, complete_symbols(program_->plan.graph, known));
  auto found = std::find_if(shapes_.begin(), shapes_.end(), [&](const auto& s) { return s->covers(symbols); });
  if (found != shapes_.end()) {
    TUFF_TRY((*found)->set_sizes(symbols));
  } else {
    while (shapes_.size() >= options_.prepared_shape_count) TUFF_TRY(drop_oldest_shape());
    TUFF_ASSIGN(std::unique_ptr<PreparedShape> made, PreparedShape::make(program_, options_, state_, symbols));
    shapes_.push_back(std::move(made));
    found = std::prev(shapes_.end());
  }
  current_ = found->get();
  current_->last_use = ++use_count_;
  return ok_status();
}

bool DeviceSession::choose_kept_shape(std::span<const TensorView> inputs) {
  if (!current_ || !current_->set_sizes(inputs)) {
    auto found = std::find_if(shapes_.begin(), shapes_.end(), [&](const auto& s) { return s->set_sizes(inputs); });
    if (found == shapes_.end()) return false;
    current_ = found->get();
  }
  current_->last_use = ++use_count_;
  return true;
}

Status DeviceSession::record(const IoBinding* binding) {
  TUFF_TRY(require_shape());
  Status status = current_->record(binding ? *binding : kOwnBinding, true).status();
  if (!status.ok() && !current_->is_recorded()) drop_current_shape();
  return status;
}

Status DeviceSession::forget_bindings() {
  if (in_flight()) return busy();
  for (const auto& shape : shapes_) shape->forget_bindings();
  return ok_status();
}

Result<std::shared_ptr<const RecordedBinding>> DeviceSession::recorded_for(const IoBinding* binding) {
  const IoBinding& wanted = binding ? *binding : kOwnBinding;
  if (auto known = current_->find(wanted)) return known;
  return current_->record(wanted, binding == nullptr);
}

Status DeviceSession::write_input(size_t index, const TensorView& view) {
  TUFF_TRY(require_shape());
  reap();
  std::optional<size_t> slot = current_->free_slot();
  if (!slot) return busy();
  return current_->write_input(*slot, index, view);
}

Result<RunId> DeviceSession::submit(const RunDesc& desc) {
  TUFF_TRY(require_shape());
  reap();
  std::optional<size_t> slot = current_->free_slot();
  if (!slot || runs_.size() >= options_.in_flight_count) return busy();
  TUFF_TRY(current_->follow_state());
  TUFF_TRY(state_.check_growth(current_->info().symbols));
  TUFF_ASSIGN(std::shared_ptr<const RecordedBinding> binding, recorded_for(desc.binding));
  for (size_t i = 0; i < desc.inputs.size(); ++i)
    if (desc.inputs[i].data) TUFF_TRY(current_->write_input(*slot, i, desc.inputs[i]));
  TUFF_TRY(current_->check_inputs(binding->binding));
  TUFF_TRY(current_->renew_inputs(*slot));
  TUFF_TRY(current_->renew_sizes(*slot));
  if (last_.shape == current_ && last_.slot == *slot) last_ = {};
  std::shared_ptr<Recording> recording = current_->recording(*binding, *slot, phase_);
  TUFF_TRY(recording->submit(desc.submit));
  current_->slot(*slot).in_use = true;
  current_->slot(*slot).state_sizes = state_.sizes();
  current_->last_use = ++use_count_;
  const RunId id(run_count_++);
  runs_.push_back({.id = id,
                   .shape = current_,
                   .slot = *slot,
                   .binding = std::move(binding),
                   .recording = std::move(recording),
                   .phase = phase_,
                   .failure = {}});
  phase_ = (phase_ + 1) % state_.phase_count();
  state_.grow(current_->info().symbols);
  // What the next run has now; where it cannot be told, that run says so.
  (void)current_->follow_state();
  return id;
}

Result<bool> DeviceSession::wait(RunId id, uint64_t timeout_ns) {
  Run* run = find(id);
  if (!run) return internal_error("A run that was released is waited for.");
  if (!run->ended) {
    Result<bool> finished = run->recording->wait(timeout_ns);
    if (finished.ok() && !*finished) return false;
    run->failure = finished.status();
    end(*run, finished.ok() && !run->cancelled);  // finished or failed: either way nothing is awaited any more
  }
  if (!run->failure.ok()) return run->failure;
  if (run->cancelled) return Status(Code::kCancelled, "The run was cancelled.");
  return true;
}

Status DeviceSession::cancel(RunId id) {
  Run* run = find(id);
  if (!run || run->ended || run->cancelled) return ok_status();
  run->cancelled = true;
  phase_ = run->phase;
  state_.set_sizes(run->shape->slot(run->slot).state_sizes);
  TUFF_TRY(run->shape->clear_grids(run->slot));
  return follow_state();
}

void DeviceSession::release(RunId id) {
  if (Run* run = find(id)) run->released = true;
  reap();
}

Status DeviceSession::read(const Ended& run, size_t index, const MutableTensorView& view) const {
  const std::vector<BoundTensor>& outputs = run.shape->slot(run.slot).output_tensors;
  TUFF_TRY(check_output(program_->plan.graph, outputs, index, view,
                        [&](size_t count, const MutableTensorView& number) { return read(run, count, number); }));
  if (index < run.binding->binding.outputs.size() && run.binding->binding.outputs[index].buffer)
    return invalid_argument("The output '" + outputs[index].name + "' went to the caller's device memory.");
  return run.shape->read_output(run.slot, index, view);
}

Result<std::vector<int64_t>> DeviceSession::shape_of(const Ended& run, size_t index) const {
  return shape_by_data(program_->plan.graph, run.shape->slot(run.slot).output_tensors, index,
                       [&](size_t count, const MutableTensorView& view) { return read(run, count, view); });
}

Result<DeviceSession::Ended> DeviceSession::last_ended() {
  reap();
  if (last_.shape) return last_;
  return in_flight() ? busy() : invalid_argument("There is no finished run to read from.");
}

Status DeviceSession::read_output(RunId id, size_t index, const MutableTensorView& view) {
  Run* run = find(id);
  if (!run || !run->ended || run->cancelled || !run->failure.ok())
    return invalid_argument("There is no finished run to read from.");
  return read({run->shape, run->slot, run->binding, run->recording}, index, view);
}

Status DeviceSession::read_output(size_t index, const MutableTensorView& view) {
  TUFF_ASSIGN(const Ended run, last_ended());
  return read(run, index, view);
}

Result<std::vector<int64_t>> DeviceSession::output_shape(size_t index) {
  TUFF_ASSIGN(const Ended run, last_ended());
  return shape_of(run, index);
}

Result<std::vector<uint64_t>> DeviceSession::dispatch_times_ns() {
  reap();
  if (last_.recording) return last_.recording->dispatch_times_ns();
  return in_flight() ? busy() : invalid_argument("There is no finished run that was timed.");
}

Result<Profile> DeviceSession::profile(const ProfileOptions& options) {
  TUFF_TRY(require_shape());
  if (in_flight()) return busy();
  std::optional<size_t> slot = current_->free_slot();
  if (!slot) return busy();
  BoundPlan plan;
  TUFF_ASSIGN(RecordDesc desc, current_->own_record_desc(*slot, phase_, plan));
  TUFF_TRY(current_->check_inputs(kOwnBinding));
  TUFF_TRY(current_->renew_inputs(*slot));
  TUFF_TRY(current_->renew_sizes(*slot));
  if (last_.shape == current_ && last_.slot == *slot) last_ = {};
  current_->last_use = ++use_count_;
  // What is updated in place moves on with each run.
  std::vector<std::byte> state;
  if (!state_.empty()) {
    TUFF_ASSIGN(state, state_.save(device(), phase_));
  }
  TUFF_ASSIGN(ProfiledRuns profiled, profile_runs(device(), program_->plan, std::move(desc), options));
  if (!state_.empty()) TUFF_TRY(state_.load(device(), phase_, state));
  last_ = {current_, *slot, std::make_shared<RecordedBinding>(), std::move(profiled.last)};
  return std::move(profiled.profile);
}

Status DeviceSession::record_into(uint64_t command_buffer, const IoBinding* binding) {
  TUFF_TRY(require_shape());
  if (current_->is_dynamic())
    return unsupported(
        "A session with dynamic dimensions writes no commands into a host's command buffer: a later run's sizes "
        "would change what they do.");
  TUFF_TRY(record(binding));  // what the host's command buffer names has to stay
  reap();
  std::optional<size_t> slot = current_->free_slot();
  if (!slot) return busy();
  TUFF_ASSIGN(std::shared_ptr<const RecordedBinding> recorded, recorded_for(binding));
  TUFF_TRY(current_->renew_inputs(*slot));
  const std::shared_ptr<Recording>& recording = current_->recording(*recorded, *slot, phase_);
  TUFF_TRY(recording->write_into(command_buffer));
  last_ = {current_, *slot, recorded, recording};  // the host knows when it has run
  phase_ = (phase_ + 1) % state_.phase_count();
  return ok_status();
}

}  // namespace

std::unique_ptr<Session> make_device_session(std::shared_ptr<const Program> program, const SessionOptions& options) {
  return std::make_unique<DeviceSession>(std::move(program), options);
}

}  // namespace tuff
