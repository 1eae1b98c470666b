// The tiles in which a separable convolution can be computed, what each costs by the device's rates, and the best of them.
#include "fusion/separable_cost.h"

#include <algorithm>
#include <set>

#include "base/checked.h"

namespace tuff {

bool is_better(const TileCost& a, const TileCost& b) { return a.ns != b.ns ? a.ns < b.ns : a.operations < b.operations; }

namespace {

int64_t window_workgroups(const SeparableWork& work) {
  return ceil_div(work.batch * work.rows * work.depth, int64_t{64} * (work.depth % 4 == 0 ? 4 : work.depth % 2 == 0 ? 2 : 1));
}

// Of a lane, to this number: what staging windows takes besides the product's tile is spilled there (V3D's compiler, of 64),
// while others compute addresses anew.
constexpr int64_t kFewRegisters = 64, kStagingRegisters = 12;

// Accumulators, one step's operands, the addresses of rows that are loaded, the rest.
int64_t tile_registers(const SeparableTile& tile, bool fused) {
  const int64_t loaded_rows = !fused ? tile.rows : tile.exchange ? ceil_div(int64_t{tile.rows}, tile.lanes_n) : 1;
  return int64_t{tile.rows} * tile.columns * tile.width + tile.rows * tile.steps + tile.columns * tile.width + 6 * loaded_rows +
         24;
}

// Tiles of invocations, before it is known what they stage.
std::vector<SeparableTile> invocation_tiles(const SeparableWork& work, int width, int steps, bool fused,
                                            const DeviceInfo& device) {
  std::vector<SeparableTile> tiles;
  auto add = [&](int rows, int columns, int w, int64_t lanes_n, int64_t lanes_m, bool exchange) {
    SeparableTile tile{rows, columns, w, steps, lanes_n, lanes_m, exchange};
    const int64_t staging = fused && !exchange && device.rates.registers_per_lane <= kFewRegisters ? kStagingRegisters : 0;
    if (tile_registers(tile, fused) + staging <= device.rates.registers_per_lane) tiles.push_back(tile);
  };
  const int64_t lanes = device.subgroup_size;
  if (device.rates.loads_cost_lanes && device.subgroup_ballot && lanes >= 4 && lanes <= 16 &&
      device.min_subgroup_size == lanes && device.max_subgroup_size == lanes) {
    for (int rows : {8, 4})
      for (int w = width; w >= 1; w /= 2)
        for (int columns = 1; columns <= (fused ? 8 : 4); ++columns) add(rows, columns, w, lanes, 1, true);
    return tiles;
  }
  const int64_t invocations = std::min<int64_t>(64, device.max_workgroup_invocations);
  // The product by itself takes the widest vectors; narrower ones leave fewer rows, and so more workgroups.
  for (int rows : {8, 4, 2, 1})
    for (int w = width; w >= (fused ? 1 : width); w /= 2)
      for (int columns = 1; columns <= 6; ++columns)
        for (int64_t lanes_n = 1; lanes_n <= invocations; lanes_n *= 2) {
          if (lanes_n > 1 && (lanes_n / 2) * columns * w >= work.columns) break;
          add(rows, columns, w, lanes_n, invocations / lanes_n, false);
        }
  return tiles;
}

// Loop rounds of an invocation.
int64_t rounds_of(const SeparableTile& tile, const SeparableWork& work) {
  const int64_t vectors = ceil_div(work.depth, int64_t{tile.steps}), panels = ceil_div(work.columns, tile.column_tile());
  if (tile.exchange) return vectors * (1 + ceil_div(int64_t{tile.rows}, tile.lanes_n) * (1 + work.taps));
  const int64_t staged = ceil_div(tile.row_tile() * vectors, tile.lanes_n * tile.lanes_m) * (1 + work.taps);
  return staged + (vectors + 1) * (tile.whole ? panels : 1) + ceil_div(vectors, tile.stretch);
}

// Sets what is staged at a time: the whole of k, or stretches of it. False where the device has no room or no rounds for it.
bool set_stretch(SeparableTile& tile, bool whole, const SeparableWork& work, const DeviceInfo& device) {
  auto ends = [&] { return device.max_loop_rounds == 0 || rounds_of(tile, work) < device.max_loop_rounds; };
  if (tile.exchange) return !whole && ends();
  const bool on_chip = device.rates.shared_memory_on_chip;
  // Half of it, so that a second workgroup has room.
  const int64_t limit = on_chip ? device.max_shared_bytes / 2 : device.max_shared_bytes;
  const int64_t vectors = ceil_div(work.depth, int64_t{tile.steps});
  tile.whole = whole;
  tile.stretch = whole ? vectors : std::min<int64_t>(vectors, 16);
  tile.stride = on_chip ? tile.stretch | 1 : tile.stretch;  // neighbouring rows in other banks
  return tile.shared_bytes() <= limit && ends();
}

SeparableWork typical_work(const ProductExtents& e) {
  auto at_least_one = [](const IntExpr& extent) { return std::max<int64_t>(1, typical(extent)); };
  SeparableWork work;
  work.batch = at_least_one(e.batch);
  work.rows = at_least_one(e.rows);
  work.columns = at_least_one(e.columns);
  work.depth = at_least_one(e.depth);
  return work;
}

// Of a product that is a kernel of its own.
SeparableTile best_product_tile(const ProductExtents& e, const SeparableWork& work, const DeviceInfo& device) {
  SeparableTile best;
  TileCost best_cost;
  for (const SeparableTile& tile : invocation_tiles(work, vector_width(e.columns), depth_steps(e.depth), false, device)) {
    const TileCost cost = cost_of(tile, work, device);
    if (best_cost.workgroups != 0 && !is_better(cost, best_cost)) continue;
    best_cost = cost;
    best = tile;
  }
  return best;
}

// Maps between the window and the product's first operand, by their cost an element.
int64_t map_operations(const Graph& graph, const Group& group, NodeId window) {
  int64_t operations = 0;
  std::set<uint32_t> seen;
  for (std::vector<ValueId> todo = {graph.node(group.anchor).inputs[0]}; !todo.empty();) {
    const NodeId maker = graph.value(todo.back()).producer;
    todo.pop_back();
    if (!maker.valid() || maker == window || !seen.insert(maker.value).second) continue;
    const auto* map = std::get_if<MapAttrs>(&graph.node(maker).attrs);
    if (!map || !std::binary_search(group.members.begin(), group.members.end(), maker)) continue;
    operations += map_op_row(map->op).cost;
    todo.insert(todo.end(), graph.node(maker).inputs.begin(), graph.node(maker).inputs.end());
  }
  return operations;
}

}  // namespace

int64_t window_operations(const SeparableWork& work, const SeparableTile& tile, const DeviceInfo& device) {
  const int64_t x_load = load_cost(device, work.own_channel ? tile.steps : 1);
  return work.taps * (tile.steps + x_load + load_cost(device, tile.steps)) + work.map_operations * tile.steps;
}

TileCost cost_of(const SeparableTile& tile, const SeparableWork& work, const DeviceInfo& device) {
  const int64_t row_tiles = ceil_div(work.rows, tile.row_tile()), panels = ceil_div(work.columns, tile.column_tile());
  const int64_t vectors = ceil_div(work.depth, int64_t{tile.steps});
  const bool fused = work.taps > 0;
  const int64_t grid_panels = fused && tile.whole ? 1 : panels;
  const int64_t workgroups = work.batch * row_tiles * grid_panels;
  // Each k takes a multiply-add an accumulator, a row's element from a register or the workgroup, and vectors of columns.
  int64_t step = int64_t{tile.rows} * tile.columns * tile.width + tile.rows + tile.columns * load_cost(device, tile.width);
  if (tile.exchange && !fused) step += load_cost(device, tile.steps) / tile.steps;
  if (tile.staged() && fused && !device.rates.shared_memory_on_chip) step += tile.rows * load_cost(device, 1);
  int64_t operations = work.batch * row_tiles * panels * tile.lanes_n * tile.lanes_m * vectors * tile.steps * step;
  int64_t cache_bytes = 4 * work.batch * row_tiles * work.columns * work.depth;
  if (fused) {
    const int64_t rows = tile.exchange ? ceil_div(int64_t{tile.rows}, tile.lanes_n) * tile.lanes_n : tile.row_tile();
    operations += workgroups * rows * vectors * window_operations(work, tile, device);
    cache_bytes += 4 * work.batch * work.rows * work.depth * grid_panels * work.taps;
  } else {
    cache_bytes += 4 * work.batch * work.rows * work.depth * panels;
  }
  return {workgroups, busy_ns(work.bytes, cache_bytes, operations, workgroups, device), operations};
}

TileCost window_cost(const Graph& graph, NodeId window, const SeparableWork& work, int64_t bytes, const DeviceInfo& device) {
  if (const auto product = product_extents(graph, window)) {
    SeparableWork alone = typical_work(*product);
    alone.bytes = bytes;
    return cost_of(best_product_tile(*product, alone, device), alone, device);
  }
  const SeparableTile vectors{1, 1, 1, work.depth % 4 == 0 ? 4 : 1};
  const int64_t elements = work.batch * work.rows * work.depth, workgroups = window_workgroups(work);
  const int64_t operations = ceil_div(elements, int64_t{vectors.steps}) * window_operations(work, vectors, device);
  return {workgroups, busy_ns(bytes, 4 * elements * work.taps, operations, workgroups, device), operations};
}

SeparableChoice choose_separable(const Graph& graph, const Group& group, const ProductExtents& e, const DeviceInfo& device,
                                 bool exact) {
  const NodeId window = separable_window(group, graph);
  SeparableChoice choice;
  choice.work = typical_work(e);
  choice.product = best_product_tile(e, choice.work, device);
  const TileCost product = cost_of(choice.product, choice.work, device);
  SeparableWork& work = choice.work;
  work.taps = std::get<WindowAttrs>(graph.node(window).attrs).tap_count();
  work.own_channel = is_own_channel_window(graph, window);
  if (!work.own_channel) work.taps *= std::max<int64_t>(1, typical(graph.value(graph.node(window).inputs[1]).shape[1]));
  work.map_operations = map_operations(graph, group, window);
  const int64_t busy = 2 * device.rates.compute_units;
  if (window_cost(graph, window, work, 0, device).workgroups >= busy || product.workgroups >= busy) choice.wanted = busy;
  TileCost best;
  for (SeparableTile tile : invocation_tiles(work, vector_width(e.columns), depth_steps(e.depth), true, device))
    for (bool whole : {true, false}) {
      if (!set_stretch(tile, whole, work, device)) continue;
      // A chunk of a sum may be longer than a stretch.
      if (tile.staged() && !whole && exact && e.chunked) continue;
      const TileCost cost = cost_of(tile, work, device);
      choice.most = std::max(choice.most, cost.workgroups);
      if (cost.workgroups < choice.wanted || (choice.tile && !is_better(cost, best))) continue;
      best = cost;
      choice.tile = tile;
    }
  return choice;
}

std::optional<SeparableTile> separable_tile(const Graph& graph, const Group& group, const DeviceInfo& device, bool exact) {
  const auto extents = product_extents(graph, group.anchor);
  return extents ? choose_separable(graph, group, *extents, device, exact).tile : std::nullopt;
}

}  // namespace tuff
