// What the stages after simplify decide, as goldens in tests/golden/{layout,fusion,plan,bound,kernels}: small graphs of
// the kind that networks are made of, for a CPU's driver, a large GPU and a phone's. A device for which a stage's text is that
// of another one is only named.
#include <array>
#include <string>
#include <vector>

#include "compile/compile.h"
#include "golden.h"
#include "model/model.h"
#include "unit/device_text.h"

namespace tuff {
namespace {

struct Case {
  std::string_view name;
  std::string_view body;
  SymbolValues sizes;  // for the bound stage
};

// Two convolutions with bias; the first ends in a ReLU, the second in the sum with the block's input and a ReLU.
constexpr std::string_view kResidualBlock = R"(
  input %0 "x": f32[1, 16, 14, 14]
  %1: f32[16, 16, 3, 3] = constant random(seed=1, scale=0.1) from "conv1"
  %2: f32[1, 16, 1, 1] = constant random(seed=2, scale=0.1) from "conv1"
  %3: f32[16, 16, 3, 3] = constant random(seed=3, scale=0.1) from "conv2"
  %4: f32[1, 16, 1, 1] = constant random(seed=4, scale=0.1) from "conv2"
  %5: f32[] = constant splat(0) from "relu1"
  %6: f32[1, 1, 1, 1] = reshape %5 from "relu1"
  %7: f32[1, 16, 14, 14] = broadcast %6 from "relu1"
  %8: f32[1, 16, 16, 16] = pad %0 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 1] interior=[0, 0, 0, 0] fill=0} from "conv1"
  %9: f32[1, 16, 14, 14] = window.conv %8, %1 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "conv1"
  %10: f32[1, 16, 14, 14] = broadcast %2 from "conv1"
  %11: f32[1, 16, 14, 14] = map.add %9, %10 from "conv1"
  %12: f32[1, 16, 14, 14] = map.max %11, %7 from "relu1"
  %13: f32[1, 16, 16, 16] = pad %12 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 1] interior=[0, 0, 0, 0] fill=0} from "conv2"
  %14: f32[1, 16, 14, 14] = window.conv %13, %3 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "conv2"
  %15: f32[1, 16, 14, 14] = broadcast %4 from "conv2"
  %16: f32[1, 16, 14, 14] = map.add %14, %15 from "conv2"
  %17: f32[1, 16, 14, 14] = map.add %16, %0 from "add"
  %18: f32[1, 16, 14, 14] = map.max %17, %7 from "relu2"
  output %18 "y"
)";

constexpr std::string_view kSoftmax = R"(
  input %0 "x": f32[64, 100]
  %1: f32[64, 1] = reduce.max %0 {axes=[1]} from "softmax"
  %2: f32[64, 100] = broadcast %1 from "softmax"
  %3: f32[64, 100] = map.sub %0, %2 from "softmax"
  %4: f32[64, 100] = map.exp %3 from "softmax"
  %5: f32[64, 1] = reduce.sum %4 {axes=[1] order=tree} from "softmax"
  %6: f32[64, 100] = broadcast %5 from "softmax"
  %7: f32[64, 100] = map.div %4, %6 from "softmax"
  output %7 "y"
)";

// Attention of four heads over keys of a symbolic number, with a mask, as an exporter writes it.
constexpr std::string_view kAttention = R"(
  symbol n in 1..512 step 1
  input %0 "q": f32[4, n, 32]
  input %1 "k": f32[4, n, 32]
  input %2 "v": f32[4, n, 32]
  input %3 "mask": f32[1, 1, n]
  %4: f32[4, n, n] = contract %0, %1 {a=[0, 1, 3] b=[0, 2, 3] out=[0, 1, 2]} from "scores"
  %5: f32[] = constant splat(0.17677669) from "scale"
  %6: f32[1, 1, 1] = reshape %5 from "scale"
  %7: f32[4, n, n] = broadcast %6 from "scale"
  %8: f32[4, n, n] = map.mul %4, %7 from "scale"
  %9: f32[4, n, n] = broadcast %3 from "masked"
  %10: f32[4, n, n] = map.add %8, %9 from "masked"
  %11: f32[4, n, 1] = reduce.max %10 {axes=[2]} from "softmax"
  %12: f32[4, n, n] = broadcast %11 from "softmax"
  %13: f32[4, n, n] = map.sub %10, %12 from "softmax"
  %14: f32[4, n, n] = map.exp %13 from "softmax"
  %15: f32[4, n, 1] = reduce.sum %14 {axes=[2]} from "softmax"
  %16: f32[4, n, n] = broadcast %15 from "softmax"
  %17: f32[4, n, n] = map.div %14, %16 from "softmax"
  %18: f32[4, n, 32] = contract %17, %2 {a=[0, 1, 2] b=[0, 2, 4] out=[0, 1, 4]} from "weighted"
  output %18 "y"
)";

