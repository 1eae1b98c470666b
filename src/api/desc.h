// Descs that more than one noun takes, as the library's own types.
#pragma once

#include "session/shapes.h"
#include "session/tensor_view.h"
#include "tuff/tuff.h"

namespace tuff {

Result<SymbolValues> read_symbol_values(const tuff_symbol_value_t* values, uint32_t count);

// What a caller says of a tensor. `view` has no data where the desc has none, or names device memory: then `memory` says
// which, and the offset is `offset_bytes`. Reading into one that was read into before allocates nothing.
struct CallerTensor {
  MutableTensorView view;
  tuff_memory_t memory = TUFF_MEMORY_HOST;
  tuff_buffer_t* buffer = nullptr;
  uint64_t vk_buffer = 0;
  uint64_t offset_bytes = 0, size_bytes = 0;
};
// Without a shape it takes `default_shape`; null: the desc must have one. with_memory: false where only the shape counts, and
// memory is neither needed nor checked.
Status read_tensor(const tuff_tensor_desc_t* desc, const std::vector<int64_t>* default_shape, const std::string& name,
                   bool with_memory, CallerTensor& tensor);

}  // namespace tuff
