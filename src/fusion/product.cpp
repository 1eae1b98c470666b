#include "fusion/product.h"

#include <algorithm>
#include <map>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/point.h"

namespace tuff {
bool is_own_channel_window(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const auto* window = std::get_if<WindowAttrs>(&node.attrs);
  if (!window) return false;
  if (window->op != WindowOp::kConv) return true;
  const Dims& weights = graph.value(node.inputs[1]).shape;
  return window->groups > 1 && weights[1].is(1) && weights[0].is(window->groups);
}

std::optional<ProductExtents> product_extents(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  ProductExtents e;
  const Dims& out = graph.value(node.output).shape;
  if (const auto* window = std::get_if<WindowAttrs>(&node.attrs)) {
    const bool one_pixel = std::all_of(window->kernel.begin(), window->kernel.end(), [](int64_t taps) { return taps == 1; });
    if (window->op != WindowOp::kConv || !one_pixel || is_own_channel_window(graph, id)) return std::nullopt;
    const Dims& weights = graph.value(node.inputs[1]).shape;
    e.batch = IntExpr(window->groups);
    e.columns = floor_div(weights[0], IntExpr(window->groups));
    e.depth = weights[1];
    for (size_t i = 0; i < out.size(); ++i)
      if (i != 1) e.rows *= out[i];
    return e;
  }
  const auto* contract = std::get_if<ContractAttrs>(&node.attrs);
  if (!contract) return std::nullopt;
  for (size_t i = 0; i < out.size(); ++i) {
    const bool in_a = has_label(contract->a, contract->out[i]), in_b = has_label(contract->b, contract->out[i]);
    (in_a && in_b ? e.batch : in_a ? e.rows : e.columns) *= out[i];
  }
  for (size_t i = 0; i < contract->a.size(); ++i)
    if (!has_label(contract->out, contract->a[i])) e.depth *= graph.value(node.inputs[0]).shape[i];
  for (int label : contract->b)
    if (!has_label(contract->out, label) && !has_label(contract->a, label)) return std::nullopt;
  e.chunked = contract->order.kind == SumOrder::Kind::kChunked;
  return e;
}

ProductReads product_reads(const Graph& graph, NodeId id, const Dims& at) {
  const Node& node = graph.node(id);
  if (const auto* window = std::get_if<WindowAttrs>(&node.attrs)) {
    const Dims& weights = graph.value(node.inputs[1]).shape;
    const IntExpr k = IntExpr::loop_variable("k", weights[1]);
    const IntExpr outputs_each = floor_div(weights[0], IntExpr(window->groups));
    ProductReads reads = {{at[0], floor_div(at[1], outputs_each) * weights[1] + k}, {at[1], k}};
    for (size_t i = 0; i < window->kernel.size(); ++i) {
      reads.a.push_back(at[2 + i] * IntExpr(window->strides[i]));
      reads.b.push_back(IntExpr(0));
    }
    return reads;
  }
  const auto& contract = std::get<ContractAttrs>(node.attrs);
  const Dims& shape = graph.value(node.inputs[0]).shape;
  Dims sizes;
  for (size_t i = 0; i < contract.a.size(); ++i)
    if (!has_label(contract.out, contract.a[i])) sizes.push_back(shape[i]);
  const Dims k = delinearise(IntExpr::loop_variable("k", product(sizes)), sizes);
  std::map<int, IntExpr> of_label;
  for (size_t i = 0; i < contract.out.size(); ++i) of_label[contract.out[i]] = at[i];
  size_t summed = 0;
  for (int label : contract.a)
    if (!has_label(contract.out, label)) of_label[label] = k[summed++];
  ProductReads reads;
  for (int label : contract.a) reads.a.push_back(of_label[label]);
  for (int label : contract.b) reads.b.push_back(of_label[label]);
  return reads;
}

uint32_t few_rows_lanes(const IntExpr& columns, const IntExpr& workgroups_a_tile, int width, const DeviceInfo& device) {
  constexpr int64_t kTransactionBytes = 64;
  uint32_t lanes = 16;
  auto workgroups = [&] {
    return ceil_div(typical(columns), int64_t{lanes} * width) * std::max<int64_t>(1, typical(workgroups_a_tile));
  };
  while (workgroups() < 2 * device.rates.compute_units && lanes * width * 4 > kTransactionBytes) lanes /= 2;
  return lanes;
}

int vector_width(const IntExpr& extent) {
  for (int width : {4, 2})
    if (divide_exact(extent, IntExpr(width)) && !extent.is(0)) return width;
  return 1;
}

int depth_steps(const IntExpr& depth) {
  if (depth.is(2) || depth.is(3)) return static_cast<int>(depth.constant());
  return vector_width(depth) == 4 ? 4 : 1;
}

}  // namespace tuff