// Rows of a symbolic number, normalised, scaled and shifted.
constexpr std::string_view kLayerNorm = R"(
  symbol n in 1..512 step 1
  input %0 "x": f32[n, 96]
  %1: f32[1, 96] = constant random(seed=1, scale=1) from "gamma"
  %2: f32[1, 96] = constant random(seed=2, scale=1) from "beta"
  %3: f32[1, 1] = constant splat(0.010416667) from "norm"
  %4: f32[1, 1] = constant splat(1e-05) from "norm"
  %5: f32[n, 1] = broadcast %3 from "norm"
  %6: f32[n, 1] = broadcast %4 from "norm"
  %7: f32[n, 1] = reduce.sum %0 {axes=[1] order=tree} from "norm"
  %8: f32[n, 1] = map.mul %7, %5 from "norm"
  %9: f32[n, 96] = broadcast %8 from "norm"
  %10: f32[n, 96] = map.sub %0, %9 from "norm"
  %11: f32[n, 96] = map.mul %10, %10 from "norm"
  %12: f32[n, 1] = reduce.sum %11 {axes=[1] order=tree} from "norm"
  %13: f32[n, 1] = map.mul %12, %5 from "norm"
  %14: f32[n, 1] = map.add %13, %6 from "norm"
  %15: f32[n, 1] = map.rsqrt %14 from "norm"
  %16: f32[n, 96] = broadcast %15 from "norm"
  %17: f32[n, 96] = map.mul %10, %16 from "norm"
  %18: f32[n, 96] = broadcast %1 from "norm"
  %19: f32[n, 96] = map.mul %17, %18 from "norm"
  %20: f32[n, 96] = broadcast %2 from "norm"
  %21: f32[n, 96] = map.add %19, %20 from "norm"
  output %21 "y"
)";

// Two convolutions side by side, written into one concat, which a third reads.
constexpr std::string_view kConcatOfConvs = R"(
  input %0 "x": f32[1, 8, 12, 12]
  %1: f32[8, 8, 1, 1] = constant random(seed=1, scale=0.5) from "left"
  %2: f32[8, 8, 3, 3] = constant random(seed=2, scale=0.5) from "right"
  %3: f32[1, 8, 12, 12] = window.conv %0, %1 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "left"
  %4: f32[1, 8, 14, 14] = pad %0 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 1] interior=[0, 0, 0, 0] fill=0} from "right"
  %5: f32[1, 8, 12, 12] = window.conv %4, %2 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "right"
  %6: f32[1, 16, 12, 12] = concat %3, %5 {axis=1} from "concat"
  %7: f32[8, 16, 1, 1] = constant random(seed=3, scale=0.5) from "head"
  %8: f32[1, 8, 12, 12] = window.conv %6, %7 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "head"
  output %8 "y"
)";

// A convolution whose channels become pixels as it stores them.
constexpr std::string_view kDepthToSpace = R"(
  symbol h in 1..64 step 1
  symbol w in 1..64 step 1
  input %0 "x": f32[1, 8, h, w]
  %1: f32[12, 8, 1, 1] = constant random(seed=1, scale=0.5) from "conv"
  %2: f32[1, 12, h, w] = window.conv %0, %1 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "conv"
  %3: f32[1, 2, 2, 3, h, w] = reshape %2 from "shuffle"
  %4: f32[1, 3, h, 2, w, 2] = transpose %3 {perm=[0, 3, 4, 1, 5, 2]} from "shuffle"
  %5: f32[1, 3, 2*h, 2*w] = reshape %4 from "shuffle"
  output %5 "y"
)";

