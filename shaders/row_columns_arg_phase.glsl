// One arg-reduction: stat_<phase>_<l> = the r whose element wins by better_<phase>, by one invocation.
${row}
//@for l width
${scalar} acc_${phase}_${l} = ${identity};
int at_${phase}_${l} = -1;
//@end
for (int r = 0; r < ${length}; ++r) {
  ${element}
}
//@for l width
int stat_${phase}_${l} = max(at_${phase}_${l}, 0);
//@end
