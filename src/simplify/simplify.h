// simplify: a Graph as a model states it -> the Graph that every device computes.
//
// In: a verified graph. Out: a verified graph with the same inputs and outputs, equal in real arithmetic, with an order
// for every sum. Invariant: the result depends on graph and options alone, never on a device: in exact mode it is what
// defines the bits.
#pragma once

#include <functional>

#include "graph/graph.h"

namespace tuff {

struct SimplifyOptions {
  bool exact = false;  // keeps what differs in the sign of a zero: x + 0 stays
  // The outputs of a graph without inputs or symbols, as elements in memory (the reference's float mode). Without it
  // constants are left as they are.
  std::function<Result<std::vector<Bytes>>(const Graph& closed)> evaluate_constants;
  int64_t fold_limit_bytes = int64_t{64} << 20;         // of one folded value, and of what it is computed from
  int64_t fold_total_limit_bytes = int64_t{512} << 20;  // of all values that one pass folds
};

Result<Graph> simplify(const Graph& graph, const SimplifyOptions& options);

}  // namespace tuff
