// Normalisations. Statistics are shifted: the mean first, then the mean of (x - mean)^2. Those over rows work in f32 where
// the model has f16 or bf16, and round once at the end. mean is sum * (1/n); 1/sqrt is rsqrt.
#include "model/onnx/operators.h"

namespace tuff::onnx {
namespace {

Tensor rsqrt(Tensor x) { return map(MapOp::rsqrt, {x}); }

std::vector<int> axes_from(int first, int rank) {
  std::vector<int> axes;
  for (int i = first; i < rank; ++i) axes.push_back(i);
  return axes;
}

struct Normalized {
  Tensor y, mean, inverse_deviation;
};

// (x - mean) * rsqrt(variance + epsilon)
Normalized normalize(Tensor x, const std::vector<int>& axes, float epsilon) {
  Tensor m = mean(x, axes);
  Tensor centred = x - m;
  Tensor inverse = rsqrt(mean(centred * centred, axes) + epsilon);
  return {centred * inverse, m, inverse};
}

Tensor like(Tensor parameter, Tensor x) { return cast(parameter, x.dtype()); }

// y = x * s + (bias - mean * s) with s = scale * rsqrt(variance + epsilon): one multiplication and one addition an
// element once the parameters, which are constants, are folded.
Status batch_normalization(NodeImport& node) {
  if (node.opset() >= 14 && node.attributes.integer("training_mode", 0) != 0)
    return unsupported("its training mode is not supported.");
  if (node.opset() < 9 && node.attributes.integer("spatial", 1) == 0)
    return unsupported("statistics for each element (spatial = 0) are not supported.");
  if (node.rank(0) < 2) return invalid_argument("its input has no channels.");
  float epsilon = node.attributes.real("epsilon", 1e-5f);
  Tensor x = node.input(0);
  Dtype dtype = x.dtype();
  x = widen(x);
  Tensor scale = like(node.input(1), x) * rsqrt(like(node.input(4), x) + epsilon);
  Tensor bias = like(node.input(2), x) - like(node.input(3), x) * scale;
  return node.output(cast(x * along(scale, x.rank(), 1) + along(bias, x.rank(), 1), dtype));
}

// normalize(x) * scale + bias; mean and 1/deviation as further outputs.
Status layer_normalization(NodeImport& node) {
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", -1), node.rank(0)));
  Tensor x = widen(node.input(0));
  Normalized n = normalize(x, axes_from(axis, x.rank()), node.attributes.real("epsilon", 1e-5f));
  Tensor y = n.y * like(node.input(1), x);
  if (node.has_input(2)) y = y + like(node.input(2), x);
  if (node.output_used(1)) TUFF_TRY(node.output(1, n.mean));
  if (node.output_used(2)) TUFF_TRY(node.output(2, n.inverse_deviation));
  return node.output(cast(y, node.input_type(0).dtype));
}

struct RmsNormalized {
  Tensor y, inverse;
};

// x * rsqrt(mean(x^2) + epsilon)
RmsNormalized rms_normalize(Tensor x, const std::vector<int>& axes, float epsilon) {
  Tensor inverse = rsqrt(mean(x * x, axes) + epsilon);
  return {x * inverse, inverse};
}

// rms_normalize(x) * scale, which has the type of the scale; 1/rms as a further output.
Status rms_normalization(NodeImport& node) {
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", -1), node.rank(0)));
  Tensor x = widen(node.input(0));
  RmsNormalized n = rms_normalize(x, axes_from(axis, x.rank()), node.attributes.real("epsilon", 1e-5f));
  if (node.output_used(1)) TUFF_TRY(node.output(1, n.inverse));
  return node.output(cast(n.y * like(node.input(1), x), node.input_type(1).dtype));
}

// input + skip + bias, widened; as the output `sum`, too.
Result<Tensor> skip_sum(NodeImport& node, size_t bias, size_t sum) {
  Tensor x = widen(node.input(0)) + widen(node.input(1));
  if (node.has_input(bias)) x = x + widen(node.input(bias));
  TUFF_TRY(node.composition.status());
  if (x.rank() != node.rank(0)) return invalid_argument("its skip has a higher rank than its input.");
  if (node.output_used(sum)) TUFF_TRY(node.output(sum, cast(x, node.input_type(0).dtype)));
  return x;
}

// normalize(input + skip + bias) * gamma + beta
Status skip_layer_normalization(NodeImport& node) {
  TUFF_ASSIGN(Tensor x, skip_sum(node, 4, 3));
  Tensor y = normalize(x, {x.rank() - 1}, node.attributes.real("epsilon", 1e-12f)).y * like(node.input(2), x);
  if (node.has_input(3)) y = y + like(node.input(3), x);
  return node.output(cast(y, node.input_type(0).dtype));
}

// rms_normalize(input + skip + bias) * gamma
Status skip_rms_normalization(NodeImport& node) {
  TUFF_ASSIGN(Tensor x, skip_sum(node, 3, 3));
  Tensor y = rms_normalize(x, {x.rank() - 1}, node.attributes.real("epsilon", 1e-12f)).y;
  return node.output(cast(y * like(node.input(2), x), node.input_type(0).dtype));
}

// The sum of the rows of three tables, of words, positions and segments, normalised as a layer. Further outputs: how many of
// each sequence's words the mask has, and the sum.
Status embed_layer_normalization(NodeImport& node) {
  enum : size_t { kWords, kSegments, kWordTable, kPositionTable, kSegmentTable, kGamma, kBeta, kWordMask, kWordPositions };
  for (size_t needed : {kWordTable, kPositionTable, kGamma, kBeta})
    if (!node.has_input(needed)) return invalid_argument("its input " + std::to_string(needed) + " is left out.");
  if (node.has_input(kSegments) != node.has_input(kSegmentTable))
    return invalid_argument("it has segments or their table alone.");
  Composition& c = node.composition;
  Tensor words = node.input(kWords);
  TUFF_TRY(c.status());
  if (words.rank() != 2) return invalid_argument("its words are not [batch, sequence].");
  const IntExpr batch = words.dim(0), sequence = words.dim(1);
  Tensor positions = node.has_input(kWordPositions) ? node.input(kWordPositions)
                                                    : reshape(c.iota(Dtype::kI32, sequence), {IntExpr(1), sequence});
  Tensor x = gather(node.input(kWordTable), words, 0) + gather(node.input(kPositionTable), positions, 0);
  if (node.has_input(kSegments)) x = x + gather(node.input(kSegmentTable), node.input(kSegments), 0);
  if (node.output_used(2)) TUFF_TRY(node.output(2, x));
  if (node.output_used(1)) {
    Tensor counts = broadcast(c.scalar(Dtype::kI32, 0), {batch});
    if (node.has_input(kWordMask)) counts = reshape(sum(cast(node.input(kWordMask), Dtype::kI32), {1}), {batch});
    TUFF_TRY(node.output(1, counts));
  }
  const Dtype dtype = x.dtype();
  x = widen(x);
  Tensor y = normalize(x, {2}, node.attributes.real("epsilon", 1e-12f)).y * like(node.input(kGamma), x);
  return node.output(cast(y + like(node.input(kBeta), x), dtype));
}

// Over the spatial axes of each channel of each sample.
Status instance_normalization(NodeImport& node) {
  if (node.rank(0) < 3) return invalid_argument("its input has no spatial axes.");
  Tensor x = widen(node.input(0));
  Normalized n = normalize(x, axes_from(2, x.rank()), node.attributes.real("epsilon", 1e-5f));
  Tensor y = n.y * along(like(node.input(1), x), x.rank(), 1) + along(like(node.input(2), x), x.rank(), 1);
  return node.output(cast(y, node.input_type(0).dtype));
}

// x: [n, c, spatial...] as [n, groups, c/groups, spatial...], over all but the first two axes. Scale and bias have an
// element for each channel, before operator set 21 for each group.
Status group_normalization(NodeImport& node) {
  if (node.rank(0) < 2) return invalid_argument("its input has no channels.");
  int64_t groups = node.attributes.integer("num_groups", 0);
  Tensor x = widen(node.input(0));
  Dims shape = x.shape();
  auto each = groups > 0 ? divide_exact(x.dim(1), IntExpr(groups)) : std::nullopt;
  if (!each)
    return invalid_argument("its num_groups of " + std::to_string(groups) + " does not divide its " + x.dim(1).text() +
                            " channels.");
  Dims grouped = {x.dim(0), IntExpr(groups), *each};
  for (int i = 2; i < x.rank(); ++i) grouped.push_back(x.dim(i));
  x = reshape(x, grouped);
  Tensor y = normalize(x, axes_from(2, x.rank()), node.attributes.real("epsilon", 1e-5f)).y;
  Tensor scale = like(node.input(1), x), bias = like(node.input(2), x);
  if (node.opset() >= 21) {
    y = reshape(y, shape);
    y = y * along(scale, y.rank(), 1) + along(bias, y.rank(), 1);
  } else {
    y = reshape(y * along(scale, y.rank(), 1) + along(bias, y.rank(), 1), shape);
  }
  return node.output(cast(y, node.input_type(0).dtype));
}

// x / norm, and 0 where the norm is 0
Status lp_normalization(NodeImport& node) {
  TUFF_ASSIGN(int axis, node.axis(node.attributes.integer("axis", -1), node.rank(0)));
  int64_t p = node.attributes.integer("p", 2);
  if (p != 1 && p != 2) return invalid_argument("its p is " + std::to_string(p) + ", not 1 or 2.");
  Tensor x = widen(node.input(0));
  Tensor norm = p == 1 ? sum(map(MapOp::abs, {x}), {axis}) : map(MapOp::sqrt, {sum(x * x, {axis})});
  Tensor zero = node.composition.scalar(x.dtype(), 0), one = node.composition.scalar(x.dtype(), 1);
  norm = select(map(MapOp::equal, {norm, zero}), one, norm);
  return node.output(cast(x / norm, node.input_type(0).dtype));
}

// x * (bias + alpha / size * s)^-beta with s the sum of x^2 over `size` channels around each: a window along the channels,
// seen as [n, 1, c, the rest].
Status local_response_normalization(NodeImport& node) {
  int64_t size = node.attributes.integer("size", 0);
  if (size < 1 || size > (int64_t{1} << 30))
    return invalid_argument("its size of " + std::to_string(size) + " is not a number of channels.");
  if (node.rank(0) < 2) return invalid_argument("its input has no channels.");
  double alpha = node.attributes.real("alpha", 1e-4f), beta = node.attributes.real("beta", 0.75f),
         bias = node.attributes.real("bias", 1);
  Tensor x = widen(node.input(0));
  IntExpr rest(1);
  for (int i = 2; i < x.rank(); ++i) rest *= x.dim(i);
  Tensor squares = reshape(x * x, {x.dim(0), IntExpr(1), x.dim(1), rest});
  squares = pad(squares, {0, 0, IntExpr((size - 1) / 2), 0}, {0, 0, IntExpr(size / 2), 0}, 0);
  WindowAttrs attrs;
  attrs.op = WindowOp::kSum;
  attrs.kernel = {size, 1};
  attrs.strides = attrs.dilations = {1, 1};
  Tensor s = reshape(node.composition.add(std::move(attrs), {squares}), x.shape());
  Tensor factor = map(MapOp::pow, {s * (alpha / static_cast<double>(size)) + bias, node.composition.scalar(x.dtype(), -beta)});
  return node.output(cast(x * factor, node.input_type(0).dtype));
}

// (x - mean) / (sqrt(variance) + 1e-9)
Status mean_variance_normalization(NodeImport& node) {
  std::vector<int> axes;
  for (int64_t a : node.attributes.integers("axes", {0, 2, 3})) {
    TUFF_ASSIGN(int axis, node.axis(a, node.rank(0)));
    axes.push_back(axis);
  }
  Tensor x = widen(node.input(0));
  Tensor centred = x - mean(x, axes);
  Tensor deviation = map(MapOp::sqrt, {mean(centred * centred, axes)}) + 1e-9;
  return node.output(cast(centred / deviation, node.input_type(0).dtype));
}

constexpr Operator kNormalizationOperators[] = {
    {"BatchNormalization", 7, 5, 5, batch_normalization},
    {"EmbedLayerNormalization", 1, 1, 9, embed_layer_normalization, "com.microsoft"},
    {"GroupNormalization", 18, 3, 3, group_normalization},
    {"InstanceNormalization", 6, 3, 3, instance_normalization},
    {"LRN", 1, 1, 1, local_response_normalization},
    {"LayerNormalization", 17, 2, 3, layer_normalization},
    {"LpNormalization", 1, 1, 1, lp_normalization},
    {"MeanVarianceNormalization", 9, 1, 1, mean_variance_normalization},
    {"RMSNormalization", 23, 2, 2, rms_normalization},
    {"SimplifiedLayerNormalization", 1, 2, 2, rms_normalization},
    {"SkipLayerNormalization", 1, 3, 5, skip_layer_normalization, "com.microsoft"},
    {"SkipSimplifiedLayerNormalization", 1, 3, 4, skip_rms_normalization, "com.microsoft"},
};

}  // namespace

std::span<const Operator> normalization_operators() { return kNormalizationOperators; }

}  // namespace tuff::onnx
