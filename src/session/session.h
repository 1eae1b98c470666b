// Session: one stream of runs of a program. It holds, for each of the last few shapes that were prepared, the bound plan,
// the buffers and the recorded command buffers; and what outlives a run, its state.
//
// Invariant: a run of a prepared shape, with a binding that is registered, never compiles, records, writes a descriptor or
// allocates; it is copies on the host and one submit. A session is used by one thread at a time. With a limit on the time of a
// submit it is several, and the run after a shape's first one records once more: split by the times that were measured.
//
// A prepared shape is of all sizes of the session's dynamic dimensions: its buffers are as the largest need them, and a run of
// other sizes is told them, in grids and parameters.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "plan/plan.h"
#include "session/profile.h"
#include "session/program.h"
#include "session/shapes.h"
#include "session/tensor_view.h"

namespace tuff {

struct SessionOptions {
  uint64_t prepared_shape_count = 4;  // kept; preparing another one drops the least recently used
  uint64_t memory_limit_bytes = 0;    // of arena, inputs, outputs and staging of one shape; 0: the device's own limit
  bool timestamps = false;            // measure each dispatch on the device
  uint32_t in_flight_count = 1;       // runs at the same time; each has inputs and outputs of its own, they share the arena
  bool cancellable = false;           // dispatches read their grids when they start, so that cancel() reaches the device
  uint64_t submit_time_limit_ns = 0;  // what one submit may keep the device for; 0: one submit a run
  std::vector<std::string> dynamic_dimensions;  // whose sizes may change without another prepared shape
};

// What the session's current shape costs. Tensors are of the current sizes, all else is of the largest.
struct PreparedInfo {
  SymbolValues symbols;
  std::vector<BoundTensor> inputs, outputs;
  uint32_t dispatch_count = 0, barrier_count = 0;
  uint32_t submit_count = 0;  // of the next run
  uint64_t arena_bytes = 0;
  uint64_t state_bytes = 0;   // of all state
  uint64_t buffer_bytes = 0;  // arena, inputs, outputs, parameters and staging
};

// Where a run finds its inputs and puts its outputs, by index: device memory of someone else's, or (no buffer) the session's
// own, which the host writes and reads.
struct IoBinding {
  std::vector<BufferSlice> inputs, outputs;  // empty: all are the session's own
  friend bool operator==(const IoBinding&, const IoBinding&) = default;
};

using RunId = Index<struct RunTag>;

struct RunDesc {
  std::span<const TensorView> inputs;  // empty, or one an input; what has no data stays as it was written last
  const IoBinding* binding = nullptr;  // null: all the session's own
  SubmitDesc submit;
};

class Session {
 public:
  virtual ~Session() = default;

  // The next run's input is what this run's output is: from zeros on. Both have the same dtype and the same constant shape,
  // and neither is read or written by the host. Or the output is longer along one axis, whose size is a dynamic dimension: then
  // each run makes that dimension larger, from its least size on, and no host says what it is. LIMIT, before anything is
  // changed, for a run that would pass its largest. Before anything is prepared.
  virtual Status alias(size_t output, size_t input) = 0;
  virtual const std::vector<int64_t>* growing_shape(size_t input) const = 0;  // now; null for what is no state that grows
  virtual Status reset_state() = 0;
  virtual Result<std::vector<std::byte>> save_state() = 0;
  virtual Status load_state(std::span<const std::byte> bytes) = 0;

  // Makes the shape current, and the session's own binding recorded; nothing happens if they are.
  Status prepare(const SymbolValues& symbols) {
    TUFF_TRY(choose_shape(symbols));
    return record(nullptr);
  }
  // Makes the shape current: binds it and allocates what all bindings share. BUSY where every kept shape has a run in flight.
  // A kept shape that has other sizes of dynamic dimensions alone takes these.
  virtual Status choose_shape(const SymbolValues& symbols) = 0;
  // The same for a kept shape whose inputs have these shapes, or can have; false if there is none.
  virtual bool choose_kept_shape(std::span<const TensorView> inputs) = 0;
  virtual const PreparedInfo* prepared() const = 0;  // of the current shape; null before the first prepare()
  virtual const BoundPlan* bound_plan() const = 0;   // for the largest sizes; null where there is none
  // Records the current shape for this binding (null: the session's own), so that no later run with it has to.
  virtual Status record(const IoBinding* binding) = 0;
  virtual Status forget_bindings() = 0;  // of all shapes; BUSY while a run is in flight

  // Copies an input in; it stays until another one is written. Shape and dtype must be the current ones. BUSY while as many
  // runs are in flight as may be.
  virtual Status write_input(size_t index, const TensorView& view) = 0;
  // INVALID_ARGUMENT where an input was written last in another shape than the current one.
  virtual Result<RunId> submit(const RunDesc& desc) = 0;
  // false: not finished in time. CANCELLED for a run that was.
  virtual Result<bool> wait(RunId run, uint64_t timeout_ns) = 0;
  // The next run starts from the state that this one started from.
  virtual Status cancel(RunId run) = 0;
  // After wait(). The view has the output's prepared shape, or the one that it has by the data.
  virtual Status read_output(RunId run, size_t index, const MutableTensorView& view) = 0;
  // The run is not asked about any more; its buffers are free once it has ended.
  virtual void release(RunId run) = 0;
  // Of the run that ended last, as long as its buffers are not taken by another one.
  virtual Status read_output(size_t index, const MutableTensorView& view) = 0;
  // By the data of that run; the prepared one where they do not decide it.
  virtual Result<std::vector<int64_t>> output_shape(size_t index) = 0;
  virtual Result<std::vector<uint64_t>> dispatch_times_ns() = 0;

  // Runs the current shape, with the inputs that were written last, and times its dispatches. State is as it was before;
  // outputs are those of the last of these runs. BUSY while a run is in flight; UNSUPPORTED where there are no dispatches to
  // time.
  virtual Result<Profile> profile(const ProfileOptions& options) = 0;

  // Writes the commands of a run of the current shape into a command buffer of the backend's API instead of submitting them;
  // the binding is recorded, too. It counts as the run that ended last: who submits it knows when its outputs can be read.
  // UNSUPPORTED with dynamic dimensions: the sizes of what was written would change with those of later runs.
  virtual Status record_into(uint64_t command_buffer, const IoBinding* binding) = 0;

  virtual DeviceCounters counters() const = 0;  // of the device, which other sessions use too
};

// UNSUPPORTED for a program whose target is only described; INVALID_ARGUMENT for dynamic dimensions as of dynamic_symbols().
Result<std::unique_ptr<Session>> make_session(std::shared_ptr<const Program> program, const SessionOptions& options);

// Submits, waits and releases: a run that needs nothing else.
Status run(Session& session, uint64_t timeout_ns = UINT64_MAX);

}  // namespace tuff