// tanh(x * row + column) where x > 0, else x, as one map: a row, a column and a scalar are read at the element's place.
constexpr std::string_view kElementwise = R"(
  symbol n in 1..4096 step 1
  input %0 "x": f32[n, 48]
  input %1 "row": f32[1, 48]
  input %2 "column": f32[n, 1]
  %3: f32[1, 1] = constant splat(0) from "less"
  %4: f32[n, 48] = broadcast %1 from "mul"
  %5: f32[n, 48] = map.mul %0, %4 from "mul"
  %6: f32[n, 48] = broadcast %2 from "add"
  %7: f32[n, 48] = map.add %5, %6 from "add"
  %8: f32[n, 48] = map.tanh %7 from "tanh"
  %9: f32[n, 48] = broadcast %3 from "less"
  %10: bool[n, 48] = map.less %9, %0 from "less"
  %11: f32[n, 48] = map.select %10, %8, %0 from "where"
  output %11 "y"
)";

// The mean of each channel through two small products to a scale of the channel; a convolution reads what was scaled.
constexpr std::string_view kSqueezeExcite = R"(
  input %0 "x": f32[1, 32, 8, 8]
  %1: f32[1, 1, 1, 1] = constant splat(0.015625) from "mean"
  %2: f32[1, 32, 1, 1] = reduce.sum %0 {axes=[2, 3] order=tree} from "mean"
  %3: f32[1, 32, 1, 1] = broadcast %1 from "mean"
  %4: f32[1, 32, 1, 1] = map.mul %2, %3 from "mean"
  %5: f32[8, 32, 1, 1] = constant random(seed=1, scale=0.5) from "squeeze"
  %6: f32[1, 8, 1, 1] = window.conv %4, %5 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "squeeze"
  %7: f32[1, 1, 1, 1] = constant splat(0) from "relu"
  %8: f32[1, 8, 1, 1] = broadcast %7 from "relu"
  %9: f32[1, 8, 1, 1] = map.max %6, %8 from "relu"
  %10: f32[32, 8, 1, 1] = constant random(seed=2, scale=0.5) from "excite"
  %11: f32[1, 32, 1, 1] = window.conv %9, %10 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "excite"
  %12: f32[1, 32, 1, 1] = map.sigmoid %11 from "sigmoid"
  %13: f32[1, 32, 8, 8] = broadcast %12 from "scale"
  %14: f32[1, 32, 8, 8] = map.mul %0, %13 from "scale"
  %15: f32[16, 32, 1, 1] = constant random(seed=3, scale=0.5) from "project"
  %16: f32[1, 16, 8, 8] = window.conv %14, %15 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "project"
  output %16 "y"
)";

// A depthwise convolution with bias and ReLU6, and the 1x1 convolution that reads it, with bias.
constexpr std::string_view kSeparable = R"(
  input %0 "x": f32[1, 16, 28, 28]
  %1: f32[16, 1, 3, 3] = constant random(seed=1, scale=0.5) from "depthwise"
  %2: f32[1, 16, 1, 1] = constant random(seed=2, scale=0.5) from "depthwise"
  %3: f32[24, 16, 1, 1] = constant random(seed=3, scale=0.5) from "project"
  %4: f32[1, 24, 1, 1] = constant random(seed=4, scale=0.5) from "project"
  %5: f32[1, 1, 1, 1] = constant splat(0) from "clip"
  %6: f32[1, 1, 1, 1] = constant splat(6) from "clip"
  %7: f32[1, 16, 28, 28] = broadcast %5 from "clip"
  %8: f32[1, 16, 28, 28] = broadcast %6 from "clip"
  %9: f32[1, 16, 30, 30] = pad %0 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 1] interior=[0, 0, 0, 0] fill=0} from "depthwise"
  %10: f32[1, 16, 28, 28] = window.conv %9, %1 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=16 order=serial} from "depthwise"
  %11: f32[1, 16, 28, 28] = broadcast %2 from "depthwise"
  %12: f32[1, 16, 28, 28] = map.add %10, %11 from "depthwise"
  %13: f32[1, 16, 28, 28] = map.max %12, %7 from "clip"
  %14: f32[1, 16, 28, 28] = map.min %13, %8 from "clip"
  %15: f32[1, 24, 28, 28] = window.conv %14, %3 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "project"
  %16: f32[1, 24, 28, 28] = broadcast %4 from "project"
  %17: f32[1, 24, 28, 28] = map.add %15, %16 from "project"
  output %17 "y"
)";

