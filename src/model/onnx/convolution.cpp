// Conv and ConvTranspose as window.conv over explicitly padded input; the bias is a map after it.
#include "model/onnx/operators.h"
#include "model/onnx/products.h"

namespace tuff::onnx {
namespace {

// The sizes after the first two axes of the weights.
Result<std::vector<int64_t>> kernel_of(const Dims& x, const Dims& w) {
  if (x.size() != w.size())
    return invalid_argument("its input " + dims_text(x) + " and weights " + dims_text(w) + " differ in rank.");
  std::vector<int64_t> kernel;
  for (size_t i = 2; i < w.size(); ++i) {
    if (!w[i].is_constant()) return unsupported("its kernel has the size " + w[i].text() + "; it must be a constant.");
    kernel.push_back(w[i].constant());
  }
  return kernel;
}

}  // namespace

Result<WindowShape> convolution_window(NodeImport& node, const Dims& x, const Dims& w) {
  TUFF_ASSIGN(std::vector<int64_t> kernel, kernel_of(x, w));
  TUFF_ASSIGN(WindowShape window, read_window(node, std::move(kernel)));
  apply_auto_pad(window, x);
  return window;
}

Tensor convolve(Tensor x, Tensor w, const WindowShape& window, std::vector<int64_t> strides, int64_t groups) {
  WindowAttrs attrs;
  attrs.op = WindowOp::kConv;
  attrs.kernel = window.kernel;
  attrs.strides = std::move(strides);
  attrs.dilations = window.dilations;
  attrs.groups = groups;
  return x.composition().add(std::move(attrs), {x, w});
}

namespace {

Tensor add_bias(NodeImport& node, Tensor y) { return node.has_input(2) ? y + along(node.input(2), y.rank(), 1) : y; }

// y = conv(pad(x), w) + b
Status conv(NodeImport& node) {
  TUFF_ASSIGN(WindowShape window, convolution_window(node, node.input_type(0).shape, node.input_type(1).shape));
  Tensor x = pad_spatial(node.input(0), window.low, window.high, 0);
  return node.output(add_bias(node, convolve(x, node.input(1), window, window.strides, node.attributes.integer("group", 1))));
}

// Padding of the output that is taken away again, from auto_pad or output_shape where they are given: the natural output
// size is stride * (input - 1) + output_padding + extent.
Status transposed_padding(NodeImport& node, WindowShape& window, const std::vector<int64_t>& output_padding) {
  std::vector<int64_t> wanted = node.attributes.integers("output_shape");
  bool same = window.auto_pad == "SAME_UPPER" || window.auto_pad == "SAME_LOWER";
  if (wanted.empty() && !same) return ok_status();
  size_t spatial = window.rank();
  if (wanted.size() == spatial + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);  // some exporters name all axes
  if (!wanted.empty() && wanted.size() != spatial) return invalid_argument("its output_shape does not have its spatial rank.");
  for (size_t i = 0; i < spatial; ++i) {
    const IntExpr& in = node.input_type(0).shape[i + 2];
    if (!wanted.empty() && wanted[i] < 1) return invalid_argument("its output_shape must be positive.");
    IntExpr out = wanted.empty() ? in * IntExpr(window.strides[i]) : IntExpr(wanted[i]);
    IntExpr natural = (in - IntExpr(1)) * IntExpr(window.strides[i]) + IntExpr(output_padding[i] + window.extent(i));
    // What lies beyond the natural size is zero at the end.
    IntExpr total = maximum(IntExpr(0), natural - out), missing = maximum(IntExpr(0), out - natural);
    IntExpr smaller = floor_div(total, IntExpr(2));
    window.low[i] = window.auto_pad == "SAME_UPPER" ? smaller : total - smaller;
    window.high[i] = total - window.low[i] - missing;
  }
  return ok_status();
}

// Each input element spreads over a window of the output: a convolution with stride 1 of the input, its elements stride
// apart, with the weights turned around. w: [c, m/g, kernel] becomes [m, c/g, kernel] with each spatial axis reversed.
Status conv_transpose(NodeImport& node) {
  TUFF_ASSIGN(std::vector<int64_t> kernel, kernel_of(node.input_type(0).shape, node.input_type(1).shape));
  TUFF_ASSIGN(WindowShape window, read_window(node, std::move(kernel)));
  size_t spatial = window.rank();
  std::vector<int64_t> output_padding = node.attributes.integers("output_padding", std::vector<int64_t>(spatial, 0));
  if (output_padding.size() != spatial) return invalid_argument("its output_padding does not have its spatial rank.");
  for (size_t i = 0; i < spatial; ++i)
    if (output_padding[i] < 0 || output_padding[i] >= std::max(window.strides[i], window.dilations[i]))
      return invalid_argument("its output_padding of " + std::to_string(output_padding[i]) +
                              " must be less than the stride or the dilation.");
  TUFF_TRY(transposed_padding(node, window, output_padding));

  int64_t groups = node.attributes.integer("group", 1);
  Tensor w = node.input(1);
  if (groups < 1 || !w.dim(0).is_constant() || w.dim(0).constant() % groups != 0 || !(w.dim(0) == node.input_type(0).shape[1]))
    return invalid_argument("its weights " + dims_text(w.shape()) + " in " + std::to_string(groups) +
                            " groups do not fit its input " + dims_text(node.input_type(0).shape) + ".");
  Dims grouped = {IntExpr(groups), IntExpr(w.dim(0).constant() / groups), w.dim(1)};
  Dims turned = {w.dim(1) * IntExpr(groups), grouped[1]};
  std::vector<int> perm = {0, 2, 1};
  for (size_t i = 0; i < spatial; ++i) {
    grouped.push_back(IntExpr(window.kernel[i]));
    turned.push_back(IntExpr(window.kernel[i]));
    perm.push_back(static_cast<int>(i + 3));
  }
  w = reshape(transpose(reshape(w, grouped), perm), turned);
  for (size_t i = 0; i < spatial; ++i) {
    int64_t k = window.kernel[i];
    if (k > 1) w = slice(w, static_cast<int>(i + 2), IntExpr(k - 1), IntExpr(k), -1);
  }

  Tensor x = node.input(0);
  PadAttrs spread;
  Dims low, high;
  bool apart = false;
  for (size_t i = 0; i < spatial + 2; ++i) {
    spread.low.push_back(IntExpr(0));
    spread.high.push_back(IntExpr(0));
    spread.interior.push_back(i < 2 ? 0 : window.strides[i - 2] - 1);
    apart = apart || spread.interior.back() > 0;
    if (i < 2) continue;
    IntExpr margin(window.extent(i - 2) - 1);
    low.push_back(margin - window.low[i - 2]);
    high.push_back(margin - window.high[i - 2] + IntExpr(output_padding[i - 2]));
  }
  // One pad where it only adds; else the elements are spread first and cropped then.
  bool adds = true;
  for (size_t i = 0; i < spatial; ++i) adds = adds && proven_nonnegative(low[i]) && proven_nonnegative(high[i]);
  if (apart && adds) {
    for (size_t i = 0; i < spatial; ++i) {
      spread.low[i + 2] = low[i];
      spread.high[i + 2] = high[i];
    }
    x = node.composition.add(std::move(spread), {x});
  } else {
    if (apart) x = node.composition.add(std::move(spread), {x});
    x = pad_spatial(x, low, high, 0);
  }
  return node.output(add_bias(node, convolve(x, w, window, std::vector<int64_t>(spatial, 1), groups)));
}

constexpr Operator kConvolutionOperators[] = {
    {"Conv", 1, 2, 3, conv},
    {"ConvTranspose", 1, 2, 3, conv_transpose},
};

}  // namespace

std::span<const Operator> convolution_operators() { return kConvolutionOperators; }

}  // namespace tuff::onnx
