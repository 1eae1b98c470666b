// What the tests of rewrites share: a graph from text, a rule applied to it, and the proof that values stay.
#pragma once

#include <doctest/doctest.h>

#include <cmath>

#include "reference/reference.h"
#include "simplify/precision.h"
#include "simplify/rules.h"

namespace tuff {

inline Graph graph_of(const std::string& body) {
  auto graph = parse_graph("graph \"g\" {\n" + body + "}\n", "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  Status valid = verify(*graph);
  REQUIRE_MESSAGE(valid.ok(), valid.message());
  return std::move(*graph);
}

inline SimplifyOptions folding_options() {
  SimplifyOptions options;
  options.evaluate_constants = evaluate_closed;
  return options;
}

inline Graph checked(Result<Graph> graph) {
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  Status valid = verify(*graph);
  REQUIRE_MESSAGE(valid.ok(), valid.message() << "\n" << print(*graph));
  return std::move(*graph);
}

inline Lowered checked(Result<Lowered> made) {
  REQUIRE_MESSAGE(made.ok(), made.status().message());
  return {checked(Result<Graph>(std::move(made->graph))), std::move(made->values)};
}

inline Graph applied(RewriteRule rule, const Graph& graph, const SimplifyOptions& options = {}) {
  return checked(rewrite_nodes(graph, std::span(&rule, 1), options));
}

// Values numbered as they come, so that a text may be put together from parts.
std::string renumbered(const std::string& text);

// Inputs for a graph: numbers in [-1, 1), small integers, flags; the same for the same seed.
std::vector<Tensor> random_inputs(const Graph& graph, const std::map<std::string, int64_t>& symbols, uint64_t seed);

// Both graphs give the same outputs in truth, to within `tolerance` of the largest element; integers exactly.
void check_same_truth(const Graph& before, const Graph& after, const std::map<std::string, int64_t>& symbols = {},
                      uint64_t seed = 1, double tolerance = 1e-9);

}  // namespace tuff
