// Graphs of a product, a window that reads it, and what is made of their results: for the tests of kernels that have tiles of
// an image.
#pragma once

#include <cstdint>
#include <utility>

#include "kernels/checked_builder.h"

namespace tuff {

enum class Activation { kNone, kClip, kSilu, kResidual };
enum class ExpandProduct { kConvolution, kStrided, kContract };
enum class ExpandValues { kUsual, kSpecial, kHalfStored };

struct ExpandCase {
  int64_t batch = 1, depth = 8, channels = 8, height = 7, width = 7;
  int64_t kernel = 3, stride = 1, dilation = 1, low = 1, high = 1;
  WindowOp window = WindowOp::kConv;
  Activation activation = Activation::kClip;
  ExpandProduct product = ExpandProduct::kConvolution;
  uint64_t fill_bits = 0;
  bool symbolic_batch = false;
  bool channels_last = true;  // else the window's result is an output itself, which hosts see row-major
};

struct ExpandBuilder : CheckedBuilder {
  ValueId convolution(ValueId x, int64_t columns, int64_t stride) {
    return convolved(x, weights({IntExpr(columns), builder.shape(x)[1], IntExpr(1), IntExpr(1)}), stride, 1);
  }
  ValueId multiplied(ValueId x, const ExpandCase& a) {
    if (a.product != ExpandProduct::kContract) return convolution(x, a.channels, a.product == ExpandProduct::kStrided ? 2 : 1);
    ContractAttrs attrs;
    attrs.a = {0, 1, 2, 3};
    attrs.b = {1, 4};
    attrs.out = {0, 4, 2, 3};
    return take(builder.add(attrs, {x, weights({builder.shape(x)[1], IntExpr(a.channels)})}));
  }
  ValueId activated(ValueId x, const ExpandCase& a) {
    switch (a.activation) {
      case Activation::kNone: return x;
      case Activation::kClip: return map(MapOp::min, {map(MapOp::max, {x, number(-0.25)}), number(0.5)});
      case Activation::kSilu: return map(MapOp::mul, {x, map(MapOp::sigmoid, {x})});
      case Activation::kResidual: return map(MapOp::add, {x, builder.input("residual", Dtype::kF32, builder.shape(x))});
    }
    return x;
  }
  ValueId expanded(const ExpandCase& a) {
    IntExpr batch(a.batch);
    if (a.symbolic_batch) batch = builder.symbol({"batch", 1, 64, 1, nullptr});
    const int64_t stride = a.product == ExpandProduct::kStrided ? 2 : 1;
    const ValueId x = builder.input("x", Dtype::kF32, {batch, a.depth, a.height * stride, a.width * stride});
    return activated(biased(multiplied(x, a)), a);
  }
  ValueId windowed(ValueId x, const ExpandCase& a) {
    PadAttrs pad;
    pad.low = {IntExpr(0), IntExpr(0), IntExpr(a.low), IntExpr(a.low)};
    pad.high = {IntExpr(0), IntExpr(0), IntExpr(a.high), IntExpr(a.high)};
    pad.interior = {0, 0, 0, 0};
    pad.fill_bits = a.fill_bits;
    if (a.low + a.high > 0) x = take(builder.add(pad, {x}));
    WindowAttrs attrs;
    attrs.op = a.window;
    attrs.kernel = {a.kernel, a.kernel};
    attrs.strides = {a.stride, a.stride};
    attrs.dilations = {a.dilation, a.dilation};
    if (a.window != WindowOp::kConv) return take(builder.add(attrs, {x}));
    attrs.groups = a.channels;
    return biased(
        take(builder.add(attrs, {x, weights({IntExpr(a.channels), IntExpr(1), IntExpr(a.kernel), IntExpr(a.kernel)})})));
  }
  void finish(ValueId y, const ExpandCase& a) {
    // A convolution that is no pixel's alone keeps what it reads channels last.
    builder.output(map(MapOp::max, {y, number(-0.5)}), "y");
    if (a.channels_last) builder.output(take(builder.reduce(ReduceOp::kMax, convolution(y, 3, 1), {1})), "z");
  }
};

struct CombinedCase {
  ExpandCase image;
  bool window = true;  // else the product's own results are combined
  ReduceOp reduce = ReduceOp::kSum;
  bool read = true;      // the elements are a product's operand, too
  bool squared = false;  // what is combined is made from the elements
  bool flat = false;     // the mean has no axes of length 1
};

struct CombinedBuilder : ExpandBuilder {
  ValueId mean_of(ValueId x, const CombinedCase& a) {
    if (a.squared) x = map(MapOp::mul, {x, x});
    return map(MapOp::mul, {take(builder.reduce(a.reduce, x, {2, 3})), number(0.125)});
  }
  Graph build(const CombinedCase& a) {
    ValueId x = expanded(a.image);
    if (a.window) x = windowed(x, a.image);
    x = map(MapOp::mul, {x, map(MapOp::sigmoid, {x})});
    const ValueId mean = mean_of(x, a);
    if (a.flat) {
      ReshapeAttrs flat;
      flat.shape = {builder.shape(mean)[0], builder.shape(mean)[1]};
      builder.output(take(builder.add(flat, {mean})), "flat");
    }
    if (a.read)
      builder.output(convolution(map(MapOp::mul, {x, map(MapOp::sigmoid, {convolution(mean, a.image.channels, 1)})}), 5, 1),
                     "y");
    else if (!a.flat)
      builder.output(mean, "mean");
    return builder.graph();
  }
};

}  // namespace tuff
