#include "kernel/contract_tile.h"

#include <algorithm>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/exchange_tile.h"
#include "fusion/product.h"
#include "kernel/row_statistics.h"
#include "kernel/schedule.h"
#include "kernel/split_sums.h"

namespace tuff {
int64_t registers_of(const ContractTile& tile) {
  return tile_registers(tile.rows, int64_t{tile.columns} * tile.products * tile.width, tile.steps);
}

namespace {

int products_of(const Contraction& c) { return 1 + static_cast<int>(c.others.size()); }

// 64 bits need a feature of their own to be exchanged.
bool can_exchange(const DeviceInfo& device, const Contraction& c, Register reg) {
  return is_32_bits(reg) && can_exchange_loads(device) && !c.depth.is(0);
}

// Where neighbouring lanes' loads are not joined, a workgroup is one subgroup: its lanes load a row each and exchange them,
// and each has columns of its own. Where it computes statistics of its rows, it walks over panels of columns.
std::optional<ContractTile> choose_exchange(const KernelRequest& request, const Contraction& c, const TileRange& range) {
  const DeviceInfo& device = request.device;
  if (!can_exchange(device, c, range.reg)) return std::nullopt;
  const ExchangeRange exchanged{range.width, range.least_width, range.steps, products_of(c), !request.exact && c.taps.empty()};
  const auto chosen = choose_exchange_tile({c.batch, c.rows, c.columns, c.depth}, exchanged, device);
  if (!chosen) return std::nullopt;
  ContractTile tile;
  tile.rows = chosen->rows;
  tile.columns = chosen->vectors;
  tile.products = products_of(c);
  tile.width = chosen->width;
  tile.steps = range.steps;
  tile.words = range.words;
  tile.lanes_n = static_cast<uint32_t>(device.subgroup_size);
  tile.lanes_m = 1;
  tile.exchange = true;
  if (row_statistic_count(request) > 0) tile.spread = static_cast<uint32_t>(busy_workgroups(device));
  if (column_workgroups(request, c, tile) == column_panels(c, tile)) tile.spread = 0;
  return tile;
}

// Rows x vectors, best reuse of loaded operands first.
constexpr std::pair<int, int> kTiles[] = {{8, 2}, {4, 2}, {8, 1}, {4, 1}, {2, 1}, {1, 1}};

ContractTile tile_of(std::pair<int, int> size, const KernelRequest& request, const Contraction& c, const TileRange& range) {
  const int64_t invocations = std::min<int64_t>(64, request.device.max_workgroup_invocations);
  const int64_t vectors = std::max<int64_t>(1, typical(c.columns) / range.width);
  ContractTile tile;
  tile.rows = size.first;
  tile.columns = size.second;
  tile.products = products_of(c);
  tile.width = range.width;
  tile.steps = range.steps;
  tile.words = range.words;
  uint32_t lanes = 1;
  while (lanes < invocations && lanes * 2 <= static_cast<uint32_t>(ceil_div(vectors, tile.columns)) && lanes < 16) lanes *= 2;
  tile.lanes_n = lanes;
  tile.lanes_m = static_cast<uint32_t>(invocations) / lanes;
  return tile;
}

bool is_within(const ContractTile& tile, const KernelRequest& request, const Contraction& c) {
  return registers_of(tile) <= request.device.rates.registers_per_lane &&
         (tile.columns == 1 || tile.columns <= std::max<int64_t>(1, typical(c.columns) / tile.width));
}

}  // namespace

int64_t row_statistic_count(const KernelRequest& request) {
  return std::count_if(request.group.members.begin(), request.group.members.end(),
                       [&](NodeId m) { return std::holds_alternative<ReduceAttrs>(request.graph.node(m).attrs); });
}

IntExpr column_panels(const Contraction& c, const ContractTile& tile) {
  return ceil_div(c.columns, IntExpr(int64_t{tile.columns} * tile.lanes_n * tile.width));
}

IntExpr column_workgroups(const KernelRequest& request, const Contraction& c, const ContractTile& tile) {
  if (tile.spread == 0) return column_panels(c, tile);
  PanelWalk walk;
  walk.extents = {c.batch, c.rows, c.columns, c.depth};
  walk.row_tile = int64_t{tile.rows} * tile.lanes_m;
  walk.column_tile = int64_t{tile.columns} * tile.lanes_n * tile.width;
  walk.steps = tile.steps;
  walk.statistic_count = row_statistic_count(request);
  walk.wanted = tile.spread;
  return walk.workgroups(request.device);
}

int64_t workgroups_of(const KernelRequest& request, const Contraction& c, const ContractTile& tile) {
  return std::max<int64_t>(1, typical(c.batch)) *
         ceil_div(std::max<int64_t>(1, typical(c.rows)), int64_t{tile.rows} * tile.lanes_m) *
         std::max<int64_t>(1, typical(column_workgroups(request, c, tile)));
}

bool is_32_bits(Register reg) { return reg == Register::kFloat || reg == Register::kInt || reg == Register::kUint; }

std::string tile_text(const ContractTile& tile) {
  return "tile " + std::to_string(tile.rows) + "x" + std::to_string(tile.columns * tile.width) + " of " +
         std::to_string(tile.width) + ", invocations " + std::to_string(tile.lanes_m) + "x" + std::to_string(tile.lanes_n) +
         ", " + std::to_string(tile.k_step()) + " k a step" +
         (tile.products > 1 ? ", " + std::to_string(tile.products) + " products" : "") +
         (tile.parts > 1 ? ", sums over " + std::to_string(tile.parts) + " workgroups" : "") +
         (tile.spread != 0 ? ", panels over at least " + std::to_string(tile.spread) + " workgroups" : "") +
         (tile.exchange ? ", exchanged" : "");
}

std::optional<ContractTile> read_extents(const std::string& text) {
  const std::vector<int64_t> n = numbers_in(text);
  if (n.size() < 5 || n[2] == 0) return std::nullopt;
  ContractTile tile;
  tile.rows = static_cast<int>(n[0]);
  tile.columns = static_cast<int>(n[1] / n[2]);
  tile.width = static_cast<int>(n[2]);
  tile.lanes_m = static_cast<uint32_t>(n[3]);
  tile.lanes_n = static_cast<uint32_t>(n[4]);
  tile.exchange = text.ends_with(", exchanged");
  return tile;
}

namespace {

std::optional<ContractTile> read_tile(const std::string& text, int products) {
  const std::vector<int64_t> n = numbers_in(text);
  std::optional<ContractTile> tile = read_extents(text);
  if (!tile || n.size() < 6) return std::nullopt;
  tile->steps = static_cast<int>(n[5]);
  tile->products = products;
  const size_t at_workgroups = products > 1 ? 7 : 6;
  const bool walks = text.find(", panels over") != std::string::npos;
  if (n.size() > at_workgroups) (walks ? tile->spread : tile->parts) = static_cast<uint32_t>(n[at_workgroups]);
  return tile;
}

// What every tile of this kernel has to keep to.
struct TileLimits {
  const KernelRequest& request;
  const Contraction& c;
  int width, steps;  // the most
  int64_t reduction_count;
  bool can_exchange;
  ContractTile predicted;
  const DeviceInfo& device = request.device;

