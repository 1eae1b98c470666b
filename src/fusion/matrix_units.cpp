#include "fusion/matrix_units.h"

#include <algorithm>
#include <limits>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/product.h"

namespace tuff {
namespace {

// Views whose elements are all their source's.
bool moves_elements(const Attrs& attrs) {
  return std::holds_alternative<ReshapeAttrs>(attrs) || std::holds_alternative<TransposeAttrs>(attrs) ||
         std::holds_alternative<SliceAttrs>(attrs) || std::holds_alternative<BroadcastAttrs>(attrs);
}

bool is_matrix_of_halves(const MatrixShape& shape) {
  return shape.a == "f16" && shape.b == "f16" && shape.c == "f32" && shape.result == "f32";
}

// The group's products: its anchor, and others of the same rows.
std::vector<const Node*> products_in(const Group& group, const Graph& graph) {
  std::vector<const Node*> products;
  for (NodeId m : group.members)
    if (product_extents(graph, m)) products.push_back(&graph.node(m));
  return products;
}

int64_t multiply_adds(const ProductExtents& e, int64_t rows, int64_t columns, int64_t depth) {
  int64_t all = typical(e.batch);
  for (int64_t size : {rows, columns, depth})
    all = checked_multiply(all, size).value_or(std::numeric_limits<int64_t>::max() / 1024);
  return all;
}

int64_t multiply_adds(const ProductExtents& e) {
  return multiply_adds(e, typical(e.rows), typical(e.columns), typical(e.depth));
}

// Those of the partial matrices at the edges count whole.
int64_t multiply_adds_in(const MatrixShape& shape, const ProductExtents& e) {
  return multiply_adds(e, round_up(typical(e.rows), shape.m), round_up(typical(e.columns), shape.n),
                       round_up(typical(e.depth), matrix_step(e.depth, shape)));
}

// Of the device's shapes the one that computes least beyond the edges; of equals the one that does most at once.
std::optional<MatrixShape> best_shape(const ProductExtents& extents, const DeviceInfo& device) {
  std::optional<MatrixShape> best;
  auto size = [](const MatrixShape& s) { return uint64_t{s.m} * s.n * s.k; };
  for (const MatrixShape& shape : device.matrix_shapes) {
    if (!is_matrix_of_halves(shape)) continue;
    const int64_t cost = multiply_adds_in(shape, extents), best_cost = best ? multiply_adds_in(*best, extents) : 0;
    if (!best || cost < best_cost || (cost == best_cost && size(shape) > size(*best))) best = shape;
  }
  return best;
}

std::string shape_text(const MatrixShape& s) {
  return std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
}

struct Choice {
  std::optional<MatrixShape> shape;
  std::string why;
  int64_t plain_ns = 0, ns = 0;  // of the arithmetic
};

Choice choose(const Group& group, const std::vector<const Node*>& products, const Graph& graph, const FusionOptions& options,
              const DeviceInfo& device) {
  for (const Node* product : products)
    for (ValueId operand : product->inputs)
      if (!has_f16_elements(graph, operand))
        return {{}, "one of its factors is not f16, and would lose what f32 has beyond it."};
  for (NodeId m : group.members)
    if (std::holds_alternative<ReduceAttrs>(graph.node(m).attrs))
      return {{}, "its rows are normalised as they are loaded, which the schedule for matrix units does not do."};
  const ProductExtents extents = *product_extents(graph, group.anchor);
  const std::optional<MatrixShape> shape = best_shape(extents, device);
  if (!shape) return {{}, "the device's matrix units do not sum products of f16 in f32."};
  if (!options.matrix_units) return {{}, "this build's GLSL compiler has no cooperative matrices."};
  const auto count = static_cast<int64_t>(products.size());
  const int64_t plain_ns = arithmetic_ns(count * multiply_adds(extents), device);
  const std::string plain = "as plain multiply-adds it takes " + std::to_string(plain_ns) + " ns";
  if (device.rates.matrix_fma_per_us == 0) return {{}, plain + ", and the device's matrix units are not known to be faster."};
  const int64_t ns = matrix_ns(count * multiply_adds_in(*shape, extents), device);
  const std::string matrices = std::to_string(ns) + " ns in matrices of " + shape_text(*shape);
  if (ns >= plain_ns) return {{}, plain + ", and " + matrices + "."};
  return {shape, plain + ", " + matrices + ".", plain_ns, ns};
}

}  // namespace

int64_t matrix_units_save_ns(const Group& group, const Graph& graph, const FusionOptions& options, const DeviceInfo& device) {
  if (options.exact || device.matrix_shapes.empty() || !product_extents(graph, group.anchor)) return 0;
  const std::vector<const Node*> products = products_in(group, graph);
  const Choice choice = choose(group, products, graph, options, device);
  int64_t bytes = typical_bytes(graph, products.front()->inputs[0]);
  for (const Node* product : products)
    bytes += typical_bytes(graph, product->inputs[1]) + typical_bytes(graph, product->output);
  const int64_t memory = memory_ns(bytes, device);
  return std::max(memory, choice.plain_ns) - std::max(memory, choice.ns);
}

int64_t matrix_step(const IntExpr& depth, const MatrixShape& shape) {
  constexpr int64_t kMost = 32;  // two or four matrices between barriers, without much beyond a short sum
  return round_up(std::clamp<int64_t>(typical(depth), 1, kMost), shape.k);
}

bool has_f16_elements(const Graph& graph, ValueId value) {
  for (;;) {
    if (graph.value(value).dtype == Dtype::kF16) return true;
    const Node* maker = graph.producer(value);
    if (!maker || graph.value(value).dtype != Dtype::kF32) return false;
    const auto* map = std::get_if<MapAttrs>(&maker->attrs);
    const bool widens = map && map->op == MapOp::cast;
    if (!widens && !moves_elements(maker->attrs)) return false;
    value = maker->inputs[0];
    if (widens) return graph.value(value).dtype == Dtype::kF16;
  }
}

void choose_matrix_units(Fusion& fusion, const Graph& graph, const FusionOptions& options, const DeviceInfo& device) {
  if (options.exact || device.matrix_shapes.empty()) return;
  for (Group& group : fusion.groups) {
    if (group.kind != AnchorKind::kContract && group.kind != AnchorKind::kWindow) continue;
    const std::vector<const Node*> products = products_in(group, graph);
    const bool of_halves = std::any_of(products.begin(), products.end(), [&](const Node* product) {
      return std::any_of(product->inputs.begin(), product->inputs.end(),
                         [&](ValueId operand) { return has_f16_elements(graph, operand); });
    });
    if (!of_halves) continue;
    Choice choice = choose(group, products, graph, options, device);
    group.matrix = choice.shape;
    fusion.matrix_decisions.push_back(
        {choice.shape.has_value(), "matrix units", label(graph.node(group.anchor)), std::move(choice.why), {group.anchor}});
  }
}

}  // namespace tuff
