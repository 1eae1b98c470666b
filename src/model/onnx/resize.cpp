// Resize and Upsample, one axis after the other: the interpolations are separable.
#include <cmath>

#include "model/onnx/operators.h"
#include "model/onnx/resize_axis.h"

namespace tuff::onnx {
namespace {

template <class Kind>
struct Name {
  std::string_view name;
  Kind kind;
};

template <class Kind, size_t count>
Result<Kind> from_name(const Name<Kind> (&names)[count], std::string_view name, std::string_view what) {
  for (const auto& n : names)
    if (n.name == name) return n.kind;
  return unsupported("its " + std::string(what) + " '" + std::string(name) + "' is not supported.");
}

constexpr Name<Interpolation> kInterpolations[] = {
    {"nearest", Interpolation::kNearest}, {"linear", Interpolation::kLinear}, {"cubic", Interpolation::kCubic}};
constexpr Name<Coordinates> kCoordinates[] = {{"half_pixel", Coordinates::kHalfPixel},
                                              {"half_pixel_symmetric", Coordinates::kHalfPixelSymmetric},
                                              {"pytorch_half_pixel", Coordinates::kPytorchHalfPixel},
                                              {"align_corners", Coordinates::kAlignCorners},
                                              {"asymmetric", Coordinates::kAsymmetric},
                                              {"tf_crop_and_resize", Coordinates::kCropAndResize}};
constexpr Name<Rounding> kRoundings[] = {{"round_prefer_floor", Rounding::kPreferFloor},
                                         {"round_prefer_ceil", Rounding::kPreferCeil},
                                         {"floor", Rounding::kFloor},
                                         {"ceil", Rounding::kCeil}};

Result<Sampling> read_sampling(NodeImport& node) {
  Sampling s;
  TUFF_ASSIGN(s.interpolation, from_name(kInterpolations, node.attributes.text("mode", "nearest"), "mode"));
  if (node.opset() < 11) {
    s.coordinates = Coordinates::kAsymmetric;
    s.rounding = Rounding::kSimple;
    return s;
  }
  TUFF_ASSIGN(s.coordinates, from_name(kCoordinates, node.attributes.text("coordinate_transformation_mode", "half_pixel"),
                                       "coordinate_transformation_mode"));
  TUFF_ASSIGN(s.rounding, from_name(kRoundings, node.attributes.text("nearest_mode", "round_prefer_floor"), "nearest_mode"));
  s.cubic_a = node.attributes.real("cubic_coeff_a", -0.75f);
  s.exclude_outside = node.attributes.integer("exclude_outside", 0) != 0;
  s.antialias = node.attributes.integer("antialias", 0) != 0;
  s.extrapolation = node.attributes.real("extrapolation_value", 0);
  return s;
}

// The fraction of the smallest denominator that rounds to the same f32: what the author of a scale such as 0.6 meant.
std::optional<Element> fraction_of(float v) {
  constexpr int kDenominatorLimit = 1000;
  for (int d = 1; d <= kDenominatorLimit; ++d) {
    double n = std::round(static_cast<double>(v) * d);
    if (n >= 1 && n < 1e9 && static_cast<float>(n / d) == v) return Element(IntExpr(static_cast<int64_t>(n)), IntExpr(d));
  }
  return std::nullopt;
}

Result<AxisResize> from_scale(int axis, const IntExpr& in, float scale) {
  if (!(scale > 0) || scale > 1e6f) return invalid_argument("its scale of " + std::to_string(scale) + " is not a factor.");
  AxisResize a;
  a.axis = axis;
  auto fraction = fraction_of(scale);
  if (in.is_constant()) {
    a.out = IntExpr(static_cast<int64_t>(scale * static_cast<float>(in.constant())));
    a.real_scale = scale;
    // Of an empty axis any scale is right; out / in would be 0 / 0.
    a.scale = fraction ? *fraction : in.is(0) ? Element(IntExpr(1)) : quotient(a.out, in);
    return a;
  }
  if (!fraction)
    return unsupported("its scale of " + std::to_string(scale) + " is no simple fraction, which the size " + in.text() +
                       " needs.");
  a.scale = *fraction;
  a.out = floor_div(in * a.scale.numerator, a.scale.denominator);
  return a;
}

// A scale that the model computed from sizes.
AxisResize from_known_scale(int axis, const IntExpr& in, const Element& scale) {
  AxisResize a;
  a.axis = axis;
  Element out = quotient(in * scale.numerator, scale.denominator);
  a.out = floor_div(out.numerator, out.denominator);
  a.scale = scale;
  return a;
}

Result<AxisResize> from_size(int axis, const IntExpr& in, const IntExpr& out) {
  if (out.interval().low < 0 || in.is(0))
    return invalid_argument("it resizes an axis of size " + in.text() + " to " + out.text() + ".");
  AxisResize a;
  a.axis = axis;
  a.out = out;
  a.scale = quotient(out, in);
  if (in.is_constant() && out.is_constant())
    a.real_scale = static_cast<float>(out.constant()) / static_cast<float>(in.constant());
  return a;
}

// One scale for all listed axes, so that the output fits into the sizes asked for, or covers them.
Status keep_aspect_ratio(std::vector<AxisResize>& axes, const Dims& input, std::string_view policy) {
  if (policy == "stretch") return ok_status();
  if (policy != "not_larger" && policy != "not_smaller")
    return invalid_argument("its keep_aspect_ratio_policy is '" + std::string(policy) + "'.");
  std::optional<float> common;
  for (const AxisResize& a : axes) {
    if (!a.real_scale) return unsupported("its keep_aspect_ratio_policy needs sizes that are known.");
    bool first = !common;
    common = first                    ? *a.real_scale
             : policy == "not_larger" ? std::min(*common, *a.real_scale)
                                      : std::max(*common, *a.real_scale);
  }
  for (AxisResize& a : axes) {
    const IntExpr& in = input[static_cast<size_t>(a.axis)];
    a.out = IntExpr(static_cast<int64_t>(std::floor(*common * static_cast<float>(in.constant()) + 0.5f)));
    a.real_scale = common;
    a.scale = quotient(a.out, in);
  }
  return ok_status();
}

bool is_given(NodeImport& node, size_t i) {
  return node.has_input(i) && !(node.rank(i) == 1 && node.input_type(i).shape[0].is(0));
}

Result<std::vector<AxisResize>> read_axes(NodeImport& node) {
  bool early = node.opset() < 11;
  size_t scales_input = early ? 1 : 2, sizes_input = 3;
  const Dims& shape = node.input_type(0).shape;
  std::vector<int> listed;
  for (int i = 0; i < node.rank(0); ++i) listed.push_back(i);
  if (node.attributes.has("axes")) {
    listed.clear();
    for (int64_t a : node.attributes.integers("axes")) {
      TUFF_ASSIGN(int axis, node.axis(a, node.rank(0)));
      if (std::find(listed.begin(), listed.end(), axis) != listed.end())
        return invalid_argument("its axes name an axis twice.");
      listed.push_back(axis);
    }
  }
  std::vector<AxisResize> axes;
  auto check_count = [&](size_t count) {
    return count == listed.size() ? ok_status()
                                  : invalid_argument("it has " + std::to_string(count) + " scales or sizes for " +
                                                     std::to_string(listed.size()) + " axes.");
  };
  if (!early && is_given(node, sizes_input)) {
    TUFF_ASSIGN(Dims sizes, node.sizes(sizes_input, "sizes"));
    TUFF_TRY(check_count(sizes.size()));
    for (size_t i = 0; i < sizes.size(); ++i) {
      TUFF_ASSIGN(AxisResize a, from_size(listed[i], shape[static_cast<size_t>(listed[i])], sizes[i]));
      axes.push_back(a);
    }
    TUFF_TRY(keep_aspect_ratio(axes, shape, node.attributes.text("keep_aspect_ratio_policy", "stretch")));
    return axes;
  }
  std::vector<float> attribute = node.attributes.reals("scales");
  std::vector<double> scales(attribute.begin(), attribute.end());
  if (is_given(node, scales_input)) {
    const SymbolicTensor* known = node.known(scales_input);
    if (known && !known->is_constant()) {
      TUFF_TRY(check_count(known->elements.size()));
      for (size_t i = 0; i < known->elements.size(); ++i)
        axes.push_back(from_known_scale(listed[i], shape[static_cast<size_t>(listed[i])], known->elements[i]));
      return axes;
    }
    TUFF_ASSIGN(scales, node.reals(scales_input, "scales"));
  }
  TUFF_TRY(check_count(scales.size()));
  for (size_t i = 0; i < scales.size(); ++i) {
    TUFF_ASSIGN(AxisResize a, from_scale(listed[i], shape[static_cast<size_t>(listed[i])], static_cast<float>(scales[i])));
    axes.push_back(a);
  }
  return axes;
}

Status read_region(NodeImport& node, std::vector<AxisResize>& axes) {
  if (!is_given(node, 1)) return invalid_argument("its coordinate mode needs a region of interest.");
  TUFF_ASSIGN(std::vector<double> roi, node.reals(1, "roi"));
  if (roi.size() != 2 * axes.size()) return invalid_argument("its roi does not have two elements for each axis.");
  for (size_t i = 0; i < axes.size(); ++i) {
    axes[i].roi_start = static_cast<float>(roi[i]);
    axes[i].roi_end = static_cast<float>(roi[axes.size() + i]);
  }
  return ok_status();
}

// Interpolates in f32 unless the input is f64; integers are truncated again.
Status resize(NodeImport& node) {
  TUFF_ASSIGN(Sampling sampling, read_sampling(node));
  TUFF_ASSIGN(std::vector<AxisResize> axes, read_axes(node));
  bool crops = sampling.coordinates == Coordinates::kCropAndResize;
  if (crops) TUFF_TRY(read_region(node, axes));
  Tensor x = node.input(0);
  Dtype dtype = x.dtype();
  if (sampling.interpolation != Interpolation::kNearest) x = is_float(dtype) ? widen(x) : cast(x, Dtype::kF32);
  for (const AxisResize& a : axes) {
    const IntExpr in = x.dim(a.axis);
    bool unchanged = a.out == in && a.scale.is_integer() && a.scale.numerator.is(1);
    if (unchanged && (!crops || (a.roi_start == 0 && a.roi_end == 1))) continue;
    TUFF_TRY(node.reserve(table_bytes(a, in, sampling)));
    x = resize_axis(x, a, sampling);
  }
  return node.output(cast(x, dtype));
}

constexpr Operator kResizeOperators[] = {
    {"Resize", 10, 1, 4, resize},
    {"Upsample", 7, 1, 2, resize},
};

}  // namespace

std::span<const Operator> resize_operators() { return kResizeOperators; }

}  // namespace tuff::onnx
