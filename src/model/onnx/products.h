// The products that several operators are made of, in any dtype.
#pragma once

#include "model/onnx/node_import.h"
#include "model/onnx/window_attributes.h"

namespace tuff::onnx {

// a: [batch..., m, k] or [k], b: [batch..., k, n] or [k]; batch axes broadcast.
Tensor matmul(Tensor a, Tensor b);

// The window that the node's attributes describe for x and weights of these shapes, with its padding.
Result<WindowShape> convolution_window(NodeImport& node, const Dims& x, const Dims& w);
// x is padded already.
Tensor convolve(Tensor x, Tensor w, const WindowShape& window, std::vector<int64_t> strides, int64_t groups);

}  // namespace tuff::onnx
