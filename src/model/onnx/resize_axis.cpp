#include "model/onnx/resize_axis.h"

#include <algorithm>
#include <cmath>

namespace tuff::onnx {
namespace {

bool has_known_sizes(const AxisResize& a, const IntExpr& in) {
  return in.is_constant() && a.out.is_constant() && a.real_scale.has_value();
}

// ---- Known sizes: tables ----

struct Table {
  int64_t in, out;
  float scale;
  const AxisResize& axis;
  const Sampling& sampling;

  float place(int64_t o) const {
    float x = static_cast<float>(o), in_size = static_cast<float>(in), out_size = static_cast<float>(out);
    switch (sampling.coordinates) {
      case Coordinates::kHalfPixel: return (x + 0.5f) / scale - 0.5f;
      case Coordinates::kHalfPixelSymmetric: {
        float adjustment = out_size / (scale * in_size);
        return in_size / 2 * (1 - adjustment) + (x + 0.5f) / scale - 0.5f;
      }
      case Coordinates::kPytorchHalfPixel: return out > 1 ? (x + 0.5f) / scale - 0.5f : 0;
      case Coordinates::kAlignCorners: return out == 1 ? 0 : x * (in_size - 1) / (out_size - 1);
      case Coordinates::kAsymmetric: return x / scale;
      case Coordinates::kCropAndResize: {
        if (out == 1) return 0.5f * (axis.roi_start + axis.roi_end) * (in_size - 1);
        return axis.roi_start * (in_size - 1) + x * (axis.roi_end - axis.roi_start) * (in_size - 1) / (out_size - 1);
      }
    }
    return 0;
  }

  int64_t clamped(float x) const {
    return static_cast<int64_t>(std::clamp(x, 0.0f, static_cast<float>(std::max<int64_t>(in - 1, 0))));
  }

