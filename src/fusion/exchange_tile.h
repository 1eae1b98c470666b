// How a product's workgroups cover it where each is one subgroup, whose lanes exchange what they load (exchanges_loads()): the
// tile of a lane, and where rows' statistics are computed, how many workgroups compute those of one row. row_statistics.cpp
// prices what src/kernel makes.
#pragma once

#include "fusion/product.h"

namespace tuff {

// Of a lane: rows, and vectors of `width` columns for each of the products.
struct ExchangeTile {
  int rows = 8, vectors = 1, width = 1;
};
struct ExchangeRange {
  int width = 1, least_width = 1;  // of a vector
  int steps = 1;                   // k loaded together
  int products = 1;                // of the same rows
  bool wide = false;               // may it take more registers than there are said to be?
};
// The one that costs least for a useful column; nullopt where loads are not exchanged, or no tile's registers are there.
std::optional<ExchangeTile> choose_exchange_tile(const ProductExtents& extents, const ExchangeRange& range,
                                                 const DeviceInfo& device);
// Of a lane, an estimate: accumulators, both operands of one step, each row's addresses and checks, the rest.
int64_t tile_registers(int64_t rows, int64_t columns, int64_t steps);

// A product whose workgroups compute statistics of their rows: the columns of its tiles of rows are panels, each as wide as a
// workgroup's tile. A workgroup that walks over several of them computes its rows' statistics once.
struct PanelWalk {
  ProductExtents extents;
  int64_t row_tile = 1, column_tile = 1, steps = 1;  // of a workgroup, and k loaded together
  int64_t statistic_count = 0;
  int64_t wanted = 0;  // workgroups of the whole product, as long as there are panels for them

  IntExpr panels() const { return ceil_div(extents.columns, IntExpr(column_tile)); }
  // How many workgroups have one tile of rows; no less than wanted, or than the rounds that the device makes of loops allow.
  IntExpr workgroups(const DeviceInfo& device) const;
};
// What keeps the device's cores evenly busy.
int64_t busy_workgroups(const DeviceInfo& device);

}  // namespace tuff
