// Whether workgroups share a contraction's sums (sum_parts.h), and how many a tile: a larger tile with parts, which loads what
// it multiplies less often, against a smaller one without. Private to src/kernel.
#pragma once

#include <string>

#include "kernel/contract_tile.h"
#include "kernel/sum_parts.h"

namespace tuff {

struct SumSplit {
  ContractTile tile, whole;      // the one that is predicted to be fastest; the one that shares no sums
  int64_t ns = 0, whole_ns = 0;  // predicted
  std::string why_whole;         // where that is the fastest, or there are no parts: a clause
  bool leaves_much = false;      // parts would be faster, but for the bytes that they leave
};

SumSplit split_sums(const KernelRequest& request, const Contraction& c, const TileRange& range);
// `columns`: a tile whose columns are chosen.
SumSplit split_gemv(const KernelRequest& request, const Contraction& c, const ContractTile& columns, int64_t chunks);
// How many of gemv's invocations have chunks of their own: as many as there are, or room.
uint32_t gemv_lanes(const KernelRequest& request, const ContractTile& tile, int64_t chunks);

}  // namespace tuff
