// Contract kernels: matrix products and convolutions. Chooses between the tiled schedule, the one on matrix units
// (contract_matrix.cpp) and, for few rows, the one that splits the sum (gemv), and the size of the tile from registers and from
// how many workgroups keep the device busy.
#include <algorithm>
#include <optional>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/product.h"
#include "kernel/contraction.h"
#include "kernel/image_rows.h"
#include "kernel/integer_dot.h"
#include "kernel/row_statistics.h"
#include "kernel/schedule.h"

namespace tuff {
namespace {

int products_of(const Contraction& c) { return 1 + static_cast<int>(c.others.size()); }

// Accumulators, both operands of one step, each row's addresses and checks, the rest.
int64_t registers_of(const ContractTile& tile) {
  const int64_t columns = int64_t{tile.columns} * tile.products * tile.width;
  return tile.rows * columns + tile.rows * tile.steps + columns + 6 * tile.rows + 24;
}

bool is_32_bits(Register reg) { return reg == Register::kFloat || reg == Register::kInt || reg == Register::kUint; }

// Subgroups are of one size, which is a workgroup's, and need a feature of their own to exchange 64 bits.
bool can_exchange(const DeviceInfo& device, const Contraction& c, Register reg) {
  const int64_t lanes = device.subgroup_size;
  return is_32_bits(reg) && device.subgroup_ballot && lanes >= 4 && lanes <= 16 && device.min_subgroup_size == lanes &&
         device.max_subgroup_size == lanes && !c.depth.is(0);
}

// Where neighbouring lanes' loads are not joined, a workgroup is one subgroup: its lanes load a row each and exchange them,
// and each has columns of its own. Per k the tile takes a multiply-add for each accumulator, a broadcast for each row and a
// load for each vector of columns; the vectors that cost least for a useful column are taken, no wider and no narrower than is
// said.
std::optional<ContractTile> choose_exchange(const DeviceInfo& device, const Contraction& c, Register reg, int width,
                                            int least_width, int steps) {
  const int64_t lanes = device.subgroup_size;
  if (!device.rates.loads_cost_lanes || !can_exchange(device, c, reg)) return std::nullopt;
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

std::string tile_text(const ContractTile& tile) {
  return "tile " + std::to_string(tile.rows) + "x" + std::to_string(tile.columns * tile.width) + " of " +
         std::to_string(tile.width) + ", invocations " + std::to_string(tile.lanes_m) + "x" + std::to_string(tile.lanes_n) +
         ", " + std::to_string(tile.k_step()) + " k a step" +
         (tile.products > 1 ? ", " + std::to_string(tile.products) + " products" : "") + (tile.exchange ? ", exchanged" : "");
}

std::optional<ContractTile> read_tile(const std::string& text, int products) {
  const std::vector<int64_t> n = numbers_in(text);
  if (n.size() < 6 || n[2] == 0) return std::nullopt;
  ContractTile tile;
  tile.rows = static_cast<int>(n[0]);
  tile.columns = static_cast<int>(n[1] / n[2]);
  tile.width = static_cast<int>(n[2]);
  tile.lanes_m = static_cast<uint32_t>(n[3]);
  tile.lanes_n = static_cast<uint32_t>(n[4]);
  tile.steps = static_cast<int>(n[5]);
  tile.products = products;
  tile.exchange = text.ends_with(", exchanged");
  return tile;
}

// What every tile of this kernel has to keep to.
struct TileLimits {
  const DeviceInfo& device;
  const Contraction& c;
  int width, steps;  // the most
  int64_t reduction_count;
  bool can_exchange;
  ContractTile predicted;

  bool fits(const ContractTile& tile) const {
    return fits_kernel(tile) && fits_workgroup(tile) && fits_grid(tile) &&
           registers_of(tile) <= 2 * device.rates.registers_per_lane;  // an estimate that the compiler often beats
  }

 private:
  bool fits_kernel(const ContractTile& tile) const {
    return is_power_of_two(tile.rows) && tile.rows <= 16 && tile.columns >= 1 && tile.columns <= 8 && tile.width >= 1 &&
           width % tile.width == 0 && tile.steps >= 1 && steps % tile.steps == 0;
  }
  bool fits_workgroup(const ContractTile& tile) const {
    if (tile.exchange && !(can_exchange && tile.lanes_m == 1 && tile.lanes_n == device.subgroup_size)) return false;
    return is_power_of_two(tile.lanes_m) && is_power_of_two(tile.lanes_n) && tile.lanes_n <= device.max_workgroup_size[0] &&
           tile.lanes_m <= device.max_workgroup_size[1] &&
           int64_t{tile.lanes_m} * tile.lanes_n <= device.max_workgroup_invocations &&
           statistics_shared_bytes(int64_t{tile.rows} * tile.lanes_m, tile.lanes_n, reduction_count) <= device.max_shared_bytes;
  }
  // Sizes that are known only later may take more workgroups than a device starts; then no more than with the predicted tile.
  bool fits_grid(const ContractTile& tile) const {
    auto rows = [&](const ContractTile& t) { return most_workgroups(c.rows, int64_t{t.rows} * t.lanes_m); };
    auto columns = [&](const ContractTile& t) { return most_workgroups(c.columns, int64_t{t.columns} * t.width * t.lanes_n); };
    return rows(tile) <= std::max(device.max_workgroup_count[0], rows(predicted)) &&
           columns(tile) <= std::max(device.max_workgroup_count[1], columns(predicted));
  }
};

int64_t row_statistic_count(const KernelRequest& request) {
  return std::count_if(request.group.members.begin(), request.group.members.end(),
                       [&](NodeId m) { return std::holds_alternative<ReduceAttrs>(request.graph.node(m).attrs); });
}

// One number of the tile doubled, halved or traded for another.
std::vector<ContractTile> neighbours_of(const ContractTile& tile, const DeviceInfo& device) {
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
  });
  return all;
}

ContractTile take_tile(const KernelRequest& request, const Contraction& c, Register reg, const ContractTile& predicted,
                       int width, int steps, KernelTuning& tuning) {
  const TileLimits limits{request.device, c, width, steps, row_statistic_count(request), can_exchange(request.device, c, reg),
                          predicted};
  ScheduleSpace<ContractTile> space;
  space.key = contraction_key(request, c, "contract");
  space.text = tile_text;
  space.read = [&](const std::string& text) { return read_tile(text, predicted.products); };
  space.fits = [&](const ContractTile& tile) { return limits.fits(tile); };
  space.neighbours = [&](const ContractTile& tile) { return neighbours_of(tile, request.device); };
  space.registers = [](const ContractTile& tile) { return registers_of(tile); };
  return choose_schedule(space, predicted, request.observations, tuning);
}

// Each tile of columns computes its rows' statistics anew.
IntExpr statistics_cost(const Contraction& c, const ContractSlots& filled, const IntExpr& column_tile) {
  return c.batch * c.rows * c.depth * IntExpr(filled.statistic_count) * ceil_div(c.columns, column_tile);
}

Result<Kernel> make_tiled(const KernelRequest& request, const Contraction& c) {
  const Node& node = request.graph.node(request.group.anchor);
  const Register reg = register_of(request.graph.value(node.output).dtype);
  const int width = is_32_bits(reg) ? vector_width(c.columns) : 1;
  TUFF_ASSIGN(const IntegerDotChoice choice, choose_integer_dot(request, c, width));
  const IntegerDot* dot = choice.dot ? &*choice.dot : nullptr;
  const int steps = dot ? 1 : depth_steps(c.depth);
  ContractTile tile = choose_tile(request, c, reg, width, dot && dot->across ? width : 1, steps);
  if (const ImageRowsChoice rows = choose_image_rows(request, tile, registers_of(tile)); rows.tile)
    return make_image_rows(request, *rows.tile);
  KernelTuning tuning;
  // What is summed in words is not tuned: a schedule's numbers say nothing of how words are read.
  if (!dot) tile = take_tile(request, c, reg, tile, width, steps, tuning);
  tile.words = dot != nullptr;
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  TUFF_ASSIGN(ContractSlots filled, fill_contract(request, c, tile, false, writer, {}, dot));
  const IntExpr row_tile(tile.rows * static_cast<int64_t>(tile.lanes_m));
  const IntExpr column_tile(tile.columns * static_cast<int64_t>(tile.lanes_n) * tile.width);
  TUFF_ASSIGN(Kernel kernel,
              finish_kernel(request, writer, "contract", std::move(filled.slots), {tile.lanes_n, tile.lanes_m, 1},
                            {ceil_div(c.rows, row_tile), ceil_div(c.columns, column_tile), c.batch},
                            tile_text(tile) + (dot ? ", by " + dot->function : "")));
  kernel.tuning = std::move(tuning);
  kernel.shared_bytes = filled.shared_bytes;
  // Fast dot products run at the rate of f32's multiply-adds.
  kernel.multiply_adds = c.multiply_adds;
  if (dot)
    kernel.multiply_adds =
        floor_div(c.multiply_adds * IntExpr(dot->row_count(tile.rows)), IntExpr(int64_t{tile.rows} * tile.k_step()));
  kernel.multiply_adds += statistics_cost(c, filled, column_tile);
  return kernel;
}

std::string gemv_text(int64_t chunks, int64_t chunk_length, int64_t lanes_k) {
  return std::to_string(chunks) + " chunks of " + std::to_string(chunk_length) + " over " + std::to_string(lanes_k) +
         " invocations";
}

// How many invocations share the chunks of a sum, beside each of the `lanes_n` that have columns of their own.
int64_t take_gemv_lanes(const KernelRequest& request, const Contraction& c, int64_t chunks, int64_t lanes_n,
                        KernelTuning& tuning) {
  const DeviceInfo& device = request.device;
  int64_t predicted = 1;
  while (predicted < chunks && predicted * 2 * lanes_n <= std::min<int64_t>(128, device.max_workgroup_invocations))
    predicted *= 2;
  ScheduleSpace<int64_t> space;
  space.key = contraction_key(request, c, "gemv");
  space.text = [&](int64_t lanes) { return gemv_text(chunks, c.chunk_length, lanes); };
  space.read = [](const std::string& text) -> std::optional<int64_t> {
    const std::vector<int64_t> n = numbers_in(text);
    if (n.size() != 3) return std::nullopt;
    return n[2];
  };
  space.fits = [&](int64_t lanes) {
    return is_power_of_two(lanes) && lanes < 2 * chunks && lanes <= device.max_workgroup_size[1] &&
           lanes * lanes_n <= device.max_workgroup_invocations &&
           (lanes <= predicted || row_statistic_count(request) == 0);  // which take shared memory an invocation
  };
  space.neighbours = [](int64_t lanes) { return std::vector<int64_t>{lanes * 2, lanes / 2}; };
  space.registers = [](int64_t) { return int64_t{0}; };  // the same for any number of invocations
  return choose_schedule(space, predicted, request.observations, tuning);
}

}  // namespace

