// Normalised rows that products read need no kernel of their own: a workgroup of the product computes the statistics of the
// rows that it has (their sums, maxima), and each element is normalised where it is loaded, as an operand or in the epilogue.
// So a norm before a product costs no dispatch and no pass through memory, nor does the residual that reads it again: each tile
// of columns reads its rows once more, from a cache.
#include <algorithm>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/exchange_tile.h"
#include "fusion/grow.h"
#include "fusion/matrix_units.h"
#include "fusion/product.h"

namespace tuff {
namespace {

bool is_reduced(const ReduceAttrs& reduce, size_t axis) {
  return std::find(reduce.axes.begin(), reduce.axes.end(), static_cast<int>(axis)) != reduce.axes.end();
}

// Along a product's columns: the workgroups, each of which reads its rows again for their statistics, and their tiles.
struct ColumnTiles {
  int64_t workgroups = 1, tiles = 1;
};

// Where lanes exchange loads, a workgroup may walk over several tiles. What lanes map again for each of them, where they load
// an operand, is not priced; nor is what the loads and barriers of a kernel for the rows alone cost a processor.
std::optional<ColumnTiles> walked_tiles(const ProductExtents& extents, int products, int64_t phases, const DeviceInfo& device) {
  const int steps = depth_steps(extents.depth);
  const ExchangeRange range{vector_width(extents.columns), 1, steps, products, true};
  const auto tile = choose_exchange_tile(extents, range, device);
  if (!tile || extents.depth.is(0)) return std::nullopt;
  const PanelWalk walk{extents, tile->rows, device.subgroup_size * tile->vectors * tile->width,
                       steps,   phases,     busy_workgroups(device)};
  return ColumnTiles{std::max<int64_t>(1, typical(walk.workgroups(device))), typical(walk.panels())};
}

ColumnTiles column_tiles(const Graph& graph, const Group& group, int64_t phases, const DeviceInfo& device) {
  constexpr int64_t kTileColumns = 128;
  const auto extents = product_extents(graph, group.anchor);
  if (!extents) return {};
  const IntExpr workgroups = extents->rows * extents->batch;
  const int width = vector_width(extents->columns);
  const bool few_rows = extents->chunked && typical(extents->rows) <= kFewRows;
  if (!few_rows) {
    const auto products = std::count_if(group.members.begin(), group.members.end(),
                                        [&](NodeId m) { return std::holds_alternative<ContractAttrs>(graph.node(m).attrs); });
    if (auto walked = walked_tiles(*extents, static_cast<int>(products), phases, device)) return *walked;
  }
  const int64_t columns =
      few_rows ? int64_t{few_rows_lanes(extents->columns, workgroups, width, device)} * width : kTileColumns;
  const int64_t tiles = std::max<int64_t>(1, ceil_div(typical(extents->columns), columns));
  return {tiles, tiles};
}

// "24 tiles of columns compute"; where workgroups have several: "2 workgroups, which walk over 24 tiles of columns, compute"
std::string computing_text(const ColumnTiles& of) {
  const std::string tiles = counted(of.tiles, "tile") + " of columns";
  if (of.workgroups == of.tiles) return tiles + (of.tiles == 1 ? " computes" : " compute");
  const bool is_one = of.workgroups == 1;
  return counted(of.workgroups, "workgroup") + ", which " + (is_one ? "walks" : "walk") + " over " + tiles +
         (is_one ? ", computes" : ", compute");
}

}  // namespace

// The row's coordinates in the target's domain (0 along the reduced axes) if the product reads the value as its first operand
// and the row is what it sums over; nullopt where it does not.
std::optional<Dims> Fuser::row_of_operand(const Group& target, ValueId value, const ReduceAttrs& reduce) const {
  const Node& anchor = graph.node(target.anchor);
  const auto& product = std::get<ContractAttrs>(anchor.attrs);
  if (anchor.inputs[0] != value) return std::nullopt;
  const Dims& domain = target.coordinates.at(anchor.output.value);
  Dims row;
  for (size_t i = 0; i < product.a.size(); ++i) {
    const auto out = std::find(product.out.begin(), product.out.end(), product.a[i]);
    if ((out == product.out.end()) != is_reduced(reduce, i)) return std::nullopt;
    row.push_back(out == product.out.end() ? IntExpr(0) : domain[static_cast<size_t>(out - product.out.begin())]);
  }
  return row;
}

// The same where a map of the epilogue reads the value at the result's own point.
std::optional<Dims> Fuser::row_of_epilogue(const Group& target, ValueId value, const ReduceAttrs& reduce) const {
  const Node& anchor = graph.node(target.anchor);
  const auto& product = std::get<ContractAttrs>(anchor.attrs);
  Dims row = domain_variables(graph.value(anchor.output).shape);
  if (graph.value(value).shape != graph.value(anchor.output).shape) return std::nullopt;
  for (size_t i = 0; i < row.size(); ++i) {
    if (is_reduced(reduce, i)) row[i] = IntExpr(0);
    // A tile's rows have neither columns of their own nor parts of a row.
    if (is_reduced(reduce, i) == has_label(product.a, product.out[i])) return std::nullopt;
  }
  for (NodeId m : target.members) {
    const Node& node = graph.node(m);
    if (std::find(node.inputs.begin(), node.inputs.end(), value) == node.inputs.end() ||
        !std::holds_alternative<MapAttrs>(node.attrs))
      continue;
    const auto at = target.coordinates.find(node.output.value);
    if (at == target.coordinates.end() || at->second != domain_variables(graph.value(anchor.output).shape)) return std::nullopt;
  }
  return row;
}

// The target with the source's nodes in it; a refusal where it cannot have them.
std::optional<Group> Fuser::with_rows(const Group& target, const Group& source, ValueId result, std::string& refusal) const {
  const auto& reduce = std::get<ReduceAttrs>(graph.node(source.anchor).attrs);
  const Node& anchor = graph.node(target.anchor);
  if (target.kind != AnchorKind::kContract || !std::holds_alternative<ContractAttrs>(anchor.attrs)) {
    refusal = label(target.anchor) + " is no product of whole rows.";
    return std::nullopt;
  }
  std::optional<Dims> row;
  bool fits = true, by_map = false;
  for (NodeId m : target.members) {
    const Node& node = graph.node(m);
    if (std::holds_alternative<ReduceAttrs>(node.attrs)) fits = false;  // of other rows
    if (std::holds_alternative<ContractAttrs>(node.attrs))
      fits = fits && node.inputs[1] != result;
    else
      by_map = by_map || std::count(node.inputs.begin(), node.inputs.end(), result) > 0;
  }
  for (NodeId user : users[result.value]) {
    if (!is_view(graph.node(user).attrs)) continue;
    for (NodeId reader : readers(graph.node(user).output))
      fits = fits && !std::binary_search(target.members.begin(), target.members.end(), reader);
  }
  const bool by_operand = anchor.inputs[0] == result;
  if (by_operand) row = row_of_operand(target, result, reduce);
  if (by_operand && !row) fits = false;
  if (by_map) {
    const auto other = row_of_epilogue(target, result, reduce);
    fits = fits && other && (!row || *row == *other);
    row = other;
  }
  if (!fits || !row) {
    refusal = label(target.anchor) + " does not have whole rows of it.";
    return std::nullopt;
  }
  Group grown = target;
  add_members(grown, source);
  for (NodeId m : source.members) {
    const Node& node = graph.node(m);
    if (std::holds_alternative<ReduceAttrs>(node.attrs)) grown.coordinates[node.output.value] = *row;
  }
  // At one element of its row, from loads and the row's statistics.
  Group checked = grown;
  Dims element = *row;
  for (int axis : reduce.axes) {
    const size_t at = static_cast<size_t>(axis);
    element[at] = IntExpr::loop_variable("r" + std::to_string(axis), graph.value(result).shape[at]);
  }
  checked.coordinates[result.value] = element;
  const Status legal = check_points(checked, {result});
  if (!legal.ok()) {
    refusal = legal.message();
    return std::nullopt;
  }
  refusal = why_too_large(grown);
  if (!refusal.empty()) return std::nullopt;
  return grown;
}

// What a product's kernel takes longer for reading so many bytes again and computing so much more: nothing where the one
// hides behind the other.
int64_t Fuser::added_ns(NodeId node, int64_t cache_bytes, int64_t operations) const {
  const auto extents = product_extents(graph, node);
  if (!extents) return 0;  // it is refused
  const Node& anchor = graph.node(node);
  int64_t moved = typical_bytes(graph, anchor.output);
  for (ValueId input : anchor.inputs) moved += typical_bytes(graph, input);
  const int64_t multiply_adds = typical(extents->batch * extents->rows * extents->columns * extents->depth);
  const int64_t memory = memory_ns(moved, device), arithmetic = arithmetic_ns(multiply_adds, device);
  return std::max(memory + cache_ns(cache_bytes, device), arithmetic + arithmetic_ns(operations, device)) -
         std::max(memory, arithmetic);
}

// The group as rows that products could compute: whole rows are its one result, which nobody else must have. Their statistics
// are sums of f32.
std::optional<Rows> Fuser::rows_of(uint32_t group) const {
  const Group& source = groups[group];
  if (source.members.empty() || source.kind != AnchorKind::kReduce) return std::nullopt;
  Rows rows;
  for (NodeId m : source.members) {
    const Node& node = graph.node(m);
    if (const auto* reduce = std::get_if<ReduceAttrs>(&node.attrs)) {
      ++rows.phases;
      rows.operations += typical(product(graph.value(node.inputs[0]).shape));
      if (reduce->op == ReduceOp::kArgMax || reduce->op == ReduceOp::kArgMin) return std::nullopt;
      if (graph.value(node.output).dtype != Dtype::kF32) return std::nullopt;
    } else {
      rows.operations += map_op_row(std::get<MapAttrs>(node.attrs).op).cost * typical(product(graph.value(node.output).shape));
    }
    const Dtype dtype = graph.value(node.output).dtype;
    const bool is_float = dtype == Dtype::kF32 || dtype == Dtype::kF16 || dtype == Dtype::kBf16;
    if (!is_float || !stored_views(node.output).empty()) return std::nullopt;
    if (!leaves(node.output, group)) continue;
    if (rows.result.valid()) return std::nullopt;
    rows.result = node.output;
  }
  const Dims& whole = graph.value(graph.node(source.anchor).inputs[0]).shape;
  if (!rows.result.valid() || needed[rows.result.value] || graph.value(rows.result).shape != whole) return std::nullopt;
  rows.bytes = typical_bytes(graph, rows.result);
  rows.readers = reading_groups(rows.result);
  if (rows.readers.empty()) return std::nullopt;
  return rows;
}

void Fuser::write_rows_into_products() {
  for (uint32_t g = static_cast<uint32_t>(groups.size()); g-- > 0;)
    if (const auto rows = rows_of(g)) write_rows(g, *rows);
}

void Fuser::write_rows(uint32_t group, const Rows& rows) {
  const Group& source = groups[group];
  std::string refusal;
  if (exact) refusal = "in exact mode a row's sums keep the order of 64 lanes, which a product's tile does not have.";
  if (stays_alone(source.anchor)) refusal = kNoPipeline;
  std::vector<NodeId> nodes = {source.anchor};
  GrownGroups grown;
  ColumnTiles all{0, 0};
  int64_t after = 0;
  for (uint32_t t : rows.readers) {
    const NodeId reader = groups[t].anchor;
    nodes.push_back(reader);
    const ColumnTiles of_reader = column_tiles(graph, groups[t], rows.phases, device);
    all.workgroups += of_reader.workgroups;
    all.tiles += of_reader.tiles;
    after += added_ns(reader, rows.bytes * of_reader.workgroups, rows.operations * of_reader.workgroups) +
             matrix_units_save_ns(groups[t], graph, options, device);
    if (refusal.empty() && stays_alone(reader)) refusal = kNoPipeline;
    if (!refusal.empty()) continue;
    if (auto target = with_rows(groups[t], source, rows.result, refusal)) grown.emplace_back(t, std::move(*target));
  }
  // Of its own: it reads rows and writes them; what it reads again, row by row, is in a cache.
  const int64_t before =
      device.rates.launch_ns + memory_ns(2 * rows.bytes, device) + cache_ns(rows.phases * rows.bytes, device);
  const std::string costs = computing_text(all) + " the rows' statistics anew, which costs " + std::to_string(after) +
                            " ns; a kernel of their own costs " + std::to_string(before) + " ns.";
  if (refusal.empty() && after > before) refusal = costs;
  const std::string more = rows.readers.size() == 1 ? "" : " and " + std::to_string(rows.readers.size() - 1) + " more";
  const std::string subject = label(source.anchor) + " into " + label(nodes[1]) + more;
  decide(refusal.empty(), "row statistics", nodes, subject, refusal.empty() ? costs : refusal);
  if (refusal.empty()) write_into(group, std::move(grown));
}

}  // namespace tuff
