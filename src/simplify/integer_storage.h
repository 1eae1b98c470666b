// Which values take more memory than the integer constants that they are computed from: dequantised weights above all.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace tuff {

// Asked about the nodes of a graph in their order; values that no node makes expand nothing.
class IntegerStorage {
 public:
  // Does the node's output have more bytes than all constants that it is computed from, of which one is of 8- or 16-bit
  // integers and large enough to matter? Such a value is computed where it is read, so that memory holds the integers.
  bool expands(const Node& node, const Value& output);

 private:
  struct Source {
    int64_t bytes = 0;
    bool integers = false;
  };
  std::vector<Source> sources_;  // by value
};

}  // namespace tuff
