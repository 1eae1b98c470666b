// Rolling rows (expand.h): the strips that an image can have, and what each costs.
#include <algorithm>

#include "base/checked.h"
#include "fusion/expand_cost.h"

namespace tuff {
namespace {

// Rows of the product that a strip computes.
int64_t product_rows(const ExpandTile& tile, const ExpandWork& work) {
  const int64_t read = (tile.outputs[0] - 1) * work.strides[0] + work.kernel[0];
  return std::min(read, work.image[0]);
}

// What a compiler has to go through: all of a row is written out. llvmpipe's took 31 s of a core for EfficientNet's kernels
// without the limit and takes 24 with it (18 for kernels of their own), for the same time of a run.
constexpr int64_t kMostUnrolled = 2560;
int64_t unrolled_operations(const ExpandTile& tile, const ExpandWork& work) {
  const int64_t sums = int64_t{tile.rows} * tile.width;
  const int64_t results = work.window ? tile.outputs[1] * tile.width * (work.taps + work.result_operations) : 0;
  return sums * (tile.steps + work.map_operations) + results;
}

int64_t rolling_rounds(const ExpandTile& tile, const ExpandWork& work) {
  const int64_t strips = tile.combined ? tile.strips : 1;
  return strips * (1 + tile.outputs[0] + product_rows(tile, work) * (2 + ceil_div(work.depth, int64_t{tile.steps})));
}

}  // namespace

std::vector<ExpandTile> rolling_tiles(const ExpandWork& work, int width, int steps, const DeviceInfo& device, bool exact) {
  constexpr int64_t kMostSums = 64, kMostRows = 7;
  if (!exchanges_loads(device) || exact || work.image.size() != 2) return {};
  for (size_t i = 0; i < 2; ++i)
    if (work.dilations[i] != 1 || work.strides[i] > work.kernel[i] || work.kernel[i] > kMostRows) return {};
  std::vector<ExpandTile> tiles;
  const int64_t lanes = device.subgroup_size;
  for (int w = width; w >= 1; w /= 2)
    for (int64_t strips = 1; strips <= work.outputs[1]; ++strips) {
      ExpandTile tile;
      tile.rolling = true;
      tile.window = work.window, tile.combined = work.combined;
      tile.outputs = {work.outputs[0], ceil_div(work.outputs[1], strips)};
      if (strips > 1 && ceil_div(work.outputs[1], strips - 1) == tile.outputs[1]) continue;
      tile.strips = ceil_div(work.outputs[1], tile.outputs[1]);
      tile.staged = {work.kernel[0], (tile.outputs[1] - 1) * work.strides[1] + work.kernel[1]};
      // A strip that is all of the image knows which of its columns are padding.
      tile.rows = static_cast<int>(tile.strips == 1 ? std::min(tile.staged[1], work.image[1]) : tile.staged[1]);
      tile.width = w, tile.steps = steps;
      tile.vectors = tile.invocations = lanes;
      tile.image_tiles = tile.combined ? 1 : tile.strips;
      if (int64_t{tile.rows} * w > kMostSums || unrolled_operations(tile, work) > kMostUnrolled) continue;
      if (device.max_loop_rounds == 0 || rolling_rounds(tile, work) < device.max_loop_rounds) tiles.push_back(tile);
    }
  return tiles;
}

TileCost rolling_cost(const ExpandTile& tile, const ExpandWork& work, const DeviceInfo& device) {
  const int64_t slices = ceil_div(work.channels, tile.vectors * tile.width);
  const int64_t workgroups = work.batch * slices * tile.image_tiles;
  const int64_t rows = product_rows(tile, work), columns = tile.vectors * tile.width, sums = int64_t{tile.rows} * tile.width;
  // As the product's own kernel, but that a vector of weights is loaded for each row of the image.
  const int64_t loads = ceil_div(int64_t{tile.rows}, tile.vectors) * load_cost(device, tile.steps);
  const int64_t step = sums + tile.rows + ceil_div(loads, int64_t{tile.steps}) + load_cost(device, tile.width);
  // A row takes the place of one that takes another's.
  const int64_t row = work.depth * step + (work.window ? tile.staged[0] * tile.staged[1] * tile.width : 0);
  const int64_t results = tile.output_count() * tile.width * (work.taps + (tile.combined ? 1 : 0));
  const int64_t lanes = work.batch * slices * tile.vectors * tile.strips;
  // The product's own kernel maps each element, too.
  const int64_t again = std::max<int64_t>(0, lanes * rows * sums - work.batch * work.channels * work.image[0] * work.image[1]);
  const int64_t operations = lanes * (rows * row + results) + again * work.map_operations;
  // Few workgroups end at different times.
  const int64_t units = device.rates.compute_units;
  const int64_t busy = operations / workgroups * ceil_div(workgroups, units) * units;
  const int64_t cache_bytes = 4 * work.batch * slices * tile.strips * rows * work.depth * (tile.rows + columns);
  return {workgroups, busy_ns(work.bytes, cache_bytes, busy, workgroups, device), operations};
}

}  // namespace tuff
