// Tensors in host memory of the benchmark for one GPU: random, sliced, and read as doubles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <tuff/tuff.hpp>

namespace tuff::bench {

struct HostTensor {
  tuff_dtype_t dtype = TUFF_F16;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;

  Tensor view() { return {dtype, shape, bytes.data(), bytes.size(), {}}; }
};

// TUFF_F16, F32, F64 and I64: what the graphs have.
int64_t size_bytes(tuff_dtype_t dtype);
int64_t element_count(std::span<const int64_t> shape);
HostTensor empty_tensor(tuff_dtype_t dtype, std::vector<int64_t> shape);
// Floats of variance 1; integers, which are positions in a decoder's caches, are 9.
HostTensor random_tensor(tuff_dtype_t dtype, std::vector<int64_t> shape, std::mt19937_64& random);
double element(const HostTensor& tensor, int64_t index);
void set_element(HostTensor& tensor, int64_t index, double value);

// The first axis that is longer than 1; 0 if none is.
size_t row_axis(std::span<const int64_t> shape);
// The named indices of an axis, as a tensor with as many.
HostTensor rows_of(const HostTensor& tensor, size_t axis, std::span<const int64_t> rows);

}  // namespace tuff::bench
