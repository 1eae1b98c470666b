// Map: out[i] = f(inputs at i) for every element i of a domain, W neighbouring elements an invocation.
//
// The domain is numbered in the storage order of the first output, so that its store is contiguous. Slots:
//   element    index arithmetic, loads, arithmetic and stores of elements W * i .. W * i + W - 1
layout(local_size_x = ${workgroup_x}, local_size_y = 1, local_size_z = 1) in;
${declarations}
void main() {
  int i = ${grid_index} * ${workgroup_x} + int(gl_LocalInvocationID.x);
  if (i >= ${vector_count}) return;
  ${element}
}
