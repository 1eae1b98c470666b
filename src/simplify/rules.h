// The rewrites of simplify, each in the file of its name. A rule is named by what it matches; its equation is in the
// file.
#pragma once

#include "simplify/rewrite.h"

namespace tuff {

// Views and maps that change nothing, or that two of make one.
Rewritten identity_view(Rewriter& dst, const Site& site);
Rewritten view_of_view(Rewriter& dst, const Site& site);
Rewritten view_of_splat(Rewriter& dst, const Site& site);
Rewritten identity_map(Rewriter& dst, const Site& site);
Rewritten cast_of_cast(Rewriter& dst, const Site& site);
Rewritten select_of_known(Rewriter& dst, const Site& site);
Rewritten reduce_of_unit_axes(Rewriter& dst, const Site& site);
Rewritten gather_of_wide_indices(Rewriter& dst, const Site& site);
Rewritten splat_operand(Rewriter& dst, const Site& site);
Rewritten map_of_broadcasts(Rewriter& dst, const Site& site);

// Sums of integers where the factors are dequantised.
Rewritten product_of_dequantized(Rewriter& dst, const Site& site);

// Constants along a chain of additions and multiplications, down into the weights of a product.
Rewritten shift_of_shift(Rewriter& dst, const Site& site);
Rewritten scale_of_scale(Rewriter& dst, const Site& site);
Rewritten scale_of_product(Rewriter& dst, const Site& site);

// Attention: what fusion needs to compute a softmax and the product that reads it in one walk over the keys.
Rewritten product_of_softmax(Rewriter& dst, const Site& site);

// Passes over the whole graph.
Result<Graph> fold_constants(const Graph& src, const SimplifyOptions& options);
Result<Graph> equal_nodes(const Graph& src, const SimplifyOptions& options);
Result<Graph> products_of_one_value(const Graph& src, const SimplifyOptions& options);
Graph unordered_sums(Graph graph);

}  // namespace tuff
