// How a contraction is spread over invocations and workgroups: the tile that the cost model likes best, or one that was
// observed to be faster. Private to src/kernel.
#pragma once

#include <string>

#include "kernel/contraction.h"

namespace tuff {

// What a contraction's tiles may be.
struct TileRange {
  Register reg = Register::kFloat;
  int width = 1, least_width = 1;  // n a vector
  int steps = 1;                   // k loaded together
  bool words = false;              // ContractTile::words
};

bool is_32_bits(Register reg);
std::string tile_text(const ContractTile& tile);
// Of one that shares no sums.
ContractTile whole_tile(const KernelRequest& request, const Contraction& c, const TileRange& range);
ContractTile take_tile(const KernelRequest& request, const Contraction& c, const TileRange& range, KernelTuning& tuning);

// `columns`: a tile whose columns are chosen; the invocations and workgroups that share its chunks are to be.
ContractTile take_gemv_tile(const KernelRequest& request, const Contraction& c, const ContractTile& columns, int64_t chunks,
                            KernelTuning& tuning);
std::string gemv_text(const ContractTile& tile, int64_t chunks, int64_t chunk_length);

}  // namespace tuff
