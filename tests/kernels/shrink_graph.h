// The smallest case that still fails. In: a case and a test that it fails. Out: a case with fewer outputs and nodes that
// fails it too. Moves: drop an output, turn a node's result into an input, let a node's readers read its operand.
#pragma once

#include <functional>

#include "kernels/random_graph.h"

namespace tuff {

GraphCase shrink(GraphCase c, const std::function<bool(const GraphCase&)>& fails);

}  // namespace tuff
