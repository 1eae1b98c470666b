// Expand: y[n, c, p] = epilogue(combine over taps t of E[n, c, p * stride + t * dilation] (times w[c, t])), where
// E[n, c, q] = maps of the sum over k of A[n, q, k] * B[k, c]; and, or without a window, the reduction over p of maps of y, or
// over q of E.
//
// A workgroup has some channels of a tile of one image. It computes E there into staged[position * vectors + vector], an
// invocation a vector of channels at `rows` positions at once; then the window reads it from there, as in window.glsl.
// Positions of the tile beyond the image's edges are not staged: the window's padding decides what is there. Slots:
//   setup       which image, tile and channels
//   item_setup  an item's vector of channels and its positions
//   loads_a     a_<row>_<step> for `steps` consecutive k; loads_b_<step>: b_step_<step>
//   stage       the maps, and the staged vectors; without a window, what is stored and combined
//   output_setup, in_image  an item's vector of channels and its result, and whether there is such a one
//   tap, epilogue  as in window.glsl
//   reduction   combine_tiles.glsl: what becomes of part, which an invocation has combined
layout(local_size_x = ${workgroup_x}, local_size_y = 1, local_size_z = 1) in;
${declarations}
shared ${vector} staged[${staged_count}];
//@if combined
float combine(float a, float b) { return ${combine}; }
//@if combine_lanes
${vector} combine(${vector} a, ${vector} b) { return ${vector}(${combine_lanes}); }
//@end
//@if image_tiles
shared uint arrived;
//@end
//@end
void main() {
  ${setup}
//@if combined
  ${vector} part = ${vector}(${part_identity});
//@end
  for (int item = int(gl_LocalInvocationID.x); item < ${item_count}; item += ${workgroup_x}) {
    ${item_setup}
//@for i rows
    ${vector} acc_${i} = ${vector}(${zero});
//@end
//@if chunked
//@for i rows
    ${vector} sum_${i} = ${vector}(${zero});
//@end
    for (int chunk = 0; chunk < ${k_count}; chunk += ${chunked}) {
//@for i rows
      acc_${i} = ${vector}(${zero});
//@end
      for (int k = chunk; k < min(chunk + ${chunked}, ${k_count}); ++k) {
//@else
    {
      for (int k = 0; k < ${k_count}; ++k) {
//@end
        ${loads_a}
//@for t steps
        ${loads_b_${t}}
//@for i rows
        acc_${i} = ${multiply_add_begin}a_${i}_${t}${multiply_add_middle}b_step_${t}${multiply_add_end}acc_${i}${multiply_add_close};
//@end
//@end
      }
//@if chunked
//@for i rows
      sum_${i} = sum_${i} + acc_${i};
//@end
//@end
    }
//@if chunked
//@for i rows
    acc_${i} = sum_${i};
//@end
//@end
    ${stage}
  }
//@if window
  barrier();
  for (int item = int(gl_LocalInvocationID.x); item < ${output_count}; item += ${workgroup_x}) {
    ${output_setup}
    if (${in_image}) {
      ${element_setup}
//@for l width
      float acc_${l} = ${identity};
//@end
      ${loops}
      ${tap}
      ${loops_end}
      ${epilogue}
    }
  }
//@end
//@if combined
  ${reduction}
//@end
}
