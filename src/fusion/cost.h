// What a kernel costs on a device, in integer nanoseconds: launch + max(memory, arithmetic). Sizes that are symbolic are
// taken at a typical value, the same for every device, so that the same inputs give the same plan.
#pragma once

#include "device/rate_times.h"
#include "graph/graph.h"

namespace tuff {

// 256 for a free symbol, or the nearest value inside its range.
int64_t typical(const IntExpr& e);
int64_t typical_bytes(const Graph& graph, ValueId value);

}  // namespace tuff
