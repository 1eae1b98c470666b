// The symbolic size that tests of shapes use: 1 to 64.
#pragma once

#include "graph/int_expr.h"

namespace tuff {

inline const IntExpr n = IntExpr::symbol({"n", 1, 64, 1, nullptr});

}  // namespace tuff
