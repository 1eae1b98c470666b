// The rewrites in their order, and why each comes before the next.
#include "simplify/simplify.h"

#include "simplify/rules.h"

namespace tuff {
namespace {

// splat_operand comes before what looks for broadcasts.
constexpr RewriteRule kTidy[] = {identity_view,   view_of_view,        identity_map,  cast_of_cast,
                                 select_of_known, reduce_of_unit_axes, splat_operand, map_of_broadcasts};
constexpr RewriteRule kIntoWeights[] = {shift_of_shift, scale_of_scale, scale_of_product};

}  // namespace

Result<Graph> simplify(const Graph& src, const SimplifyOptions& options) {
  // What no output needs would cost time in everything that follows.
  Graph graph = prune_dead(src);
  // Importers compute shapes and parameters in nodes: folded, they are the constants that the rules below look for.
  TUFF_ASSIGN(graph, fold_constants(graph, options));
  // Fewer views and maps first, so that a constant is at most one broadcast away from the map that reads it.
  TUFF_ASSIGN(graph, rewrite_nodes(graph, kTidy, options));
  // One reader is what lets a scale go into weights: nodes that compute the same thing twice become one before that.
  TUFF_ASSIGN(graph, equal_nodes(graph, options));
  TUFF_ASSIGN(graph, rewrite_nodes(graph, kIntoWeights, options));
  // The sums and products of constants that were just written down.
  TUFF_ASSIGN(graph, fold_constants(graph, options));
  // Folding leaves splats of 0 and 1, and constants that are equal.
  TUFF_ASSIGN(graph, rewrite_nodes(graph, kTidy, options));
  TUFF_ASSIGN(graph, fold_constants(graph, options));
  TUFF_ASSIGN(graph, equal_nodes(graph, options));
  // Last: orders depend on the shapes that are summed over, and on nothing that comes later.
  return unordered_sums(std::move(graph));
}

}  // namespace tuff
