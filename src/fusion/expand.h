// Products whose results stay in a tile of the image: an own-channel window (a depthwise convolution, a pooling) that reads
// what a product makes, in one kernel; a reduction over the image of what either makes; or both. A workgroup has some channels
// of a tile. It computes the product there, into shared memory if a window applies to it, each element once; then the window
// from there; and combines the elements of its tile, then with those of the image's other tiles.
// Where lanes exchange what they load, and barriers are dear, it goes without shared memory (rolling rows): an invocation has
// its channels for whole rows of the image, or strips of them, and keeps those that the window sees.
#pragma once

#include <algorithm>
#include <optional>

#include "fusion/fusion.h"

namespace tuff {

// What the window reads, behind what pads it: the value that is staged. Without a window: what is combined.
struct ExpandedOperand {
  ValueId value;
  std::vector<int64_t> low;  // padding before the image, a spatial axis
  bool padded = false;
  NodeId product;            // of a group of kind kExpand
  NodeId window, reduction;  // one of them, or both
};
// nullopt where the sizes of padding are not known ahead, or what lies in between is no padding with constants.
std::optional<ExpandedOperand> expanded_operand(const Group& group, const Graph& graph);

// How workgroups cover the results. Of each spatial axis a workgroup has `outputs` results, for which it stages `staged`
// positions of the image; of the channels it has `vectors` vectors of `width`. An invocation computes a vector at `rows`
// positions at once, and loads `steps` k at a time. Results are combined by `lanes()` invocations a vector of channels.
struct ExpandTile {
  std::vector<int64_t> outputs, staged;
  int rows = 1, width = 1, steps = 1;
  int64_t vectors = 1, invocations = 64;
  bool window = true, combined = false;  // is there a window, a reduction?
  int64_t image_tiles = 1;
  // Rolling rows: an invocation a vector of channels, which goes through a strip of `outputs` from its first row to its last,
  // `rows` elements of the product's at once, and has `staged` elements in its registers. Where results are combined, a
  // workgroup has all strips, one after another.
  bool rolling = false;
  int64_t strips = 1;

  int64_t output_count() const;
  int64_t staged_count() const;
  int64_t lanes() const { return invocations / vectors; }
  // What is staged, then in its place what invocations have combined.
  int64_t shared_vectors() const {
    return std::max(window ? staged_count() * vectors : int64_t{0}, combined ? invocations : int64_t{0});
  }
  int64_t shared_bytes() const { return rolling ? 0 : shared_vectors() * width * 4 + (combined && image_tiles > 1 ? 4 : 0); }
};

// The tile of a group of kind kExpand that the cost model likes best; nullopt where none fits the device.
std::optional<ExpandTile> expand_tile(const Graph& graph, const Group& group, const DeviceInfo& device, bool exact);

}  // namespace tuff
