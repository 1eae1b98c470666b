[[dont_unroll]] for (int kept = ${parts} / 2; kept > 0; kept /= 2) {
  int part = (split < kept ? split : split - kept) * ${workgroup_x} + int(gl_LocalInvocationID.x);
  if (split >= kept && split < 2 * kept) {
    part_top[part] = top;
    part_total[part] = total;
//@for j columns
    part_acc_${j}[part] = acc_${j};
//@end
  }
  barrier();
  if (split < kept) {
    float last = top, other = part_top[part];
    top = max(last, other);
    shift = shift_of(top);
    float rescale = ${rescale};
    float its = ${rescale_other};
    total = total * rescale + part_total[part] * its;
//@for j columns
    acc_${j} = acc_${j} * rescale + part_acc_${j}[part] * its;
//@end
  }
  barrier();
}
