// Contract for few rows: C[b, m, n] = epilogue(sum over k of A[b, m, k] * B[b, k, n]), one row a workgroup.
//
// k is cut into chunks of `chunk` (a part of the sum's order, so that the result does not depend on this schedule). The
// workgroup's y are chunks, its x are column vectors; each invocation sums a chunk in order, and the invocations of the
// first chunk add the chunks' sums in order. Where there would be too few workgroups, several share a row's columns, each
// with some of the chunks (sum_parts.h). Slots as in contract.glsl, with one row, and a column for each product.
layout(local_size_x = ${workgroup_x}, local_size_y = ${workgroup_y}, local_size_z = 1) in;
${declarations}
//@if parts
shared uint arrived;
//@else
//@for j columns
shared ${vector} partial_${j}[${chunk_count} * ${workgroup_x}];
//@end
//@end
${functions}
void main() {
  ${setup}
  ${statistics}
  ${rows_setup}
  for (int c = ${first_chunk}; c < ${end_chunk}; c += ${workgroup_y}) {
//@for j columns
    ${vector} acc_0_${j} = ${vector}(${zero});
//@end
    int k_end = min((c + 1) * ${chunk}, ${k_count});
    for (int k = c * ${chunk}; k < k_end; ++k) {
      ${loads_a}
//@for t steps
      ${loads_b_${t}}
//@for j columns
      acc_0_${j} = ${multiply_add_begin}a_0_${t}${multiply_add_middle}b_${t}_${j}${multiply_add_end}acc_0_${j}${multiply_add_close};
//@end
//@end
    }
//@for j columns
//@if parts
    ${if_here_0_${j}}partials.e[c * ${left_count} + ${sum_at_0_${j}}] = acc_0_${j};
//@else
    partial_${j}[c * ${workgroup_x} + int(gl_LocalInvocationID.x)] = acc_0_${j};
//@end
//@end
  }
//@if parts
  ${arrive}
  if (gl_LocalInvocationID.y != 0u) return;
//@for j columns
  ${vector} acc_0_${j} = partials.e[${sum_at_0_${j}}];
  for (int c = 1; c < ${chunk_count}; ++c) acc_0_${j} = acc_0_${j} + partials.e[c * ${left_count} + ${sum_at_0_${j}}];
//@end
//@else
  barrier();
  if (gl_LocalInvocationID.y != 0u) return;
//@for j columns
  ${vector} acc_0_${j} = partial_${j}[gl_LocalInvocationID.x];
  for (int c = 1; c < ${chunk_count}; ++c)
    acc_0_${j} = acc_0_${j} + partial_${j}[c * ${workgroup_x} + int(gl_LocalInvocationID.x)];
//@end
//@end
  ${epilogue}
}