  bool fits(const ContractTile& tile) const {
    return fits_kernel(tile) && fits_workgroup(tile) && fits_grid(tile) && fits_parts(tile) &&
           registers_of(tile) <= 2 * device.rates.registers_per_lane;  // an estimate that the compiler often beats
  }

 private:
  bool fits_kernel(const ContractTile& tile) const {
    return is_power_of_two(tile.rows) && tile.rows <= 16 && tile.columns >= 1 && tile.columns <= 8 && tile.width >= 1 &&
           width % tile.width == 0 && tile.steps >= 1 && steps % tile.steps == 0;
  }
  bool fits_workgroup(const ContractTile& tile) const {
    if (tile.exchange && !(can_exchange && tile.lanes_m == 1 && tile.lanes_n == device.subgroup_size)) return false;
    if (tile.spread != 0 && !(tile.exchange && reduction_count > 0 && tile.parts == 1 && predicted.spread != 0)) return false;
    return is_power_of_two(tile.lanes_m) && is_power_of_two(tile.lanes_n) && tile.lanes_n <= device.max_workgroup_size[0] &&
           tile.lanes_m <= device.max_workgroup_size[1] &&
           int64_t{tile.lanes_m} * tile.lanes_n <= device.max_workgroup_invocations &&
           statistics_shared_bytes(int64_t{tile.rows} * tile.lanes_m, tile.lanes_n, reduction_count) + kArrivedBytes <=
               device.max_shared_bytes;
  }
  bool fits_parts(const ContractTile& tile) const {
    if (tile.parts <= 1) return tile.parts == 1;
    const SumParts parts = sum_parts(request, c, tile, false);
    return why_no_parts(request, c, false).empty() && parts.are_filled() && holds_parts(device, c, tile, parts, false);
  }
  // Sizes that are known only later may take more workgroups than a device starts; then no more than with the predicted tile.
  bool fits_grid(const ContractTile& tile) const {
    auto rows = [&](const ContractTile& t) { return most_workgroups(c.rows, int64_t{t.rows} * t.lanes_m); };
    auto columns = [&](const ContractTile& t) { return most_workgroups(c.columns, int64_t{t.columns} * t.width * t.lanes_n); };
    return rows(tile) <= std::max(device.max_workgroup_count[0], rows(predicted)) &&
           columns(tile) <= std::max(device.max_workgroup_count[1], columns(predicted));
  }
};

}  // namespace

std::vector<ContractTile> neighbours_of(const ContractTile& tile, const DeviceInfo& device, bool with_parts) {
  std::vector<ContractTile> all;
  auto add = [&](auto change) {
    all.push_back(tile);
    change(all.back());
  };
  using Tile = ContractTile;
  add([](Tile& t) { t.rows *= 2; });
  add([](Tile& t) { t.rows /= 2; });
  add([](Tile& t) { t.columns *= 2; });
  add([](Tile& t) { t.columns /= 2; });
  add([](Tile& t) { t.rows *= 2, t.columns /= 2; });
  add([](Tile& t) { t.rows /= 2, t.columns *= 2; });
  add([](Tile& t) { t.lanes_n *= 2, t.lanes_m /= 2; });
  add([](Tile& t) { t.lanes_n /= 2, t.lanes_m *= 2; });
  add([](Tile& t) { t.lanes_m *= 2; });
  add([](Tile& t) { t.lanes_m /= 2; });
  add([](Tile& t) { t.lanes_n *= 2; });
  add([](Tile& t) { t.lanes_n /= 2; });
  add([](Tile& t) { t.steps = t.steps > 2 ? t.steps / 2 : 1; });
  add([](Tile& t) { t.steps *= 2; });
  add([](Tile& t) { t.width /= 2; });
  add([](Tile& t) { t.width *= 2; });
  add([](Tile& t) { t.columns += 1; });
  add([](Tile& t) { t.columns -= 1; });
  add([&](Tile& t) {
    t.exchange = !t.exchange;
    t.lanes_n = t.exchange ? static_cast<uint32_t>(device.subgroup_size) : t.lanes_n;
    t.lanes_m = t.exchange ? 1 : t.lanes_m;
    t.spread = 0;
  });
  if (tile.spread != 0) {
    add([](Tile& t) { t.spread *= 2; });
    add([](Tile& t) { t.spread /= 2; });
  }
  if (with_parts) {
    add([](Tile& t) { t.parts *= 2; });
    add([](Tile& t) { t.parts /= 2; });
    add([](Tile& t) { t.parts += 1; });
    add([](Tile& t) { t.parts -= 1; });
    add([](Tile& t) { t.rows *= 2, t.parts *= 2; });
    add([](Tile& t) { t.columns *= 2, t.parts *= 2; });
  }
  return all;
}

ContractTile whole_tile(const KernelRequest& request, const Contraction& c, const TileRange& range) {
  if (auto tile = choose_exchange(request, c, range)) return *tile;
  ContractTile best;
  for (const auto& size : kTiles) {
    best = tile_of(size, request, c, range);
    if (!is_within(best, request, c)) continue;
    if (workgroups_of(request, c, best) >= 2 * request.device.rates.compute_units) break;
  }
  return best;
}

std::vector<ContractTile> large_tiles(const KernelRequest& request, const Contraction& c, const TileRange& range) {
  std::vector<ContractTile> tiles;
  for (const auto& size : kTiles) {
    const ContractTile tile = tile_of(size, request, c, range);
    if (is_within(tile, request, c)) tiles.push_back(tile);
  }
  return tiles;
}

ContractTile take_tile(const KernelRequest& request, const Contraction& c, const TileRange& range, KernelTuning& tuning) {
  const ContractTile predicted = split_sums(request, c, range).tile;
  // What is summed in words is not tuned: a schedule's numbers say nothing of how words are read.
  if (range.words) return predicted;
  const TileLimits limits{
      request,  c, range.width, range.steps, row_statistic_count(request), can_exchange(request.device, c, range.reg),
      predicted};
  const bool with_parts =
      predicted.parts > 1 || (request.device.rates.shared_memory_on_chip && why_no_parts(request, c, false).empty());
  ScheduleSpace<ContractTile> space;
  space.key = contraction_key(request, c, "contract");
  space.text = tile_text;
  space.read = [&](const std::string& text) { return read_tile(text, predicted.products); };
  space.fits = [&](const ContractTile& tile) { return limits.fits(tile); };
  space.neighbours = [&](const ContractTile& tile) { return neighbours_of(tile, request.device, with_parts); };
  space.registers = [](const ContractTile& tile) { return registers_of(tile); };
  return choose_schedule(space, predicted, request.observations, tuning);
}

}  // namespace tuff
