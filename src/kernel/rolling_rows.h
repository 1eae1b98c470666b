// Rolling rows (fusion/expand.h), a schedule of groups of kind kExpand. Private to src/kernel.
#pragma once

#include "fusion/expand.h"
#include "kernel/kernel_build.h"

namespace tuff {

Result<Kernel> make_rolling_rows(const KernelRequest& request, const ExpandedOperand& operand, const ExpandTile& tile);

}  // namespace tuff
