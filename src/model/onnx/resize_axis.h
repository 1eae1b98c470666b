// Resize along one axis: which input elements each output element reads, and with which weights.
//
// Coordinates follow ONNX: an output place o stands for the input place x(o), by the coordinate mode. Known sizes give
// tables, computed in f32 as the operator's own implementations do, so that ties round alike. Sizes with symbols give exact
// quotients of integers, computed by maps from iota.
#pragma once

#include "model/onnx/symbolic_tensor.h"
#include "model/onnx/tensor.h"

namespace tuff::onnx {

enum class Interpolation { kNearest, kLinear, kCubic };
enum class Coordinates { kHalfPixel, kHalfPixelSymmetric, kPytorchHalfPixel, kAlignCorners, kAsymmetric, kCropAndResize };
// kSimple: before operator set 11, down to the floor where the output grows and up to the ceiling where it shrinks.
enum class Rounding { kPreferFloor, kPreferCeil, kFloor, kCeil, kSimple };

struct Sampling {
  Interpolation interpolation = Interpolation::kNearest;
  Coordinates coordinates = Coordinates::kHalfPixel;
  Rounding rounding = Rounding::kPreferFloor;
  float cubic_a = -0.75f;
  bool exclude_outside = false;
  bool antialias = false;
  float extrapolation = 0;  // kCropAndResize, for places outside the input
};

struct AxisResize {
  int axis;
  IntExpr out;
  Element scale;                    // output size / input size as the model means it
  std::optional<float> real_scale;  // the same as a number, if the sizes are known
  float roi_start = 0, roi_end = 1;
};

// Bytes that the tables of one axis take; 0 where none are made.
int64_t table_bytes(const AxisResize& a, const IntExpr& in, const Sampling& sampling);
// x is a float tensor unless the interpolation is kNearest.
Tensor resize_axis(Tensor x, const AxisResize& a, const Sampling& sampling);

}  // namespace tuff::onnx
