#include "kernel/sum_parts.h"

#include <algorithm>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/product.h"

namespace tuff {
namespace {

Register sum_register(const KernelRequest& request) {
  return register_of(request.graph.value(request.graph.node(request.group.anchor).output).dtype);
}

bool keeps_order(const KernelRequest& request) { return request.exact && sum_register(request) == Register::kFloat; }

IntExpr shared_rows(const Contraction& c, bool gemv) {
  return c.rows.is_constant() ? c.rows : minimum(c.rows, IntExpr(most_shared_rows(c, gemv)));
}

IntExpr row_tile(const ContractTile& tile, bool gemv) { return IntExpr(gemv ? 1 : int64_t{tile.rows} * tile.lanes_m); }
int64_t column_tile(const ContractTile& tile) { return int64_t{tile.columns} * tile.width * tile.lanes_n; }

}  // namespace

int64_t SumParts::units_each() const { return ceil_div(units, count); }

SumParts sum_parts(const KernelRequest& request, const Contraction& c, const ContractTile& tile, bool gemv) {
  SumParts parts;
  parts.count = tile.parts;
  if (!c.depth.is_constant()) return parts;
  const int64_t rounds = c.depth.constant() / tile.k_step();
  parts.leaves_units = gemv || keeps_order(request);
  if (parts.leaves_units && c.chunk_length > 0) parts.rounds = c.chunk_length / tile.k_step();
  parts.units = ceil_div(rounds, parts.rounds);
  return parts;
}

std::string why_no_parts(const KernelRequest& request, const Contraction& c, bool gemv) {
  const Register reg = sum_register(request);
  if (request.group.matrix) return "matrix units have their tiles' sums in registers of their own";
  if (reg != Register::kFloat && reg != Register::kInt && reg != Register::kUint)
    return "numbers of 64 bits are not left for other workgroups";
  if (!c.depth.is_constant() || c.depth.constant() < 2) return "how many products a sum has is known late, or it is one";
  if (!c.columns.is_constant() || !c.batch.is_constant()) return "how many results there are is known late";
  if (c.columns.constant() < 1 || c.batch.constant() < 1 || typical(c.rows) < 1) return "there are no results";
  if (keeps_order(request) && c.chunk_length == 0) return "the sum's order is serial, which no parts keep";
  if (gemv && c.chunk_length == 0) return "the sum is one chunk";
  return {};
}

int64_t most_shared_rows(const Contraction& c, bool gemv) { return gemv ? kFewRows : std::max<int64_t>(1, typical(c.rows)); }

IntExpr tile_count(const Contraction& c, const ContractTile& tile, bool gemv) {
  return c.batch * ceil_div(shared_rows(c, gemv), row_tile(tile, gemv)) * ceil_div(c.columns, IntExpr(column_tile(tile)));
}

IntExpr left_bytes(const Contraction& c, const SumParts& parts, bool gemv) {
  const auto products = 1 + static_cast<int64_t>(c.others.size());
  return c.batch * shared_rows(c, gemv) * c.columns * IntExpr(4 * products * parts.left_count());
}

bool holds_parts(const DeviceInfo& device, const Contraction& c, const ContractTile& tile, const SumParts& parts, bool gemv) {
  if (parts.count == 1) return true;
  // A quarter of a buffer, as bind() has it for scratch.
  const int64_t limit = device.max_storage_buffer_bytes / 4;
  return c.batch.constant() <= device.max_workgroup_count[2] / parts.count &&
         left_bytes(c, parts, gemv).interval().high <= limit && tile_count(c, tile, gemv).interval().high <= limit;
}

Status fill_sum_parts(const SumParts& parts, const Contraction& c, const ContractTile& tile, bool gemv,
                      const std::function<std::string(int, int)>& is_here, KernelWriter& writer, Block& setup, Slots& slots) {
  const int columns = tile.columns * tile.products;
  slots["parts"] = "";
  slots["result_rows"] = std::to_string(tile.rows);
  slots["k_begin"] = "0";
  slots["k_end"] = slots["k_count"];
  slots["first_chunk"] = "int(gl_LocalInvocationID.y)";
  if (parts.count == 1) return ok_status();

  const std::string count = std::to_string(parts.count);
  auto number = [](int64_t n) { return std::to_string(n); };
  const std::string z = "int(gl_WorkGroupID.z)";
  setup.line("int part = " + z + (c.batch.is(1) ? "" : " % " + count) + ";");
  const IntExpr vectors = floor_div(c.columns, IntExpr(tile.width));
  const std::string column_blocks = writer.parameter(ceil_div(c.columns, IntExpr(column_tile(tile))));
  const std::string batch = c.batch.is(1) ? "0" : "b";
  setup.line("int tile = (" + batch + " * " + column_blocks + " + int(gl_WorkGroupID.y)) * " +
             writer.parameter(ceil_div(c.rows, row_tile(tile, gemv))) + " + int(gl_WorkGroupID.x);");
  writer.share_results(left_bytes(c, parts, gemv), tile_count(c, tile, gemv), slots["vector"]);

  slots["parts"] = number(parts.left_count());
  slots["left_count"] = writer.parameter(c.batch * c.rows * vectors * IntExpr(int64_t{tile.products}));
  for (int i = 0; i < tile.rows; ++i)
    for (int j = 0; j < columns; ++j) {
      const std::string at = "_" + number(i) + "_" + number(j), product = number(j / tile.columns);
      const std::string row = "(" + product + " * " + writer.parameter(c.batch) + " + " + batch + ") * " +
                              writer.parameter(c.rows) + " + m_" + number(i);
      slots["sum_at" + at] = "(" + row + ") * " + writer.parameter(vectors) + " + n_" + number(j % tile.columns);
      const std::string guard = is_here(i, j % tile.columns);
      slots["if_here" + at] = guard.empty() ? "" : "if (" + guard + ") ";
    }
  // The last part may be shorter.
  auto end_of = [&](int64_t each, const std::string& all) { return "min((part + 1) * " + number(each) + ", " + all + ")"; };
  slots["first_chunk"] = "part * " + number(parts.units_each()) + " + " + slots["first_chunk"];
  slots["end_chunk"] = end_of(parts.units_each(), number(parts.units));
  slots["k_begin"] = "part * " + number(parts.units_each() * parts.rounds);
  slots["k_end"] = end_of(parts.units_each() * parts.rounds, slots["k_count"]);
  slots["counter"] = "tile";
  slots["workgroups"] = count;
  TUFF_ASSIGN(slots["arrive"], expand_skeleton("arrive.glsl", slots));
  return ok_status();
}

}  // namespace tuff
