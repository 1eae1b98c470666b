// `steps` of a window's elements inside another kernel: its taps, then what is made of their results.
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
