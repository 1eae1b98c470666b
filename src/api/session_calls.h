// What calls on a session share: the lock, and the tensors that a caller gives, read into the session's own vectors so that a
// run of a prepared shape allocates nothing.
#pragma once

#include "api/guard.h"
#include "api/handles.h"

namespace tuff {

// Runs the body while this thread alone is in the session.
template <class Body>
tuff_status_t entered(const std::shared_ptr<SessionState>& state, tuff_error_t** out_error, Body body) {
  return guarded(out_error, [&]() -> Status {
    std::unique_lock lock(state->entered, std::try_to_lock);
    if (!lock.owns_lock()) return Status(Code::kBusy, "Another thread is in this session.");
    return body();
  });
}

inline bool in_device_memory(const CallerTensor& tensor) { return tensor.memory != TUFF_MEMORY_HOST; }

const std::vector<BoundTensor>& tensors(const SessionState& state, tuff_direction_t direction);  // of a prepared session

// Into state.inputs. with_memory: false where only their shapes count.
Status read_inputs(SessionState& state, const tuff_tensor_desc_t* inputs, uint32_t count, bool with_memory);
// Makes the shape of the inputs that were read current, and fills state.input_views.
Status choose_shape(SessionState& state);
// Into state.outputs, for the current shape.
Status read_outputs(SessionState& state, const tuff_tensor_desc_t* outputs, uint32_t count);
// Where the tensors that were read lie, in state.binding; null where all are the session's own.
Result<const IoBinding*> binding_of(SessionState& state, bool has_inputs, bool is_registering);
// All four; the VkBuffers stay registered.
Result<const IoBinding*> register_tensors(SessionState& state, const tuff_tensor_desc_t* inputs, uint32_t input_count,
                                          const tuff_tensor_desc_t* outputs, uint32_t output_count);

}  // namespace tuff
