#include <algorithm>
#include <cstddef>

#include "api/session_calls.h"

namespace tuff {
namespace {

constexpr uint32_t kMostInFlight = 64;  // each has buffers of its own

tuff_status_t null_session(tuff_error_t** out_error) {
  return guarded(out_error, [] { return null_argument("session"); });
}

Status require_prepared(const SessionState& state) {
  if (state.session->prepared()) return ok_status();
  return invalid_argument("The session has no shape yet: call tuff_session_prepare or run first.");
}

Result<RunId> start_run(SessionState& state, const tuff_run_desc_t& d) {
  const bool has_inputs = d.inputs || d.input_count != 0;
  if (has_inputs) {
    TUFF_TRY(read_inputs(state, d.inputs, d.input_count, true));
    TUFF_TRY(choose_shape(state));
  } else if (!state.session->prepared()) {
    TUFF_TRY(state.session->prepare({}));
  }
  TUFF_TRY(read_outputs(state, d.outputs, d.output_count));
  RunDesc desc;
  if (has_inputs) desc.inputs = state.input_views;
  TUFF_ASSIGN(desc.binding, binding_of(state, has_inputs, false));
  // The same two numbers in both layers.
  static_assert(sizeof(SemaphoreUse) == sizeof(tuff_semaphore_use_t) &&
                offsetof(SemaphoreUse, value) == offsetof(tuff_semaphore_use_t, value));
  if (d.wait_count != 0) desc.submit.waits = {reinterpret_cast<const SemaphoreUse*>(d.waits), d.wait_count};
  if (d.signal_count != 0) desc.submit.signals = {reinterpret_cast<const SemaphoreUse*>(d.signals), d.signal_count};
  if ((d.wait_count != 0 && !d.waits) || (d.signal_count != 0 && !d.signals)) return null_argument("semaphores");
  return state.session->submit(desc);
}

// What a host knows of a program's inputs and outputs, as text.
std::string tensor_types(const Graph& graph) {
  std::string text;
  auto add = [&](const std::string& name, const Value& value) {
    text += name + " " + std::string(dtype_name(value.dtype)) + dims_text(value.shape) + "\n";
  };
  for (ValueId id : graph.inputs) add(graph.value(id).name, graph.value(id));
  text += "gives\n";
  for (size_t i = 0; i < graph.outputs.size(); ++i) add(graph.output_names[i], graph.value(graph.outputs[i]));
  return text;
}

void release(Session& session, RunId id) noexcept {
  try {
    session.release(id);
  } catch (...) {
    // Out of memory for an error's text: the run is over all the same.
  }
}

// Releases a run at the end of a call, however that ends.
struct ReleasedRun {
  Session& session;
  RunId id;
  ~ReleasedRun() { release(session, id); }
};

Status require_host_memory(const CallerTensor& tensor, const std::string& name) {
  if (!in_device_memory(tensor)) return ok_status();
  return invalid_argument("Tensor '" + name + "' is in device memory; it is given to a run, not copied.");
}

// Handles of runs that are over serve again, so that a submit allocates nothing.
std::unique_ptr<tuff_run> take_spare_run(SessionState& state) {
  if (state.spare_runs.empty()) return std::make_unique<tuff_run>();
  std::unique_ptr<tuff_run> run = std::move(state.spare_runs.back());
  state.spare_runs.pop_back();
  return run;
}

void hand_out(const std::vector<int64_t>& shape, int64_t* sizes, uint32_t capacity, uint32_t* out_rank) {
  if (out_rank) *out_rank = static_cast<uint32_t>(shape.size());
  for (size_t axis = 0; sizes && axis < shape.size() && axis < capacity; ++axis) sizes[axis] = shape[axis];
}

// So that a run which has begun gets its outputs' views without allocating.
void make_room_for_outputs(tuff_run& run, const Graph& graph, uint32_t output_count) {
  run.outputs.resize(std::min<size_t>(output_count, graph.outputs.size()));
  for (size_t i = 0; i < run.outputs.size(); ++i) {
    const size_t rank = graph.value(graph.outputs[i]).shape.size();
    run.outputs[i].shape.reserve(rank);
    run.outputs[i].byte_strides.reserve(rank);
  }
}

void keep_spare_run(SessionState& state, std::unique_ptr<tuff_run> run) {
  if (state.spare_runs.size() == state.spare_runs.capacity()) return;
  run->session.reset();
  run->ended = false;
  run->result = {};
  state.spare_runs.push_back(std::move(run));
}

}  // namespace
}  // namespace tuff

