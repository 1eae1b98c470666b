// Rows of A in shared memory: staged[row * stride + k] for the workgroup's rows and `stretch` vectors of k. Rows and k beyond
// the last repeat it.
for (int item = int(gl_LocalInvocationIndex); item < ${item_count}; item += ${invocations}) {
  int staged_row = item / ${stretch}, staged_k = item % ${stretch};
  int m = ${row};
  int k = ${k};
  ${element}
}
