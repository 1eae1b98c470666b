// How attention is spread over invocations and workgroups: how many columns an invocation holds, how many keys it takes at a
// time, how many invocations and workgroups share a query's keys, and where its queries come from. Here, since what a query
// costs that is computed where it is read follows from it.
#pragma once

#include "device/device_info.h"
#include "fusion/fusion.h"

namespace tuff {

// Its sizes, whatever is around it: `rows` queries of `depth` elements, `keys`, and results of `columns`.
struct AttentionShape {
  IntExpr batch, rows, columns, keys, depth;
  ValueId query;                   // the operand of the first product that has them
  bool query_is_computed = false;  // in the group, from what it reads
  int64_t operand_bytes = 0;       // keys and values
};
AttentionShape attention_shape(const Graph& graph, const Group& group);

// Elements of queries that are computed are computed once a workgroup, before its walk over the keys, where it has few of them:
//   kShared     they lie in shared memory
//   kExchanged  the workgroup is one subgroup, whose lanes keep some each and pass them around
enum class QueryStage : uint8_t { kNone, kShared, kExchanged };

struct AttendTile {
  int columns = 1;   // vectors of n an invocation
  int width = 1;     // n a vector
  int key_tile = 8;  // keys at a time
  int steps = 1;     // consecutive d loaded together
  uint32_t lanes = 1, splits = 1;
  uint32_t workgroups = 1;  // that share the keys, no more than there are splits
  // What follows from those.
  bool exchange = false;  // the workgroup is a subgroup; what its lanes have for each other they pass on
  QueryStage stage = QueryStage::kNone;
  int64_t query_vectors = 0;  // staged ones of `steps` elements; of all queries of the workgroup
  int own_vectors = 0;        // of those that a lane keeps

  // That each invocation without splits leaves for the last workgroup.
  int64_t floats_each() const { return int64_t{columns + 2} * width; }
  int64_t invocations() const { return int64_t{lanes} * splits; }
};

// The tile with what follows from the rest.
AttendTile derived(AttendTile tile, const AttentionShape& shape, const DeviceInfo& device);
// The one that the cost model likes best.
AttendTile choose_attend_tile(const AttentionShape& shape, const DeviceInfo& device, bool exact);

// Sums, scores and weights of the keys at hand, one step's operands, the rest.
int64_t registers_of(const AttendTile& tile);
// The sums of one half of the invocations that share a query, which the other half adds to its own; and staged queries.
int64_t shared_bytes_of(const AttendTile& tile);
// Workgroups, were no keys shared by several.
IntExpr tile_count(const AttendTile& tile, const AttentionShape& shape);
// Of what all workgroups of all tiles leave.
IntExpr partial_bytes(const AttendTile& tile, const AttentionShape& shape);
bool grid_holds(const AttendTile& tile, const AttentionShape& shape, const DeviceInfo& device);
// How often each element of a query is loaded, or computed where that is done in the kernel.
int64_t query_reads(const AttendTile& tile, const AttentionShape& shape);

}  // namespace tuff
