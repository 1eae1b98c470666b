#include "api/desc.h"

#include <algorithm>

#include "api/guard.h"

namespace tuff {

Result<SymbolValues> read_symbol_values(const tuff_symbol_value_t* values, uint32_t count) {
  if (count != 0 && !values) return null_argument("symbols");
  SymbolValues symbols;
  for (uint32_t i = 0; i < count; ++i) {
    symbols[std::string(text_in(values[i].name, values[i].name_length))] = values[i].value;
  }
  return symbols;
}

namespace {

Status read_type(const tuff_tensor_desc_t& d, const std::vector<int64_t>* default_shape, const std::string& name,
                 CallerTensor& tensor) {
  if (d.memory < TUFF_MEMORY_HOST || d.memory > TUFF_MEMORY_VULKAN)
    return unsupported("Tensor '" + name + "' is in memory of the unknown kind " + std::to_string(d.memory) + ".");
  if (d.dtype < TUFF_F32 || d.dtype > TUFF_BOOL)
    return invalid_argument("Tensor '" + name + "' has the unknown dtype " + std::to_string(d.dtype) + ".");
  tensor.memory = d.memory;
  tensor.view.dtype = static_cast<Dtype>(d.dtype);
  if (d.shape) {
    tensor.view.shape.assign(d.shape, d.shape + d.rank);
  } else if (d.rank != 0) {
    return invalid_argument("Tensor '" + name + "' has a rank but no shape.");
  } else if (default_shape) {
    tensor.view.shape = *default_shape;
  } else {
    return invalid_argument("Tensor '" + name + "' needs a shape: the model has more than one.");
  }
  return ok_status();
}

Status read_device_memory(const tuff_tensor_desc_t& d, const std::string& name, CallerTensor& tensor) {
  const MutableTensorView& view = tensor.view;
  if (d.byte_strides && !std::equal(view.byte_strides.begin(), view.byte_strides.end(), d.byte_strides))
    return unsupported("Tensor '" + name + "' has strides; in device memory tensors are row-major without gaps.");
  if (d.memory == TUFF_MEMORY_DEVICE && !d.buffer) return null_argument("tensor->buffer");
  if (d.memory == TUFF_MEMORY_VULKAN && d.vk_buffer == 0)
    return invalid_argument("Tensor '" + name + "' is in a VkBuffer and names none.");
  tensor.buffer = d.buffer;
  tensor.vk_buffer = d.vk_buffer;
  tensor.size_bytes = d.size_bytes;
  return ok_status();
}

}  // namespace

Status read_tensor(const tuff_tensor_desc_t* desc, const std::vector<int64_t>* default_shape, const std::string& name,
                   bool with_memory, CallerTensor& tensor) {
  if (!desc) return null_argument("tensor");
  tuff_tensor_desc_t d;
  TUFF_TRY(read_desc(desc, d, "tuff_tensor_desc_t"));
  TUFF_TRY(read_type(d, default_shape, name, tensor));
  MutableTensorView& view = tensor.view;
  tensor.offset_bytes = d.offset_bytes;
  view.data = nullptr;
  assign_dense_byte_strides(view);
  if (!with_memory) return ok_status();
  if (d.memory != TUFF_MEMORY_HOST) return read_device_memory(d, name, tensor);
  if (d.byte_strides) view.byte_strides.assign(d.byte_strides, d.byte_strides + view.shape.size());
  if (!d.data) return d.size_bytes == 0 ? ok_status() : null_argument("tensor->data");
  TUFF_TRY(check_extent(view.dtype, view.shape, view.byte_strides, d.offset_bytes, d.size_bytes, name));
  view.data = static_cast<std::byte*>(d.data) + d.offset_bytes;
  return ok_status();
}

}  // namespace tuff
