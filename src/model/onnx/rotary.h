// Rotary position embedding. Each pair of elements (a, b) of a head turns by its position's angle:
//   a' = a * cos - b * sin        b' = b * cos + a * sin
// as one map: y = x * cosines + partner(x) * sines, where partner() swaps a and b, and the sines of each a are negated.
#pragma once

#include "model/onnx/tensor.h"

namespace tuff::onnx {

// For each element of the part of a head that turns; last axis of both. Pairs are half of it apart, or neighbours where
// `interleaved`.
struct RotaryTables {
  Tensor cosines, sines;
  bool interleaved = false;
};

// From caches [..., pairs].
RotaryTables rotary_tables(Tensor cos_cache, Tensor sin_cache, bool interleaved);
// Their rows at i32 or i64 positions [batch, sequence], before an axis of heads or behind it: [batch, sequence, 1, size] or
// [batch, 1, sequence, size].
RotaryTables rows_at(const RotaryTables& tables, Tensor positions, bool heads_first);
// x: [batch, sequence, head, size] or [batch, head, sequence, size], of which the tables' elements turn and the rest stays.
Tensor rotated(Tensor x, const RotaryTables& rows);

}  // namespace tuff::onnx
