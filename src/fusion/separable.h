// Separable convolutions: a product that reads rows which a window makes (a depthwise convolution, a pooling), in one kernel. A
// workgroup computes the window at its rows' pixels into shared memory, each once, and multiplies them from there.
#pragma once

#include <optional>

#include "fusion/fusion.h"

namespace tuff {

// How the product's workgroups cover it. An invocation has `rows` rows and `columns` vectors of `width` columns, and loads
// `steps` k at a time.
//   exchange   as in the product's own kernel: the workgroup is a subgroup whose lanes pass rows around. Each lane computes the
//              window at a row of its own, in registers; a workgroup has one panel of columns, and each computes it anew
//   otherwise  `stretch` vectors of k of the workgroup's rows are staged in shared memory at a time, from one row to the next
//              `stride` vectors. Where that is the `whole` of k, its columns come panel after panel; else it has one panel
struct SeparableTile {
  int rows = 1, columns = 1, width = 1, steps = 1;
  int64_t lanes_n = 1, lanes_m = 1;
  bool exchange = false, whole = false;
  int64_t stretch = 1, stride = 1;

  bool staged() const { return !exchange; }
  int64_t row_tile() const { return rows * lanes_m; }
  int64_t column_tile() const { return columns * lanes_n * width; }
  int64_t shared_bytes() const { return row_tile() * stride * (steps == 3 ? 4 : steps) * 4; }
};

// Of a group of kind kSeparable: its window.
NodeId separable_window(const Group& group, const Graph& graph);
// The tile of such a group that the cost model likes best; nullopt where none fits the device.
std::optional<SeparableTile> separable_tile(const Graph& graph, const Group& group, const DeviceInfo& device, bool exact);

}  // namespace tuff
