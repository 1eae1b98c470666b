// TensorView: elements in a host's memory, wherever they lie. The owner keeps the memory alive while a view is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/dtype.h"

namespace tuff {

template <class Byte>
struct BasicTensorView {
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;
  std::vector<int64_t> byte_strides;  // one an axis, of any sign
  Byte* data = nullptr;               // of the element at coordinate 0
};
using TensorView = BasicTensorView<const std::byte>;
using MutableTensorView = BasicTensorView<std::byte>;

// Strides of elements that lie row-major without gaps.
std::vector<int64_t> dense_byte_strides(Dtype dtype, const std::vector<int64_t>& shape);
void assign_dense_byte_strides(MutableTensorView& view);  // allocates only if the rank grows

// That every element lies inside [0, size_bytes) when the first one lies at offset_bytes; nothing wraps. `name` is the
// tensor's, for the message.
Status check_extent(Dtype dtype, const std::vector<int64_t>& shape, const std::vector<int64_t>& byte_strides,
                    uint64_t offset_bytes, uint64_t size_bytes, const std::string& name);

}  // namespace tuff
