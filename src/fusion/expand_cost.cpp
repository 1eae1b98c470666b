// The tiles in which a product and the window that reads it can be one kernel, what each costs by the device's rates, and the
// best of them.
#include "fusion/expand_cost.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/checked.h"
#include "device/quirks.h"
#include "fusion/cost.h"
#include "fusion/grow.h"

namespace tuff {
namespace {

constexpr int64_t kMostTreeLevels = 8;  // of 256 invocations

int64_t product_of(const std::vector<int64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>());
}

std::vector<int64_t> constants_of(const Dims& shape) {
  std::vector<int64_t> sizes;
  for (size_t i = 2; i < shape.size(); ++i) sizes.push_back(shape[i].constant());
  return sizes;
}

ExpandWork typical_expand_work(const Graph& graph, const Group& group, const ExpandedOperand& operand) {
  const Dims& out = graph.value(graph.node(group.anchor).output).shape;
  ExpandWork work;
  work.batch = std::max<int64_t>(1, typical(out[0]));
  work.channels = std::max<int64_t>(1, typical(out[1]));
  work.depth = product_extents(graph, operand.product)->depth.constant();
  work.image = constants_of(graph.value(operand.value).shape);
  work.outputs = constants_of(out);
  work.window = operand.window.valid(), work.combined = operand.reduction.valid();
  work.kernel.assign(work.outputs.size(), 1), work.strides = work.dilations = work.kernel;
  if (work.window) {
    const auto& window = std::get<WindowAttrs>(graph.node(group.anchor).attrs);
    work.taps = window.tap_count();
    work.kernel = window.kernel, work.strides = window.strides, work.dilations = window.dilations;
  }
  const NodeId last = work.window ? operand.window : operand.reduction;
  for (NodeId m : group.members) {
    const auto* map = std::get_if<MapAttrs>(&graph.node(m).attrs);
    if (!map || (operand.reduction.valid() && operand.reduction < m)) continue;
    (m < last ? work.map_operations : work.result_operations) += map_op_row(map->op).cost;
  }
  return work;
}

// What the results of a tile read of the image, whose edges a tile may reach beyond but does not stage.
std::vector<int64_t> staged_of(const std::vector<int64_t>& outputs, const ExpandWork& work) {
  std::vector<int64_t> staged;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const int64_t read = (outputs[i] - 1) * work.strides[i] + (work.kernel[i] - 1) * work.dilations[i] + 1;
    staged.push_back(std::min(read, work.image[i]));
  }
  return staged;
}

// Of the window's results, all or some along each axis.
std::vector<std::vector<int64_t>> output_tiles(const ExpandWork& work) {
  std::vector<std::vector<int64_t>> tiles = {{}};
  for (int64_t extent : work.outputs) {
    std::vector<std::vector<int64_t>> longer;
    for (const std::vector<int64_t>& tile : tiles)
      for (int64_t size : {int64_t{1}, int64_t{2}, int64_t{4}, int64_t{7}, int64_t{8}, int64_t{14}, int64_t{16}, extent}) {
        if (size > extent) continue;
        longer.push_back(tile);
        longer.back().push_back(size);
      }
    tiles = std::move(longer);
  }
  std::sort(tiles.begin(), tiles.end());
  tiles.erase(std::unique(tiles.begin(), tiles.end()), tiles.end());
  return tiles;
}

// Accumulators, one step's operands, the addresses of rows that are loaded, the rest: as the product's own kernel.
bool fits_registers(const ExpandTile& tile, const DeviceInfo& device) {
  const int64_t registers = int64_t{tile.rows} * tile.width + tile.rows * tile.steps + tile.width + 6 * tile.rows + 24;
  return registers <= device.rates.registers_per_lane;
}

int64_t product_items(const ExpandTile& tile) { return tile.vectors * ceil_div(tile.staged_count(), int64_t{tile.rows}); }

// Loop rounds of an invocation.
int64_t rounds_of(const ExpandTile& tile, const ExpandWork& work) {
  const int64_t window = tile.window ? ceil_div(tile.output_count() * tile.vectors, tile.invocations) * (1 + work.taps) : 0;
  const int64_t combined = tile.combined ? ceil_div(tile.image_tiles, tile.lanes()) + 2 * kMostTreeLevels : 0;
  return ceil_div(product_items(tile), tile.invocations) * (1 + 2 * ceil_div(work.depth, int64_t{tile.steps})) + window +
         combined;
}

// Exact sums go over 64 lanes that take their elements in turn, then up a tree (NUMERICS).
bool combines_in_order(const ExpandTile& tile) {
  return tile.image_tiles == 1 && tile.lanes() == 64 && (tile.window || tile.rows == 1);
}

bool fits_device(const ExpandTile& tile, const ExpandWork& work, const DeviceInfo& device) {
  // A quarter of what there is for 256 invocations, so that enough of them have room to wait for each other's loads.
  const int64_t limit = device.rates.shared_memory_on_chip
                            ? device.max_shared_bytes / 4 * std::min<int64_t>(256, tile.invocations) / 256
                            : device.max_shared_bytes;
  return tile.shared_bytes() <= limit && fits_registers(tile, device) &&
         (device.max_loop_rounds == 0 || rounds_of(tile, work) < device.max_loop_rounds);
}

