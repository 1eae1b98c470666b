// Image rows: a convolution of few channels, C[line, m, n] = epilogue(sum over t, k of A[line, m, t, k] * B[t, k, n]), where a
// line is a row of pixels of an image, m a pixel of it, t the window's rows, and k runs over the taps of one of them and, inside
// each, over the channels.
//
// An invocation holds `rows` x `columns` accumulators of W neighbouring n. Its rows are neighbouring pixels of one line, whose
// windows overlap: the elements under a row of them are loaded once, and all k of the window's row are written out. A tile
// that would end behind the line begins earlier, and does not store what the tile before it stores. The sums have the order of
// contract.glsl. Slots as there, and
//   loads_a    the elements under the tile's windows (where a load costs each lane its own, the subgroup's lanes load
//              some each and the steps pass them around)
//   loads_b_<step>  a_<row>_<step>, which name them, and b_<step>_<column>
layout(local_size_x = ${workgroup_x}, local_size_y = ${workgroup_y}, local_size_z = 1) in;
${declarations}
void main() {
  ${setup}
//@for i rows
//@for j columns
  ${vector} acc_${i}_${j} = ${vector}(${zero});
//@end
//@end
  ${loops}
  ${tap}
  ${loads_a}
//@for t steps
  ${loads_b_${t}}
//@for i rows
//@for j columns
  acc_${i}_${j} = ${multiply_add_begin}a_${i}_${t}${multiply_add_middle}b_${t}_${j}${multiply_add_end}acc_${i}_${j}${multiply_add_close};
//@end
//@end
//@end
  ${loops_end}
  ${epilogue}
}
