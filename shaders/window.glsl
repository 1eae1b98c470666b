// Window: out[n, c, y] = combine over taps t of x[n, c, y * stride + t * dilation] (times w[c, t] in a depthwise
// convolution), W neighbouring channels an invocation.
//
// The domain is numbered in the storage order of the output; padding is part of x's coordinates. Slots:
//   setup     coordinates of this invocation's elements
//   tap       what one tap adds: loads and acc_0 .. acc_<W - 1>
//   epilogue  bias, activation, residual, cast, stores
layout(local_size_x = ${workgroup_x}, local_size_y = 1, local_size_z = 1) in;
${declarations}
void main() {
  int i = ${grid_index} * ${workgroup_x} + int(gl_LocalInvocationID.x);
  if (i >= ${vector_count}) return;
  ${setup}
//@for l width
  ${scalar} acc_${l} = ${identity};
//@end
  ${loops}
  ${tap}
  ${loops_end}
  ${epilogue}
}
