// Where a slice begins and how many elements it takes, by ONNX's rules for negative and too large positions.
#pragma once

#include <optional>

#include "graph/int_expr.h"

namespace tuff::onnx {

struct SliceRange {
  IntExpr start, count;
};

// nullopt: the step is 0, or whether a position counts from the end depends on the sizes.
std::optional<SliceRange> slice_range(const IntExpr& size, const IntExpr& start, const IntExpr& end, int64_t step);

}  // namespace tuff::onnx
