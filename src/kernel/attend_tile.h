// Schedules of attention: what tuning may choose, and which was. Private to src/kernel.
#pragma once

#include "fusion/attention_tile.h"
#include "kernel/contraction.h"
#include "kernel/schedule.h"

namespace tuff {

// The first product: coordinates of its operands at one query (b, m), one key (k) and one d.
struct Scores {
  ValueId query_operand, key_operand;
  Dims query, key;
  IntExpr depth;
};
Scores scores_of(const KernelRequest& request, const Substitution& variables);

std::string attend_text(const AttendTile& tile, bool exact);
// The tile that the cost model likes best, or one that was observed to be faster.
AttendTile take_attend_tile(const KernelRequest& request, const Contraction& c, const AttentionShape& shape,
                            KernelTuning& tuning);

}  // namespace tuff
