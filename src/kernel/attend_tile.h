// How attention is spread over invocations and workgroups. Private to src/kernel.
#pragma once

#include "kernel/contraction.h"
#include "kernel/schedule.h"

namespace tuff {

struct AttendTile {
  int columns = 1;   // vectors of n an invocation
  int width = 1;     // n a vector
  int key_tile = 8;  // keys at a time
  int steps = 1;     // consecutive d loaded together
  uint32_t lanes = 1, splits = 1;
  uint32_t workgroups = 1;  // that share the keys, no more than there are splits

  // That each invocation without splits leaves for the last workgroup.
  int64_t floats_each() const { return int64_t{columns + 2} * width; }
};

// The first product: coordinates of its operands at one query (b, m), one key (k) and one d.
struct Scores {
  ValueId query_operand, key_operand;
  Dims query, key;
  IntExpr depth;
};
Scores scores_of(const KernelRequest& request, const Substitution& variables);

// The sums of one half of the invocations that share a query, which the other half adds to its own.
int64_t shared_bytes_of(const AttendTile& tile);
// Workgroups, were no keys shared by several.
IntExpr tile_count(const AttendTile& tile, const Contraction& c);
// Of what all workgroups of all tiles leave.
IntExpr partial_bytes(const AttendTile& tile, const Contraction& c);
std::string attend_text(const AttendTile& tile, bool exact);
// The tile that the cost model likes best, or one that was observed to be faster.
AttendTile take_attend_tile(const KernelRequest& request, const Contraction& c, const Scores& scores, KernelTuning& tuning);

}  // namespace tuff
