// Into `part` of lane 0 of each slot: that of all its lanes, which pair as in row_reduce.glsl.
barrier();
staged[at_part] = part;
for (int kept = ${lanes} / 2; kept > 0; kept >>= 1) {
  barrier();
  if (lane < kept) staged[at_part] = combine(staged[at_part], staged[at_part + kept * ${slots}]);
}
part = staged[at_part];
