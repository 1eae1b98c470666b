// A product of dequantised factors sums integers, and is scaled once.
//   contract((a - p) * s, (b - q) * t) = cast(contract(a - p, b - q)) * (s * t)     and the same of window.conv
// a and b have 8 bits, and so have the zero points p and q, which may be absent; the sums are of i32. s and t are constant
// along the summed axes. A factor may be read through views, with one scale for all of it and padding of zeros; its integers
// then go the same way. Integer sums are exact in any order where no sum can leave i32, which is demanded of the greatest ones.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "simplify/constants.h"
#include "simplify/rules.h"

namespace tuff {
namespace {

struct IntegerRange {
  int64_t low, high;
};

std::optional<IntegerRange> range_of_8_bits(Dtype dtype) {
  if (dtype == Dtype::kI8) return IntegerRange{-128, 127};
  if (dtype == Dtype::kU8) return IntegerRange{0, 255};
  return std::nullopt;
}

bool moves_zeros_to_zeros(const Attrs& attrs) {
  if (const auto* pad = std::get_if<PadAttrs>(&attrs)) return pad->mode != PadMode::kConstant || pad->fill_bits == 0;
  return std::holds_alternative<ReshapeAttrs>(attrs) || std::holds_alternative<TransposeAttrs>(attrs) ||
         std::holds_alternative<SliceAttrs>(attrs) || std::holds_alternative<BroadcastAttrs>(attrs);
}

// x of cast<f32>(x: 8 bits); invalid if v is another value.
ValueId cast_from_8_bits(const Rewriter& dst, ValueId v) {
  const Node* cast = dst.map_producer(v, MapOp::cast);
  if (!cast || dst.value(v).dtype != Dtype::kF32 || !range_of_8_bits(dst.value(cast->inputs[0]).dtype)) return {};
  return cast->inputs[0];
}

// The range of f32 elements that are known to be whole numbers of 8 bits: constants, and casts behind views.
std::optional<IntegerRange> range_of_zero_point(const Rewriter& dst, ValueId v) {
  for (;;) {
    if (ValueId x = cast_from_8_bits(dst, v); x.valid()) return range_of_8_bits(dst.value(x).dtype);
    const Node* node = dst.producer(v);
    if (!node) return std::nullopt;
    if (!std::holds_alternative<BroadcastAttrs>(node->attrs) && !std::holds_alternative<ReshapeAttrs>(node->attrs)) break;
    v = node->inputs[0];
  }
  const auto* constant = dst.producer_as<ConstantAttrs>(v);
  if (!constant || constant->dtype != Dtype::kF32) return std::nullopt;
  auto bytes = constant_bytes(*constant);
  if (!bytes.ok() || bytes->data.empty()) return std::nullopt;
  IntegerRange range{255, -128};
  for (size_t at = 0; at + sizeof(float) <= bytes->data.size(); at += sizeof(float)) {
    float number = 0;
    std::memcpy(&number, bytes->data.data() + at, sizeof number);
    if (!(number >= -128 && number <= 255) || number != std::trunc(number)) return std::nullopt;
    range.low = std::min<int64_t>(range.low, static_cast<int64_t>(number));
    range.high = std::max<int64_t>(range.high, static_cast<int64_t>(number));
  }
  return range;
}

// views((q - zero point) * scale)
struct Factor {
  ValueId q, zero_point;     // zero point: invalid for none; f32 of q's shape
  ValueId scale;             // of q's rank, before it is broadcast
  std::vector<Attrs> views;  // the nearest to q first
  int64_t magnitude;         // of q - zero point, at most
};

std::optional<Factor> dequantized_factor(const Rewriter& dst, ValueId v) {
  Factor f;
  for (const Node* node = dst.producer(v); node && moves_zeros_to_zeros(node->attrs); node = dst.producer(v)) {
    f.views.insert(f.views.begin(), node->attrs);
    v = node->inputs[0];
  }
  const Node* mul = dst.map_producer(v, MapOp::mul);
  if (!mul || dst.value(v).dtype != Dtype::kF32) return std::nullopt;
  for (size_t side = 0; side < 2; ++side) {
    ValueId centred = mul->inputs[side];
    f.zero_point = {};
    IntegerRange zero{0, 0};
    if (const Node* sub = dst.map_producer(centred, MapOp::sub)) {
      auto range = range_of_zero_point(dst, sub->inputs[1]);
      if (!range) continue;
      zero = *range;
      f.zero_point = sub->inputs[1];
      centred = sub->inputs[0];
    }
    f.q = cast_from_8_bits(dst, centred);
    if (!f.q.valid()) continue;
    const IntegerRange q = *range_of_8_bits(dst.value(f.q).dtype);
    f.magnitude = std::max(std::abs(q.low - zero.high), std::abs(q.high - zero.low));
    f.scale = mul->inputs[1 - side];
    while (dst.producer_as<BroadcastAttrs>(f.scale)) f.scale = dst.producer(f.scale)->inputs[0];
    return f;
  }
  return std::nullopt;
}

bool is_one_number(const Dims& shape) {
  return std::all_of(shape.begin(), shape.end(), [](const IntExpr& d) { return d.is(1); });
}

// The scale in the rank of the product, where output_axes says for each axis of the factor where it is there (-1: nowhere).
// kNoMatch where it varies along an axis that the product does not have, or that views have moved.
Rewritten scale_for_product(Rewriter& dst, const Factor& f, const std::vector<int>& output_axes, size_t output_rank) {
  const Dims shape = dst.shape(f.scale);
  Dims target(output_rank, IntExpr(1));
  if (!is_one_number(shape)) {
    if (!f.views.empty()) return kNoMatch;
    std::vector<int> perm;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i].is(1)) continue;
      if (output_axes[i] < 0) return kNoMatch;
      target[static_cast<size_t>(output_axes[i])] = shape[i];
      perm.push_back(output_axes[i]);
    }
    if (!std::is_sorted(perm.begin(), perm.end())) return kNoMatch;
  }
  return dst.builder().reshape(f.scale, std::move(target));
}

