// One reduction: stat_<phase>_<l> = combine over r of the row's element r, by one invocation.
//
// The tree over 64 virtual lanes pairs lane l with l + 32, then with l + 16, ...: depth first that visits the lanes in
// bit-reversed order, and six pending partial results are all it has to remember.
${row}
//@for l width
${scalar} acc_${phase}_${l} = ${identity};
${scalar} p0_${phase}_${l} = ${identity}, p1_${phase}_${l} = ${identity}, p2_${phase}_${l} = ${identity};
${scalar} p3_${phase}_${l} = ${identity}, p4_${phase}_${l} = ${identity}, p5_${phase}_${l} = ${identity};
//@end
for (int j = 0; j < 64; ++j) {
//@for l width
  acc_${phase}_${l} = ${identity};
//@end
  for (int r = int(bitfieldReverse(uint(j)) >> 26); r < ${length}; r += 64) {
    ${element}
  }
//@for l width
  if ((j & 1) == 0) { p0_${phase}_${l} = acc_${phase}_${l}; } else {
    acc_${phase}_${l} = combine_${phase}(p0_${phase}_${l}, acc_${phase}_${l});
    if ((j & 2) == 0) { p1_${phase}_${l} = acc_${phase}_${l}; } else {
      acc_${phase}_${l} = combine_${phase}(p1_${phase}_${l}, acc_${phase}_${l});
      if ((j & 4) == 0) { p2_${phase}_${l} = acc_${phase}_${l}; } else {
        acc_${phase}_${l} = combine_${phase}(p2_${phase}_${l}, acc_${phase}_${l});
        if ((j & 8) == 0) { p3_${phase}_${l} = acc_${phase}_${l}; } else {
          acc_${phase}_${l} = combine_${phase}(p3_${phase}_${l}, acc_${phase}_${l});
          if ((j & 16) == 0) { p4_${phase}_${l} = acc_${phase}_${l}; } else {
            acc_${phase}_${l} = combine_${phase}(p4_${phase}_${l}, acc_${phase}_${l});
            if ((j & 32) == 0) { p5_${phase}_${l} = acc_${phase}_${l}; } else {
              acc_${phase}_${l} = combine_${phase}(p5_${phase}_${l}, acc_${phase}_${l});
            }
          }
        }
      }
    }
  }
//@end
}
//@for l width
${scalar} stat_${phase}_${l} = acc_${phase}_${l};
//@end
