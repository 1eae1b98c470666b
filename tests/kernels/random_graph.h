// Random graphs over every primitive. In: a seed. Out: a verified graph, sizes for its symbols and seeds for its inputs.
//
// Invariant: the same seed gives the same case everywhere (std::mt19937 and integer arithmetic only); values stay small
// enough (a few thousand elements) for the reference to evaluate hundreds of graphs a minute.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "reference/tensor.h"

namespace tuff {

struct GraphCase {
  Graph graph;
  std::map<std::string, int64_t> symbols;
  uint32_t input_seed = 1;
  bool special_values = false;  // inputs hold NaN, infinities, -0 and denormals here and there
};

GraphCase random_case(uint32_t seed);
std::vector<Tensor> random_inputs(const GraphCase& c);

}  // namespace tuff
