#include "session/tensor_view.h"

#include <algorithm>
#include <limits>

#include "base/checked.h"

namespace tuff {

std::vector<int64_t> dense_byte_strides(Dtype dtype, const std::vector<int64_t>& shape) {
  MutableTensorView view{dtype, shape, {}, nullptr};
  assign_dense_byte_strides(view);
  return std::move(view.byte_strides);
}

void assign_dense_byte_strides(MutableTensorView& view) {
  view.byte_strides.resize(view.shape.size());
  int64_t stride = dtype_size_bytes(view.dtype);
  for (size_t axis = view.shape.size(); axis-- > 0;) {
    view.byte_strides[axis] = stride;
    // A product that overflows belongs to a shape that check_extent() refuses.
    stride = checked_multiply(stride, std::max<int64_t>(view.shape[axis], 1)).value_or(std::numeric_limits<int64_t>::max());
  }
}

Status check_extent(Dtype dtype, const std::vector<int64_t>& shape, const std::vector<int64_t>& byte_strides,
                    uint64_t offset_bytes, uint64_t size_bytes, const std::string& name) {
  if (byte_strides.size() != shape.size()) {
    return invalid_argument("Tensor '" + name + "' has " + std::to_string(shape.size()) + " axes but " +
                            std::to_string(byte_strides.size()) + " strides.");
  }
  for (int64_t size : shape) {
    if (size < 0) return invalid_argument("Tensor '" + name + "' has the negative size " + std::to_string(size) + ".");
    if (size == 0) return ok_status();  // no element, so none outside
  }
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  std::optional<int64_t> low =
      offset_bytes <= static_cast<uint64_t>(kMax) ? std::optional(static_cast<int64_t>(offset_bytes)) : std::nullopt;
  std::optional<int64_t> high = low;
  for (size_t axis = 0; axis < shape.size() && low && high; ++axis) {
    std::optional<int64_t> reach = checked_multiply(shape[axis] - 1, byte_strides[axis]);
    std::optional<int64_t>& end = byte_strides[axis] < 0 ? low : high;
    end = reach ? checked_add(*end, *reach) : std::nullopt;
  }
  if (high) high = checked_add(*high, dtype_size_bytes(dtype));
  if (!low || !high || *low < 0 || static_cast<uint64_t>(*high) > size_bytes) {
    std::string reach = low && high ? "bytes " + std::to_string(*low) + " to " + std::to_string(*high) : "more than 2^63 bytes";
    return invalid_argument("Tensor '" + name + "' reaches " + reach + " of memory that has " + std::to_string(size_bytes) +
                            " bytes.");
  }
  return ok_status();
}

}  // namespace tuff
