// One reduction: stat_<phase>_<l> = combine over r of the row's element r.
${row}
//@for l width
${scalar} acc_${phase}_${l} = ${identity};
//@end
for (int r = lane; r < ${length}; r += 64) {
  ${element}
}
//@for l width
scratch_${scalar}[${l} * 64 + lane] = acc_${phase}_${l};
//@end
for (int half_width = 32; half_width > 0; half_width >>= 1) {
  barrier();
  if (lane < half_width) {
//@for l width
    scratch_${scalar}[${l} * 64 + lane] = combine_${phase}(scratch_${scalar}[${l} * 64 + lane], scratch_${scalar}[${l} * 64 + lane + half_width]);
//@end
  }
}
barrier();
//@for l width
${scalar} stat_${phase}_${l} = scratch_${scalar}[${l} * 64];
//@end
barrier();