using namespace tuff;

tuff_status_t tuff_session_create(tuff_program_t* program, const tuff_session_desc_t* desc, tuff_session_t** out_session,
                                  tuff_error_t** out_error) {
  return guarded(out_error, [&]() -> Status {
    TUFF_NOT_NULL(program);
    TUFF_NOT_NULL(out_session);
    tuff_session_desc_t d;
    TUFF_TRY(read_desc(desc, d, "tuff_session_desc_t"));
    SessionOptions options;
    if (d.prepared_shape_count != 0) options.prepared_shape_count = d.prepared_shape_count;
    options.memory_limit_bytes = d.memory_limit_bytes;
    options.timestamps = d.timestamps != 0;
    options.cancellable = d.cancellable != 0;
    options.submit_time_limit_ns = d.submit_time_limit_ns;
    if (d.in_flight_count > kMostInFlight)
      return Status(Code::kLimit, "A session can have at most " + std::to_string(kMostInFlight) + " runs in flight, not " +
                                      std::to_string(d.in_flight_count) + ".");
    if (d.in_flight_count != 0) options.in_flight_count = d.in_flight_count;
    if (d.dynamic_dimension_count != 0 && !d.dynamic_dimensions) return null_argument("desc->dynamic_dimensions");
    for (uint64_t i = 0; i < d.dynamic_dimension_count; ++i)
      options.dynamic_dimensions.emplace_back(text_in(d.dynamic_dimensions[i].name, d.dynamic_dimensions[i].name_length));
    auto session = std::make_unique<tuff_session>();
    session->state = std::make_shared<SessionState>();
    session->state->program = program->program;
    session->state->options = options;
    session->state->spare_runs.reserve(options.in_flight_count);
    TUFF_ASSIGN(session->state->session, make_session(program->program, options));
    *out_session = session.release();
    return ok_status();
  });
}

void tuff_session_retain(tuff_session_t* session) { retain_handle(session); }
void tuff_session_release(tuff_session_t* session) { release_handle(session); }

tuff_status_t tuff_session_recover(tuff_session_t* session, tuff_program_t* program, tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_NOT_NULL(program);
    SessionState& state = *session->state;
    if (tensor_types(state.program->plan.graph) != tensor_types(program->program->plan.graph))
      return invalid_argument("The program that a session is to go on with has other inputs or outputs than its own.");
    TUFF_ASSIGN(std::shared_ptr<Session> made, make_session(program->program, state.options));
    for (auto [output, input] : state.aliases) TUFF_TRY(made->alias(output, input));
    if (const PreparedInfo* info = state.session->prepared()) TUFF_TRY(made->prepare(info->symbols));
    // From here on nothing fails: the session is the old one or the new one.
    state.session = std::move(made);
    state.program = program->program;
    state.registered.clear();
    state.binding = {};
    return ok_status();
  });
}

tuff_status_t tuff_session_prepare(tuff_session_t* session, const tuff_symbol_value_t* symbols, uint32_t symbol_count,
                                   tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_ASSIGN(SymbolValues values, read_symbol_values(symbols, symbol_count));
    return session->state->session->prepare(values);
  });
}

tuff_status_t tuff_session_prepare_inputs(tuff_session_t* session, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                                          tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_TRY(read_inputs(*session->state, inputs, input_count, false));
    TUFF_TRY(choose_shape(*session->state));
    return session->state->session->record(nullptr);
  });
}

tuff_status_t tuff_session_register(tuff_session_t* session, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                                    const tuff_tensor_desc_t* outputs, uint32_t output_count, tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_ASSIGN(const IoBinding* binding, register_tensors(*session->state, inputs, input_count, outputs, output_count));
    return session->state->session->record(binding);
  });
}

tuff_status_t tuff_session_unregister(tuff_session_t* session, tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_TRY(session->state->session->forget_bindings());
    session->state->registered.clear();
    session->state->binding = {};
    return ok_status();
  });
}

