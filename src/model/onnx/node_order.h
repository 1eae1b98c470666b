// An order in which each node comes after those that it reads: the file's own wherever that is one.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "model/onnx/proto.h"

namespace tuff::onnx {

// The node's name, or its operator and place in the file.
std::string node_label(const GraphProto& graph, size_t index);

// Indices of graph.nodes. INVALID_ARGUMENT: a name given twice or never, or nodes that wait for each other, all named.
Result<std::vector<size_t>> node_order(const GraphProto& graph);

}  // namespace tuff::onnx
