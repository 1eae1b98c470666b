// Sizes that the data decide: a value has the shape that it has at most, and a count says how many of its elements along one
// axis are there. Operators that treat the elements along that axis one by one carry it on.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"
#include "model/onnx/proto.h"

namespace tuff::onnx {

struct DataAxis {
  int axis;
  ValueId count;  // an i32 of rank 0
};

struct SizedInput {
  Dims shape;
  std::optional<DataAxis> axis;
};

// The axis of an output of this shape, of a node some of whose inputs have one. UNSUPPORTED for operators that mix the
// elements along it, or need its size.
Result<DataAxis> carried_axis(const NodeProto& node, bool is_elementwise, const std::vector<SizedInput>& inputs,
                              const Dims& output);

}  // namespace tuff::onnx
