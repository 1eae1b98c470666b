// Integers of 4 bits: two a byte in memory, the first in the low half; 8-bit values once they are read.
#pragma once

#include "model/onnx/tensor.h"

namespace tuff::onnx {

// packed: u8 or i8 [n, ...] -> [2 n, ...] of the same dtype; element 2 i + j is bits 4 j to 4 j + 3 of byte i, with its sign
// where the dtype has one. Shifts alone, so that what reads it reads bytes.
Tensor unpack_four_bits(Tensor packed);

}  // namespace tuff::onnx
