#include "fusion/winograd.h"

#include <algorithm>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/product.h"

namespace tuff {
namespace {

// What a subgroup does for one channel, of a tile of results by the window itself or in Winograd's form, whose operand is four
// loads and three sums.
int64_t channel_cost(const WinogradTile& tile, int64_t loads, int64_t sums) {
  const int64_t vectors = tile.columns;
  const int64_t loaded_rows = ceil_div(int64_t{tile.rows}, tile.lanes);
  return ExchangeCost::kMultiplyAdd * tile.rows * vectors * tile.width + ExchangeCost::kBroadcast * tile.rows +
         ExchangeCost::kLoad * vectors +
         loaded_rows * (loads * ExchangeCost::kLoad / tile.steps + sums * ExchangeCost::kMultiplyAdd);
}

struct Form {
  int64_t taps, results, loads, sums;  // results: rows of the image that one row of the tile is
};
constexpr Form kDirect = {9, 1, 1, 0}, kWinograd = {kWinogradProducts, 4, 4, 3};

// Of the whole convolution, in lanes' multiply-adds.
int64_t form_work(const WinogradTile& tile, const Form& form, int64_t rows, const WinogradExtents& e) {
  const int64_t columns = ceil_div(std::max<int64_t>(1, typical(e.columns)), tile.lanes * tile.columns * tile.width);
  int64_t a_tap = std::max<int64_t>(1, typical(e.depth)) * channel_cost(tile, form.loads, form.sums);
  if (form.results > 1)
    a_tap += form.results * ExchangeCost::kMultiplyAdd * tile.rows * tile.columns * tile.width;  // into the results
  int64_t all = form.taps * tile.lanes;
  for (int64_t factor : {columns, ceil_div(rows, int64_t{tile.rows}), a_tap})
    all = checked_multiply(all, factor).value_or(INT64_MAX / 1024);
  return all / ExchangeCost::kMultiplyAdd;
}

WinogradTile best_tile(const WinogradExtents& e, const DeviceInfo& device, const Form& form) {
  WinogradTile tile;
  tile.lanes = device.subgroup_size;
  tile.steps = depth_steps(e.depth);
  WinogradTile best = tile;
  for (int width = vector_width(e.columns); width >= 1; width /= 2)
    for (int vectors = 1; vectors <= 4; ++vectors) {
      tile.width = width;
      tile.columns = vectors;
      if (registers_of(tile) > device.rates.registers_per_lane) continue;
      if (form_work(tile, form, 1 << 10, e) < form_work(best, form, 1 << 10, e)) best = tile;
    }
  return best;
}

struct FormChoice {
  bool accepted = false;
  std::string why;
};

int64_t reader_count(const Graph& graph, ValueId value) {
  int64_t count = std::count(graph.outputs.begin(), graph.outputs.end(), value);
  for (const Node& node : graph.nodes) count += std::count(node.inputs.begin(), node.inputs.end(), value);
  return count;
}

// Does the group read the anchor's operand from one place in memory?
bool reads_operand(const Graph& graph, const Fusion& fusion, const Group& group) {
  ValueId value = graph.node(group.anchor).inputs[0];
  while (!fusion.stored[value.value]) {
    const Node* maker = graph.producer(value);
    if (!maker || !is_view(maker->attrs) || maker->inputs.size() != 1) return false;
    value = maker->inputs[0];
  }
  return true;
}

FormChoice choose_form(const Fusion& fusion, const Group& group, const Graph& graph, const DeviceInfo& device) {
  const Node& anchor = graph.node(group.anchor);
  const ValueId x = anchor.inputs[0], weights = anchor.inputs[1];
  if (graph.value(anchor.output).dtype != Dtype::kF32 || graph.value(x).dtype != Dtype::kF32)
    return {false, "its elements are not f32; sums of four may pass what they hold."};
  if (!graph.producer_as<ConstantAttrs>(weights) || graph.value(weights).dtype != Dtype::kF32)
    return {false, "its weights are no constant of f32, which could be transformed once."};
  if (reader_count(graph, weights) != 1) return {false, "others read its weights as they are."};
  if (!reads_operand(graph, fusion, group))
    return {false, "what it reads is computed on the way, which four loads for each product would do too often."};
  for (NodeId m : group.members)
    if (m != group.anchor && !std::holds_alternative<MapAttrs>(graph.node(m).attrs))
      return {false, graph.node(m).origins.front() + " follows in its kernel, which needs more than an element at a time."};
  if (!exchanges_loads(device))
    return {false, "each invocation would load and transform its tiles itself, four loads for one of the direct kernel's."};

  const WinogradExtents e = winograd_extents(graph, group.anchor);
  const int64_t weight_bytes = typical_bytes(graph, weights);
  const int64_t direct_bytes = typical_bytes(graph, x) + weight_bytes + typical_bytes(graph, anchor.output);
  const int64_t more_bytes = weight_bytes / 9 * (kWinogradProducts - 9);
  const Dims& out = graph.value(anchor.output).shape;
  const int64_t pixels = typical(out[0] * out[2] * out[3]);
  const int64_t direct_ns = std::max(arithmetic_ns(form_work(best_tile(e, device, kDirect), kDirect, pixels, e), device),
                                     memory_ns(direct_bytes, device));
  const int64_t ns =
      std::max(arithmetic_ns(form_work(choose_winograd_tile(e, device), kWinograd, typical(e.tiles()), e), device),
               memory_ns(direct_bytes + more_bytes, device));
  const std::string times =
      "by its window it takes " + std::to_string(direct_ns) + " ns, in tiles of 2x2 " + std::to_string(ns) + " ns";
  const std::string bytes = "its weights take " + std::to_string(more_bytes) + " bytes more beside the " +
                            std::to_string(direct_bytes) + " that it reads and writes";
  if (ns >= direct_ns) return {false, times + "."};
  // Memory is what a small device has least of, and a run of several kernels at a time waits for: a quarter is the most that
  // less arithmetic may cost of it.
  if (more_bytes > direct_bytes / 4) return {false, times + ", but " + bytes + ": over a quarter."};
  return {true, times + "; " + bytes + "."};
}

}  // namespace

WinogradExtents winograd_extents(const Graph& graph, NodeId convolution) {
  const Node& node = graph.node(convolution);
  const Dims& out = graph.value(node.output).shape;
  return {out[0], ceil_div(out[2], IntExpr(2)), ceil_div(out[3], IntExpr(2)), out[1], graph.value(node.inputs[1]).shape[1]};
}

// Sums of one product, its operands, and each tile's addresses and checks; results are only seen once a product.
int64_t registers_of(const WinogradTile& tile) {
  const int64_t columns = int64_t{tile.columns} * tile.width;
  return tile.rows * columns + tile.rows * tile.steps + columns + 6 * tile.rows + 24;
}

WinogradTile choose_winograd_tile(const WinogradExtents& extents, const DeviceInfo& device) {
  return best_tile(extents, device, kWinograd);
}

void choose_winograd(Fusion& fusion, const Graph& graph, const FusionOptions& options, const DeviceInfo& device) {
  if (options.exact) return;
  for (Group& group : fusion.groups) {
    const auto* window = std::get_if<WindowAttrs>(&graph.node(group.anchor).attrs);
    if (group.kind != AnchorKind::kWindow || group.matrix || !window->is_plain_3x3()) continue;
    FormChoice choice = choose_form(fusion, group, graph, device);
    group.winograd = choice.accepted;
    fusion.winograd_decisions.push_back(
        {choice.accepted, "winograd", graph.node(group.anchor).origins.front(), std::move(choice.why), {group.anchor}});
  }
}

}  // namespace tuff
