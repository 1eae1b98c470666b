#include "gpu_tensor.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/float16.h"

namespace tuff::bench {

int64_t size_bytes(tuff_dtype_t dtype) {
  switch (dtype) {
    case TUFF_F16: return 2;
    case TUFF_F32: return 4;
    case TUFF_F64:
    case TUFF_I64: return 8;
    default: abort();
  }
}

int64_t element_count(std::span<const int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  return count;
}

HostTensor empty_tensor(tuff_dtype_t dtype, std::vector<int64_t> shape) {
  HostTensor tensor{dtype, std::move(shape), {}};
  tensor.bytes.resize(static_cast<size_t>(element_count(tensor.shape) * size_bytes(dtype)));
  return tensor;
}

double element(const HostTensor& tensor, int64_t index) {
  const std::byte* at = tensor.bytes.data() + index * size_bytes(tensor.dtype);
  auto read = [&](auto value) {
    memcpy(&value, at, sizeof value);
    return value;
  };
  if (tensor.dtype == TUFF_F16) return half_to_float(read(uint16_t{}));
  if (tensor.dtype == TUFF_F32) return read(float{});
  if (tensor.dtype == TUFF_F64) return read(double{});
  return static_cast<double>(read(int64_t{}));
}

void set_element(HostTensor& tensor, int64_t index, double value) {
  std::byte* at = tensor.bytes.data() + index * size_bytes(tensor.dtype);
  auto write = [&](auto v) { memcpy(at, &v, sizeof v); };
  if (tensor.dtype == TUFF_F16) return write(float_to_half(static_cast<float>(value)));
  if (tensor.dtype == TUFF_F32) return write(static_cast<float>(value));
  if (tensor.dtype == TUFF_F64) return write(value);
  write(static_cast<int64_t>(value));
}

HostTensor random_tensor(tuff_dtype_t dtype, std::vector<int64_t> shape, std::mt19937_64& random) {
  HostTensor tensor = empty_tensor(dtype, std::move(shape));
  const int64_t count = element_count(tensor.shape);
  if (dtype == TUFF_I64) {
    for (int64_t i = 0; i < count; ++i) set_element(tensor, i, 9);
    return tensor;
  }
  // The sum of four uniform 16-bit numbers, as wide as a normal distribution of variance 1.
  const double scale = std::sqrt(3.0) / 65536;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t bits = random();
    int64_t sum = -2 * 65535;
    for (int part = 0; part < 4; ++part) sum += static_cast<int64_t>(bits >> (16 * part) & 0xffff);
    set_element(tensor, i, static_cast<double>(sum) * scale);
  }
  return tensor;
}

size_t row_axis(std::span<const int64_t> shape) {
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] > 1) return axis;
  }
  return 0;
}

HostTensor rows_of(const HostTensor& tensor, size_t axis, std::span<const int64_t> rows) {
  HostTensor out{tensor.dtype, tensor.shape, {}};
  out.shape[axis] = static_cast<int64_t>(rows.size());
  int64_t row_bytes = size_bytes(tensor.dtype), outer_count = 1;
  for (size_t i = 0; i < axis; ++i) outer_count *= tensor.shape[i];
  for (size_t i = axis + 1; i < tensor.shape.size(); ++i) row_bytes *= tensor.shape[i];
  for (int64_t outer = 0; outer < outer_count; ++outer) {
    for (int64_t row : rows) {
      const std::byte* from = tensor.bytes.data() + (outer * tensor.shape[axis] + row) * row_bytes;
      out.bytes.insert(out.bytes.end(), from, from + row_bytes);
    }
  }
  return out;
}

}  // namespace tuff::bench
