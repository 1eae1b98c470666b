// choose_layouts: images are stored channels last wherever Tuff decides alone.
//
// Why: a convolution is a contraction whose innermost summed axis (channels) and innermost output axis (output channels)
// are then both contiguous, so that operands load as vectors, tiles store as vectors and a per-channel constant is one
// vector; pooling and depthwise windows work on neighbouring channels. Windows ask for it, and values that are read and
// written at the same point agree with their neighbours, so that no map has to mix two orders.
#include <numeric>

#include "layout/storage.h"

namespace tuff {
namespace {

class Classes {
 public:
  explicit Classes(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0u); }
  uint32_t find(uint32_t v) {
    while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
    return v;
  }
  void join(ValueId a, ValueId b) { parent_[find(a.value)] = find(b.value); }

 private:
  std::vector<uint32_t> parent_;
};

// Does the node read and write at the same point, up to a shift? Then one order serves both sides.
bool keeps_axes(const Attrs& attrs) {
  return std::holds_alternative<MapAttrs>(attrs) || std::holds_alternative<PadAttrs>(attrs) ||
         std::holds_alternative<SliceAttrs>(attrs) || std::holds_alternative<ConcatAttrs>(attrs) ||
         std::holds_alternative<BroadcastAttrs>(attrs) || std::holds_alternative<ReduceAttrs>(attrs);
}

std::vector<int> channels_last(size_t rank) {
  std::vector<int> order = {0};
  for (size_t i = 2; i < rank; ++i) order.push_back(static_cast<int>(i));
  order.push_back(1);
  return order;
}

// The one operand of a map that no broadcast repeats; invalid where there is none or several.
ValueId varying_operand(const Graph& graph, const Node& map) {
  ValueId found;
  for (ValueId in : map.inputs) {
    if (graph.producer_as<BroadcastAttrs>(in)) continue;
    if (found.valid()) return {};
    found = in;
  }
  return found;
}

// The constant that an operand is, behind casts and what scales and shifts it; invalid where it is none.
ValueId constant_behind(const Graph& graph, ValueId operand) {
  while (operand.valid()) {
    const Node* maker = graph.producer(operand);
    if (!maker) return {};
    if (std::holds_alternative<ConstantAttrs>(maker->attrs)) return operand;
    if (!std::holds_alternative<MapAttrs>(maker->attrs)) return {};
    operand = varying_operand(graph, *maker);
  }
  return {};
}

}  // namespace

Layouts choose_layouts(const Graph& graph, const DeviceInfo&) {
  Layouts layouts;
  for (const Value& v : graph.values) layouts.formats.push_back({row_major_order(v.shape.size())});

  Classes classes(graph.values.size());
  for (const Node& node : graph.nodes) {
    bool window = std::holds_alternative<WindowAttrs>(node.attrs);
    if (window) classes.join(node.inputs[0], node.output);
    if (!keeps_axes(node.attrs)) continue;
    for (ValueId input : node.inputs)
      if (graph.value(input).shape.size() == graph.value(node.output).shape.size()) classes.join(input, node.output);
  }
  std::vector<bool> wanted(graph.values.size());
  for (const Node& node : graph.nodes)
    if (std::holds_alternative<WindowAttrs>(node.attrs)) wanted[classes.find(node.output.value)] = true;

  for (size_t v = 0; v < graph.values.size(); ++v) {
    size_t rank = graph.values[v].shape.size();
    if (wanted[classes.find(static_cast<uint32_t>(v))] && rank >= 3) layouts.formats[v].order = channels_last(rank);
  }
  // Weights: output channels innermost, so that a tile's columns load as vectors.
  auto set_order = [&](ValueId operand, const std::vector<int>& order) {
    for (ValueId v = operand;; v = varying_operand(graph, *graph.producer(v))) {
      layouts.formats[v.value].order = order;
      if (graph.producer_as<ConstantAttrs>(v)) return;
    }
  };
  for (const Node& node : graph.nodes) {
    const auto* window = std::get_if<WindowAttrs>(&node.attrs);
    const auto* contract = std::get_if<ContractAttrs>(&node.attrs);
    if (window && window->op == WindowOp::kConv && constant_behind(graph, node.inputs[1]).valid()) {
      size_t rank = graph.value(node.inputs[1]).shape.size();
      std::vector<int> order;
      for (size_t i = 2; i < rank; ++i) order.push_back(static_cast<int>(i));
      order.push_back(1);
      order.push_back(0);
      set_order(node.inputs[1], order);
    }
    if (contract && constant_behind(graph, node.inputs[1]).valid()) {
      // Axes that the output has go last, in its order; summed axes before them, batch axes first.
      auto in = [](const std::vector<int>& labels, int label) {
        for (int l : labels)
          if (l == label) return true;
        return false;
      };
      std::vector<int> order;
      for (int pass = 0; pass < 3; ++pass)
        for (size_t i = 0; i < contract->b.size(); ++i) {
          int label = contract->b[i];
          int kind = in(contract->out, label) ? (in(contract->a, label) ? 0 : 2) : 1;
          if (kind == pass) order.push_back(static_cast<int>(i));
        }
      set_order(node.inputs[1], order);
    }
  }
  for (ValueId v : graph.inputs) layouts.formats[v.value].order = row_major_order(graph.value(v).shape.size());
  for (ValueId v : graph.outputs) layouts.formats[v.value].order = row_major_order(graph.value(v).shape.size());
  return layouts;
}

}  // namespace tuff
