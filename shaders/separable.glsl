// Separable: C[b, m, n] = epilogue(sum over k of A[b, m, k] * B[b, k, n]), where A = maps of a window: combine over taps t of
// x[at m, k + t] (times w[k, t]) as in window.glsl.
//
// The workgroup computes A for its rows into shared memory, `stretch` vectors of k at a time, each once; then it multiplies as
// contract.glsl does, with A from there.
//   whole      all of k is staged at once, and the workgroup's columns follow panel after panel
//   otherwise  a workgroup has one panel, and stages stretch after stretch
// Slots as in contract.glsl, and
//   stage      separable_stage.glsl
layout(local_size_x = ${workgroup_x}, local_size_y = ${workgroup_y}, local_size_z = 1) in;
${declarations}
shared ${staged_vector} staged[${staged_count}];
void main() {
//@if whole
  ${stage}
  barrier();
  [[dont_unroll]] for (int panel = 0; panel < ${panel_count}; ++panel) {
//@else
  {
//@end
    ${setup}
//@for i rows
//@for j columns
    ${vector} acc_${i}_${j} = ${vector}(${zero});
//@if chunked
    ${vector} sum_${i}_${j} = ${vector}(${zero});
//@end
//@end
//@end
//@if whole
//@else
    for (int first = 0; first < ${k_count}; first += ${stretch}) {
      barrier();  // the last stretch has been read
      ${stage}
      barrier();
//@end
//@if chunked
      for (int chunk = 0; chunk < ${k_count}; chunk += ${chunked}) {
//@for i rows
//@for j columns
        acc_${i}_${j} = ${vector}(${zero});
//@end
//@end
//@end
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
//@if chunked
//@for i rows
//@for j columns
        sum_${i}_${j} = sum_${i}_${j} + acc_${i}_${j};
//@end
//@end
      }
//@for i rows
//@for j columns
      acc_${i}_${j} = sum_${i}_${j};
//@end
//@end
//@end
//@if whole
//@else
    }
//@end
    ${epilogue}
  }
}
