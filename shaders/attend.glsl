// Attend: O[b, m, n] = epilogue(sum over keys of E[m, key] * V[key, n], sum over keys of E[m, key]), with
// E = exp(T - max over keys of T) and T = maps of the scores S[m, key] = sum over d of Q[m, d] * K[key, d].
//
// An invocation has one query and `columns` vectors of neighbouring n; neighbouring invocations have neighbouring queries,
// so that keys and values are the same for all of them and are read once. It walks over the keys, `key_tile` at a time, and
// stores nothing of T or E.
//   fast   one walk: what is summed so far is scaled where a greater T comes; where queries are few, `splits` invocations
//          share a query's keys and add up in pairs at the end, always the same ones
//          where they are too few even so, `workgroups` share a query's keys; the last to arrive adds up what all have left
//   exact  a first walk for the maximum alone, so that E has the bits that it has by itself; the sums have the graph's order
// Slots:
//   setup      coordinates of the query and the columns
//   stage      attend_queries.glsl: queries that are computed, once a workgroup
//   scores     attend_scores.glsl: t_<key>
//   raise_top  top becomes the greatest of itself and all t_<key>
//   weights    e_<key> = E at `shift`
//   values     attend_values.glsl: what a tile of keys adds
//   add_splits, add_workgroups   attend_pairs.glsl: the sums of so many invocations of a query become those of the first
//   arrive     arrive.glsl: only the last workgroup goes on
//   epilogue   the division, and what follows
layout(local_size_x = ${workgroup_x}, local_size_y = ${workgroup_y}, local_size_z = 1) in;
${declarations}
//@if shared_parts
shared float part_top[${splits} / 2 * ${lanes}];
shared float part_total[${splits} / 2 * ${lanes}];
//@for j columns
shared ${vector} part_acc_${j}[${splits} / 2 * ${lanes}];
//@end
//@end
//@if workgroups
shared uint arrived;
//@end
//@if shared_queries
shared ${query_vector} queries[${query_vectors}];
//@end
// A row of which nothing counts so far has no maximum to be measured from.
float shift_of(float top) { return floatBitsToUint(top) == 0xff800000u ? 0.0 : top; }
void main() {
  ${setup}
  ${stage}
//@for j columns
  ${vector} acc_${j} = ${vector}(${zero});
//@end
  float total = ${zero}, top = ${lowest}, shift;
//@if exact
  for (int first = 0; first < ${key_count}; first += ${key_tile}) {
    ${scores}
    ${raise_top}
  }
  shift = top;
//@if chunked
//@for j columns
  ${vector} sum_${j} = ${vector}(${zero});
//@end
  float sum_total = ${zero};
  for (int chunk = 0; chunk < ${key_count}; chunk += ${chunked}) {
//@for j columns
    acc_${j} = ${vector}(${zero});
//@end
    total = ${zero};
    for (int first = chunk; first < min(chunk + ${chunked}, ${key_count}); first += ${key_tile}) {
      ${scores}
      ${weights}
      ${values}
    }
//@for j columns
    sum_${j} = sum_${j} + acc_${j};
//@end
    sum_total = sum_total + total;
  }
//@for j columns
  acc_${j} = sum_${j};
//@end
  total = sum_total;
//@else
  for (int first = 0; first < ${key_count}; first += ${key_tile}) {
    ${scores}
    ${weights}
    ${values}
  }
//@end
//@else
//@if together
  for (int base = 0; base < ${key_count}; base += ${stride}) {
    int first = base + ${first};
//@else
  for (int first = ${first}; first < ${key_count}; first += ${stride}) {
//@end
    ${scores}
    float last = top;
    ${raise_top}
    shift = shift_of(top);
    float rescale = ${rescale};
    total *= rescale;
//@for j columns
    acc_${j} *= rescale;
//@end
    ${weights}
    ${values}
  }
//@if splits
  int split = ${own_split};
  ${add_splits}
//@if workgroups
  if (split == 0) {
    int left = (tile * ${workgroups} + workgroup) * ${parts_each} * ${lanes} + ${own_query};
    partials.e[left] = ${vector}(top);
    partials.e[left + ${lanes}] = ${vector}(total);
//@for j columns
    partials.e[left + (${j} + 2) * ${lanes}] = acc_${j};
//@end
  }
  ${arrive}
  if (split < ${workgroups}) {
    int left = (tile * ${workgroups} + split) * ${parts_each} * ${lanes} + ${own_query};
    top = partials.e[left].x;
    total = partials.e[left + ${lanes}].x;
//@for j columns
    acc_${j} = partials.e[left + (${j} + 2) * ${lanes}];
//@end
  }
  ${add_workgroups}
//@end
  if (split != 0) return;
//@end
//@end
  ${epilogue}
}
