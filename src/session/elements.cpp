#include "session/elements.h"

#include <cstring>

namespace tuff {
namespace {

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

// Copies elements of kSize bytes; the compiler makes a move of each memcpy.
template <size_t kSize>
void copy_row(const std::byte* from, int64_t from_stride, std::byte* to, int64_t to_stride, int64_t count) {
  if (from_stride == int64_t{kSize} && to_stride == int64_t{kSize}) {
    std::memcpy(to, from, static_cast<size_t>(count) * kSize);
    return;
  }
  for (int64_t i = 0; i < count; ++i, from += from_stride, to += to_stride) std::memcpy(to, from, kSize);
}

template <size_t kSize>
void store_rows(const TensorView& src, std::span<const int> order, std::byte* dst) {
  for_each_row(src.shape, src.byte_strides, order, [&](int64_t offset, int64_t count, int64_t stride) {
    copy_row<kSize>(src.data + offset, stride, dst, kSize, count);
    dst += static_cast<size_t>(count) * kSize;
  });
}

template <size_t kSize>
void load_rows(const std::byte* src, const std::vector<int64_t>& shape, const MutableTensorView& dst) {
  if (shape == dst.shape) {
    for_each_row(dst.shape, dst.byte_strides, {}, [&](int64_t offset, int64_t count, int64_t stride) {
      copy_row<kSize>(src, kSize, dst.data + offset, stride, count);
      src += static_cast<size_t>(count) * kSize;
    });
    return;
  }
  const std::vector<int64_t> src_strides = dense_byte_strides(dst.dtype, shape);
  std::vector<int64_t> at(dst.shape.size());
  for_each_row(dst.shape, dst.byte_strides, {}, [&](int64_t offset, int64_t count, int64_t stride) {
    const std::byte* from = src;
    for (size_t axis = 0; axis < at.size(); ++axis) from += at[axis] * src_strides[axis];
    copy_row<kSize>(from, kSize, dst.data + offset, stride, count);
    for (size_t axis = at.size() - 1; axis-- > 0;) {  // to the next row
      if (++at[axis] < dst.shape[axis]) break;
      at[axis] = 0;
    }
  });
}

}  // namespace

void store_elements(const TensorView& src, std::span<const int> order, std::byte* dst) {
  switch (dtype_size_bytes(src.dtype)) {
    case 1: return store_rows<1>(src, order, dst);
    case 2: return store_rows<2>(src, order, dst);
    case 4: return store_rows<4>(src, order, dst);
    default: return store_rows<8>(src, order, dst);
  }
}

void load_elements(const std::byte* src, const std::vector<int64_t>& shape, const MutableTensorView& dst) {
  switch (dtype_size_bytes(dst.dtype)) {
    case 1: return load_rows<1>(src, shape, dst);
    case 2: return load_rows<2>(src, shape, dst);
    case 4: return load_rows<4>(src, shape, dst);
    default: return load_rows<8>(src, shape, dst);
  }
}

}  // namespace tuff
