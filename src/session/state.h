// State: the outputs of a run that are inputs of the next one. Each has two buffers; which one is read changes with each run.
//
// Invariant: a run reads one buffer of each pair and writes the other, so that a run which was cancelled or failed leaves
// what it started from as it was.
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
    std::shared_ptr<Buffer> buffers[2];
  };

  // Allocates both buffers, zero.
  Status add(Device& device, size_t output, size_t input, const BoundTensor& tensor);
  bool empty() const { return aliases_.empty(); }
  const std::vector<Alias>& aliases() const { return aliases_; }
  const Alias* of_input(size_t index) const;
  const Alias* of_output(size_t index) const;
  uint32_t phase_count() const { return empty() ? 1 : 2; }

  // Nothing may be in flight. phase: the buffer that the next run reads.
  Status reset(Device& device);
  Result<std::vector<std::byte>> save(Device& device, uint32_t phase) const;
  // Into the buffer of the phase. CORRUPT for bytes that save() did not write, INVALID_ARGUMENT for those of other tensors.
  Status load(Device& device, uint32_t phase, std::span<const std::byte> bytes);

 private:
  std::vector<Alias> aliases_;
};

}  // namespace tuff
