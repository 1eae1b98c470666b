// What a product and the window that reads it cost in one kernel. Private to src/fusion.
#pragma once

#include "fusion/expand.h"
#include "fusion/separable_cost.h"

namespace tuff {

// At typical sizes.
struct ExpandWork {
  int64_t batch = 1, channels = 1, depth = 1, taps = 0;
  std::vector<int64_t> image, outputs;              // spatial sizes of the window's operand without padding, and of its result
  std::vector<int64_t> kernel, strides, dilations;  // the window's
  int64_t map_operations = 0;                       // of an element of the product
  int64_t result_operations = 0;                    // of the maps of one of the window's results
  bool window = true, combined = false;
  int64_t bytes = 0;  // that memory sees
};

struct ExpandChoice {
  ExpandWork work;
  std::optional<ExpandTile> tile;
  int64_t wanted = 1;  // workgroups that the kernel has to have
  int64_t most = 0;    // workgroups of tiles that fit
};

TileCost cost_of(const ExpandTile& tile, const ExpandWork& work, const DeviceInfo& device);
// Of rolling rows (rolling_rows.cpp), and the tiles that they may have on the device.
TileCost rolling_cost(const ExpandTile& tile, const ExpandWork& work, const DeviceInfo& device);
std::vector<ExpandTile> rolling_tiles(const ExpandWork& work, int width, int steps, const DeviceInfo& device, bool exact);
// Of a group of kind kExpand.
ExpandChoice choose_expand(const Graph& graph, const Group& group, const ExpandedOperand& operand, const DeviceInfo& device,
                           bool exact);
// Where there is none.
std::string why_no_tile(const ExpandChoice& choice, const DeviceInfo& device, bool exact);
// The window's own work, as a kernel of its own would have it.
SeparableWork work_of_window(const ExpandWork& work);

}  // namespace tuff
