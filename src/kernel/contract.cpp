// Contract kernels: matrix products and convolutions. Chooses between the tiled schedule, the one on matrix units
// (contract_matrix.cpp) and, for few rows, the one that splits the sum (gemv), and the size of the tile from registers and from
// how many workgroups keep the device busy.
#include <algorithm>
#include <optional>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/product.h"
#include "kernel/contraction.h"
#include "kernel/integer_dot.h"

namespace tuff {
namespace {

int products_of(const Contraction& c) { return 1 + static_cast<int>(c.others.size()); }

// Accumulators, both operands of one step, each row's addresses and checks, the rest.
int64_t registers_of(const ContractTile& tile) {
  const int64_t columns = int64_t{tile.columns} * tile.products * tile.width;
  return tile.rows * columns + tile.rows * tile.steps + columns + 6 * tile.rows + 24;
}

// Where neighbouring lanes' loads are not joined, a workgroup is one subgroup: its lanes load a row each and exchange them,
// and each has columns of its own. Per k the tile takes a multiply-add for each accumulator, a broadcast for each row and a
// load for each vector of columns; the vectors that cost least for a useful column are taken, no wider and no narrower than is
// said. Subgroups need a feature of their own to exchange 64 bits.
std::optional<ContractTile> choose_exchange(const DeviceInfo& device, const Contraction& c, Register reg, int width,
                                            int least_width, int steps) {
  const int64_t lanes = device.subgroup_size;
  const bool is_32_bits = reg == Register::kFloat || reg == Register::kInt || reg == Register::kUint;
  if (!is_32_bits || !device.rates.loads_cost_lanes || !device.subgroup_ballot || lanes < 4 || lanes > 16 ||
      device.min_subgroup_size != lanes || device.max_subgroup_size != lanes || c.depth.is(0))
    return std::nullopt;
  constexpr int64_t kLoad = 24, kBroadcast = 2, kMultiplyAdd = 2;  // instructions, as llvmpipe has them
  const int64_t columns = typical(c.columns);
  std::optional<ContractTile> best;
  int64_t best_cost = 0;
  for (int w = width; w >= least_width; w /= 2)
    for (int vectors = 1; vectors <= 4; ++vectors) {
      ContractTile tile;
      tile.rows = 8;
      tile.columns = vectors;
      tile.products = products_of(c);
      tile.width = w;
      tile.steps = steps;
      tile.lanes_n = static_cast<uint32_t>(lanes);
      tile.lanes_m = 1;
      tile.exchange = true;
      if (registers_of(tile) > device.rates.registers_per_lane) continue;
      const int64_t groups = ceil_div(std::max<int64_t>(1, columns), lanes * vectors * w);
      const int64_t loaded = int64_t{vectors} * tile.products;
      const int64_t cost = groups * (kMultiplyAdd * tile.rows * loaded * w + kBroadcast * tile.rows + kLoad * loaded);
      if (best && cost >= best_cost) continue;
      best = tile;
      best_cost = cost;
    }
  return best;
}

ContractTile choose_tile(const KernelRequest& request, const Contraction& c, Register reg, int width, int least_width,
                         int steps) {
  if (auto tile = choose_exchange(request.device, c, reg, width, least_width, steps)) return *tile;
  // Rows x vectors, best reuse of loaded operands first.
  constexpr std::pair<int, int> kTiles[] = {{8, 2}, {4, 2}, {8, 1}, {4, 1}, {2, 1}, {1, 1}};
  const int64_t rows = std::max<int64_t>(1, typical(c.rows)), vectors = std::max<int64_t>(1, typical(c.columns) / width);
  const int64_t invocations = std::min<int64_t>(64, request.device.max_workgroup_invocations);
  ContractTile best;
  for (auto [tile_rows, tile_columns] : kTiles) {
    ContractTile tile;
    tile.rows = tile_rows;
    tile.columns = tile_columns;
    tile.products = products_of(c);
    tile.width = width;
    tile.steps = steps;
    uint32_t lanes = 1;
    while (lanes < invocations && lanes * 2 <= static_cast<uint32_t>(ceil_div(vectors, tile_columns)) && lanes < 16) lanes *= 2;
    tile.lanes_n = lanes;
    tile.lanes_m = static_cast<uint32_t>(invocations) / lanes;
    int64_t workgroups = ceil_div(rows, tile_rows * static_cast<int64_t>(tile.lanes_m)) *
                         ceil_div(vectors, tile_columns * static_cast<int64_t>(tile.lanes_n)) *
                         std::max<int64_t>(1, typical(c.batch));
    best = tile;
    if (registers_of(tile) > request.device.rates.registers_per_lane) continue;
    if (tile_columns > 1 && tile_columns > vectors) continue;
    if (workgroups >= 2 * request.device.rates.compute_units) break;
  }
  return best;
}

// Each tile of columns computes its rows' statistics anew.
IntExpr statistics_cost(const Contraction& c, const ContractSlots& filled, const IntExpr& column_tile) {
  return c.batch * c.rows * c.depth * IntExpr(filled.statistic_count) * ceil_div(c.columns, column_tile);
}

Result<Kernel> make_tiled(const KernelRequest& request, const Contraction& c) {
  const Node& node = request.graph.node(request.group.anchor);
  const Register reg = register_of(request.graph.value(node.output).dtype);
  bool vectors = reg == Register::kFloat || reg == Register::kInt || reg == Register::kUint;
  int width = vectors ? vector_width(c.columns) : 1;
  TUFF_ASSIGN(const IntegerDotChoice choice, choose_integer_dot(request, c, width));
  const IntegerDot* dot = choice.dot ? &*choice.dot : nullptr;
  int steps = dot ? 1 : depth_steps(c.depth);
  ContractTile tile = choose_tile(request, c, reg, width, dot && dot->across ? width : 1, steps);
  tile.words = dot != nullptr;
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  TUFF_ASSIGN(ContractSlots filled, fill_contract(request, c, tile, false, writer, {}, dot));
  const IntExpr row_tile(tile.rows * static_cast<int64_t>(tile.lanes_m));
  const IntExpr column_tile(tile.columns * static_cast<int64_t>(tile.lanes_n) * tile.width);
  TUFF_ASSIGN(Kernel kernel,
              finish_kernel(request, writer, "contract", std::move(filled.slots), {tile.lanes_n, tile.lanes_m, 1},
                            {ceil_div(c.rows, row_tile), ceil_div(c.columns, column_tile), c.batch},
                            "tile " + std::to_string(tile.rows) + "x" + std::to_string(tile.columns * tile.width) + " of " +
                                std::to_string(tile.width) + ", invocations " + std::to_string(tile.lanes_m) + "x" +
                                std::to_string(tile.lanes_n) + ", " + std::to_string(tile.k_step()) + " k a step" +
                                (dot ? " by " + dot->function : "") +
                                (tile.products > 1 ? ", " + std::to_string(tile.products) + " products" : "") +
                                (tile.exchange ? ", exchanged" : "")));
  kernel.shared_bytes = filled.shared_bytes;
  // Fast dot products run at the rate of f32's multiply-adds.
  kernel.multiply_adds = c.multiply_adds;
  if (dot)
    kernel.multiply_adds =
        floor_div(c.multiply_adds * IntExpr(dot->row_count(tile.rows)), IntExpr(int64_t{tile.rows} * tile.k_step()));
  kernel.multiply_adds += statistics_cost(c, filled, column_tile);
  return kernel;
}

}  // namespace

Result<Kernel> make_gemv(const KernelRequest& request, const Contraction& c) {
  int width = vector_width(c.columns);
  ContractTile tile;
  tile.width = width;
  tile.products = products_of(c);
  tile.steps = depth_steps(c.depth);
  const int64_t chunks = std::max<int64_t>(1, ceil_div(c.depth.interval().high, c.chunk_length));
  tile.lanes_n = few_rows_lanes(c.columns, c.rows * c.batch, width, request.device);
  int64_t lanes_k = 1;
  while (lanes_k < chunks && lanes_k * 2 * tile.lanes_n <= std::min<int64_t>(128, request.device.max_workgroup_invocations))
    lanes_k *= 2;
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  tile.lanes_m = static_cast<uint32_t>(lanes_k);
  TUFF_ASSIGN(ContractSlots filled, fill_contract(request, c, tile, true, writer));
  Slots& slots = filled.slots;
  slots["chunk"] = std::to_string(c.chunk_length / tile.steps);
  slots["chunk_count"] = std::to_string(chunks);
  TUFF_ASSIGN(Kernel kernel,
              finish_kernel(request, writer, "gemv", std::move(slots), {tile.lanes_n, static_cast<uint32_t>(lanes_k), 1},
                            {ceil_div(c.columns, IntExpr(static_cast<int64_t>(tile.lanes_n) * width)), c.rows, c.batch},
                            std::to_string(chunks) + " chunks of " + std::to_string(c.chunk_length) + " over " +
                                std::to_string(lanes_k) + " invocations"));
  kernel.shared_bytes = chunks * static_cast<int64_t>(tile.lanes_n) * width * 4 * tile.products + filled.shared_bytes;
  kernel.multiply_adds = c.multiply_adds + statistics_cost(c, filled, IntExpr(static_cast<int64_t>(tile.lanes_n) * width));
  return kernel;
}

Result<std::vector<GuardedKernel>> make_contract(const KernelRequest& request) {
  const Node& node = request.graph.node(request.group.anchor);
  const Contraction c = contraction_of(request);
  const Register reg = register_of(request.graph.value(node.output).dtype);
  std::vector<GuardedKernel> out;
  const IntExpr::Interval rows = c.rows.interval();
  const bool few =
      rows.low <= kFewRows && c.chunk_length > 0 && reg == Register::kFloat && c.depth.interval().high <= 32 * c.chunk_length;
  GuardedKernel gemv;
  if (few) {
    TUFF_ASSIGN(gemv.kernel, make_gemv(request, c));
  }
  if (few && gemv.kernel.shared_bytes <= request.device.max_shared_bytes) {
    bool always = rows.high <= kFewRows;
    if (!always) gemv.guard.at_most.push_back({c.rows, kFewRows});
    out.push_back(std::move(gemv));
    if (always) return out;
  }
  GuardedKernel tiled;
  TUFF_ASSIGN(tiled.kernel, request.group.matrix ? make_matrix_contract(request, c) : make_tiled(request, c));
  out.push_back(std::move(tiled));
  return out;
}

}  // namespace tuff
