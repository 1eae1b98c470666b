// A product's sizes, whatever makes it one, and how its operands are loaded.
#pragma once

#include <optional>

#include "device/device_info.h"
#include "graph/graph.h"

namespace tuff {

struct ProductExtents {
  IntExpr batch = IntExpr(1), rows = IntExpr(1), columns = IntExpr(1), depth = IntExpr(1);
  bool chunked = false;  // its sum's order
};

// What the product's result at the coordinates sums, over k.
struct ProductReads {
  Dims a, b;
};
ProductReads product_reads(const Graph& graph, NodeId id, const Dims& at);

// Of a contract, or of a convolution whose window is one pixel; nullopt for other nodes.
std::optional<ProductExtents> product_extents(const Graph& graph, NodeId id);
// Is it a window each of whose results sees one channel?
bool is_own_channel_window(const Graph& graph, NodeId node);

// Rows up to which splitting the sum over invocations, one row a workgroup, beats giving each invocation rows of its own
// (gemv.glsl); only where the sum's order has chunks.
constexpr int64_t kFewRows = 4;
// How many column vectors of `width` a workgroup has there: fewer where the device would have too few workgroups, as long as
// what they read of a row of weights is a whole transaction of memory.
uint32_t few_rows_lanes(const IntExpr& columns, const IntExpr& workgroups_a_tile, int width, const DeviceInfo& device);

// The greatest of 4, 2, 1 that divides the extent, as far as is known: how many neighbours are one vector.
int vector_width(const IntExpr& extent);
// Consecutive k that are loaded together: a vector's worth, or all of a short sum (the three channels of an image).
int depth_steps(const IntExpr& depth);

}  // namespace tuff
