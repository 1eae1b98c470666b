// The rewrites in their order, and why each comes before the next.
#include "simplify/simplify.h"

#include "simplify/rules.h"

namespace tuff {
namespace {

// splat_operand comes before what looks for broadcasts.
constexpr RewriteRule kTidy[] = {identity_view, view_of_view,     view_of_splat,       identity_map,
                                 cast_of_cast,  select_of_known,  reduce_of_unit_axes, gather_of_wide_indices,
                                 splat_operand, map_of_broadcasts};
constexpr RewriteRule kIntoProducts[] = {product_of_softmax};
constexpr RewriteRule kIntegers[] = {product_of_dequantized};
constexpr RewriteRule kIntoWeights[] = {shift_of_shift, scale_of_scale, scale_of_product};

// Rounds until nothing matches; what one rule makes, another may match. Two or three are usual.
constexpr int kMaxRounds = 8;

Result<Graph> tidy(Graph graph, const SimplifyOptions& options) {
  for (int round = 0; round < kMaxRounds; ++round) {
    // Importers compute shapes and parameters in nodes: folded, they are the constants that the rules look for.
    TUFF_ASSIGN(graph, fold_constants(graph, options));
    int64_t matches = 0;
    TUFF_ASSIGN(graph, rewrite_nodes(graph, kTidy, options, &matches));
    // After the rules, since those bring nodes into one form.
    size_t node_count = graph.nodes.size();
    TUFF_ASSIGN(graph, equal_nodes(graph, options));
    if (matches == 0 && graph.nodes.size() == node_count) break;
  }
  return graph;
}

}  // namespace

Result<Graph> simplify(const Graph& src, const SimplifyOptions& options) {
  // What no output needs would cost time in everything that follows.
  Graph graph = prune_dead(src);
  // A constant is now at most one broadcast away from the map that reads it, and what is computed twice is one node: a
  // scale goes into weights only where the product has one reader.
  TUFF_ASSIGN(graph, tidy(std::move(graph), options));
  // Before zero points become shifts, and scales go elsewhere.
  TUFF_ASSIGN(graph, rewrite_nodes(graph, kIntegers, options));
  TUFF_ASSIGN(graph, rewrite_nodes(graph, kIntoWeights, options));
  // The sums and products of constants that were just written down are folded, and may be 0 or 1.
  TUFF_ASSIGN(graph, tidy(std::move(graph), options));
  // When scales and biases are where they stay. The joined weights are folded, and attention sees whose slices it reads.
  TUFF_ASSIGN(graph, products_of_one_value(graph, options));
  // On what is left of scales and masks: the rule looks for the softmax's own nodes, whatever is before them.
  TUFF_ASSIGN(graph, rewrite_nodes(graph, kIntoProducts, options));
  TUFF_ASSIGN(graph, tidy(std::move(graph), options));
  // Last: orders depend on the shapes that are summed over, and nothing changes those any more.
  return unordered_sums(std::move(graph));
}

}  // namespace tuff
