// Contract for few rows: C[b, m, n] = epilogue(sum over k of A[b, m, k] * B[b, k, n]), one row a workgroup.
//
// k is cut into chunks of `chunk` (a part of the sum's order, so that the result does not depend on this schedule). The
// workgroup's y are chunks, its x are column vectors; each invocation sums a chunk in order, and the invocations of the
// first chunk add the chunks' sums in order. Slots as in contract.glsl, with one row and one column.
layout(local_size_x = ${workgroup_x}, local_size_y = ${workgroup_y}, local_size_z = 1) in;
${declarations}
shared ${vector} partial[${chunk_count} * ${workgroup_x}];
${functions}
void main() {
  ${setup}
  ${statistics}
  ${rows_setup}
  for (int c = int(gl_LocalInvocationID.y); c < ${chunk_count}; c += ${workgroup_y}) {
    ${vector} acc_0_0 = ${vector}(${zero});
    int k_end = min((c + 1) * ${chunk}, ${k_count});
    for (int k = c * ${chunk}; k < k_end; ++k) {
      ${loads_a}
//@for t steps
      ${loads_b_${t}}
      acc_0_0 = ${multiply_add_begin}a_0_${t}${multiply_add_middle}b_${t}_0${multiply_add_end}acc_0_0${multiply_add_close};
//@end
    }
    partial[c * ${workgroup_x} + int(gl_LocalInvocationID.x)] = acc_0_0;
  }
  barrier();
  if (gl_LocalInvocationID.y != 0u) return;
  ${vector} acc_0_0 = partial[gl_LocalInvocationID.x];
  for (int c = 1; c < ${chunk_count}; ++c) acc_0_0 = acc_0_0 + partial[c * ${workgroup_x} + int(gl_LocalInvocationID.x)];
  ${epilogue}
}