Result<std::string> explain_first_layers(const Graph& graph, const Layouts& layouts, const Fusion& fusion,
                                         const DeviceInfo& device, bool exact) {
  std::string out;
  for (const Group& group : fusion.groups) {
    if (group.members.empty() || group.kind != AnchorKind::kWindow || is_own_channel_window(graph, group.anchor)) continue;
    const KernelRequest request{graph, layouts, fusion, group, device, exact};
    const Node& node = graph.node(group.anchor);
    const Contraction c = contraction_of(request);
    const ContractTile general =
        choose_tile(request, c, register_of(graph.value(node.output).dtype), vector_width(c.columns), 1, depth_steps(c.depth));
    const ImageRowsChoice choice = choose_image_rows(request, general, registers_of(general));
    if (choice.why.empty()) continue;
    out += "  [" + std::string(choice.tile ? "image rows" : "any contraction") + "] " + node.origins.front() + " (" +
           std::string(attrs_name(node.attrs)) + "): " + choice.why + "\n";
  }
  return out.empty() ? out : "\nConvolutions of few channels:\n" + out;
}

Result<Kernel> make_gemv(const KernelRequest& request, const Contraction& c) {
  int width = vector_width(c.columns);
  ContractTile tile;
  tile.width = width;
  tile.products = products_of(c);
  tile.steps = depth_steps(c.depth);
  const int64_t chunks = std::max<int64_t>(1, ceil_div(c.depth.interval().high, c.chunk_length));
  tile.lanes_n = few_rows_lanes(c.columns, c.rows * c.batch, width, request.device);
  KernelTuning tuning;
  const int64_t lanes_k = take_gemv_lanes(request, c, chunks, tile.lanes_n, tuning);
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  tile.lanes_m = static_cast<uint32_t>(lanes_k);
  TUFF_ASSIGN(ContractSlots filled, fill_contract(request, c, tile, true, writer));
  Slots& slots = filled.slots;
  slots["chunk"] = std::to_string(c.chunk_length / tile.steps);
  slots["chunk_count"] = std::to_string(chunks);
  TUFF_ASSIGN(Kernel kernel,
              finish_kernel(request, writer, "gemv", std::move(slots), {tile.lanes_n, static_cast<uint32_t>(lanes_k), 1},
                            {ceil_div(c.columns, IntExpr(static_cast<int64_t>(tile.lanes_n) * width)), c.rows, c.batch},
                            gemv_text(chunks, c.chunk_length, lanes_k)));
  kernel.tuning = std::move(tuning);
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
