// The order of nodes within what one node of the model became.
//
// Operators are written as formulas, and C++ leaves open which operand of a formula is made first. This fixes it: in each
// step a node comes after its inputs, these from left to right. So the graph does not depend on the compiler.
#pragma once

#include "graph/graph.h"

namespace tuff::onnx {

// One node of the model: what it added ends before node end_node of the graph.
struct Step {
  size_t end_node = 0;
  std::vector<ValueId> results;
};

// Every value but the inputs has a node, in the same order, as GraphBuilder makes them.
Graph order_steps(Graph graph, const std::vector<Step>& steps);

}  // namespace tuff::onnx
