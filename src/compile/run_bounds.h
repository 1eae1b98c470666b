// What a run may differ from the truth by: NUMERICS.md's bounds, by the reference.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "reference/error_bound.h"
#include "session/shapes.h"

namespace tuff {

// Inputs and outputs of one run of the graph, all of them, as it took and gave them. Each output is held against what follows
// from the outputs that it is computed from, as the run gave those. `given`: symbols that the shapes leave open; `winograd`: as
// of evaluate_with_bounds(). INVALID_ARGUMENT for tensors of other types or shapes.
Result<std::vector<Bounded>> run_bounds(const Graph& graph, const std::vector<Tensor>& inputs,
                                        const std::vector<Tensor>& outputs, const SymbolValues& given = {},
                                        const std::vector<ValueId>& winograd = {});

}  // namespace tuff
