// PreparedShape: one set of sizes of a session, dynamic dimensions apart: the bound plan, its buffers and its recorded command
// buffers.
//
// Runs in flight at the same time have a slot each: inputs and outputs of their own, and with dynamic dimensions also grids and
// parameters, since their sizes may differ. The arena is shared, because the device runs submits of one queue in order.
//
// Where a submit's time is limited, the first run is split by predicted times, with a margin, and timed on the device; its
// times split all later ones.
#pragma once

#include "session/session.h"
#include "session/state.h"

namespace tuff {

// A tensor of one slot: where kernels see it, and where the host does. On unified memory both are one buffer.
struct StagedBuffer {
  std::shared_ptr<Buffer> device;
  std::shared_ptr<Buffer> host;
  uint64_t version = 0;  // of an input: which writing of it is in here
};

struct RunSlot {
  std::vector<StagedBuffer> inputs, outputs;  // empty until something is recorded for the session's own binding
  StagedBuffer parameters;                    // null without dynamic dimensions
  std::shared_ptr<Buffer> grids;              // null unless runs can be cancelled or dimensions are dynamic
  uint64_t sizes_version = 0;                 // of which sizes grids and parameters are; 0: of none
  std::vector<BoundTensor> output_tensors;    // of these sizes
  std::vector<int64_t> state_sizes;           // that its run began with
  bool in_use = false;                        // a run has it, from submit() to release()
};

// What is recorded for one binding: a recording for each slot and each phase of the state.
struct RecordedBinding {
  IoBinding binding;
  bool is_registered = false;
  bool is_timed = false;  // split by measured times, not by predicted ones
  std::vector<std::shared_ptr<Recording>> recordings;
  std::shared_ptr<const RecordedBinding> replaced;  // kept, because the host's own command buffers may name what it holds
};

class PreparedShape {
 public:
  // Binds the plan and checks the memory limit; allocates arena and parameters, and records nothing yet.
  static Result<std::unique_ptr<PreparedShape>> make(std::shared_ptr<const Program> program, const SessionOptions& options,
                                                     const State& state, const SymbolValues& symbols);

  const PreparedInfo& info() const { return info_; }
  const BoundPlan& bound() const { return bound_; }
  bool is_dynamic() const { return !bound_.dynamics.symbols.empty(); }

  // Can it be of these sizes? All symbols are given.
  bool covers(const SymbolValues& symbols) const;
  // Sizes that it covers become the current ones; of an error they stay as they were.
  Status set_sizes(const SymbolValues& symbols);
  // The same for the sizes that give the inputs these shapes, where the state has its own; false if there are none.
  bool set_sizes(std::span<const TensorView> inputs);
  // Where state grows, it says what sizes a run has.
  Status follow_state();

  // Null if nothing is recorded for this binding, or what is was split by other times.
  std::shared_ptr<const RecordedBinding> find(const IoBinding& binding) const;
  // Records for this binding; what was recorded for others that are not registered goes.
  Result<std::shared_ptr<const RecordedBinding>> record(const IoBinding& binding, bool is_registered);
  void forget_bindings();  // all but the session's own
  // What a recording of the slot's own buffers for the current sizes alone is made from, to be changed and recorded apart.
  // `plan` gets what it names.
  Result<RecordDesc> own_record_desc(size_t slot, uint32_t phase, BoundPlan& plan);
  bool is_recorded() const { return !recorded_.empty(); }
  const std::shared_ptr<Recording>& recording(const RecordedBinding& recorded, size_t slot, uint32_t phase) const {
    return recorded.recordings[slot * phase_count_ + phase];
  }

  // Of a run that ended: the first one's times split all later ones.
  void take_times(Recording& recording);

  std::optional<size_t> free_slot() const;
  bool in_use() const;
  RunSlot& slot(size_t index) { return slots_[index]; }

  // Writes the input into the slot's buffer, and remembers it as the latest.
  Status write_input(size_t slot, size_t index, const TensorView& view);
  // INVALID_ARGUMENT where an input that the binding leaves to the session was written last for other sizes.
  Status check_inputs(const IoBinding& binding) const;
  // Brings the slot's inputs to what was written last, into whichever slot.
  Status renew_inputs(size_t slot);
  Status read_output(size_t slot, size_t index, const MutableTensorView& view);
  // Brings the slot's grids and parameters to the current sizes.
  Status renew_sizes(size_t slot);
  // Where runs can be cancelled, what has not started does not run.
  Status clear_grids(size_t slot);

  uint64_t last_use = 0;

 private:
  struct InputSource {  // of the latest writing
    uint64_t version = 0;
    size_t slot = 0;
    std::vector<int64_t> shape;
    uint64_t storage_bytes = 0;
  };
  // size = coefficient * dimension + rest, of an axis of an input.
  struct DimensionSource {
    size_t input, axis;
    std::string dimension;
    int64_t coefficient, rest;
  };

  PreparedShape(std::shared_ptr<const Program> program, const SessionOptions& options, const State& state)
      : program_(std::move(program)), options_(options), state_(state), phase_count_(state.phase_count()) {}
  Device& device() const { return *program_->target.device; }
  // Times of some sizes say nothing of larger ones.
  bool wants_times() const { return options_.submit_time_limit_ns != 0 && !is_timed_ && !is_dynamic(); }
  void set_splits(std::vector<uint32_t> splits);
  Status check_memory();
  Status make_parameters();
  Status make_slots();
  Status make_sizes(RunSlot& slot);
  void find_dimension_sources();
  bool have_shapes(std::span<const TensorView> views, const std::vector<BoundTensor>& tensors) const;
  void take_next_sizes(const SymbolValues& symbols);
  Status make_staged_buffers(RunSlot& slot);
  Result<StagedBuffer> make_staged(uint64_t size_bytes, MemoryUse staging);
  RecordDesc record_desc(const IoBinding& binding, const RunSlot& slot, uint32_t phase) const;

  std::shared_ptr<const Program> program_;
  SessionOptions options_;
  const State& state_;
  uint32_t phase_count_;
  PreparedInfo info_;
  BoundPlan bound_;
  std::vector<uint32_t> splits_;   // as in RecordDesc
  bool is_timed_ = false;          // by measured times
  BoundSizes sizes_, next_sizes_;  // current ones, and what the next ones are worked out in
  uint64_t sizes_version_ = 1;
  std::vector<DimensionSource> dimension_sources_;  // of each dynamic dimension that the state does not tell, or fewer
  SymbolValues next_symbols_;
  std::shared_ptr<Buffer> arena_, counters_, parameters_;  // parameters of slots are their own with dynamic dimensions
  std::vector<RunSlot> slots_;
  std::vector<InputSource> latest_;
  std::vector<std::shared_ptr<RecordedBinding>> recorded_;
};

}  // namespace tuff
