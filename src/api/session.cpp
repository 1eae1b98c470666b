#include "api/desc.h"
#include "api/guard.h"
#include "api/handles.h"

namespace tuff {
namespace {

// Runs the body while this thread alone is in the session.
template <class Body>
tuff_status_t entered(const std::shared_ptr<SessionState>& state, tuff_error_t** out_error, Body body) {
  return guarded(out_error, [&]() -> Status {
    std::unique_lock lock(state->entered, std::try_to_lock);
    if (!lock.owns_lock()) return Status(Code::kBusy, "Another thread is in this session.");
    return body();
  });
}

tuff_status_t null_session(tuff_error_t** out_error) {
  return guarded(out_error, [] { return null_argument("session"); });
}

Status require_prepared(const SessionState& state) {
  if (state.session->prepared()) return ok_status();
  return invalid_argument("The session has no shape yet: call tuff_session_prepare or run first.");
}

const std::vector<BoundTensor>& tensors(const SessionState& state, tuff_direction_t direction) {
  const PreparedInfo& info = *state.session->prepared();
  return direction == TUFF_INPUT ? info.inputs : info.outputs;
}

// The shape that an input's desc may leave out: the prepared one, else the model's own where it is plain numbers.
std::optional<Shape> default_input_shape(const SessionState& state, size_t index) {
  if (const PreparedInfo* info = state.session->prepared()) return info->inputs[index].shape;
  const Graph& graph = state.program->plan.graph;
  Result<Shape> shape = evaluate_shape(graph, graph.inputs[index], {});
  if (!shape.ok()) return std::nullopt;
  return std::move(shape).value();
}

Status wrong_input_count(const Graph& graph, uint32_t count) {
  return invalid_argument("The model has " + std::to_string(graph.inputs.size()) + " inputs, " + std::to_string(count) +
                          " were given.");
}

// Chooses the shape from the inputs, prepares it if need be, and copies them in.
Status write_inputs(SessionState& state, const tuff_tensor_desc_t* inputs, uint32_t count) {
  const Graph& graph = state.program->plan.graph;
  if (count != graph.inputs.size()) return wrong_input_count(graph, count);
  std::vector<TensorView> views;
  std::vector<Shape> shapes;
  for (uint32_t i = 0; i < count; ++i) {
    std::optional<Shape> shape = default_input_shape(state, i);
    TUFF_ASSIGN(CallerTensor tensor,
                read_tensor(desc_element(inputs, i), shape ? &*shape : nullptr, graph.value(graph.inputs[i]).name));
    shapes.push_back(tensor.shape);
    views.push_back({tensor.dtype, std::move(tensor.shape), std::move(tensor.byte_strides), tensor.data});
  }
  TUFF_ASSIGN(SymbolValues symbols, solve_symbols(graph, shapes));
  TUFF_TRY(state.session->prepare(symbols));
  for (uint32_t i = 0; i < count; ++i) TUFF_TRY(state.session->write_input(i, views[i]));
  return ok_status();
}

Result<std::vector<MutableTensorView>> read_outputs(const SessionState& state, const tuff_tensor_desc_t* outputs,
                                                    uint32_t count) {
  if (count != 0 && !outputs) return null_argument("outputs");
  const std::vector<BoundTensor>& expected = tensors(state, TUFF_OUTPUT);
  if (count > expected.size()) {
    return invalid_argument("The model has " + std::to_string(expected.size()) + " outputs, " + std::to_string(count) +
                            " were asked for.");
  }
  std::vector<MutableTensorView> views;
  for (uint32_t i = 0; i < count; ++i) {
    TUFF_ASSIGN(CallerTensor tensor, read_tensor(desc_element(outputs, i), &expected[i].shape, expected[i].name));
    // Refused now and not after the run.
    if (tensor.dtype != expected[i].dtype || tensor.shape != expected[i].shape) {
      return invalid_argument("Output '" + expected[i].name + "' has another dtype or shape than its tensor.");
    }
    views.push_back({tensor.dtype, std::move(tensor.shape), std::move(tensor.byte_strides), tensor.data});
  }
  return views;
}

// A run whose handle was released may still be in flight; it is over as soon as it has ended.
Status require_idle(SessionState& state) {
  if (!state.active_run) {
    Result<bool> ended = state.session->wait(0);
    if (!ended.ok() || *ended) return ok_status();
  }
  return Status(Code::kBusy, "A run of this session has not been waited for.");
}

Status start_run(SessionState& state, const tuff_tensor_desc_t* inputs, uint32_t input_count, const tuff_tensor_desc_t* outputs,
                 uint32_t output_count, std::vector<MutableTensorView>& views) {
  TUFF_TRY(require_idle(state));
  if (inputs || input_count != 0) {
    if (!inputs) return null_argument("inputs");
    TUFF_TRY(write_inputs(state, inputs, input_count));
  } else if (!state.session->prepared()) {
    TUFF_TRY(state.session->prepare({}));
  }
  TUFF_ASSIGN(views, read_outputs(state, outputs, output_count));
  return state.session->submit();
}

Status copy_outputs(SessionState& state, const std::vector<MutableTensorView>& views) {
  for (size_t i = 0; i < views.size(); ++i) TUFF_TRY(state.session->read_output(i, views[i]));
  return ok_status();
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
    auto session = std::make_unique<tuff_session>();
    session->state = std::make_shared<SessionState>();
    session->state->program = program->program;
    TUFF_ASSIGN(session->state->session, make_session(program->program, options));
    *out_session = session.release();
    return ok_status();
  });
}

void tuff_session_retain(tuff_session_t* session) { retain_handle(session); }
void tuff_session_release(tuff_session_t* session) { release_handle(session); }

