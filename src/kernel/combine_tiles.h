// Reductions over images whose elements a kernel's workgroups have tile by tile (fusion/combined_tiles.cpp). Private to
// src/kernel.
#pragma once

#include "fusion/expand.h"
#include "kernel/kernel_build.h"

namespace tuff {

// What the group stores of what it has before the reduction, and after it.
struct ReducedStores {
  std::vector<ValueId> before, after;
};
ReducedStores reduced_stores(const KernelRequest& request, NodeId reduction);

struct TileReduction {
  const KernelRequest& request;
  const ExpandTile& tile;
  NodeId node;
  IntExpr batch, slices;  // images, and workgroups that have channels of one

  IntExpr partial_bytes() const;
  IntExpr counter_count() const { return batch * slices; }
  // A statement that takes the lanes' elements into the invocation's part.
  void combine(Block& block, const std::vector<std::string>& lanes) const;
  // Fills the slots that combine_tiles.glsl and expand.glsl have for it, `vector` being there. `setup` has b, tile and first_n;
  // `channels`: whether `first_n + slot` is one, as a condition; empty: always.
  Status fill(KernelWriter& writer, Block& setup, const std::string& channels, Slots& slots) const;

 private:
  Result<std::string> results(KernelWriter& writer, Block& setup) const;
};

}  // namespace tuff
