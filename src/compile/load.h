// The first arrow: a model's file or bytes to a verified Graph, with the time that it took.
#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"
#include "model/model.h"

namespace tuff {

struct LoadedModel {
  Graph graph;
  int64_t load_ns = 0;
};

// A file whose name ends in ".graph" holds a Graph as print() writes it; any other is a model of a known format.
Result<LoadedModel> load_model(const std::string& path, const LoadOptions& options);
Result<LoadedModel> load_model(const Bytes& bytes, const std::string& name, const LoadOptions& options);

}  // namespace tuff
