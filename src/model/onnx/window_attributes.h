// The attributes that Conv, ConvTranspose and the pools share: kernel, strides, dilations and padding.
#pragma once

#include "model/onnx/node_import.h"

namespace tuff::onnx {

struct WindowShape {
  std::vector<int64_t> kernel, strides, dilations;
  Dims low, high;  // padding of each spatial axis
  std::string_view auto_pad;

  size_t rank() const { return kernel.size(); }
  // Elements from the first to the last that a window covers.
  int64_t extent(size_t axis) const { return dilations[axis] * (kernel[axis] - 1) + 1; }
};

// `kernel` empty: from the attribute kernel_shape. INVALID_ARGUMENT unless every list fits the spatial rank and is positive.
Result<WindowShape> read_window(NodeImport& node, std::vector<int64_t> kernel);
// Padding that auto_pad asks for, with sizes [n, c, spatial...] of the input; explicit pads stay as they are.
void apply_auto_pad(WindowShape& window, const Dims& input);
// Low and high for all axes of [n, c, spatial...].
Tensor pad_spatial(Tensor x, const Dims& low, const Dims& high, uint64_t fill_bits);

}  // namespace tuff::onnx
