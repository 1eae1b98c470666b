// Rolling rows: as expand.glsl, y[n, c, p] = epilogue(combine over taps t of E[n, c, p * stride + t] (times w[c, t])), where
// E[n, c, q] = maps of the sum over k of A[n, q, k] * B[k, c], and, or without a window, the reduction over the image of either.
//
// The workgroup is a subgroup; an invocation has a vector of channels of a strip of the image, and goes down its rows: it
// computes one of E, `sums` elements at once, with A's elements from whichever lane has loaded them; keeps as many as the window
// has rows, each where it is read; and applies the window. There is nothing that invocations wait for. Slots:
//   setup        which image and channels
//   strip_setup  the strip's first result and first element of E, on the second axis
//   loads_a      a_lane_<i>_<step>; loads_b_<step>: b_step_<step>, and all a_<element>_<step>
//   row          what becomes of acc: the last row, rows[<last>][<element>], or without a window the results
//   outputs      the window, its epilogue, and what is stored and combined
//   reduction    combine_tiles.glsl: what becomes of part, which an invocation has combined
// Loops over elements of a row are unrolled by the driver, so that a row lies in registers; written out they would be ten times
// as much text to compile.
layout(local_size_x = ${workgroup_x}, local_size_y = 1, local_size_z = 1) in;
${declarations}
//@if combined
float combine(float a, float b) { return ${combine}; }
//@if combine_lanes
${vector} combine(${vector} a, ${vector} b) { return ${vector}(${combine_lanes}); }
//@end
//@end
void main() {
  ${setup}
//@if combined
  ${vector} part = ${vector}(${part_identity});
//@end
  for (int strip = ${first_strip}; strip < ${end_strip}; ++strip) {
    ${strip_setup}
//@if window
    ${vector} rows[${window_rows}][${window_columns}];
    [[unroll]] for (int r = 0; r < ${window_rows}; ++r)
      [[unroll]] for (int s = 0; s < ${window_columns}; ++s) rows[r][s] = ${vector}(0);
//@end
    int x0 = ${first_row};
    [[dont_unroll]] for (int y0 = 0; y0 < ${row_count}; ++y0) {
      [[dont_unroll]] for (; x0 < ${end_row}; ++x0) {
//@if window
        [[unroll]] for (int r = 1; r < ${window_rows}; ++r)
          [[unroll]] for (int s = 0; s < ${window_columns}; ++s) rows[r - 1][s] = rows[r][s];
//@end
//@for s sums
        ${vector} acc_${s} = ${vector}(0);
//@end
        if (x0 >= 0 && x0 < ${image_rows}) {
          for (int k = 0; k < ${k_count}; ++k) {
            ${loads_a}
//@for t steps
            ${loads_b_${t}}
//@for s sums
            acc_${s} = fma(${vector}(a_${s}_${t}), b_step_${t}, acc_${s});
//@end
//@end
          }
        }
        const ${vector} acc[${sums}] = ${vector}[${sums}](${all_sums});
        ${row}
      }
      ${outputs}
    }
  }
//@if combined
  ${reduction}
//@end
}
