// Descs that more than one noun takes, as the library's own types.
#pragma once

#include "session/shapes.h"
#include "session/tensor_view.h"
#include "tuff/tuff.h"

namespace tuff {

Result<SymbolValues> read_symbol_values(const tuff_symbol_value_t* values, uint32_t count);

// What a caller says of a tensor. Without a shape it takes `default_shape`; null: the desc must have one.
struct CallerTensor {
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape, byte_strides;
  std::byte* data = nullptr;
};
Result<CallerTensor> read_tensor(const tuff_tensor_desc_t* desc, const std::vector<int64_t>* default_shape,
                                 const std::string& name);
// The same where only the shape counts: memory is neither needed nor checked.
Result<CallerTensor> read_tensor_shape(const tuff_tensor_desc_t* desc, const std::vector<int64_t>* default_shape,
                                       const std::string& name);

}  // namespace tuff
