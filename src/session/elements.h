// Elements between a host's memory and device storage. Storage holds them as they are, without gaps: no axis is padded.
#pragma once

#include <cstddef>
#include <span>

#include "session/tensor_view.h"

namespace tuff {

// order: the logical axes from the outermost to the innermost in storage; empty: row-major. dst holds as many elements as src's
// shape says.
void store_elements(const TensorView& src, std::span<const int> order, std::byte* dst);
// Row-major storage of a tensor of this shape to the host; of its first elements along each axis where dst's is smaller.
void load_elements(const std::byte* src, const std::vector<int64_t>& shape, const MutableTensorView& dst);

}  // namespace tuff
