// What holds of every graph: simplify keeps values, verifies, answers the same twice, and finds nothing new to do.
#include <cstdlib>

#include "random_graph.h"
#include "rule_case.h"

using namespace tuff;

namespace {

constexpr GraphPrintOptions kFull{true};

// TUFF_RANDOM_GRAPHS=<count> for a longer search.
uint64_t graph_count() {
  const char* count = std::getenv("TUFF_RANDOM_GRAPHS");
  return count ? std::strtoull(count, nullptr, 10) : 400;
}

std::vector<Tensor> float_mode(const Graph& graph, const std::vector<Tensor>& inputs, int64_t n, int thread_count) {
  EvaluateOptions options;
  options.thread_count = thread_count;
  auto outputs = evaluate(graph, inputs, {{"n", n}}, options);
  REQUIRE_MESSAGE(outputs.ok(), outputs.status().message());
  return std::move(*outputs);
}

}  // namespace

TEST_CASE("random graphs keep their values") {
  size_t nodes_before = 0, nodes_after = 0;
  for (uint64_t seed = 0; seed < graph_count(); ++seed) {
    CAPTURE(seed);
    RandomGraph r = random_graph(seed);
    Status valid = verify(r.graph);
    REQUIRE_MESSAGE(valid.ok(), valid.message());
    // Without folding nothing is rounded; with it constants are, to f32.
    Graph plain = checked(simplify(r.graph, {}));
    check_same_truth(r.graph, plain, {{"n", r.n}}, seed, 1e-9);
    Graph folded = checked(simplify(r.graph, folding_options()));
    check_same_truth(r.graph, folded, {{"n", r.n}}, seed, 1e-4);
    nodes_before += prune_dead(r.graph).nodes.size();
    nodes_after += folded.nodes.size();
    CHECK(folded.inputs.size() == r.graph.inputs.size());
    CHECK(folded.output_names == r.graph.output_names);
  }
  CHECK(nodes_after < nodes_before);
}

TEST_CASE("random graphs simplify to the same text, and their bits do not depend on threads") {
  for (uint64_t seed = 0; seed < graph_count() / 4; ++seed) {
    CAPTURE(seed);
    RandomGraph r = random_graph(seed);
    Graph once = checked(simplify(r.graph, folding_options())), again = checked(simplify(r.graph, folding_options()));
    CHECK(print(once, kFull) == print(again, kFull));
    std::vector<Tensor> inputs = random_inputs(once, {{"n", r.n}}, seed);
    std::vector<Tensor> one = float_mode(once, inputs, r.n, 1), two = float_mode(once, inputs, r.n, 2);
    for (size_t o = 0; o < one.size(); ++o) CHECK(one[o].bytes == two[o].bytes);
  }
}

TEST_CASE("a simplified graph simplifies to itself") {
  for (uint64_t seed = 0; seed < graph_count() / 4; ++seed) {
    CAPTURE(seed);
    Graph once = checked(simplify(random_graph(seed).graph, folding_options()));
    Graph twice = checked(simplify(once, folding_options()));
    CHECK(print(once, kFull) == print(twice, kFull));
  }
}
