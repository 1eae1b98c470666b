// A tile of keys: t_<key>, the mapped scores; -infinity beyond the last key.
${keys}
//@for t key_tile
float s_${t} = ${zero};
//@end
[[dont_unroll]] for (int depth = 0; depth < ${depth_count}; ++depth) {
  ${loads_q}
//@for t key_tile
  ${loads_k_${t}}
//@for u steps
  s_${t} = ${multiply_add_begin}q_${u}${multiply_add_middle}k_${t}_${u}${multiply_add_end}s_${t}${multiply_add_close};
//@end
//@end
}
${maps}
