// Contract kernels: matrix products and convolutions. Chooses between the tiled schedule, the one on matrix units
// (contract_matrix.cpp) and, for few rows, the one whose invocations share a sum (gemv); contract_tile.cpp has their numbers.
#include <algorithm>
#include <optional>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/product.h"
#include "kernel/image_rows.h"
#include "kernel/integer_dot.h"
#include "kernel/split_sums.h"

namespace tuff {
namespace {

// Each workgroup along the columns computes its rows' statistics anew, and so does each part.
IntExpr statistics_cost(const Contraction& c, const ContractSlots& filled, const IntExpr& column_workgroups, int64_t parts) {
  return c.batch * c.rows * c.depth * IntExpr(filled.statistic_count * parts) * column_workgroups;
}

// Of a kernel whose workgroups share sums: what the last of each tile adds up.
IntExpr added_sums(const Contraction& c, const SumParts& parts, bool gemv) {
  return parts.count == 1 ? IntExpr(0) : floor_div(left_bytes(c, parts, gemv), IntExpr(int64_t{sizeof(float)}));
}

// What tiles may be, and how words of bytes are multiplied where they are.
struct ContractRange {
  TileRange range;
  std::optional<IntegerDot> dot;
};

Result<ContractRange> contract_range(const KernelRequest& request, const Contraction& c) {
  ContractRange out;
  TileRange& range = out.range;
  range.reg = register_of(request.graph.value(request.graph.node(request.group.anchor).output).dtype);
  range.width = is_32_bits(range.reg) ? vector_width(c.columns) : 1;
  TUFF_ASSIGN(IntegerDotChoice choice, choose_integer_dot(request, c, range.width));
  out.dot = std::move(choice.dot);
  range.least_width = out.dot && out.dot->across ? range.width : 1;
  range.steps = out.dot ? 1 : depth_steps(c.depth);
  range.words = out.dot.has_value();
  return out;
}

Result<Kernel> make_tiled(const KernelRequest& request, const Contraction& c, const ContractTile& tile, const IntegerDot* dot) {
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  TUFF_ASSIGN(ContractSlots filled, fill_contract(request, c, tile, false, writer, {}, dot));
  const SumParts parts = sum_parts(request, c, tile, false);
  const IntExpr row_tile(tile.rows * static_cast<int64_t>(tile.lanes_m));
  const IntExpr along_columns = column_workgroups(request, c, tile);
  TUFF_ASSIGN(Kernel kernel,
              finish_kernel(request, writer, "contract", std::move(filled.slots), {tile.lanes_n, tile.lanes_m, 1},
                            {ceil_div(c.rows, row_tile), along_columns, c.batch * IntExpr(int64_t{tile.parts})},
                            tile_text(tile) + (dot ? ", by " + dot->function : "")));
  kernel.shared_bytes = filled.shared_bytes + (tile.parts > 1 ? kArrivedBytes : 0);
  // Fast dot products run at the rate of f32's multiply-adds.
  kernel.multiply_adds = c.multiply_adds;
  if (dot)
    kernel.multiply_adds =
        floor_div(c.multiply_adds * IntExpr(dot->row_count(tile.rows)), IntExpr(int64_t{tile.rows} * tile.k_step()));
  kernel.multiply_adds += statistics_cost(c, filled, along_columns, tile.parts) + added_sums(c, parts, false);
  return kernel;
}

// The kernel whose workgroups have a tile's sums each; where they share them and rows are counted late, before it the one that
// does, for as many rows as it was chosen for.
Status add_tiled(const KernelRequest& request, const Contraction& c, std::vector<GuardedKernel>& out) {
  TUFF_ASSIGN(const ContractRange chosen, contract_range(request, c));
  const TileRange& range = chosen.range;
  const IntegerDot* dot = chosen.dot ? &*chosen.dot : nullptr;
  const ContractTile general = whole_tile(request, c, range);
  if (const ImageRowsChoice rows = choose_image_rows(request, general); rows.tile) {
    GuardedKernel in_rows;
    TUFF_ASSIGN(in_rows.kernel, make_image_rows(request, *rows.tile));
    out.push_back(std::move(in_rows));
    return ok_status();
  }
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
  const IntExpr along_columns = ceil_div(c.columns, IntExpr(static_cast<int64_t>(tile.lanes_n) * tile.width));
  TUFF_ASSIGN(Kernel kernel, finish_kernel(request, writer, "gemv", std::move(slots), {tile.lanes_n, tile.lanes_m, 1},
                                           {c.rows, along_columns, c.batch * IntExpr(int64_t{tile.parts})},
                                           gemv_text(tile, chunks, c.chunk_length)));
  const int64_t staged = chunks * static_cast<int64_t>(tile.lanes_n) * tile.width * 4 * tile.products;
  kernel.shared_bytes = (tile.parts > 1 ? kArrivedBytes : staged) + filled.shared_bytes;
  kernel.multiply_adds = c.multiply_adds + statistics_cost(c, filled, along_columns, tile.parts) + added_sums(c, parts, true);
  return kernel;
}

int64_t chunk_count(const Contraction& c) { return std::max<int64_t>(1, ceil_div(c.depth.interval().high, c.chunk_length)); }

ContractTile gemv_columns(const KernelRequest& request, const Contraction& c) {
  ContractTile columns;
  columns.width = vector_width(c.columns);
  columns.products = 1 + static_cast<int>(c.others.size());
  columns.steps = depth_steps(c.depth);
  columns.lanes_n = few_rows_lanes(c.columns, c.rows * c.batch, columns.width, request.device);
  return columns;
}

// May the rows be few enough for gemv, as far as the sum allows it?
bool has_few_rows(const KernelRequest& request, const Contraction& c) {
  const Register reg = register_of(request.graph.value(request.graph.node(request.group.anchor).output).dtype);
  return c.rows.interval().low <= kFewRows && c.chunk_length > 0 && reg == Register::kFloat &&
         c.depth.interval().high <= 32 * c.chunk_length;
}

// What is made of it that too few workgroups have sums of their own, or that more would be faster; empty where neither is so.
std::string split_text(const SumSplit& split, const KernelRequest& request, const Contraction& c, bool gemv) {
  if (request.group.matrix) return split.why_whole + ".";
  const int64_t whole = gemv ? typical(tile_count(c, split.whole, true)) : workgroups_of(request, c, split.whole);
  const std::string alone = std::to_string(whole) + " workgroups with sums of their own take ";
  if (split.tile.parts == 1) {
    const bool are_few = whole < 2 * request.device.rates.compute_units;
    return are_few || split.leaves_much ? std::to_string(whole) + " workgroups have sums of their own: " + split.why_whole + "."
                                        : std::string();
  }
  const int64_t left = typical(left_bytes(c, sum_parts(request, c, split.tile, gemv), gemv));
  return std::to_string(split.tile.parts) + " workgroups a tile share its sums, which takes " + std::to_string(split.ns) +
         " ns; " + alone + std::to_string(split.whole_ns) + " ns. They leave " + std::to_string(left) + " bytes.";
}

}  // namespace

Result<std::string> explain_shared_sums(const Graph& graph, const Layouts& layouts, const Fusion& fusion,
                                        const DeviceInfo& device, bool exact) {
  std::vector<Decision> decisions;
  for (const Group& group : fusion.groups) {
    const bool is_product = group.kind == AnchorKind::kContract ||
                            (group.kind == AnchorKind::kWindow && !is_own_channel_window(graph, group.anchor));
    if (group.members.empty() || !is_product || group.winograd) continue;
    const Node& node = graph.node(group.anchor);
    const KernelRequest request{graph, layouts, fusion, group, device, exact};
    const Contraction c = contraction_of(request);
    auto add = [&](const SumSplit& split, bool gemv) {
      const bool is_shared = split.tile.parts > 1;
      const std::string text = split_text(split, request, c, gemv);
      const std::string subject = label(node) + (gemv ? " of few rows" : "");
      if (!text.empty()) decisions.push_back({is_shared, is_shared ? "shared sums" : "own sums", subject, text, {}});
    };
    const bool has_gemv = has_few_rows(request, c);
    if (has_gemv) add(split_gemv(request, c, gemv_columns(request, c), chunk_count(c)), true);
    if (has_gemv && c.rows.interval().high <= kFewRows) continue;
    TUFF_ASSIGN(const ContractRange chosen, contract_range(request, c));
    add(split_sums(request, c, chosen.range), false);
  }
  return decisions.empty() ? std::string() : "\nSums that workgroups share, or might:\n" + explain_decisions(decisions);
}

Result<std::string> explain_first_layers(const Graph& graph, const Layouts& layouts, const Fusion& fusion,
                                         const DeviceInfo& device, bool exact) {
  std::vector<Decision> decisions;
  for (const Group& group : fusion.groups) {
    if (group.members.empty() || group.kind != AnchorKind::kWindow || is_own_channel_window(graph, group.anchor) ||
        group.winograd)
      continue;
    const KernelRequest request{graph, layouts, fusion, group, device, exact};
    const Node& node = graph.node(group.anchor);
    const Contraction c = contraction_of(request);
    TUFF_ASSIGN(const ContractRange chosen, contract_range(request, c));
    const ContractTile general = whole_tile(request, c, chosen.range);
    const ImageRowsChoice choice = choose_image_rows(request, general);
    if (choice.why.empty()) continue;
    const bool in_rows = choice.tile.has_value();
    decisions.push_back({in_rows, in_rows ? "image rows" : "any contraction", label(node), choice.why, {}});
  }
  return decisions.empty() ? std::string() : "\nConvolutions of few channels:\n" + explain_decisions(decisions);
}

Result<Kernel> make_gemv(const KernelRequest& request, const Contraction& c) {
  const ContractTile columns = gemv_columns(request, c);
  const int64_t chunks = chunk_count(c);
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
  const Contraction c = contraction_of(request);
  std::vector<GuardedKernel> out;
  const bool few = has_few_rows(request, c);
  GuardedKernel gemv;
  if (few) {
    TUFF_ASSIGN(gemv.kernel, make_gemv(request, c));
  }
  if (few && gemv.kernel.shared_bytes <= request.device.max_shared_bytes) {
    bool always = c.rows.interval().high <= kFewRows;
    if (!always) gemv.guard.at_most.push_back({c.rows, kFewRows});
    out.push_back(std::move(gemv));
    if (always) return out;
  }
  if (!request.group.matrix && !request.group.winograd) {
    TUFF_TRY(add_tiled(request, c, out));
    return out;
  }
  GuardedKernel other;
  TUFF_ASSIGN(other.kernel, request.group.matrix ? make_matrix_contract(request, c) : make_winograd(request));
  out.push_back(std::move(other));
  return out;
}

}  // namespace tuff