  int64_t nearest(float x) const {
    bool tie = x - std::floor(x) == 0.5f;
    switch (sampling.rounding) {
      case Rounding::kPreferFloor: return clamped(tie ? std::floor(x) : std::round(x));
      case Rounding::kPreferCeil: return clamped(std::round(x));
      case Rounding::kFloor: return clamped(std::floor(x));
      case Rounding::kCeil: return clamped(std::ceil(x));
      case Rounding::kSimple: return clamped(scale < 1 ? std::ceil(x) : std::floor(x));
    }
    return 0;
  }
};

float cubic(float x, float a) {
  x = std::fabs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

// sum over taps of weight(tap) * x[index(tap)]
Tensor weighted(Tensor x, int axis, const std::vector<std::vector<int64_t>>& indices,
                const std::vector<std::vector<float>>& weights) {
  Composition& c = x.composition();
  Tensor total;
  for (size_t tap = 0; tap < indices.size(); ++tap) {
    Tensor w = c.floats({IntExpr(static_cast<int64_t>(weights[tap].size()))}, weights[tap]);
    Tensor part = gather(x, c.integers(indices[tap]), axis) * along(cast(w, x.dtype()), x.rank(), axis);
    total = tap == 0 ? part : total + part;
  }
  return total;
}

Tensor interpolate(Tensor x, const Table& t) {
  bool linear = t.sampling.interpolation == Interpolation::kLinear;
  int taps = linear ? 2 : 4, before = linear ? 0 : 1;
  std::vector<std::vector<int64_t>> indices(static_cast<size_t>(taps));
  std::vector<std::vector<float>> weights(static_cast<size_t>(taps));
  for (int64_t o = 0; o < t.out; ++o) {
    float place = t.place(o), last = static_cast<float>(t.in - 1);
    if (linear) place = std::clamp(place, 0.0f, last);
    float base = std::floor(place), fraction = place - base, sum = 0, w[4];
    for (int k = 0; k < taps; ++k) {
      float distance = fraction - static_cast<float>(k - before), at = base + static_cast<float>(k - before);
      w[k] = linear ? 1 - std::fabs(distance) : cubic(distance, t.sampling.cubic_a);
      if (t.sampling.exclude_outside && (at < 0 || at > last)) w[k] = 0;
      sum += w[k];
      indices[static_cast<size_t>(k)].push_back(t.clamped(at));
    }
    for (int k = 0; k < taps; ++k)
      weights[static_cast<size_t>(k)].push_back(t.sampling.exclude_outside && sum != 0 ? w[k] / sum : w[k]);
  }
  return weighted(x, t.axis.axis, indices, weights);
}

// With antialiasing the filter widens as the output shrinks: a product with a matrix [out, in] of weights, those outside
// the input added to its ends (or left out).
Tensor antialias(Tensor x, const Table& t) {
  bool linear = t.sampling.interpolation == Interpolation::kLinear;
  float stretch = std::max(1.0f, 1.0f / t.scale), support = (linear ? 1.0f : 2.0f) * stretch;
  size_t in = static_cast<size_t>(t.in);
  std::vector<float> matrix(static_cast<size_t>(t.out) * in, 0.0f);
  for (int64_t o = 0; o < t.out; ++o) {
    float centre = t.place(o) + 0.5f, sum = 0;
    float* row = matrix.data() + static_cast<size_t>(o) * in;
    // No wider than the row and the filter around it, whatever the scale.
    float first = std::max(std::floor(centre - support), -2 * support - 1);
    float end = std::min(std::ceil(centre + support), static_cast<float>(t.in) + 2 * support + 1);
    for (float i = first; i < end; ++i) {
      float distance = (i - centre + 0.5f) / stretch;
      float w = linear ? std::max(0.0f, 1 - std::fabs(distance)) : cubic(distance, t.sampling.cubic_a);
      if (t.sampling.exclude_outside && (i < 0 || i >= static_cast<float>(t.in))) continue;
      row[t.clamped(i)] += w;
      sum += w;
    }
    for (size_t i = 0; i < in && sum != 0; ++i) row[i] /= sum;
  }
  Composition& c = x.composition();
  Tensor weights = cast(c.floats({IntExpr(t.out), IntExpr(t.in)}, matrix), x.dtype());
  ContractAttrs attrs;
  int out_label = x.rank();
  for (int i = 0; i < x.rank(); ++i) {
    attrs.a.push_back(i);
    attrs.out.push_back(i == t.axis.axis ? out_label : i);
  }
  attrs.b = {out_label, t.axis.axis};
  return c.add(std::move(attrs), {x, weights});
}

Tensor resize_by_table(Tensor x, const AxisResize& a, const Sampling& sampling) {
  Composition& c = x.composition();
  Table t{x.dim(a.axis).constant(), a.out.constant(), *a.real_scale, a, sampling};
  if (t.out == 0) return slice(x, a.axis, IntExpr(0), IntExpr(0));
  Tensor y;
  if (sampling.interpolation == Interpolation::kNearest) {
    std::vector<int64_t> indices;
    for (int64_t o = 0; o < t.out; ++o) indices.push_back(t.nearest(t.place(o)));
    y = gather(x, c.integers(indices), a.axis);
  } else {
    y = sampling.antialias && t.scale < 1 ? antialias(x, t) : interpolate(x, t);
  }
  if (sampling.coordinates != Coordinates::kCropAndResize) return y;
  std::string inside;
  for (int64_t o = 0; o < t.out; ++o)
    inside += static_cast<char>(t.place(o) >= 0 && t.place(o) <= static_cast<float>(t.in - 1));
  Tensor mask = c.constant(Dtype::kBool, {a.out}, bytes_from_string(std::make_shared<std::string>(std::move(inside))));
  return select(along(mask, y.rank(), a.axis), y, c.scalar(y.dtype(), sampling.extrapolation));
}

// ---- Sizes with symbols: x(o) = n / d in integers ----

struct Quotient {
  Tensor n;
  IntExpr d;
};

Tensor times(Tensor x, const IntExpr& factor) { return factor.is(1) ? x : x * x.composition().dimension(x.dtype(), factor); }

Tensor plus(Tensor x, const IntExpr& term) { return term.is(0) ? x : x + x.composition().dimension(x.dtype(), term); }

// floor(n / d); integer division by itself truncates.
Tensor floor_quotient(Tensor n, const IntExpr& d) {
  Tensor divisor = n.composition().dimension(n.dtype(), d);
  return (n - map(MapOp::floormod, {n, divisor})) / divisor;
}

// What places are computed in: 32 bits where nothing on the way can pass them, since not every device has 64.
Dtype place_dtype(const AxisResize& a, const IntExpr& in, Coordinates coordinates) {
  // Twice a place and the divisor to round it by: of a half pixel 2 ((2 o + 1) q + p) + 4 p; of aligned corners
  // 2 o (in - 1) + 2 (out - 1). Other coordinates stay below the first.
  const IntExpr half_pixel = (a.out * IntExpr(4) + IntExpr(2)) * a.scale.denominator + a.scale.numerator * IntExpr(6);
  const IntExpr aligned = a.out * in * IntExpr(2) + a.out * IntExpr(2);
  const IntExpr& largest = coordinates == Coordinates::kAlignCorners ? aligned : half_pixel;
  return largest.interval().high <= INT32_MAX ? Dtype::kI32 : Dtype::kI64;
}

std::optional<Quotient> place(Composition& c, const AxisResize& a, const IntExpr& in, Coordinates coordinates) {
  Tensor o = c.iota(place_dtype(a, in, coordinates), a.out);
  const IntExpr &p = a.scale.numerator, &q = a.scale.denominator;
  auto half_pixel = [&] { return Quotient{plus(times(times(o, 2) + 1, q), -p), p * IntExpr(2)}; };
  switch (coordinates) {
    case Coordinates::kHalfPixel: return half_pixel();
    case Coordinates::kHalfPixelSymmetric:
      if (!(a.out * q == in * p)) return std::nullopt;  // the sizes round; the centre then moves
      return half_pixel();
    case Coordinates::kPytorchHalfPixel: {
      Quotient x = half_pixel();
      return Quotient{times(x.n, minimum(a.out - IntExpr(1), IntExpr(1))), x.d};
    }
    case Coordinates::kAlignCorners: return Quotient{times(o, in - IntExpr(1)), maximum(a.out - IntExpr(1), IntExpr(1))};
    case Coordinates::kAsymmetric: return Quotient{times(o, q), p};
    case Coordinates::kCropAndResize: return std::nullopt;
  }
  return std::nullopt;
}

Tensor clamped(Tensor index, const IntExpr& in) {
  return maximum(map(MapOp::min, {index, index.composition().dimension(index.dtype(), in - IntExpr(1))}), 0);
}

Tensor resize_by_quotient(Tensor x, const AxisResize& a, const Sampling& sampling) {
  Composition& c = x.composition();
  const IntExpr in = x.dim(a.axis);
  auto q = place(c, a, in, sampling.coordinates);
  if (!q || sampling.antialias || sampling.exclude_outside)
    return c.fail(unsupported("its kind of resizing needs the size " + in.text() + " to be known; give the input a shape."));
  if (sampling.interpolation == Interpolation::kNearest) {
    const IntExpr two_d = q->d * IntExpr(2);
    switch (sampling.rounding) {
      case Rounding::kFloor:
      case Rounding::kSimple: return gather(x, clamped(floor_quotient(q->n, q->d), in), a.axis);
      case Rounding::kCeil: return gather(x, clamped(floor_quotient(plus(q->n, q->d - IntExpr(1)), q->d), in), a.axis);
      case Rounding::kPreferFloor:
        return gather(x, clamped(floor_quotient(plus(times(q->n, 2), q->d - IntExpr(1)), two_d), in), a.axis);
      case Rounding::kPreferCeil: return gather(x, clamped(floor_quotient(plus(times(q->n, 2), q->d), two_d), in), a.axis);
    }
  }
  Tensor base = floor_quotient(q->n, q->d);
  Tensor d = c.dimension(q->n.dtype(), q->d);
  Tensor fraction = cast(map(MapOp::floormod, {q->n, d}), x.dtype()) / cast(d, x.dtype());
  auto tap = [&](int offset) { return gather(x, clamped(offset == 0 ? base : base + offset, in), a.axis); };
  auto weight = [&](Tensor w) { return along(w, x.rank(), a.axis); };
  if (sampling.interpolation == Interpolation::kLinear) return tap(0) * weight(1 - fraction) + tap(1) * weight(fraction);
  double k = sampling.cubic_a;
  auto near = [&](Tensor t) { return ((t * (k + 2)) - (k + 3)) * t * t + 1; };     // |t| <= 1
  auto far = [&](Tensor t) { return ((t * k - 5 * k) * t + 8 * k) * t - 4 * k; };  // 1 < |t| < 2
  return tap(-1) * weight(far(fraction + 1)) + tap(0) * weight(near(fraction)) + tap(1) * weight(near(1 - fraction)) +
         tap(2) * weight(far(2 - fraction));
}

// ---- Whole factors: views ----

bool reads_the_same(const AxisResize& a, const IntExpr& in, const Sampling& s) {
  // Growing by a whole factor, each output place lies strictly inside its input element.
  if (!(a.out == in * a.scale.numerator)) return false;
  bool rounds = s.rounding == Rounding::kPreferFloor || s.rounding == Rounding::kPreferCeil;
  bool floors = s.rounding == Rounding::kFloor || s.rounding == Rounding::kSimple;
  switch (s.coordinates) {
    case Coordinates::kAsymmetric: return floors;
    case Coordinates::kHalfPixel:
    case Coordinates::kHalfPixelSymmetric: return rounds;
    case Coordinates::kPytorchHalfPixel: return rounds && proven_less(IntExpr(1), a.out);
    default: return false;
  }
}

Tensor repeat(Tensor x, int axis, const IntExpr& factor) {
  Dims split = x.shape(), joined = x.shape();
  split.insert(split.begin() + axis + 1, IntExpr(1));
  Dims repeated = split;
  repeated[static_cast<size_t>(axis) + 1] = factor;
  joined[static_cast<size_t>(axis)] *= factor;
  return reshape(broadcast(reshape(x, std::move(split)), repeated), std::move(joined));
}

}  // namespace

int64_t table_bytes(const AxisResize& a, const IntExpr& in, const Sampling& sampling) {
  if (!has_known_sizes(a, in)) return 0;
  int64_t taps = sampling.interpolation == Interpolation::kNearest  ? 1
                 : sampling.interpolation == Interpolation::kLinear ? 2
                                                                    : 4;
  int64_t each = sampling.antialias ? in.constant() * 4 : taps * 12;
  IntExpr total = a.out * IntExpr(each);
  return total.is_constant() ? total.constant() : INT64_MAX;
}

Tensor resize_axis(Tensor x, const AxisResize& a, const Sampling& sampling) {
  if (x.rank() <= a.axis) return x;  // after a failure
  const IntExpr in = x.dim(a.axis);
  bool nearest = sampling.interpolation == Interpolation::kNearest;
  if (nearest && a.scale.is_integer() && reads_the_same(a, in, sampling)) return repeat(x, a.axis, a.scale.numerator);
  return has_known_sizes(a, in) ? resize_by_table(x, a, sampling) : resize_by_quotient(x, a, sampling);
}

}  // namespace tuff::onnx