tuff_status_t tuff_session_prepare(tuff_session_t* session, const tuff_symbol_value_t* symbols, uint32_t symbol_count,
                                   tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_TRY(require_idle(*session->state));
    TUFF_ASSIGN(SymbolValues values, read_symbol_values(symbols, symbol_count));
    return session->state->session->prepare(values);
  });
}

tuff_status_t tuff_session_prepare_inputs(tuff_session_t* session, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                                          tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    SessionState& state = *session->state;
    TUFF_TRY(require_idle(state));
    const Graph& graph = state.program->plan.graph;
    if (input_count != 0 && !inputs) return null_argument("inputs");
    std::vector<Shape> shapes;
    for (uint32_t i = 0; i < input_count && i < graph.inputs.size(); ++i) {
      std::optional<Shape> shape = default_input_shape(state, i);
      TUFF_ASSIGN(CallerTensor tensor,
                  read_tensor_shape(desc_element(inputs, i), shape ? &*shape : nullptr, graph.value(graph.inputs[i]).name));
      shapes.push_back(std::move(tensor.shape));
    }
    if (input_count != graph.inputs.size()) return wrong_input_count(graph, input_count);
    TUFF_ASSIGN(SymbolValues symbols, solve_symbols(graph, shapes));
    return state.session->prepare(symbols);
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
    info.submit_count = session->state->program->target.kind == TargetKind::kDevice ? 1 : 0;
    info.arena_bytes = prepared.arena_bytes;
    info.buffer_bytes = prepared.buffer_bytes;
    info.device_submits = counters.submits;
    info.device_recordings = counters.recordings;
    info.device_allocations = counters.allocations;
    info.device_descriptor_writes = counters.descriptor_writes;
    info.device_pipelines = counters.pipelines;
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
    const std::vector<int64_t>& shape = list[index].shape;
    if (out_rank) *out_rank = static_cast<uint32_t>(shape.size());
    for (size_t axis = 0; sizes && axis < shape.size() && axis < capacity; ++axis) sizes[axis] = shape[axis];
    return ok_status();
  });
}

tuff_status_t tuff_session_set_input(tuff_session_t* session, uint32_t index, const tuff_tensor_desc_t* input,
                                     tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_TRY(require_idle(*session->state));
    TUFF_TRY(require_prepared(*session->state));
    const std::vector<BoundTensor>& list = tensors(*session->state, TUFF_INPUT);
    if (index >= list.size()) return invalid_argument("There is no input " + std::to_string(index) + ".");
    TUFF_ASSIGN(CallerTensor tensor, read_tensor(input, &list[index].shape, list[index].name));
    return session->state->session->write_input(
        index, {tensor.dtype, std::move(tensor.shape), std::move(tensor.byte_strides), tensor.data});
  });
}

tuff_status_t tuff_session_read_output(tuff_session_t* session, uint32_t index, const tuff_tensor_desc_t* output,
                                       tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_TRY(require_prepared(*session->state));
    const std::vector<BoundTensor>& list = tensors(*session->state, TUFF_OUTPUT);
    if (index >= list.size()) return invalid_argument("There is no output " + std::to_string(index) + ".");
    TUFF_ASSIGN(CallerTensor tensor, read_tensor(output, &list[index].shape, list[index].name));
    return session->state->session->read_output(
        index, {tensor.dtype, std::move(tensor.shape), std::move(tensor.byte_strides), tensor.data});
  });
}

tuff_status_t tuff_session_run(tuff_session_t* session, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                               const tuff_tensor_desc_t* outputs, uint32_t output_count, tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    SessionState& state = *session->state;
    std::vector<MutableTensorView> views;
    TUFF_TRY(start_run(state, inputs, input_count, outputs, output_count, views));
    TUFF_ASSIGN(bool ended, state.session->wait(UINT64_MAX));
    if (!ended) return internal_error("A wait without a limit came back before the run had ended.");
    return copy_outputs(state, views);
  });
}

tuff_status_t tuff_session_submit(tuff_session_t* session, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                                  const tuff_tensor_desc_t* outputs, uint32_t output_count, tuff_run_t** out_run,
                                  tuff_error_t** out_error) {
  if (!session) return null_session(out_error);
  return entered(session->state, out_error, [&]() -> Status {
    TUFF_NOT_NULL(out_run);
    auto run = std::make_unique<tuff_run>();
    run->state = session->state;
    TUFF_TRY(start_run(*session->state, inputs, input_count, outputs, output_count, run->outputs));
    session->state->active_run = run.get();
    *out_run = run.release();
    return ok_status();
  });
}

tuff_status_t tuff_run_wait(tuff_run_t* run, uint64_t timeout_ns, int32_t* out_finished, tuff_error_t** out_error) {
  if (!run) return guarded(out_error, [] { return null_argument("run"); });
  return entered(run->state, out_error, [&]() -> Status {
    if (!run->ended) {
      Result<bool> ended = run->state->session->wait(timeout_ns);
      if (ended.ok() && !*ended) {
        if (out_finished) *out_finished = 0;
        return ok_status();
      }
      run->ended = true;
      run->state->active_run = nullptr;
      run->result = ended.ok() ? copy_outputs(*run->state, run->outputs) : ended.status();
    }
    if (out_finished) *out_finished = 1;
    return run->result;
  });
}

void tuff_run_release(tuff_run_t* run) {
  if (!run) return;
  if (!run->ended) {
    // Waits for a call of another thread to leave the session, not for the run.
    std::lock_guard lock(run->state->entered);
    if (run->state->active_run == run) run->state->active_run = nullptr;
  }
  delete run;
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
