// One statistic of each row of the tile: row_stat_<phase>[row] = combine over r of the row's element r. The invocations that
// have the row take every `lanes`-th element (or vector of elements) of it; the order is this schedule's own. `barrier`: the
// workgroup's, or its one subgroup's.
for (int i = 0; i < ${tile_rows}; ++i) {
  int m_row = ${row};
  ${row_setup}
  float part = ${identity};
  for (int r = ${lane}; r < ${length}; r += ${lanes}) {
    ${element}
  }
  row_part[(${first_row} + i) * ${lanes} + ${lane}] = part;
}
${barrier}
for (int i = ${lane}; i < ${tile_rows}; i += ${lanes}) {
  float part = row_part[(${first_row} + i) * ${lanes}];
  for (int l = 1; l < ${lanes}; ++l) part = combine_${phase}(part, row_part[(${first_row} + i) * ${lanes} + l]);
  row_stat_${phase}[${first_row} + i] = part;
}
${barrier}