// A convolution of an image's three channels, in tiles of its rows.
constexpr std::string_view kFirstLayer = R"(
  input %0 "x": f32[1, 3, 220, 222]
  %1: f32[16, 3, 3, 3] = constant random(seed=1, scale=0.5) from "conv"
  %2: f32[1, 3, 222, 224] = pad %0 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 1] interior=[0, 0, 0, 0] fill=0} from "conv"
  %3: f32[1, 16, 110, 111] = window.conv %2, %1 {kernel=[3, 3] strides=[2, 2] dilations=[1, 1] groups=1 order=serial} from "conv"
  output %3 "y"
)";

// A 1x1 convolution with ReLU6, and the depthwise convolution that reads it, with bias.
constexpr std::string_view kExpand = R"(
  input %0 "x": f32[1, 32, 14, 14]
  %1: f32[192, 32, 1, 1] = constant random(seed=1, scale=0.5) from "expand"
  %2: f32[192, 1, 3, 3] = constant random(seed=2, scale=0.5) from "depthwise"
  %3: f32[1, 192, 1, 1] = constant random(seed=3, scale=0.5) from "depthwise"
  %4: f32[1, 1, 1, 1] = constant splat(0) from "clip"
  %5: f32[1, 1, 1, 1] = constant splat(6) from "clip"
  %6: f32[1, 192, 14, 14] = broadcast %4 from "clip"
  %7: f32[1, 192, 14, 14] = broadcast %5 from "clip"
  %8: f32[1, 192, 14, 14] = window.conv %0, %1 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "expand"
  %9: f32[1, 192, 14, 14] = map.max %8, %6 from "clip"
  %10: f32[1, 192, 14, 14] = map.min %9, %7 from "clip"
  %11: f32[1, 192, 16, 16] = pad %10 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 1] interior=[0, 0, 0, 0] fill=0} from "depthwise"
  %12: f32[1, 192, 14, 14] = window.conv %11, %2 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=192 order=serial} from "depthwise"
  %13: f32[1, 192, 14, 14] = broadcast %3 from "depthwise"
  %14: f32[1, 192, 14, 14] = map.add %12, %13 from "depthwise"
  output %14 "y"
)";

// The same, its results squared, and their mean over the image: several tiles share it.
constexpr std::string_view kExpandMean = R"(
  input %0 "x": f32[1, 16, 56, 56]
  %1: f32[96, 16, 1, 1] = constant random(seed=1, scale=0.5) from "expand"
  %2: f32[96, 1, 3, 3] = constant random(seed=2, scale=0.5) from "depthwise"
  %3: f32[1, 1, 1, 1] = constant splat(0.0012755102) from "mean"
  %4: f32[1, 96, 1, 1] = broadcast %3 from "mean"
  %5: f32[1, 96, 56, 56] = window.conv %0, %1 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "expand"
  %6: f32[1, 96, 56, 56] = map.sigmoid %5 from "sigmoid"
  %7: f32[1, 96, 58, 58] = pad %6 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 1] interior=[0, 0, 0, 0] fill=0} from "depthwise"
  %8: f32[1, 96, 28, 28] = window.conv %7, %2 {kernel=[3, 3] strides=[2, 2] dilations=[1, 1] groups=96 order=serial} from "depthwise"
  %9: f32[1, 96, 28, 28] = map.mul %8, %8 from "square"
  %10: f32[1, 96, 1, 1] = reduce.sum %9 {axes=[2, 3] order=tree} from "mean"
  %11: f32[1, 96, 1, 1] = map.mul %10, %4 from "mean"
  output %8 "y"
  output %11 "mean"
)";

