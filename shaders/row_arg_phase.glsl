// One arg-reduction: stat_<phase>_<l> = the r whose element wins by better_<phase>; -1 stands for none yet.
${row}
//@for l width
${scalar} acc_${phase}_${l} = ${identity};
int at_${phase}_${l} = -1;
//@end
for (int r = lane; r < ${length}; r += 64) {
  ${element}
}
//@for l width
scratch_${scalar}[${l} * 64 + lane] = acc_${phase}_${l};
scratch_at[${l} * 64 + lane] = at_${phase}_${l};
//@end
for (int half_width = 32; half_width > 0; half_width >>= 1) {
  barrier();
  if (lane < half_width) {
//@for l width
    if (better_${phase}(scratch_${scalar}[${l} * 64 + lane + half_width], scratch_at[${l} * 64 + lane + half_width], scratch_${scalar}[${l} * 64 + lane], scratch_at[${l} * 64 + lane])) {
      scratch_${scalar}[${l} * 64 + lane] = scratch_${scalar}[${l} * 64 + lane + half_width];
      scratch_at[${l} * 64 + lane] = scratch_at[${l} * 64 + lane + half_width];
    }
//@end
  }
}
barrier();
//@for l width
int stat_${phase}_${l} = max(scratch_at[${l} * 64], 0);
//@end
barrier();
