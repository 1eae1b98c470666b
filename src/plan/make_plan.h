// Kernels to a Plan. In: the graph, its storage orders and the guarded kernels of each fusion group in execution order.
// Out: steps, and where every stored value lives. Nothing here knows how the kernels came about: what a step reads and
// writes is what its kernels bind.
#pragma once

#include "kernel/make_kernels.h"
#include "plan/plan.h"

namespace tuff {

Result<Plan> make_plan(Graph graph, std::vector<std::vector<int>> orders, std::vector<std::vector<GuardedKernel>> groups);

}  // namespace tuff
