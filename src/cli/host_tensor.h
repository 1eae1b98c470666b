// HostTensor: a tensor that the command owns, row-major without gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <tuff/tuff.hpp>

namespace tuff::cli {

struct HostTensor {
  tuff_dtype_t dtype = TUFF_F32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;

  Tensor view() {
    Tensor t;
    t.dtype = dtype;
    t.shape = shape;
    t.data = bytes.data();
    t.size_bytes = bytes.size();
    return t;
  }
};

struct NamedTensor {
  std::string name;
  HostTensor tensor;
};

uint64_t dtype_size_bytes(tuff_dtype_t dtype);
const char* dtype_name(tuff_dtype_t dtype);
// Elements of a shape; nothing if a size is negative or the bytes would overflow.
Result<uint64_t> tensor_bytes(tuff_dtype_t dtype, const std::vector<int64_t>& shape);
double element(const HostTensor& tensor, uint64_t index);  // i64 beyond 2^53 rounded
std::string shape_text(const std::vector<int64_t>& shape);

}  // namespace tuff::cli
