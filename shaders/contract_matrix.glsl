// Contract on matrix units: C[b, m, n] = epilogue(sum over k of A[b, m, k] * B[b, k, n]), factors f16, sums f32, in
// cooperative matrices, each of which a subgroup holds together.
//
// A workgroup computes a tile of C. Of both factors it puts so many k at a time into shared memory, as pairs of f16 in words
// and with zeros beyond the last k, so that whatever is computed on reading is computed once for all of its subgroups. Each
// subgroup multiplies `rows` x `columns` matrices out of that. Which of a matrix's elements an invocation has nobody knows:
// so sums go through shared memory, a row of matrices at a time, to invocations that know their coordinates. Slots:
//   setup        coordinates of the tile
//   loops        the loops over taps, opening; tap: what each of them fixes; loops_end: closing
//   stage_a      A's part of a step into staged_a; stage_b_<product> likewise
//   finish       bias, activation, residual, cast, stores of `width` sums; finish_setup: what they share
layout(local_size_x = ${workgroup_x}, local_size_y = ${workgroup_y}, local_size_z = 1) in;
${declarations}
shared uint staged_a[${a_words}];
//@for p products
shared uint staged_b_${p}[${b_words_${p}}];
//@end
shared float sums[${sum_count}];

// Of the subgroup's row of matrices, whose sums begin at `first`, and whose first element is C[b, m_first, n_first].
void finish(int first, int m_first, int n_first) {
  ${finish_setup}
  for (int i = int(gl_SubgroupInvocationID); i < ${shape_m} * ${row_vectors}; i += ${lanes}) {
    int row = i / ${row_vectors}, column = i % ${row_vectors};
    int at = first + row * ${sum_stride} + column * ${width};
    int m = m_first + row;
    int n = n_first / ${width} + column;
    ${finish}
  }
}

void main() {
  ${setup}
  int matrix_m = int(gl_SubgroupID) / ${subgroups_n} * ${subgroup_rows};
  int matrix_n = int(gl_SubgroupID) % ${subgroups_n} * ${subgroup_columns};
//@for i rows
//@for j columns
  coopmat<float, gl_ScopeSubgroup, ${shape_m}, ${shape_n}, gl_MatrixUseAccumulator> acc_${i}_${j} =
      coopmat<float, gl_ScopeSubgroup, ${shape_m}, ${shape_n}, gl_MatrixUseAccumulator>(0.0);
//@end
//@end
  ${loops}
  ${tap}
  for (int k_first = 0; k_first < ${k_count}; k_first += ${depth}) {
    barrier();
    ${stage_a}
//@for p products
    ${stage_b_${p}}
//@end
    barrier();
    for (int k = 0; k < ${depth}; k += ${shape_k}) {
//@for i rows
      coopmat<float16_t, gl_ScopeSubgroup, ${shape_m}, ${shape_k}, gl_MatrixUseA> a_${i};
      coopMatLoad(a_${i}, staged_a, ${a_at_${i}}, ${a_stride}, ${a_layout});
//@end
//@for j columns
      coopmat<float16_t, gl_ScopeSubgroup, ${shape_k}, ${shape_n}, gl_MatrixUseB> b_${j};
      coopMatLoad(b_${j}, ${b_staged_${j}}, ${b_at_${j}}, ${b_stride_${j}}, ${b_layout_${j}});
//@for i rows
      acc_${i}_${j} = coopMatMulAdd(a_${i}, b_${j}, acc_${i}_${j});
//@end
//@end
    }
  }
  ${loops_end}
  int first = int(gl_SubgroupID) * ${subgroup_sums};
//@for i rows
  barrier();
//@for j columns
  coopMatStore(acc_${i}_${j}, sums, first + ${sum_at_${j}}, ${sum_stride}, gl_CooperativeMatrixLayoutRowMajor);
//@end
  barrier();
  finish(first, m_first + matrix_m + ${i} * ${shape_m}, n_first + matrix_n);
//@end
}
