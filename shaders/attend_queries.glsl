// The workgroup's queries, from what makes them, each element once: vectors of neighbouring d, where those of all queries lie
// side by side. A lane of a subgroup keeps every ${invocations}th.
//@if exchange
//@for j own_vectors
${query_vector} own_${j} = ${query_vector}(0);
//@end
[[dont_unroll]] for (int own = 0; own < ${own_vectors}; ++own) {
  int at = min(own * ${invocations} + int(gl_SubgroupInvocationID), ${query_vectors} - 1);
//@else
for (int at = int(gl_LocalInvocationIndex); at < ${query_vectors}; at += ${invocations}) {
//@end
  ${makes_query}
//@if exchange
//@for j own_vectors
  own_${j} = own == ${j} ? made : own_${j};
//@end
//@else
  queries[at] = made;
//@end
}
//@if exchange
//@else
${barrier}
//@end
