// f16_storage: weights and intermediate values of a f32 model kept in f16, computed in f32.
//
// In: a simplified graph. Out: the same with y = cast<f32>(cast<f16>(x)) for every reader of a value x that a contraction or a
// window reads, looking back through the views between them; such a constant becomes a f16 one. Invariant: where values round
// follows from the graph alone, so that fused and unfused kernels, devices and the reference agree; sums, the model's inputs
// and its outputs stay f32. A concat of such values is one itself.
//
// A value beyond 65504 becomes infinite, as f16 has it. A constant beyond stays f32.
#pragma once

#include "graph/graph.h"

namespace tuff {

struct F16Storage {
  Graph graph;
  std::vector<std::string> lowered;  // a line for each value that is rounded: "conv1.weight f32[64, 3, 7, 7] to f16"
};

Result<F16Storage> store_in_f16(const Graph& src);

}  // namespace tuff