// Two convolutions of bytes: their sums are of integers, between them and in the weights there are bytes, and the sum with what
// the first one reads dequantises that anew.
constexpr std::string_view kQuantizedBlock = R"(
  input %0 "x": u8[1, 16, 14, 14]
  %1: f32[1, 16, 14, 14] = map.cast %0 from "x.dq"
  %2: f32[1, 1, 1, 1] = constant splat(3) from "x.dq"
  %3: f32[1, 16, 14, 14] = broadcast %2 from "x.dq"
  %4: f32[1, 16, 14, 14] = map.sub %1, %3 from "x.dq"
  %5: f32[1, 1, 1, 1] = constant splat(0.05) from "x.dq"
  %6: f32[1, 16, 14, 14] = broadcast %5 from "x.dq"
  %7: f32[1, 16, 14, 14] = map.mul %4, %6 from "x.dq"
  %8: i8[16, 16, 3, 3] = constant random(seed=1, scale=100) from "w1.dq"
  %9: f32[16, 16, 3, 3] = map.cast %8 from "w1.dq"
  %10: f32[16, 1, 1, 1] = constant random(seed=2, scale=0.1) from "w1.dq"
  %11: f32[16, 16, 3, 3] = broadcast %10 from "w1.dq"
  %12: f32[16, 16, 3, 3] = map.mul %9, %11 from "w1.dq"
  %13: f32[1, 16, 16, 16] = pad %7 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 1] interior=[0, 0, 0, 0] fill=0} from "conv1"
  %14: f32[1, 16, 14, 14] = window.conv %13, %12 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "conv1"
  %15: f32[1, 1, 1, 1] = constant splat(0.3) from "y.q"
  %16: f32[1, 16, 14, 14] = broadcast %15 from "y.q"
  %17: f32[1, 16, 14, 14] = map.div %14, %16 from "y.q"
  %18: f32[1, 16, 14, 14] = map.round %17 from "y.q"
  %19: f32[1, 1, 1, 1] = constant splat(0) from "y.q"
  %20: f32[1, 16, 14, 14] = broadcast %19 from "y.q"
  %21: f32[1, 16, 14, 14] = map.max %18, %20 from "y.q"
  %22: f32[1, 1, 1, 1] = constant splat(255) from "y.q"
  %23: f32[1, 16, 14, 14] = broadcast %22 from "y.q"
  %24: f32[1, 16, 14, 14] = map.min %21, %23 from "y.q"
  %25: u8[1, 16, 14, 14] = map.cast %24 from "y.q"
  %26: f32[1, 16, 14, 14] = map.cast %25 from "y.dq"
  %27: f32[1, 16, 14, 14] = map.mul %26, %16 from "y.dq"
  %28: i8[16, 16, 3, 3] = constant random(seed=3, scale=100) from "w2.dq"
  %29: f32[16, 16, 3, 3] = map.cast %28 from "w2.dq"
  %30: f32[16, 16, 3, 3] = map.mul %29, %11 from "w2.dq"
  %31: f32[1, 16, 16, 16] = pad %27 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 1] interior=[0, 0, 0, 0] fill=0} from "conv2"
  %32: f32[1, 16, 14, 14] = window.conv %31, %30 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "conv2"
  %33: f32[1, 16, 14, 14] = map.add %32, %7 from "add"
  output %33 "y"
)";

