#include "session/elements.h"

#include <cstring>

#include "base/float16.h"

namespace tuff {
namespace {

template <class T>
T read(const std::byte* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
void write(std::byte* p, T v) {
  std::memcpy(p, &v, sizeof v);
}

// Calls row(host offset, count, host stride in bytes) for each run of elements along the innermost axis of storage, in
// storage order; storage itself is dense, so runs follow each other there.
template <class Row>
void for_each_row(const std::vector<int64_t>& shape, const std::vector<int64_t>& byte_strides, std::span<const int> order,
                  Row row) {
  for (int64_t size : shape) {
    if (size == 0) return;
  }
  size_t rank = shape.size();
  if (rank == 0) return row(0, 1, 0);
  auto axis_at = [&](size_t at) { return order.empty() ? at : static_cast<size_t>(order[at]); };
  size_t inner = axis_at(rank - 1);
  // Runs copy through here, and a run does not allocate.
  constexpr size_t kUsualRank = 8;
  int64_t few[kUsualRank] = {};
  std::vector<int64_t> many(rank > kUsualRank ? rank : 0);
  int64_t* index = rank > kUsualRank ? many.data() : few;
  int64_t offset = 0;
  while (true) {
    row(offset, shape[inner], byte_strides[inner]);
    size_t at = rank - 1;
    while (at-- > 0) {
      size_t axis = axis_at(at);
      offset += byte_strides[axis];
      if (++index[at] < shape[axis]) break;
      offset -= byte_strides[axis] * shape[axis];
      index[at] = 0;
    }
    if (at == SIZE_MAX) return;
  }
}

// One row of `count` elements; Convert takes host bytes to a stored value, or back.
template <class Host, class Stored, class Convert>
void store_rows(const TensorView& src, std::span<const int> order, std::byte* dst, Convert convert) {
  for_each_row(src.shape, src.byte_strides, order, [&](int64_t offset, int64_t count, int64_t stride) {
    const std::byte* from = src.data + offset;
    if constexpr (std::is_same_v<Host, Stored>) {
      if (stride == static_cast<int64_t>(sizeof(Host))) {
        std::memcpy(dst, from, static_cast<size_t>(count) * sizeof(Host));
        dst += static_cast<size_t>(count) * sizeof(Host);
        return;
      }
    }
    for (int64_t i = 0; i < count; ++i, from += stride, dst += sizeof(Stored)) {
      write<Stored>(dst, convert(read<Host>(from)));
    }
  });
}

template <class Host, class Stored, class Convert>
void load_rows(const std::byte* src, const MutableTensorView& dst, Convert convert) {
  for_each_row(dst.shape, dst.byte_strides, {}, [&](int64_t offset, int64_t count, int64_t stride) {
    std::byte* to = dst.data + offset;
    if constexpr (std::is_same_v<Host, Stored>) {
      if (stride == static_cast<int64_t>(sizeof(Host))) {
        std::memcpy(to, src, static_cast<size_t>(count) * sizeof(Host));
        src += static_cast<size_t>(count) * sizeof(Host);
        return;
      }
    }
    for (int64_t i = 0; i < count; ++i, to += stride, src += sizeof(Stored)) {
      write<Host>(to, convert(read<Stored>(src)));
    }
  });
}

template <class To>
constexpr auto kCast = [](auto v) { return static_cast<To>(v); };

}  // namespace

int64_t storage_element_size_bytes(Dtype dtype) { return dtype_size_bytes(dtype) == 8 ? 8 : 4; }

void store_elements(const TensorView& src, std::span<const int> order, std::byte* dst) {
  switch (src.dtype) {
    case Dtype::kF32:
    case Dtype::kI32:
    case Dtype::kU32: return store_rows<uint32_t, uint32_t>(src, order, dst, kCast<uint32_t>);
    case Dtype::kF64:
    case Dtype::kI64:
    case Dtype::kU64: return store_rows<uint64_t, uint64_t>(src, order, dst, kCast<uint64_t>);
    case Dtype::kF16: return store_rows<uint16_t, float>(src, order, dst, half_to_float);
    case Dtype::kBf16: return store_rows<uint16_t, float>(src, order, dst, bfloat16_to_float);
    case Dtype::kI8: return store_rows<int8_t, int32_t>(src, order, dst, kCast<int32_t>);
    case Dtype::kI16: return store_rows<int16_t, int32_t>(src, order, dst, kCast<int32_t>);
    case Dtype::kU8: return store_rows<uint8_t, uint32_t>(src, order, dst, kCast<uint32_t>);
    case Dtype::kU16: return store_rows<uint16_t, uint32_t>(src, order, dst, kCast<uint32_t>);
    case Dtype::kBool: return store_rows<uint8_t, uint32_t>(src, order, dst, [](uint8_t v) { return v != 0 ? 1u : 0u; });
  }
}

void load_elements(const std::byte* src, const MutableTensorView& dst) {
  switch (dst.dtype) {
    case Dtype::kF32:
    case Dtype::kI32:
    case Dtype::kU32: return load_rows<uint32_t, uint32_t>(src, dst, kCast<uint32_t>);
    case Dtype::kF64:
    case Dtype::kI64:
    case Dtype::kU64: return load_rows<uint64_t, uint64_t>(src, dst, kCast<uint64_t>);
    case Dtype::kF16: return load_rows<uint16_t, float>(src, dst, float_to_half);
    case Dtype::kBf16: return load_rows<uint16_t, float>(src, dst, float_to_bfloat16);
    case Dtype::kI8: return load_rows<int8_t, int32_t>(src, dst, kCast<int8_t>);
    case Dtype::kI16: return load_rows<int16_t, int32_t>(src, dst, kCast<int16_t>);
    case Dtype::kU8: return load_rows<uint8_t, uint32_t>(src, dst, kCast<uint8_t>);
    case Dtype::kU16: return load_rows<uint16_t, uint32_t>(src, dst, kCast<uint16_t>);
    case Dtype::kBool: return load_rows<uint8_t, uint32_t>(src, dst, [](uint32_t v) { return static_cast<uint8_t>(v != 0); });
  }
}

}  // namespace tuff