void for_each_tile(const ExpandWork& work, int width, int steps, const DeviceInfo& device, bool exact,
                   const std::function<void(const ExpandTile&)>& take) {
  const int64_t most = std::min(device.max_workgroup_invocations, device.max_workgroup_size[0]);
  for (const std::vector<int64_t>& outputs : output_tiles(work)) {
    ExpandTile tile;
    tile.outputs = outputs, tile.staged = staged_of(outputs, work), tile.width = width, tile.steps = steps;
    tile.window = work.window, tile.combined = work.combined;
    for (size_t i = 0; i < outputs.size(); ++i) tile.image_tiles *= ceil_div(work.outputs[i], outputs[i]);
    const int64_t vectors = ceil_div(work.channels, int64_t{width});
    for (tile.vectors = 1; tile.vectors < 2 * vectors && tile.vectors <= 32; tile.vectors *= 2)
      for (int rows : {4, 2, 1})
        for (int64_t invocations : {64, 128, 256}) {
          tile.rows = rows, tile.invocations = std::min(invocations, most);
          if (tile.combined && (!is_power_of_two(tile.lanes()) || tile.lanes() * tile.vectors != tile.invocations)) continue;
          if (tile.combined && exact && !combines_in_order(tile)) continue;
          if (fits_device(tile, work, device)) take(tile);
        }
  }
}

}  // namespace

int64_t ExpandTile::output_count() const { return product_of(outputs); }
int64_t ExpandTile::staged_count() const { return product_of(staged); }

SeparableWork work_of_window(const ExpandWork& work) {
  SeparableWork window;
  window.batch = work.batch, window.rows = product_of(work.outputs), window.depth = work.channels, window.taps = work.taps;
  return window;
}

TileCost cost_of(const ExpandTile& tile, const ExpandWork& work, const DeviceInfo& device) {
  if (tile.rolling) return rolling_cost(tile, work, device);
  const int64_t workgroups = work.batch * ceil_div(work.channels, tile.vectors * tile.width) * tile.image_tiles;
  auto lanes = [&](int64_t items) { return workgroups * ceil_div(items, tile.invocations) * tile.invocations; };
  // Each k takes a multiply-add an accumulator, a load of each row's elements and one of a vector of columns.
  const int64_t step = int64_t{tile.rows} * tile.width +
                       ceil_div(tile.rows * load_cost(device, tile.steps), int64_t{tile.steps}) + load_cost(device, tile.width);
  const int64_t tap = tile.width + 2 * load_cost(device, tile.width);
  const int64_t staged = workgroups * tile.staged_count() * tile.vectors * tile.width;
  const int64_t again = std::max<int64_t>(0, staged - work.batch * work.channels * product_of(work.image));
  const int64_t combined = tile.combined ? lanes(tile.output_count() * tile.vectors) * tile.width : 0;
  const int64_t operations = barrier_cost(device, lanes(product_items(tile)) * work.depth * step +
                                                      lanes(tile.output_count() * tile.vectors) * work.taps * tap +
                                                      again * work.map_operations + combined);
  const int64_t columns = tile.vectors * tile.width;
  const int64_t cache_bytes = 4 * workgroups * (work.depth * (tile.staged_count() + columns) + work.taps * columns);
  // What tiles leave each other; and the last of them waits, which is no more than a launch.
  const bool shared = tile.combined && tile.image_tiles > 1;
  const int64_t left_bytes = shared ? 2 * 4 * workgroups * columns : 0;
  const int64_t waits_ns = shared ? device.rates.launch_ns : 0;
  return {workgroups, waits_ns + busy_ns(work.bytes + left_bytes, cache_bytes, operations, workgroups, device), operations};
}

ExpandChoice choose_expand(const Graph& graph, const Group& group, const ExpandedOperand& operand, const DeviceInfo& device,
                           bool exact) {
  ExpandChoice choice;
  choice.work = typical_expand_work(graph, group, operand);
  const ExpandWork& work = choice.work;
  const int64_t window_workgroups =
      work.window ? window_cost(graph, group.anchor, work_of_window(work), 0, device).workgroups : 0;
  const int64_t busy = 2 * device.rates.compute_units;
  const auto extents = product_extents(graph, operand.product);
  const int width = vector_width(graph.value(graph.node(group.anchor).output).shape[1]);
  // The product's own kernel takes smaller tiles until it has as many: at last a vector an invocation.
  const int64_t most_of_product = ceil_div(work.batch * work.channels * product_of(work.image), int64_t{64} * width);
  if (most_of_product >= busy || window_workgroups >= busy) choice.wanted = busy;
  TileCost best;
  auto consider = [&](const ExpandTile& tile) {
    const TileCost cost = cost_of(tile, work, device);
    choice.most = std::max(choice.most, cost.workgroups);
    if (cost.workgroups < choice.wanted || (choice.tile && !is_better(cost, best))) return;
    best = cost;
    choice.tile = tile;
  };
  const int steps = depth_steps(extents->depth);
  if (!has_quirk(device, Quirk::llvmpipe_idle_subgroups)) for_each_tile(work, width, steps, device, exact, consider);
  if (*std::min_element(operand.low.begin(), operand.low.end()) >= 0)
    for (const ExpandTile& tile : rolling_tiles(work, width, steps, device, exact)) consider(tile);
  return choice;
}

std::string why_no_tile(const ExpandChoice& choice, const DeviceInfo& device, bool exact) {
  if (choice.most > 0)
    return std::to_string(choice.most) + " workgroups would keep fewer than two on each of " +
           std::to_string(device.rates.compute_units) + " compute units busy.";
  if (has_quirk(device, Quirk::llvmpipe_idle_subgroups)) return kIdleSubgroups;
  return std::string("no tile of the ") + (exact && choice.work.combined ? "whole image" : "image") + " fits the " +
         std::to_string(device.max_shared_bytes) +
         " bytes of shared memory, the registers and the rounds of loops that the device has.";
}

std::optional<ExpandTile> expand_tile(const Graph& graph, const Group& group, const DeviceInfo& device, bool exact) {
  const auto operand = expanded_operand(group, graph);
  return operand ? choose_expand(graph, group, *operand, device, exact).tile : std::nullopt;
}

}  // namespace tuff