Result<ValueId> integers_of(Rewriter& dst, const Factor& f) {
  GraphBuilder& builder = dst.builder();
  TUFF_ASSIGN(ValueId x, builder.cast(f.q, Dtype::kI32));
  if (f.zero_point.valid()) {
    TUFF_ASSIGN(ValueId zero, builder.cast(f.zero_point, Dtype::kI32));
    TUFF_ASSIGN(x, builder.map(MapOp::sub, {x, zero}));
  }
  for (const Attrs& view : f.views) {
    TUFF_ASSIGN(x, builder.add(view, {x}));
  }
  return x;
}

// For each label of a factor: its place in the output, or -1.
std::vector<int> places(const std::vector<int>& labels, const std::vector<int>& out) {
  std::vector<int> found;
  for (int label : labels) {
    auto at = std::find(out.begin(), out.end(), label);
    found.push_back(at == out.end() ? -1 : static_cast<int>(at - out.begin()));
  }
  return found;
}

// How many products a sum has, at most.
IntExpr summed_count(const Rewriter& dst, const Site& site, const std::vector<int>& a_places, const std::vector<int>& b_labels,
                     const std::vector<int>& a_labels, const std::vector<int>& b_places) {
  IntExpr count(1);
  for (size_t i = 0; i < a_places.size(); ++i)
    if (a_places[i] < 0) count *= dst.shape(site.inputs[0])[i];
  for (size_t i = 0; i < b_places.size(); ++i)
    if (b_places[i] < 0 && std::find(a_labels.begin(), a_labels.end(), b_labels[i]) == a_labels.end())
      count *= dst.shape(site.inputs[1])[i];
  return count;
}

}  // namespace

Rewritten product_of_dequantized(Rewriter& dst, const Site& site) {
  const auto* contract = site.as<ContractAttrs>();
  const auto* window = site.as<WindowAttrs>();
  if ((!contract && !(window && window->op == WindowOp::kConv)) || site.output.dtype != Dtype::kF32) return kNoMatch;
  auto a = dequantized_factor(dst, site.inputs[0]), b = dequantized_factor(dst, site.inputs[1]);
  if (!a || !b) return kNoMatch;

  const size_t rank = site.output.shape.size();
  std::vector<int> a_places(rank, -1), b_places(rank, -1);
  IntExpr summed(1);
  if (contract) {
    a_places = places(contract->a, contract->out);
    b_places = places(contract->b, contract->out);
    summed = summed_count(dst, site, a_places, contract->b, contract->a, b_places);
  } else {
    a_places[0] = 0;
    b_places[0] = 1;
    for (size_t i = 1; i < rank; ++i) summed *= dst.shape(site.inputs[1])[i];
  }
  const int64_t most = summed.interval().high, product = std::max<int64_t>(1, a->magnitude * b->magnitude);
  if (most > INT32_MAX / product) return kNoMatch;
  TUFF_ASSIGN(ValueId a_scale, scale_for_product(dst, *a, a_places, rank));
  if (!a_scale.valid()) return kNoMatch;
  TUFF_ASSIGN(ValueId b_scale, scale_for_product(dst, *b, b_places, rank));
  if (!b_scale.valid()) return kNoMatch;

  dst.also_from({site.inputs[0], site.inputs[1]});
  TUFF_ASSIGN(ValueId a_integers, integers_of(dst, *a));
  TUFF_ASSIGN(ValueId b_integers, integers_of(dst, *b));
  TUFF_ASSIGN(ValueId sums, dst.builder().add(site.attrs, {a_integers, b_integers}));
  TUFF_ASSIGN(sums, dst.builder().cast(sums, Dtype::kF32));
  TUFF_ASSIGN(ValueId scale, dst.builder().map(MapOp::mul, {a_scale, b_scale}));
  return dst.builder().map(MapOp::mul, {sums, scale});
}

}  // namespace tuff
