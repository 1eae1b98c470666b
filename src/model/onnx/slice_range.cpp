#include "model/onnx/slice_range.h"

namespace tuff::onnx {
namespace {

// Positions beyond any size mean the end ("INT64_MAX"), or the beginning.
constexpr int64_t kFar = Symbol::kMax;

// The position clamped to [low, high], where high = size + low or size - 1.
std::optional<IntExpr> clamp(const IntExpr& position, const IntExpr& size, const IntExpr& low, const IntExpr& high) {
  if (position.is_constant() && position.constant() > kFar) return high;
  if (position.is_constant() && position.constant() < -kFar) return low;
  if (proven_nonnegative(position)) return minimum(position, high);
  if (proven_less(position, IntExpr(0))) return maximum(size + position, low);
  return std::nullopt;
}

}  // namespace

std::optional<SliceRange> slice_range(const IntExpr& size, const IntExpr& start, const IntExpr& end, int64_t step) {
  if (step == 0 || step == INT64_MIN) return std::nullopt;
  IntExpr zero(0), one(1);
  if (size.is(0)) return SliceRange{zero, zero};
  if (step > 0) {
    auto first = clamp(start, size, zero, size), last = clamp(end, size, zero, size);
    if (!first || !last) return std::nullopt;
    return SliceRange{*first, maximum(zero, ceil_div(*last - *first, IntExpr(step)))};
  }
  auto first = clamp(start, size, zero, size - one), last = clamp(end, size, zero - one, size - one);
  if (!first || !last) return std::nullopt;
  return SliceRange{*first, maximum(zero, ceil_div(*first - *last, IntExpr(-step)))};
}

}  // namespace tuff::onnx
