// Contract: C[b, m, n] = epilogue(sum over k of A[b, m, k] * B[b, k, n]), register tiles, operands straight from memory.
//
// An invocation holds `rows` x `columns` accumulators of W neighbouring n. Its rows are consecutive m, which for a
// convolution are neighbouring pixels; its columns are `lanes_n` vectors apart, so that neighbouring invocations load
// neighbouring vectors of B. A's loads are the same for all invocations of a row. Convolution is the same sum with
// A[m, k] read through the window's coordinates: the loops around k are then over the taps. Where there would be too few
// workgroups, several share a tile (sum_parts.h): each sums a part of k. Slots:
//   functions, statistics, rows   where the rows are normalised (row_statistics.glsl)
//   setup      coordinates of the rows
//   panel_count, panel_step, panel_setup   where a workgroup walks over tiles of columns: coordinates of each
//   zero       where sums start
//   loops      the loops over taps, opening; tap: what each of them fixes; loops_end: closing
//   k_begin, k_end  the k of this workgroup's part, all of them where `parts` is empty
//   loads_a    a_<row>_<step> for `steps` consecutive k (where a load costs each lane its own, the subgroup's lanes load
//              a row each and the steps pass them around)
//   loads_b_<step>  b_<step>_<column>
//   corrections     what is taken off the sums of bytes
//   arrive     arrive.glsl: only the last workgroup goes on
//   sum_at_<row>_<column>, if_here_<row>_<column>   where the sum is left, of `left_count` each; whether it is one
//   epilogue   bias, activation, residual, cast, stores
layout(local_size_x = ${workgroup_x}, local_size_y = ${workgroup_y}, local_size_z = 1) in;
${declarations}
//@if parts
shared uint arrived;
//@end
${functions}
void main() {
  ${setup}
  ${statistics}
  ${rows_setup}
//@if panel_count
  for (int panel = int(gl_WorkGroupID.y); panel < ${panel_count}; panel += ${panel_step}) {
  ${panel_setup}
//@end
//@for i rows
//@for j columns
  ${vector} acc_${i}_${j} = ${vector}(${zero});
//@if chunked
//@if parts
//@else
  ${vector} sum_${i}_${j} = ${vector}(${zero});
//@end
//@end
//@end
//@end
//@if chunked
  for (int chunk = ${k_begin}; chunk < ${k_end}; chunk += ${chunked}) {
//@for i rows
//@for j columns
    acc_${i}_${j} = ${vector}(${zero});
//@end
//@end
    for (int k = chunk; k < min(chunk + ${chunked}, ${k_count}); ++k) {
      ${loads_a}
//@for t steps
      ${loads_b_${t}}
//@for i rows
//@for j columns
      acc_${i}_${j} = ${multiply_add_begin}a_${i}_${t}${multiply_add_middle}b_${t}_${j}${multiply_add_end}acc_${i}_${j}${multiply_add_close};
//@end
//@end
//@end
    }
//@if parts
    int from = chunk / ${chunked};
//@for i rows
//@for j columns
    ${if_here_${i}_${j}}partials.e[from * ${left_count} + ${sum_at_${i}_${j}}] = acc_${i}_${j};
//@end
//@end
//@else
//@for i rows
//@for j columns
    sum_${i}_${j} = sum_${i}_${j} + acc_${i}_${j};
//@end
//@end
//@end
  }
//@if parts
//@else
//@for i rows
//@for j columns
  acc_${i}_${j} = sum_${i}_${j};
//@end
//@end
//@end
//@else
  ${loops}
  ${tap}
  for (int k = ${k_begin}; k < ${k_end}; ++k) {
    ${loads_a}
//@for t steps
    ${loads_b_${t}}
//@for i rows
//@for j columns
    acc_${i}_${j} = ${multiply_add_begin}a_${i}_${t}${multiply_add_middle}b_${t}_${j}${multiply_add_end}acc_${i}_${j}${multiply_add_close};
//@end
//@end
//@end
  }
  ${loops_end}
//@end
  ${corrections}
//@if parts
//@if chunked
//@else
//@for i result_rows
//@for j columns
  ${if_here_${i}_${j}}partials.e[part * ${left_count} + ${sum_at_${i}_${j}}] = acc_${i}_${j};
//@end
//@end
//@end
  ${arrive}
//@for i result_rows
//@for j columns
  acc_${i}_${j} = ${vector}(${zero});
//@end
//@end
  for (int from = 0; from < ${parts}; ++from) {
//@for i result_rows
//@for j columns
    acc_${i}_${j} = acc_${i}_${j} + partials.e[from * ${left_count} + ${sum_at_${i}_${j}}];
//@end
//@end
  }
//@end
  ${epilogue}
//@if panel_count
  }
//@end
}
