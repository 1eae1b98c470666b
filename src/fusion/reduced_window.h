// Reductions over rows, and windows that they take in: a window whose elements a reduction reads (a depthwise convolution
// before an average over its grid) is computed where they are combined, each element once, and stored there if others read it.
#pragma once

#include <vector>

#include "fusion/fusion.h"

namespace tuff {

// How a reduction is spread over invocations: `width` neighbouring rows are combined together, where rows lie across the
// storage.
struct RowSchedule {
  std::vector<int> row_axes;  // in the storage order of the elements
  Dims row_shape, reduced_shape;
  IntExpr rows, length, row_vectors;
  int width = 1;
  bool columns = false;  // an invocation has rows of its own; else 64 share a row

  static constexpr int64_t kInvocations = 64;
  IntExpr workgroups() const;
};

// Of a group of kind kReduce. Around a window, workgroups are kept at two a core where narrower rows can do that.
RowSchedule row_schedule(const Graph& graph, const Layouts& layouts, const std::vector<Placement>& placements,
                         const Group& group, const DeviceInfo& device);

// Of a group of kind kReduce: the window that it takes in, if any.
NodeId reduced_window(const Group& group, const Graph& graph);
// The innermost axis of the value's storage that is longer than 1.
int innermost_axis(const Graph& graph, const Layouts& layouts, const std::vector<Placement>& placements, ValueId value);

}  // namespace tuff
