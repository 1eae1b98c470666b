// Which products run on a device's matrix units (cooperative matrices): those of f16 factors, which such units multiply
// exactly and sum in f32, where that is faster than multiply-adds. In: the finished groups. Out: Group::matrix, and a
// Decision for each product of f16 factors on a device that has such units. Exact mode has none (NUMERICS, rule 8).
#pragma once

#include "fusion/fusion.h"

namespace tuff {

void choose_matrix_units(Fusion& fusion, const Graph& graph, const FusionOptions& options, const DeviceInfo& device);

// What the group would take longer without the matrix units that it could run on, which normalise no rows; 0 without any.
int64_t matrix_units_save_ns(const Group& group, const Graph& graph, const FusionOptions& options, const DeviceInfo& device);

// Is each element of the value exactly what an f16 holds, whatever its dtype?
bool has_f16_elements(const Graph& graph, ValueId value);

// How many k a workgroup multiplies at a time: a few matrices' worth, the last of them filled up with zeros.
int64_t matrix_step(const IntExpr& depth, const MatrixShape& shape);

}  // namespace tuff
