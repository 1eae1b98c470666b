// Tensors with some of their elements replaced, as selections between what was there and a gather from what is new.
#pragma once

#include "model/onnx/tensor.h"

namespace tuff::onnx {

// x with the elements of `rows`, which is as long as x or shorter along the axis, from start[i] on for index i of the first
// axis (i32 [n]); what would lie beyond the axis is left out, or with `circular` begins anew. What stays, stays as it was.
Tensor with_rows(Tensor x, Tensor rows, Tensor start, int axis, bool circular);

}  // namespace tuff::onnx
