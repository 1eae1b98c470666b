// What kernels that have tiles of an image make of their window's or product's results: what they store of them, and what they
// combine. Private to src/kernel.
#pragma once

#include "kernel/combine_tiles.h"

namespace tuff {

std::string axis_name(const char* name, size_t axis);
// The variables b, n and, with that name, a position on each spatial axis.
Dims image_coordinates(const char* name, const Dims& shape, const IntExpr& channels);

// At a point, where the emitter has the anchor's result as its input 0.
struct TileResults {
  Point point;
  StoredElements stores;
  int combined = -1;  // the op that is combined, if any

  Status write(Emitter& emitter, Block& block, const TileReduction& reduction) const;
};
Result<TileResults> tile_results(const KernelRequest& request, GroupScope& group, NodeId reduction, const Dims& at);

}  // namespace tuff
