// Small graphs from text, evaluated: what the tests of the reference share.
#pragma once

#include <doctest/doctest.h>

#include <random>

#include "reference/reference.h"

namespace tuff {

inline Graph graph_of(const std::string& body) {
  auto graph = parse_graph("graph \"g\" {\n" + body + "}\n", "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  Status valid = verify(*graph);
  REQUIRE_MESSAGE(valid.ok(), valid.message());
  return std::move(*graph);
}

inline std::vector<Tensor> outputs_of(const Graph& graph, const std::vector<Tensor>& inputs,
                                      Precision precision = Precision::kFloat,
                                      const std::map<std::string, int64_t>& symbols = {}, int thread_count = 1) {
  EvaluateOptions options;
  options.precision = precision;
  options.thread_count = thread_count;
  auto result = evaluate(graph, inputs, symbols, options);
  REQUIRE_MESSAGE(result.ok(), result.status().message());
  return std::move(*result);
}

inline std::vector<float> uniform_floats(size_t count, double low, double high, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (float& v : values) {
    v = static_cast<float>(low + (high - low) * (static_cast<double>(random()) / 4294967295.0));
    v = std::min(std::max(v, static_cast<float>(low)), static_cast<float>(high));
  }
  return values;
}

inline Tensor float_tensor(std::vector<int64_t> shape, uint32_t seed, double low = -1, double high = 1) {
  int64_t count = 1;
  for (int64_t d : shape) count *= d;
  return make_tensor(Dtype::kF32, std::move(shape), uniform_floats(static_cast<size_t>(count), low, high, seed));
}

}  // namespace tuff
