#include "fusion/exchange_tile.h"

#include <algorithm>

#include "base/checked.h"
#include "fusion/cost.h"

namespace tuff {
namespace {

// The most panels that a lane can walk over before the device leaves its loops: the sums of each, and the statistics before
// them, whose rows are as long as the product is deep or wide.
int64_t most_panels(const PanelWalk& walk, const DeviceInfo& device) {
  if (device.max_loop_rounds == 0) return INT32_MAX;
  const int64_t depth = walk.extents.depth.interval().high, columns = walk.extents.columns.interval().high;
  if (std::max(depth, columns) > INT32_MAX) return 1;
  const int64_t lanes = device.subgroup_size;
  const int64_t of_row = 1 + ceil_div(std::max(depth, columns), lanes) + lanes;
  const int64_t before = walk.statistic_count * walk.row_tile * of_row;
  return std::max<int64_t>(1, (device.max_loop_rounds - 1 - before) / (1 + ceil_div(depth, walk.steps)));
}

}  // namespace

int64_t tile_registers(int64_t rows, int64_t columns, int64_t steps) {
  return rows * columns + rows * steps + columns + 6 * rows + 24;
}

// Per k the tile takes a multiply-add for each accumulator, a broadcast for each row and a load for each vector of columns.
// Registers that a processor does not have lie in its first cache, so that a wide tile takes up to a third more where cores
// stay busy: a transformer's products in 8x16 take llvmpipe a tenth less time than in 8x8.
std::optional<ExchangeTile> choose_exchange_tile(const ProductExtents& extents, const ExchangeRange& range,
                                                 const DeviceInfo& device) {
  if (!exchanges_loads(device)) return std::nullopt;
  const int64_t columns = std::max<int64_t>(1, typical(extents.columns));
  std::optional<ExchangeTile> best;
  int64_t best_cost = 0;
  for (int width = range.width; width >= range.least_width; width /= 2)
    for (int vectors = 1; vectors <= 4; ++vectors) {
      const ExchangeTile tile{8, vectors, width};
      const int64_t loaded = int64_t{vectors} * range.products;
      const int64_t groups = ceil_div(columns, device.subgroup_size * vectors * width);
      const int64_t row_tiles = ceil_div(typical(extents.rows), int64_t{tile.rows});
      const bool wide = range.wide && typical(extents.batch) * row_tiles * groups >= busy_workgroups(device);
      const int64_t limit = device.rates.registers_per_lane;
      if (tile_registers(tile.rows, loaded * width, range.steps) > (wide ? limit * 4 / 3 : limit)) continue;
      const int64_t cost = groups * (ExchangeCost::kMultiplyAdd * tile.rows * loaded * width +
                                     ExchangeCost::kBroadcast * tile.rows + ExchangeCost::kLoad * loaded);
      if (best && cost >= best_cost) continue;
      best = tile;
      best_cost = cost;
    }
  return best;
}

int64_t busy_workgroups(const DeviceInfo& device) { return 8 * device.rates.compute_units; }

IntExpr PanelWalk::workgroups(const DeviceInfo& device) const {
  const IntExpr all = panels(), one(1);
  const IntExpr row_tiles = maximum(one, extents.batch * ceil_div(extents.rows, IntExpr(row_tile)));
  const IntExpr least = maximum(ceil_div(IntExpr(wanted), row_tiles), ceil_div(all, IntExpr(most_panels(*this, device))));
  const IntExpr count = minimum(all, least);
  if (!count.is_constant() || !all.is_constant() || count.is(0)) return count;
  // No more than it takes for as many panels each.
  return ceil_div(all, ceil_div(all, count));
}

}  // namespace tuff
