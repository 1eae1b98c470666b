// How far one element of a map may be off, from how far its operands may be. Part of error_bound.
#pragma once

#include "graph/dtype.h"
#include "graph/ops.h"

namespace tuff {

struct MapOperand {
  double x = 0, error = 0;
};

// `y` is the truth. Before the rounding to the dtype, which rounded_error() adds.
double map_error(MapOp op, Dtype from, Dtype to, const MapOperand* operands, double y);
// The error with the rounding of a narrow dtype; infinite where the value may leave its range.
double rounded_error(Dtype dtype, double y, double error);

}  // namespace tuff
