// RowReduce: reductions over whole rows and the maps around them, one workgroup a row (or W rows side by side, where the
// rows lie across the storage). A softmax is max, sum of exp(x - max), then a store; a layer norm two sums.
//
// Every sum keeps one order (NUMERICS): element i belongs to virtual lane i mod 64, then a binary tree over 64 lanes; here
// lanes are invocations. Slots:
//   functions  combine_<phase>, one a reduction
//   body       the phases (row_reduce_phase.glsl) and, last, the stores
layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
${declarations}
${functions}
void main() {
  int row = ${grid_index};
  if (row >= ${row_count}) return;
  int lane = int(gl_LocalInvocationID.x);
  ${body}
}
