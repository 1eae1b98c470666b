// What quantised operators share: a real number r is (q - zero point) * scale.
#pragma once

#include "model/onnx/node_import.h"

namespace tuff::onnx {

// round(y) + zero point, half to even, held in the dtype's range. y: f32; the zero point: of the dtype, broadcast against y.
Tensor quantized(Tensor y, Tensor zero_point);
// The i32 q - zero point, which products sum.
Tensor centred(Tensor q, Tensor zero_point);

// A scale or zero point of one number, whatever its rank: of rank 0. Others as they are.
Tensor without_axes(Tensor parameter);

}  // namespace tuff::onnx
