// Session: one stream of runs of a program. It holds, for each of the last few shapes that were prepared, the bound plan,
// the buffers and a recorded command buffer.
//
// Invariant: a run of a prepared shape never compiles, records, writes a descriptor or allocates device memory; it is
// copies on the host and one submit. A session is used by one thread at a time.
#pragma once

#include <memory>
#include <span>

#include "plan/plan.h"
#include "session/program.h"
#include "session/shapes.h"
#include "session/tensor_view.h"

namespace tuff {

struct SessionOptions {
  uint64_t prepared_shape_count = 4;  // kept; preparing another one drops the least recently used
  uint64_t memory_limit_bytes = 0;    // of arena, inputs, outputs and staging of one shape; 0: the device's own limit
  bool timestamps = false;            // measure each dispatch on the device
};

// What the session's current shape costs.
struct PreparedInfo {
  SymbolValues symbols;
  std::vector<BoundTensor> inputs, outputs;
  uint32_t dispatch_count = 0, barrier_count = 0;
  uint64_t arena_bytes = 0;
  uint64_t buffer_bytes = 0;  // arena, inputs, outputs, parameters and staging
};

class Session {
 public:
  virtual ~Session() = default;
  // Makes the shape current; nothing happens if it is.
  virtual Status prepare(const SymbolValues& symbols) = 0;
  virtual const PreparedInfo* prepared() const = 0;  // of the current shape; null before the first prepare()
  virtual const BoundPlan* bound_plan() const = 0;   // null where there is none
  // Copies an input in. Shape and dtype must be the current ones. BUSY while a run is in flight.
  virtual Status write_input(size_t index, const TensorView& view) = 0;
  virtual Status submit() = 0;
  virtual Result<bool> wait(uint64_t timeout_ns) = 0;  // false: not finished in time
  // After a finished run of the current shape.
  virtual Status read_output(size_t index, const MutableTensorView& view) = 0;
  virtual Result<std::vector<uint64_t>> dispatch_times_ns() = 0;
  virtual DeviceCounters counters() const = 0;  // of the device, which other sessions use too
};

// UNSUPPORTED for a program whose target is only described.
Result<std::unique_ptr<Session>> make_session(std::shared_ptr<const Program> program, const SessionOptions& options);

}  // namespace tuff