tuff_status_t tuff_session_alias(tuff_session_t* session, uint32_t output, uint32_t input, tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    SessionState& state = *session->state;
    state.aliases.reserve(state.aliases.size() + 1);
    TUFF_TRY(state.session->alias(output, input));
    state.aliases.emplace_back(output, input);
    return ok_status();
  });
}

tuff_status_t tuff_session_reset_state(tuff_session_t* session, tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&] { return session->state->session->reset_state(); });
}

tuff_status_t tuff_session_save_state(tuff_session_t* session, void* data, uint64_t capacity, uint64_t* out_size_bytes,
                                      tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    if (capacity != 0) TUFF_NOT_NULL(data);
    TUFF_ASSIGN(std::vector<std::byte> bytes, session->state->session->save_state());
    if (out_size_bytes) *out_size_bytes = bytes.size();
    if (data && bytes.size() <= capacity) std::memcpy(data, bytes.data(), bytes.size());
    return ok_status();
  });
}

tuff_status_t tuff_session_load_state(tuff_session_t* session, const void* data, uint64_t size_bytes,
                                      tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_NOT_NULL(data);
    return session->state->session->load_state({static_cast<const std::byte*>(data), static_cast<size_t>(size_bytes)});
  });
}

tuff_status_t tuff_session_get_info(tuff_session_t* session, tuff_session_info_t* out_info, tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_TRY(require_prepared(*session->state));
    const PreparedInfo& prepared = *session->state->session->prepared();
    DeviceCounters counters = session->state->session->counters();
    tuff_session_info_t info = TUFF_SESSION_INFO_INIT;
    info.dispatch_count = prepared.dispatch_count;
    info.barrier_count = prepared.barrier_count;
    info.submit_count = prepared.submit_count;
    info.arena_bytes = prepared.arena_bytes;
    info.buffer_bytes = prepared.buffer_bytes;
    info.device_submits = counters.submits;
    info.device_recordings = counters.recordings;
    info.device_allocations = counters.allocations;
    info.device_descriptor_writes = counters.descriptor_writes;
    info.device_pipelines = counters.pipelines;
    info.state_bytes = prepared.state_bytes;
    return write_info(info, out_info, "out_info");
  });
}

tuff_status_t tuff_session_tensor_shape(tuff_session_t* session, tuff_direction_t direction, uint32_t index, int64_t* sizes,
                                        uint32_t capacity, uint32_t* out_rank, tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_TRY(require_prepared(*session->state));
    const std::vector<BoundTensor>& list = tensors(*session->state, direction);
    if (index >= list.size()) return invalid_argument("There is no such tensor: " + std::to_string(index) + ".");
    hand_out(list[index].shape, sizes, capacity, out_rank);
    return ok_status();
  });
}

tuff_status_t tuff_session_output_shape(tuff_session_t* session, uint32_t index, int64_t* sizes, uint32_t capacity,
                                        uint32_t* out_rank, tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_TRY(require_prepared(*session->state));
    TUFF_ASSIGN(const std::vector<int64_t> shape, session->state->session->output_shape(index));
    hand_out(shape, sizes, capacity, out_rank);
    return ok_status();
  });
}

tuff_status_t tuff_session_set_input(tuff_session_t* session, uint32_t index, const tuff_tensor_desc_t* input,
                                     tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    SessionState& state = *session->state;
    TUFF_TRY(require_prepared(state));
    const std::vector<BoundTensor>& list = tensors(state, TUFF_INPUT);
    if (index >= list.size()) return invalid_argument("There is no input " + std::to_string(index) + ".");
    CallerTensor tensor;
    TUFF_TRY(read_tensor(input, &list[index].shape, list[index].name, true, tensor));
    TUFF_TRY(require_host_memory(tensor, list[index].name));
    MutableTensorView& view = tensor.view;
    return state.session->write_input(index, {view.dtype, std::move(view.shape), std::move(view.byte_strides), view.data});
  });
}

tuff_status_t tuff_session_read_output(tuff_session_t* session, uint32_t index, const tuff_tensor_desc_t* output,
                                       tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    SessionState& state = *session->state;
    TUFF_TRY(require_prepared(state));
    const std::vector<BoundTensor>& list = tensors(state, TUFF_OUTPUT);
    if (index >= list.size()) return invalid_argument("There is no output " + std::to_string(index) + ".");
    TUFF_ASSIGN(const std::vector<int64_t> shape, state.session->output_shape(index));
    CallerTensor tensor;
    TUFF_TRY(read_tensor(output, &shape, list[index].name, true, tensor));
    TUFF_TRY(require_host_memory(tensor, list[index].name));
    return state.session->read_output(index, tensor.view);
  });
}

