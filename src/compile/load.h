// The first arrow: a model's file or bytes to a verified Graph, with the time that it took.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "model/model.h"

namespace tuff {

struct LoadedModel {
  Graph graph;
  std::vector<ValueId> named;  // values that nodes compute and that have names, in order
  int64_t load_ns = 0;
};

inline std::vector<ValueId> named_values(const Graph& graph) {
  std::vector<ValueId> named;
  for (const Node& node : graph.nodes)
    if (!graph.value(node.output).name.empty()) named.push_back(node.output);
  return named;
}

// A file whose name ends in ".graph" holds a Graph as print() writes it; any other is a model of a known format.
// `outputs`: values by name, instead of the model's own outputs; none: those. What they do not need stays until simplify.
Result<LoadedModel> load_model(const std::string& path, const LoadOptions& options,
                               const std::vector<std::string>& outputs = {});
Result<LoadedModel> load_model(const Bytes& bytes, const std::string& name, const LoadOptions& options,
                               const std::vector<std::string>& outputs = {});

}  // namespace tuff
