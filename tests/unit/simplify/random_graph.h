// Random small graphs for property tests: maps, views, reductions, contractions and windows over shapes with 0, 1,
// primes and a symbol "n", much as importers chain them (constants along channels, casts, padded windows).
//
// Invariant: the same seed gives the same graph. Values stay moderate and no float decides a comparison or an index, so
// that a rounding difference stays a rounding difference.
#pragma once

#include "graph/builder.h"

namespace tuff {

struct RandomGraph {
  Graph graph;
  int64_t n;  // a value for the symbol
};

RandomGraph random_graph(uint64_t seed);

}  // namespace tuff
