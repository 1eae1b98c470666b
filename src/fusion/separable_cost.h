// What a separable convolution costs, in one kernel and in two. Private to src/fusion.
#pragma once

#include "fusion/cost.h"
#include "fusion/product.h"
#include "fusion/separable.h"

namespace tuff {

// A product's work at typical sizes, and that of the window at one of its elements.
struct SeparableWork {
  int64_t batch = 1, rows = 1, columns = 1, depth = 1;
  int64_t taps = 0, map_operations = 0;  // taps 0: the rows are in memory
  bool own_channel = true;               // else a tap is one channel of one pixel, the same for all of its row
  int64_t bytes = 0;                     // that memory sees
};

struct TileCost {
  int64_t workgroups = 0, ns = 0, operations = 0;
};

// Of two that memory holds up alike, that which computes less.
bool is_better(const TileCost& a, const TileCost& b);

// Of the kernel; of the product by itself where the work has no taps.
TileCost cost_of(const SeparableTile& tile, const SeparableWork& work, const DeviceInfo& device);
// The window of this work by itself, or the product that is a window of one pixel or a contract, where memory sees so many
// bytes.
TileCost window_cost(const Graph& graph, NodeId window, const SeparableWork& work, int64_t bytes, const DeviceInfo& device);

// Of one invocation: the taps and maps of as many elements as the tile has steps.
int64_t window_operations(const SeparableWork& work, const SeparableTile& tile, const DeviceInfo& device);

struct SeparableChoice {
  SeparableWork work;                 // what the kernel does; of what memory sees it knows nothing
  SeparableTile product;              // the product's, by itself
  std::optional<SeparableTile> tile;  // the kernel's
  int64_t wanted = 1;                 // workgroups that it has to have
  int64_t most = 0;                   // workgroups of tiles that fit
};

// Of a group of kind kSeparable.
SeparableChoice choose_separable(const Graph& graph, const Group& group, const ProductExtents& e, const DeviceInfo& device,
                                 bool exact);

}  // namespace tuff
