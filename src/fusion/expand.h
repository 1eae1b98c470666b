// Expanding convolutions: an own-channel window (a depthwise convolution, a pooling) that reads what a product makes, in one
// kernel. A workgroup has some channels of a tile of the image; it computes the product there into shared memory, each element
// once, and applies the window from there.
#pragma once

#include <optional>

#include "fusion/fusion.h"

namespace tuff {

// What the window reads, behind what pads it: the value that is staged.
struct ExpandedOperand {
  ValueId value;
  std::vector<int64_t> low;  // padding before the image, a spatial axis
  bool padded = false;
  NodeId product;  // of a group of kind kExpand
};
// nullopt where the sizes of padding are not known ahead, or what lies in between is no padding with constants.
std::optional<ExpandedOperand> expanded_operand(const Group& group, const Graph& graph);

// How workgroups cover the window's results. Of each spatial axis a workgroup has `outputs` results, for which it stages
// `staged` positions of the image; of the channels it has `vectors` vectors of `width`. An invocation computes a vector at
// `rows` positions at once, and loads `steps` k at a time.
struct ExpandTile {
  std::vector<int64_t> outputs, staged;
  int rows = 1, width = 1, steps = 1;
  int64_t vectors = 1, invocations = 64;

  int64_t output_count() const;
  int64_t staged_count() const;
  int64_t shared_bytes() const { return staged_count() * vectors * (width == 3 ? 4 : width) * 4; }
};

// The tile of a group of kind kExpand that the cost model likes best; nullopt where none fits the device.
std::optional<ExpandTile> expand_tile(const Graph& graph, const Group& group, const DeviceInfo& device);

}  // namespace tuff
