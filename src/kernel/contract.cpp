// Contract kernels: matrix products and convolutions. Chooses between the tiled schedule, the one on matrix units
// (contract_matrix.cpp) and, for few rows, the one whose invocations share a sum (gemv); contract_tile.cpp has their numbers.
#include <algorithm>
#include <optional>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/product.h"
#include "kernel/contract_tile.h"
#include "kernel/integer_dot.h"
#include "kernel/sum_parts.h"

namespace tuff {
namespace {

// Each tile of columns computes its rows' statistics anew, and so does each part.
IntExpr statistics_cost(const Contraction& c, const ContractSlots& filled, const IntExpr& column_tile, int64_t parts) {
  return c.batch * c.rows * c.depth * IntExpr(filled.statistic_count * parts) * ceil_div(c.columns, column_tile);
}

// Of a kernel whose workgroups share sums: what the last of each tile adds up.
IntExpr added_sums(const Contraction& c, const SumParts& parts, bool gemv) {
  return parts.count == 1 ? IntExpr(0) : floor_div(left_bytes(c, parts, gemv), IntExpr(int64_t{sizeof(float)}));
}

Result<Kernel> make_tiled(const KernelRequest& request, const Contraction& c, const ContractTile& tile, const IntegerDot* dot) {
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  TUFF_ASSIGN(ContractSlots filled, fill_contract(request, c, tile, false, writer, {}, dot));
  const SumParts parts = sum_parts(request, c, tile, false);
  const IntExpr row_tile(tile.rows * static_cast<int64_t>(tile.lanes_m));
  const IntExpr column_tile(tile.columns * static_cast<int64_t>(tile.lanes_n) * tile.width);
  TUFF_ASSIGN(
      Kernel kernel,
      finish_kernel(request, writer, "contract", std::move(filled.slots), {tile.lanes_n, tile.lanes_m, 1},
                    {ceil_div(c.rows, row_tile), ceil_div(c.columns, column_tile), c.batch * IntExpr(int64_t{tile.parts})},
                    tile_text(tile) + (dot ? ", by " + dot->function : "")));
  kernel.shared_bytes = filled.shared_bytes + (tile.parts > 1 ? kArrivedBytes : 0);
  // Fast dot products run at the rate of f32's multiply-adds.
  kernel.multiply_adds = c.multiply_adds;
  if (dot)
    kernel.multiply_adds =
        floor_div(c.multiply_adds * IntExpr(dot->row_count(tile.rows)), IntExpr(int64_t{tile.rows} * tile.k_step()));
  kernel.multiply_adds += statistics_cost(c, filled, column_tile, tile.parts) + added_sums(c, parts, false);
  return kernel;
}

// The kernel whose workgroups have a tile's sums each; where they share them and rows are counted late, before it the one that
// does, for as many rows as it was chosen for.
Status add_tiled(const KernelRequest& request, const Contraction& c, std::vector<GuardedKernel>& out) {
  const Node& node = request.graph.node(request.group.anchor);
  TileRange range;
  range.reg = register_of(request.graph.value(node.output).dtype);
  range.width = is_32_bits(range.reg) ? vector_width(c.columns) : 1;
  TUFF_ASSIGN(const IntegerDotChoice choice, choose_integer_dot(request, c, range.width));
  const IntegerDot* dot = choice.dot ? &*choice.dot : nullptr;
  range.least_width = dot && dot->across ? range.width : 1;
  range.steps = dot ? 1 : depth_steps(c.depth);
  range.words = dot != nullptr;
  KernelTuning tuning;
  const ContractTile tile = take_tile(request, c, range, tuning);
  Result<Kernel> kernel = make_tiled(request, c, tile, dot);
  const bool is_shared = tile.parts > 1 && (kernel.ok() || kernel.status().code() != Code::kLimit);
  if (tile.parts > 1 && !is_shared) kernel = make_tiled(request, c, whole_tile(request, c, range), dot);  // too many buffers
  TUFF_TRY(kernel.status());
  GuardedKernel made;
  made.kernel = std::move(*kernel);
  made.kernel.tuning = std::move(tuning);
  const bool is_guarded = is_shared && c.rows.interval().high > most_shared_rows(c, false);
  if (is_guarded) made.guard.at_most.push_back({c.rows, most_shared_rows(c, false)});
  out.push_back(std::move(made));
  if (!is_guarded) return ok_status();
  GuardedKernel whole;
  TUFF_ASSIGN(whole.kernel, make_tiled(request, c, whole_tile(request, c, range), dot));
  out.push_back(std::move(whole));
  return ok_status();
}

Result<Kernel> make_shared_gemv(const KernelRequest& request, const Contraction& c, const ContractTile& tile, int64_t chunks) {
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  TUFF_ASSIGN(ContractSlots filled, fill_contract(request, c, tile, true, writer));
  const SumParts parts = sum_parts(request, c, tile, true);
  Slots& slots = filled.slots;
  slots["chunk"] = std::to_string(c.chunk_length / tile.steps);
  slots["chunk_count"] = std::to_string(chunks);
  if (tile.parts == 1) slots["end_chunk"] = slots["chunk_count"];
  const IntExpr column_tile(static_cast<int64_t>(tile.lanes_n) * tile.width);
  TUFF_ASSIGN(Kernel kernel, finish_kernel(request, writer, "gemv", std::move(slots), {tile.lanes_n, tile.lanes_m, 1},
                                           {ceil_div(c.columns, column_tile), c.rows, c.batch * IntExpr(int64_t{tile.parts})},
                                           gemv_text(tile, chunks, c.chunk_length)));
  const int64_t staged = chunks * static_cast<int64_t>(tile.lanes_n) * tile.width * 4 * tile.products;
  kernel.shared_bytes = (tile.parts > 1 ? kArrivedBytes : staged) + filled.shared_bytes;
  kernel.multiply_adds = c.multiply_adds + statistics_cost(c, filled, column_tile, tile.parts) + added_sums(c, parts, true);
  return kernel;
}

}  // namespace

Result<Kernel> make_gemv(const KernelRequest& request, const Contraction& c) {
  ContractTile columns;
  columns.width = vector_width(c.columns);
  columns.products = 1 + static_cast<int>(c.others.size());
  columns.steps = depth_steps(c.depth);
  const int64_t chunks = std::max<int64_t>(1, ceil_div(c.depth.interval().high, c.chunk_length));
  columns.lanes_n = few_rows_lanes(c.columns, c.rows * c.batch, columns.width, request.device);
  KernelTuning tuning;
  ContractTile tile = take_gemv_tile(request, c, columns, chunks, tuning);
  Result<Kernel> kernel = make_shared_gemv(request, c, tile, chunks);
  if (!kernel.ok() && kernel.status().code() == Code::kLimit && tile.parts > 1) {
    tile.parts = 1;  // with no buffers for what they would leave
    kernel = make_shared_gemv(request, c, tile, chunks);
  }
  TUFF_TRY(kernel.status());
  kernel->tuning = std::move(tuning);
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
  if (!request.group.matrix) {
    TUFF_TRY(add_tiled(request, c, out));
    return out;
  }
  GuardedKernel on_matrix_units;
  TUFF_ASSIGN(on_matrix_units.kernel, make_matrix_contract(request, c));
  out.push_back(std::move(on_matrix_units));
  return out;
}

}  // namespace tuff
