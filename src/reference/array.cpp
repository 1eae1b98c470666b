#include "reference/array.h"

#include <algorithm>
#include <new>
#include <thread>

#include "base/checked.h"
#include "graph/builder.h"
#include "lib/numerics_cpp.h"

namespace tuff {

int64_t element_count(const Sizes& shape) {
  int64_t count = 1;
  for (int64_t d : shape) count *= d;
  return count;
}

int64_t Tensor::element_count() const { return tuff::element_count(shape); }

double Tensor::at(int64_t index) const {
  size_t width = static_cast<size_t>(dtype_size_bytes(dtype));
  uint64_t bits = 0;
  std::memcpy(&bits, bytes.data() + static_cast<size_t>(index) * width, width);
  return scalar_from_bits(dtype, bits);
}

int64_t Array::count() const { return element_count(shape); }

bool Array::contiguous() const {
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

Sizes row_major_strides(const Sizes& shape) {
  Sizes strides(shape.size());
  int64_t step = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

Dtype storage_dtype(Dtype dtype, Precision precision) {
  if (!is_float(dtype)) return dtype;
  return precision == Precision::kTruth || dtype == Dtype::kF64 ? Dtype::kF64 : Dtype::kF32;
}

Result<Array> Memory::allocate(Dtype storage, const Sizes& shape) const {
  auto size = checked_multiply(element_count(shape), dtype_size_bytes(storage));
  if (!size || *size > limit_bytes_ - *live_bytes_)
    return limit_exceeded("The reference holds " + std::to_string(*live_bytes_) + " bytes; a value of " +
                          std::to_string(element_count(shape)) + " more elements passes the limit of " +
                          std::to_string(limit_bytes_) + " bytes.");
  std::byte* bytes = new (std::nothrow) std::byte[static_cast<size_t>(std::max<int64_t>(*size, 1))];
  if (!bytes) return out_of_memory("The reference cannot allocate " + std::to_string(*size) + " bytes.");
  *live_bytes_ += *size;
  auto release = [live = live_bytes_, size = *size](std::byte* p) {
    *live -= size;
    delete[] p;
  };
  return Array{storage, shape, row_major_strides(shape), 0, std::shared_ptr<std::byte[]>(bytes, release)};
}

Walk::Walk(const Sizes& full_shape, std::vector<Sizes> operand_strides) : strides(operand_strides.size()) {
  for (size_t i = 0; i < full_shape.size(); ++i) {
    if (full_shape[i] == 1) continue;
    bool joins = !shape.empty();
    for (size_t o = 0; joins && o < strides.size(); ++o) joins = strides[o].back() == operand_strides[o][i] * full_shape[i];
    if (!joins) shape.push_back(1);
    shape.back() *= full_shape[i];
    for (size_t o = 0; o < strides.size(); ++o) {
      if (!joins) strides[o].push_back(0);
      strides[o].back() = operand_strides[o][i];
    }
  }
  if (!shape.empty()) return;
  shape.push_back(1);
  for (auto& s : strides) s.push_back(0);
}

namespace {

template <class T>
void copy_rows(const Array& src, Array& dst) {
  const T* from = src.data<T>();
  T* to = dst.mutable_data<T>();
  Walk walk(src.shape, {src.strides, dst.strides});
  int64_t from_step = walk.strides[0].back(), to_step = walk.strides[1].back();
  walk.for_each_row([&](std::span<const int64_t> at, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[at[1] + i * to_step] = from[at[0] + i * from_step];
  });
}

// The scalar as the storage holds it.
uint64_t storage_bits(Dtype dtype, uint64_t bits, Precision precision) {
  Dtype storage = storage_dtype(dtype, precision);
  return storage == dtype ? bits : scalar_bits(storage, scalar_from_bits(dtype, bits));
}

float narrowed(float x, Dtype dtype) {
  using namespace numerics;
  return dtype == Dtype::kF16 ? tuff_f16_bits_to_f32(tuff_f32_to_f16_bits(x)) : tuff_bf16_bits_to_f32(tuff_f32_to_bf16_bits(x));
}

}  // namespace

void copy_elements(const Array& src, Array& dst) {
  switch (dtype_size_bytes(src.dtype)) {
    case 1: return copy_rows<uint8_t>(src, dst);
    case 2: return copy_rows<uint16_t>(src, dst);
    case 4: return copy_rows<uint32_t>(src, dst);
    default: return copy_rows<uint64_t>(src, dst);
  }
}

Result<Array> make_contiguous(const Array& src, const Memory& memory) {
  if (src.contiguous()) return src;
  TUFF_ASSIGN(Array dst, memory.allocate(src.dtype, src.shape));
  copy_elements(src, dst);
  return dst;
}

std::vector<int64_t> offsets_of(const Sizes& shape, const Sizes& strides) {
  std::vector<int64_t> offsets;
  offsets.reserve(static_cast<size_t>(element_count(shape)));
  Walk walk(shape, {strides});
  walk.for_each_row([&](std::span<const int64_t> at, int64_t n) {
    for (int64_t i = 0; i < n; ++i) offsets.push_back(at[0] + i * walk.strides[0].back());
  });
  return offsets;
}

Result<Array> array_from_elements(Dtype dtype, const Sizes& shape, std::span<const std::byte> elements, Precision precision,
                                  const Memory& memory) {
  Dtype storage = storage_dtype(dtype, precision);
  TUFF_ASSIGN(Array array, memory.allocate(storage, shape));
  size_t from = static_cast<size_t>(dtype_size_bytes(dtype)), to = static_cast<size_t>(dtype_size_bytes(storage));
  std::byte* out = array.buffer.get();
  if (storage == dtype) {
    if (!elements.empty()) std::memcpy(out, elements.data(), elements.size());
    return array;
  }
  size_t count = elements.size() / from;
  for (size_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, elements.data() + i * from, from);
    bits = storage_bits(dtype, bits, precision);
    std::memcpy(out + i * to, &bits, to);
  }
  return array;
}

Array array_of_splat(Dtype dtype, const Sizes& shape, uint64_t bits, Precision precision) {
  Array array{storage_dtype(dtype, precision), shape, Sizes(shape.size(), 0), 0, nullptr};
  bits = storage_bits(dtype, bits, precision);
  array.buffer = std::shared_ptr<std::byte[]>(new std::byte[sizeof bits]);
  std::memcpy(array.buffer.get(), &bits, sizeof bits);
  return array;
}

Tensor tensor_from_array(const Array& src, Dtype dtype, Precision precision) {
  Dtype target = precision == Precision::kTruth && is_float(dtype) ? Dtype::kF64 : dtype;
  size_t from = static_cast<size_t>(dtype_size_bytes(src.dtype)), to = static_cast<size_t>(dtype_size_bytes(target));
  Tensor tensor{target, src.shape, std::vector<std::byte>(static_cast<size_t>(src.count()) * to)};
  const std::byte* elements = src.buffer.get();
  std::byte* out = tensor.bytes.data();
  for (int64_t offset : offsets_of(src.shape, src.strides)) {
    uint64_t bits = 0;
    std::memcpy(&bits, elements + static_cast<size_t>(src.offset + offset) * from, from);
    if (target != src.dtype) bits = scalar_bits(target, scalar_from_bits(src.dtype, bits));
    std::memcpy(out, &bits, to);
    out += to;
  }
  return tensor;
}

void round_to_dtype(Array& array, Dtype dtype) {
  if (array.dtype != Dtype::kF32 || dtype == Dtype::kF32) return;
  float* x = array.mutable_data<float>();
  int64_t count = array.count();
  for (int64_t i = 0; i < count; ++i) x[i] = narrowed(x[i], dtype);
}

void parallel_for(int64_t count, int thread_count, const std::function<void(int64_t, int64_t)>& body) {
  int64_t pieces = std::clamp<int64_t>(thread_count, 1, std::max<int64_t>(count, 1));
  if (pieces == 1) return body(0, count);
  std::vector<std::thread> threads;
  for (int64_t p = 0; p < pieces; ++p) threads.emplace_back(body, count * p / pieces, count * (p + 1) / pieces);
  for (auto& thread : threads) thread.join();
}

}  // namespace tuff