// Three 3x3 convolutions: of an odd image, which is in Winograd's form where that pays; with a stride, which has no such form;
// and of an image so small that its weights are most of what is read.
constexpr std::string_view kWinograd = R"(
  input %0 "x": f32[1, 8, 17, 20]
  %1: f32[8, 8, 3, 3] = constant random(seed=1, scale=0.1) from "conv1"
  %2: f32[1, 8, 1, 1] = constant random(seed=2, scale=0.1) from "conv1"
  %3: f32[16, 8, 3, 3] = constant random(seed=3, scale=0.1) from "conv2"
  %4: f32[32, 16, 3, 3] = constant random(seed=4, scale=0.1) from "conv3"
  %5: f32[1, 8, 19, 21] = pad %0 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 0] interior=[0, 0, 0, 0] fill=0} from "conv1"
  %6: f32[1, 8, 17, 19] = window.conv %5, %1 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "conv1"
  %7: f32[1, 8, 17, 19] = broadcast %2 from "conv1"
  %8: f32[1, 8, 17, 19] = map.add %6, %7 from "conv1"
  %9: f32[1, 8, 17, 19] = map.sigmoid %8 from "sigmoid"
  %10: f32[1, 16, 8, 9] = window.conv %9, %3 {kernel=[3, 3] strides=[2, 2] dilations=[1, 1] groups=1 order=serial} from "conv2"
  %11: f32[1, 32, 6, 7] = window.conv %10, %4 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "conv3"
  output %11 "y"
)";

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"residual_block", kResidualBlock, {}},    {"softmax", kSoftmax, {}},
      {"layer_norm", kLayerNorm, {{"n", 33}}},   {"attention", kAttention, {{"n", 33}}},
      {"concat_of_convs", kConcatOfConvs, {}},   {"depth_to_space", kDepthToSpace, {{"h", 5}, {"w", 8}}},
      {"elementwise", kElementwise, {{"n", 7}}}, {"squeeze_excite", kSqueezeExcite, {}},
      {"quantized_block", kQuantizedBlock, {}},  {"separable", kSeparable, {}},
      {"first_layer", kFirstLayer, {}},          {"expand", kExpand, {}},
      {"expand_mean", kExpandMean, {}},          {"winograd", kWinograd, {}},
  };
  return kCases;
}

constexpr std::array<std::string_view, 3> kDevices = {"lavapipe_debian12", "rx_6900", "adreno_740"};

Graph graph_of(const Case& c) {
  auto graph = parse_graph("graph \"" + std::string(c.name) + "\" {" + std::string(c.body) + "}\n", std::string(c.name));
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  const Status valid = verify(*graph);
  REQUIRE_MESSAGE(valid.ok(), valid.message());
  return std::move(*graph);
}

std::string text_of(const Case& c, std::string_view device, Stage stage) {
  const auto text = print_stage(graph_of(c), device_text(std::string(device)), {}, {stage, TextFormat::kText, c.sizes});
  REQUIRE_MESSAGE(text.ok(), text.status().message());
  return *text;
}

// A kernel's own part: the shader library that goes before it has goldens of bits (tests/unit/numerics).
std::string without_library(std::string_view kernels) {
  std::string out;
  bool in_library = false;
  for (std::string_view line : golden::lines_of(kernels)) {
    if (line.starts_with("#version")) in_library = true;
    if (line.starts_with("layout(")) in_library = false;
    if (!in_library) out += std::string(line) + "\n";
  }
  return out;
}

// The texts for the devices one after another, each once.
std::string for_devices(std::span<const std::string_view> devices, const std::function<std::string(std::string_view)>& print) {
  std::string out;
  std::vector<std::pair<std::string, std::string>> shown;  // text, device
  for (std::string_view device : devices) {
    const std::string text = print(device);
    const auto same = std::find_if(shown.begin(), shown.end(), [&](const auto& s) { return s.first == text; });
    out += "== " + std::string(device) + (same == shown.end() ? "\n" + text : ": as " + same->second + "\n");
    if (same == shown.end()) shown.emplace_back(text, device);
  }
  return out;
}

}  // namespace

TEST_CASE("layouts, groups with their reasons, and plans are those of the goldens") {
  for (const Case& c : cases()) {
    INFO(c.name);
    const std::string name(c.name);
    auto stage = [&](Stage which) {
      return for_devices(kDevices, [&](std::string_view device) { return text_of(c, device, which); });
    };
    golden::check("layout/" + name, stage(Stage::kLayout));
    golden::check("fusion/" + name, for_devices(kDevices, [&](std::string_view device) {
                    return text_of(c, device, Stage::kFusion) + text_of(c, device, Stage::kExplain);
                  }));
    golden::check("plan/" + name, stage(Stage::kPlan));
    golden::check("bound/" + name, stage(Stage::kBound));
  }
}

TEST_CASE("kernels are those of the goldens") {
  for (const Case& c : cases()) {
    INFO(c.name);
    golden::check("kernels/" + std::string(c.name), for_devices(std::span(kDevices).first(2), [&](std::string_view device) {
                    return without_library(text_of(c, device, Stage::kKernels));
                  }));
  }
}

}  // namespace tuff