tuff_status_t tuff_session_run(tuff_session_t* session, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                               const tuff_tensor_desc_t* outputs, uint32_t output_count, tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    SessionState& state = *session->state;
    tuff_run_desc_t desc = TUFF_RUN_DESC_INIT;
    desc.inputs = inputs;
    desc.input_count = input_count;
    desc.outputs = outputs;
    desc.output_count = output_count;
    TUFF_ASSIGN(const RunId run, start_run(state, desc));
    const ReleasedRun released{*state.session, run};
    Result<bool> ended = state.session->wait(run, UINT64_MAX);
    Status status = ended.ok() ? ok_status() : ended.status();
    if (ended.ok() && !*ended) status = internal_error("A wait without a limit came back before the run had ended.");
    for (size_t i = 0; status.ok() && i < state.outputs.size(); ++i)
      if (state.outputs[i].view.data) status = state.session->read_output(run, i, state.outputs[i].view);
    return status;
  });
}

tuff_status_t tuff_session_submit(tuff_session_t* session, const tuff_run_desc_t* desc, tuff_run_t** out_run,
                                  tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    SessionState& state = *session->state;
    TUFF_NOT_NULL(out_run);
    tuff_run_desc_t d;
    TUFF_TRY(read_desc(desc, d, "tuff_run_desc_t"));
    std::unique_ptr<tuff_run> run = take_spare_run(state);
    make_room_for_outputs(*run, state.program->plan.graph, d.output_count);
    TUFF_ASSIGN(run->id, start_run(state, d));
    // From here on nothing allocates: a run that has begun has its handle.
    run->state = session->state;
    run->session = state.session;
    for (size_t i = 0; i < state.outputs.size(); ++i) run->outputs[i] = state.outputs[i].view;
    *out_run = run.release();
    return ok_status();
  });
}

tuff_status_t tuff_run_wait(tuff_run_t* run, uint64_t timeout_ns, int32_t* out_finished, tuff_error_t** out_error) {
  if (!run) return guarded(out_error, [] { return null_argument("run"); });
  return entered(run->state, out_error, [&]() -> Status {
    Session& session = *run->session;
    if (!run->ended) {
      Result<bool> ended = session.wait(run->id, timeout_ns);
      if (ended.ok() && !*ended) {
        if (out_finished) *out_finished = 0;
        return ok_status();
      }
      // The run is not over before its outputs are copied: where memory is short, a later wait tries again.
      Status result = ended.status();
      for (size_t i = 0; result.ok() && i < run->outputs.size(); ++i)
        if (run->outputs[i].data) result = session.read_output(run->id, i, run->outputs[i]);
      run->result = std::move(result);
      run->ended = true;
      session.release(run->id);
    }
    if (out_finished) *out_finished = 1;
    return run->result;
  });
}

tuff_status_t tuff_run_cancel(tuff_run_t* run, tuff_error_t** out_error) {
  if (!run) return guarded(out_error, [] { return null_argument("run"); });
  return entered(run->state, out_error, [&]() -> Status { return run->ended ? ok_status() : run->session->cancel(run->id); });
}

void tuff_run_release(tuff_run_t* run) {
  if (!run) return;
  std::shared_ptr<SessionState> state = std::move(run->state);
  // Waits for a call of another thread to leave the session, not for the run.
  std::lock_guard lock(state->entered);
  if (!run->ended) release(*run->session, run->id);
  keep_spare_run(*state, std::unique_ptr<tuff_run>(run));
}

tuff_status_t tuff_session_dispatch_times(tuff_session_t* session, uint64_t* times_ns, uint32_t capacity, uint32_t* out_count,
                                          tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_ASSIGN(std::vector<uint64_t> times, session->state->session->dispatch_times_ns());
    if (out_count) *out_count = static_cast<uint32_t>(times.size());
    for (size_t i = 0; times_ns && i < times.size() && i < capacity; ++i) times_ns[i] = times[i];
    return ok_status();
  });
}
