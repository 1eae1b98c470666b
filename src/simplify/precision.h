// Precision: a f32 model kept or computed in f16.
//
// In: a simplified graph. Out: the same with casts. Invariant: where values round follows from the graph alone, so that fused
// and unfused kernels, devices and the reference agree; the model's inputs and outputs stay f32, sums are f32. A value beyond
// 65504 becomes infinite, as f16 has it; a constant beyond stays f32.
#pragma once

#include "graph/graph.h"

namespace tuff {

struct Lowered {
  Graph graph;
  std::vector<std::string> values;  // a line for each value that is rounded: "conv1.weight f32[64, 3, 7, 7] to f16"
};

// f16_storage: y = cast<f32>(cast<f16>(x)) for every reader of a value x that a contraction or a window reads, looking back
// through the views between them; such a constant becomes a f16 one. A concat of such values is one itself. Computed in f32.
// Two kinds of operands stay f32, since a product's kernel computes them as it loads them and does not store them: exponentials
// (of attention) and rows that are normalised.
Result<Lowered> store_in_f16(const Graph& src);

// f16: every value in f16, each operator's result rounded to it, as a model in f16 has it. Three kinds stay f32 because f16
// would spoil them, and cost nothing because kernels seldom store them: the results of reductions, of pooling sums and of sums
// of exponentials with the scores that they are made of (attention, before its division), numbers made from integers, and what
// is computed from those alone (a mean, a variance + epsilon, the angles of positions); and maps that only reductions read and
// whose operands are read by others, too (squares). An operator that reads a f32 value computes in f32 and is rounded once.
Result<Lowered> compute_in_f16(const Graph& src);

}  // namespace tuff
