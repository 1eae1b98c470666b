#include "model/onnx/window_attributes.h"

#include "base/checked.h"

namespace tuff::onnx {
namespace {

// Strides and dilations beyond any size; products with kernels stay in range.
constexpr int64_t kLimit = int64_t{1} << 30;

Status check_list(const std::vector<int64_t>& list, size_t count, int64_t least, std::string_view name) {
  bool fits = list.size() == count;
  for (int64_t v : list) fits = fits && v >= least && v <= kLimit;
  if (fits) return ok_status();
  return invalid_argument("its " + std::string(name) + " must be " + std::to_string(count) + " numbers from " +
                          std::to_string(least) + " to " + std::to_string(kLimit) + ".");
}

}  // namespace

Result<WindowShape> read_window(NodeImport& node, std::vector<int64_t> kernel) {
  int rank = node.rank(0);
  if (rank < 3)
    return invalid_argument("its input has the rank " + std::to_string(rank) +
                            "; it needs a batch, channels and at least one spatial axis.");
  size_t spatial = static_cast<size_t>(rank - 2);
  WindowShape w;
  std::vector<int64_t> attribute = node.attributes.integers("kernel_shape", kernel);
  if (kernel.empty()) kernel = attribute;
  if (kernel != attribute) return invalid_argument("its kernel_shape is not that of its weights.");
  w.kernel = std::move(kernel);
  w.strides = node.attributes.integers("strides", std::vector<int64_t>(spatial, 1));
  w.dilations = node.attributes.integers("dilations", std::vector<int64_t>(spatial, 1));
  std::vector<int64_t> pads = node.attributes.integers("pads", std::vector<int64_t>(2 * spatial, 0));
  w.auto_pad = node.attributes.text("auto_pad", "NOTSET");
  if (w.auto_pad.empty()) w.auto_pad = "NOTSET";
  TUFF_TRY(check_list(w.kernel, spatial, 1, "kernel_shape"));
  TUFF_TRY(check_list(w.strides, spatial, 1, "strides"));
  TUFF_TRY(check_list(w.dilations, spatial, 1, "dilations"));
  TUFF_TRY(check_list(pads, 2 * spatial, 0, "pads"));
  if (w.auto_pad != "NOTSET" && w.auto_pad != "SAME_UPPER" && w.auto_pad != "SAME_LOWER" && w.auto_pad != "VALID")
    return invalid_argument("its auto_pad is '" + std::string(w.auto_pad) + "'.");
  bool explicit_pads = w.auto_pad == "NOTSET";
  for (size_t i = 0; i < spatial; ++i) {
    w.low.push_back(IntExpr(explicit_pads ? pads[i] : 0));
    w.high.push_back(IntExpr(explicit_pads ? pads[spatial + i] : 0));
  }
  return w;
}

// SAME: output = ceil(input / stride), so total = max(0, (output - 1) * stride + extent - input), which with
// over = mod(-input, stride) is max(0, over + extent - stride). Where that depends on a symbol, extent - 1 is padded: never
// less, no window reads the rest, and the output's size is the plain ceil that every other path through the model has.
void apply_auto_pad(WindowShape& window, const Dims& input) {
  if (window.auto_pad != "SAME_UPPER" && window.auto_pad != "SAME_LOWER") return;
  for (size_t i = 0; i < window.rank(); ++i) {
    IntExpr over = mod(-input[i + 2], IntExpr(window.strides[i]));
    IntExpr total = maximum(IntExpr(0), over + IntExpr(window.extent(i) - window.strides[i]));
    IntExpr smaller = floor_div(total, IntExpr(2));
    window.low[i] = window.auto_pad == "SAME_UPPER" ? smaller : total - smaller;
    window.high[i] = (total.is_constant() ? total : IntExpr(window.extent(i) - 1)) - window.low[i];
  }
}

Tensor pad_spatial(Tensor x, const Dims& low, const Dims& high, uint64_t fill_bits) {
  Dims all_low(2), all_high(2);
  all_low.insert(all_low.end(), low.begin(), low.end());
  all_high.insert(all_high.end(), high.begin(), high.end());
  if (all_low.size() != x.shape().size()) return x;  // after a failure
  return pad(x, all_low, all_high, fill_bits);
}

}  // namespace tuff::onnx
