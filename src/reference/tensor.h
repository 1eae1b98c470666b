// Tensor: what goes into and comes out of the reference. Elements lie row-major, as a caller would hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "graph/dtype.h"

namespace tuff {

struct Tensor {
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;  // dtype_size_bytes(dtype) each

  int64_t element_count() const;
  // T must be the C++ type of the dtype (f16 and bf16: uint16_t, bool: uint8_t).
  template <class T>
  std::span<const T> elements() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  double at(int64_t index) const;  // an element as a double, i64 beyond 2^53 rounded
};

template <class T>
Tensor make_tensor(Dtype dtype, std::vector<int64_t> shape, const std::vector<T>& elements) {
  Tensor t{dtype, std::move(shape), std::vector<std::byte>(elements.size() * sizeof(T))};
  if (!elements.empty()) std::memcpy(t.bytes.data(), elements.data(), t.bytes.size());
  return t;
}

}  // namespace tuff
