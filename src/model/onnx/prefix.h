// Prefix sums and searches, of reductions, maps and gathers: what operators whose size the data decide are made of.
#pragma once

#include "model/onnx/tensor.h"

namespace tuff::onnx {

// y[r, j] = sum of x[r, i] over i <= j, of f32, f64 or integers: sums within blocks of 64 elements, then those of the blocks
// before, in turn made of blocks. 64 additions an element, and as many kernels as the length has powers of 64.
Tensor prefix_sums(Tensor x);

// For each of `wanted` (rank 1), the first place of the ascending vector whose element is not less, as i32; its length where
// there is none. A binary search.
Tensor first_not_less(Tensor ascending, Tensor wanted);

}  // namespace tuff::onnx
