// State: the outputs of a run that are inputs of the next one. Each has two buffers, and which one is read changes with each
// run; or one, where the plan can write over what it reads.
//
// State may grow: each run makes one dimension larger, whose size then belongs to the state. The buffers have room for its
// largest size and for what the run that reaches it may add.
//
// Invariant: a run that was cancelled leaves what it started from as it was: it read one buffer and wrote the other, or wrote
// behind what was there. Where runs can be cancelled, all state that does not grow has two.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "session/shapes.h"

namespace tuff {

class State {
 public:
  struct Alias {
    size_t output, input;
    Dtype dtype;
    std::vector<int64_t> shape;          // now
    uint64_t storage_bytes;              // of its buffers, each
    std::shared_ptr<Buffer> buffers[2];  // the same one in place
    std::optional<size_t> growth;        // which one makes it larger
    size_t axis = 0;                     // that grows
    bool in_place() const { return buffers[0] == buffers[1]; }
  };
  // A dimension that each run makes larger by `step`.
  struct Growth {
    Symbol dimension;
    IntExpr step;
  };

  // Allocates its buffers, zero.
  Status add(Device& device, InPlace state, bool in_place, const BoundTensor& tensor);
  // The same for a tensor that has this shape at its largest, `axis` of which grows. INVALID_ARGUMENT where other state grows
  // in the same dimension by another step.
  Status add_growing(Device& device, InPlace state, bool in_place, const BoundTensor& largest, size_t axis,
                     const Growth& growth);
  bool empty() const { return aliases_.empty(); }
  const std::vector<Alias>& aliases() const { return aliases_; }
  const Alias* of_input(size_t index) const;
  const Alias* of_output(size_t index) const;
  const std::vector<Growth>& growths() const { return growths_; }
  const std::vector<int64_t>& sizes() const { return sizes_; }  // of their dimensions, now
  void set_sizes(const std::vector<int64_t>& sizes);
  // Its dimensions' sizes among those of a run.
  void give_sizes(SymbolValues& symbols) const;
  // LIMIT where a run of these sizes would pass a dimension's largest one.
  Status check_growth(const SymbolValues& symbols) const;
  void grow(const SymbolValues& symbols);  // as a run of these sizes does

  // What binding needs to know.
  std::vector<InPlace> in_place() const;
  uint32_t phase_count() const;
  uint64_t size_bytes() const;  // of all buffers

  // Nothing may be in flight. phase: the buffer that the next run reads. What grows has the least size afterwards.
  Status reset(Device& device);
  Result<std::vector<std::byte>> save(Device& device, uint32_t phase) const;
  // Into the buffer of the phase, with the sizes that it had. CORRUPT for bytes that save() did not write, INVALID_ARGUMENT for
  // those of other tensors.
  Status load(Device& device, uint32_t phase, std::span<const std::byte> bytes);

 private:
  struct Saved {
    std::vector<std::span<const std::byte>> elements;
    std::vector<int64_t> sizes;
  };
  // Nothing for bytes of other tensors.
  std::optional<Saved> read(std::span<const std::byte> body) const;
  static uint64_t used_bytes(const Alias& alias);  // by its elements as they are now

  std::vector<Alias> aliases_;
  std::vector<Growth> growths_;
  std::vector<int64_t> sizes_;  // by growth
};

}  // namespace tuff
