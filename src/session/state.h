// State: the outputs of a run that are inputs of the next one. Each has two buffers, and which one is read changes with each
// run; or one, where the plan can write over what it reads.
//
// Invariant: a run that was cancelled leaves what it started from as it was: it read one buffer and wrote the other. Where runs
// can be cancelled, all state has two.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backend/backend.h"

namespace tuff {

class State {
 public:
  struct Alias {
    size_t output, input;
    Dtype dtype;
    std::vector<int64_t> shape;
    uint64_t storage_bytes;
    std::shared_ptr<Buffer> buffers[2];  // the same one in place
    bool in_place() const { return buffers[0] == buffers[1]; }
  };

  // Allocates its buffers, zero.
  Status add(Device& device, InPlace state, bool in_place, const BoundTensor& tensor);
  bool empty() const { return aliases_.empty(); }
  const std::vector<Alias>& aliases() const { return aliases_; }
  const Alias* of_input(size_t index) const;
  const Alias* of_output(size_t index) const;
  // What binding needs to know.
  std::vector<InPlace> in_place() const;
  uint32_t phase_count() const;
  uint64_t size_bytes() const;  // of all buffers

  // Nothing may be in flight. phase: the buffer that the next run reads.
  Status reset(Device& device);
  Result<std::vector<std::byte>> save(Device& device, uint32_t phase) const;
  // Into the buffer of the phase. CORRUPT for bytes that save() did not write, INVALID_ARGUMENT for those of other tensors.
  Status load(Device& device, uint32_t phase, std::span<const std::byte> bytes);

 private:
  std::vector<Alias> aliases_;
};

}  // namespace tuff
