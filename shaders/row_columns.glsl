// RowReduce with one invocation a row (or W neighbouring rows): for rows that lie across the storage, where neighbouring
// invocations then read neighbouring elements, and for devices on which a workgroup's invocations are dear to synchronise.
// The sums are those of row_reduce.glsl, bit for bit. Slots as there.
layout(local_size_x = ${workgroup_x}, local_size_y = 1, local_size_z = 1) in;
${declarations}
${functions}
void main() {
  int row = ${grid_index} * ${workgroup_x} + int(gl_LocalInvocationID.x);
  if (row >= ${row_count}) return;
  ${body}
}
