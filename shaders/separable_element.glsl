// A's `steps` elements at (m, k): the window's taps, then what maps make of its results.
{
  ${element_setup}
//@for l steps
  float acc_${l} = ${identity};
//@end
  ${loops}
  ${tap}
  ${loops_end}
  ${maps}
  ${result}
}
