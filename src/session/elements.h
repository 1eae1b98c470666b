// Elements between a host's memory and device storage. Storage holds dtypes below 32 bits as words (bool as 0 or 1, small
// integers widened, f16 and bf16 as the f32 that they stand for); the others as they are. No axis is padded.
#pragma once

#include <cstddef>
#include <span>

#include "session/tensor_view.h"

namespace tuff {

int64_t storage_element_size_bytes(Dtype dtype);

// order: the logical axes from the outermost to the innermost in storage; empty: row-major. dst holds as many elements as src's
// shape says.
void store_elements(const TensorView& src, std::span<const int> order, std::byte* dst);
// Row-major storage to the host. What storage holds beyond the dtype's range is cut to it: f32 rounds to nearest even.
void load_elements(const std::byte* src, const MutableTensorView& dst);

}  // namespace tuff
