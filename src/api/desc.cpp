#include "api/desc.h"

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

Result<CallerTensor> read_type(const tuff_tensor_desc_t* desc, const std::vector<int64_t>* default_shape,
                               const std::string& name, tuff_tensor_desc_t& d) {
  if (!desc) return null_argument("tensor");
  TUFF_TRY(read_desc(desc, d, "tuff_tensor_desc_t"));
  if (d.memory != TUFF_MEMORY_HOST) {
    return unsupported("Tensor '" + name + "' is in memory of kind " + std::to_string(d.memory) +
                       "; only host memory is supported.");
  }
  if (d.dtype < TUFF_F32 || d.dtype > TUFF_BOOL) {
    return invalid_argument("Tensor '" + name + "' has the unknown dtype " + std::to_string(d.dtype) + ".");
  }
  CallerTensor tensor;
  tensor.dtype = static_cast<Dtype>(d.dtype);
  if (d.shape) {
    tensor.shape.assign(d.shape, d.shape + d.rank);
  } else if (d.rank != 0) {
    return invalid_argument("Tensor '" + name + "' has a rank but no shape.");
  } else if (default_shape) {
    tensor.shape = *default_shape;
  } else {
    return invalid_argument("Tensor '" + name + "' needs a shape: the model has more than one.");
  }
  return tensor;
}

}  // namespace

Result<CallerTensor> read_tensor_shape(const tuff_tensor_desc_t* desc, const std::vector<int64_t>* default_shape,
                                       const std::string& name) {
  tuff_tensor_desc_t d;
  return read_type(desc, default_shape, name, d);
}

Result<CallerTensor> read_tensor(const tuff_tensor_desc_t* desc, const std::vector<int64_t>* default_shape,
                                 const std::string& name) {
  tuff_tensor_desc_t d;
  TUFF_ASSIGN(CallerTensor tensor, read_type(desc, default_shape, name, d));
  if (d.byte_strides) {
    tensor.byte_strides.assign(d.byte_strides, d.byte_strides + tensor.shape.size());
  } else {
    tensor.byte_strides = dense_byte_strides(tensor.dtype, tensor.shape);
  }
  TUFF_TRY(check_extent(tensor.dtype, tensor.shape, tensor.byte_strides, d.offset_bytes, d.size_bytes, name));
  if (!d.data && d.size_bytes != 0) return null_argument("tensor->data");
  if (d.data) tensor.data = static_cast<std::byte*>(d.data) + d.offset_bytes;
  return tensor;
}

}  // namespace tuff
