// How a contraction is spread over invocations and workgroups: the tile that the cost model likes best, or one that was
// observed to be faster. Private to src/kernel.
#pragma once

#include <optional>
#include <string>
#include <vector>

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
// The extents that such a text begins with, and whether lanes exchange; nullopt where there are none.
std::optional<ContractTile> read_extents(const std::string& text);
// One number of the tile doubled, halved or traded for another.
std::vector<ContractTile> neighbours_of(const ContractTile& tile, const DeviceInfo& device, bool with_parts);
int64_t registers_of(const ContractTile& tile);  // an estimate, a lane
int64_t row_statistic_count(const KernelRequest& request);
// Tiles of columns, and the workgroups that a tile of rows has for them: as many, if none walks over several.
IntExpr column_panels(const Contraction& c, const ContractTile& tile);
IntExpr column_workgroups(const KernelRequest& request, const Contraction& c, const ContractTile& tile);
// At typical sizes, were no sums shared.
int64_t workgroups_of(const KernelRequest& request, const Contraction& c, const ContractTile& tile);
// Where workgroups share no sums: the largest tile that leaves no compute unit idle, or the smallest.
ContractTile whole_tile(const KernelRequest& request, const Contraction& c, const TileRange& range);
// Those that the device has registers for, most reuse of what is loaded first.
std::vector<ContractTile> large_tiles(const KernelRequest& request, const Contraction& c, const TileRange& range);
ContractTile take_tile(const KernelRequest& request, const Contraction& c, const TileRange& range, KernelTuning& tuning);

// `columns`: a tile whose columns are chosen; the invocations and workgroups that share its chunks are to be.
ContractTile take_gemv_tile(const KernelRequest& request, const Contraction& c, const ContractTile& columns, int64_t chunks,
                            KernelTuning& tuning);
std::string gemv_text(const ContractTile& tile, int64_t chunks, int64_t chunk_length);

}  // namespace tuff
