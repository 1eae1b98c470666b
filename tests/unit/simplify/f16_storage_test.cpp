// What f16_storage rounds, and what it leaves.
#include <algorithm>

#include "golden.h"
#include "rule_case.h"

using namespace tuff;

namespace {

Lowered stored(const Graph& graph) { return checked(store_in_f16(graph)); }

// Two convolutions, the second of a concat of what the first gives, once as it is and once turned; a residual.
const char kBlock[] = R"(input %0 "x": f32[1, 4, 6, 6]
%1 "w1": f32[4, 4, 1, 1] = constant random(seed=1, scale=1) from "w1"
%2: f32[1, 4, 6, 6] = window.conv %0, %1 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1} from "conv1"
%3 "a": f32[1, 4, 6, 6] = map.abs %2 from "abs"
%4: f32[1, 4, 6, 6] = transpose %3 {perm=[0, 1, 3, 2]} from "turn"
%5: f32[1, 8, 6, 6] = concat %3, %4 {axis=1} from "concat"
%6: f32[1, 8, 8, 8] = pad %5 {mode=constant low=[0, 0, 1, 1] high=[0, 0, 1, 1] interior=[0, 0, 0, 0] fill=0} from "conv2"
%7 "w2": f32[4, 8, 3, 3] = constant random(seed=2, scale=1) from "w2"
%8: f32[1, 4, 6, 6] = window.conv %6, %7 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=1} from "conv2"
%9: f32[1, 4, 6, 6] = map.add %8, %3 from "add"
output %9 "y"
output %3 "a"
)";

}  // namespace

TEST_CASE("what products and windows read is rounded once for all its readers; inputs, outputs and sums stay") {
  const Graph graph = graph_of(kBlock);
  const Lowered made = stored(graph);
  golden::check("simplify/f16_storage", print(made.graph));
  CHECK(made.values ==
        std::vector<std::string>{"w1 f32[4, 4, 1, 1] to f16", "a f32[1, 4, 6, 6] to f16", "w2 f32[4, 8, 3, 3] to f16"});
  for (const Node& node : made.graph.nodes) CHECK_FALSE(node.origins.empty());
}

TEST_CASE("exponentials and normalised rows that products read stay") {
  const Graph graph = graph_of(
      "input %0 \"x\": f32[3, 8]\n%1: f32[3, 1] = reduce.max %0 {axes=[1]} from \"softmax\"\n"
      "%2: f32[3, 8] = broadcast %1 from \"softmax\"\n%3: f32[3, 8] = map.sub %0, %2 from \"softmax\"\n"
      "%4: f32[3, 8] = map.exp %3 from \"exp\"\n%5 \"w\": f32[8, 4] = constant random(seed=1, scale=1) from \"w\"\n"
      "%6: f32[3, 4] = contract %4, %5 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"m\"\n"
      "%7: f32[3, 1] = reduce.sum %6 {axes=[1] order=tree} from \"norm\"\n%8: f32[3, 4] = broadcast %7 from \"norm\"\n"
      "%9: f32[3, 4] = map.div %6, %8 from \"norm\"\n%10 \"v\": f32[4, 4] = constant random(seed=2, scale=1) from \"v\"\n"
      "%11: f32[3, 4] = contract %9, %10 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"n\"\n"
      // Summed over what is no row of it.
      "%12: f32[4, 4] = contract %9, %11 {a=[0, 1] b=[0, 2] out=[1, 2]} from \"o\"\noutput %11 \"y\"\noutput %12 \"z\"\n");
  const std::vector<std::string> rounded = stored(graph).values;
  auto is_rounded = [&](const std::string& name) {
    return std::any_of(rounded.begin(), rounded.end(), [&](const std::string& line) { return line.starts_with(name + " "); });
  };
  CHECK(!is_rounded("exp"));
  CHECK(is_rounded("norm"));  // the last product has its columns as rows
  CHECK(is_rounded("w"));
  Graph without = graph;
  without.outputs.pop_back(), without.output_names.pop_back();
  const std::vector<std::string> fewer = stored(prune_dead(without)).values;
  CHECK(fewer == std::vector<std::string>{"w f32[8, 4] to f16", "v f32[4, 4] to f16"});
}

TEST_CASE("the rounded graph differs from the exact one by f16's steps") {
  const Graph graph = graph_of(kBlock);
  const std::vector<Tensor> inputs = random_inputs(graph, {}, 7);
  EvaluateOptions truth;
  truth.precision = Precision::kTruth;
  auto expected = evaluate(graph, inputs, {}, truth), got = evaluate(stored(graph).graph, inputs, {}, truth);
  REQUIRE(expected.ok());
  REQUIRE(got.ok());
  double most = 0;
  for (int64_t i = 0; i < (*got)[0].element_count(); ++i)
    most = std::max(most, std::fabs((*got)[0].at(i) - (*expected)[0].at(i)));
  // 72 products of numbers up to 4 and 1, each factor off by 2^-11 of itself.
  CHECK(most > 0);
  CHECK(most < 72 * 4 * 0x1p-10);
}

TEST_CASE("a concat that is rounded for a product is an output as it is") {
  const Graph graph = graph_of(
      "input %0 \"x\": f32[1, 2, 3]\n%1: f32[1, 2, 3] = map.exp %0 from \"exp\"\n%2: f32[1, 2, 3] = map.neg %0 from \"neg\"\n"
      "%3 \"both\": f32[1, 4, 3] = concat %1, %2 {axis=1} from \"concat\"\n%4 \"w\": f32[3, 2] = constant random(seed=1, "
      "scale=1) "
      "from \"w\"\n%5: f32[1, 4, 2] = contract %3, %4 {a=[0, 1, 2] b=[2, 3] out=[0, 1, 3]} from \"m\"\n"
      "output %5 \"y\"\noutput %3 \"both\"\noutput %4 \"w\"\n");
  const Lowered made = stored(graph);
  CHECK(made.values.size() == 3);
  const std::vector<Tensor> inputs = random_inputs(graph, {}, 3);
  auto expected = evaluate(graph, inputs, {}), got = evaluate(made.graph, inputs, {});
  REQUIRE(expected.ok());
  REQUIRE(got.ok());
  CHECK((*got)[0].bytes != (*expected)[0].bytes);
  CHECK((*got)[1].bytes == (*expected)[1].bytes);
  CHECK((*got)[2].bytes == (*expected)[2].bytes);
}

TEST_CASE("a constant beyond f16 stays, and so does what is read by maps alone") {
  const Graph graph = graph_of(
      "input %0 \"x\": f32[2, 2]\n%1 \"w\": f32[2, 2] = constant list(1, 2, 3, 65536) from \"w\"\n"
      "%2: f32[2, 2] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"m\"\n%3: f32[2, 2] = map.abs %2 from \"abs\"\n"
      "%4: f32[2, 2] = map.neg %3 from \"neg\"\noutput %4 \"y\"\n");
  CHECK(stored(graph).values.empty());
  const Graph halves = graph_of(
      "input %0 \"x\": f16[2, 2]\n%1 \"w\": f16[2, 2] = constant list(1, 2, 3, 4) from \"w\"\n"
      "%2: f16[2, 2] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2]} from \"m\"\noutput %2 \"y\"\n");
  CHECK(print(stored(halves).graph) == print(halves));
}
