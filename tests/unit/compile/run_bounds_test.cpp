// What a run may differ from the truth by, where outputs follow from outputs.
#include <doctest/doctest.h>

#include "compile/run_bounds.h"

namespace tuff {
namespace {

constexpr const char kChain[] = R"(graph "g" {
  symbol n in 1..8 step 1
  input %0 "x": f32[n]
  %1: f32[n] = map.mul %0, %0 from "square"
  %2: f32[n] = map.add %1, %0 from "sum"
  output %1 "square"
  output %2 "sum"
}
)";

Graph chain() {
  Result<Graph> graph = parse_graph(kChain, "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  return *graph;
}

Tensor floats(const std::vector<float>& elements) {
  return make_tensor<float>(Dtype::kF32, {static_cast<int64_t>(elements.size())}, elements);
}

TEST_CASE("an output is held against what follows from the outputs before it, as the run gave them") {
  // 3 is not the square of 2; from 3 the sum 5 is right, from 4 it would be 6.
  Result<std::vector<Bounded>> bounded = run_bounds(chain(), {floats({2, 0.1f})}, {floats({3, 0.01f}), floats({5, 0.11f})});
  REQUIRE_MESSAGE(bounded.ok(), bounded.status().message());
  const Bounded &square = (*bounded)[0], &sum = (*bounded)[1];
  CHECK(square.truth.at(0) == 4);
  CHECK(square.error[0] > 0);
  CHECK(square.error[0] < 1e-6);
  CHECK(sum.truth.at(0) == 5);
  CHECK(sum.error[0] < 1e-6);
  CHECK(sum.truth.at(1) == static_cast<double>(0.01f) + static_cast<double>(0.1f));
}

TEST_CASE("tensors of other shapes, types and numbers are refused") {
  const Tensor two = floats({1, 2}), three = floats({1, 2, 3});
  const Tensor doubles = make_tensor<double>(Dtype::kF64, {2}, {1, 2});
  const Graph graph = chain();
  CHECK(run_bounds(graph, {two}, {two, three}).status().code() == Code::kInvalidArgument);
  CHECK(run_bounds(graph, {two}, {two, doubles}).status().code() == Code::kInvalidArgument);
  CHECK(run_bounds(graph, {doubles}, {two, two}).status().code() == Code::kInvalidArgument);
  CHECK(run_bounds(graph, {two}, {two}).status().code() == Code::kInvalidArgument);
  CHECK(run_bounds(graph, {}, {two, two}).status().code() == Code::kInvalidArgument);
  CHECK(run_bounds(graph, {floats(std::vector<float>(9))}, {two, two}).status().code() == Code::kInvalidArgument);
  CHECK(run_bounds(graph, {two}, {two, two}).ok());
}

}  // namespace
}  // namespace tuff
