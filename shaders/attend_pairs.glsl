[[dont_unroll]] for (int kept = ${parts} / 2; kept > 0; kept /= 2) {
//@if exchange
  uint from = gl_SubgroupInvocationID ^ uint(kept * ${lanes});
  float last = top, other = subgroupShuffle(top, from);
  top = max(last, other);
  shift = shift_of(top);
  float rescale = ${rescale};
  float its = ${rescale_other};
  total = total * rescale + subgroupShuffle(total, from) * its;
//@for j columns
  acc_${j} = acc_${j} * rescale + subgroupShuffle(acc_${j}, from) * its;
//@end
//@else
  int part = (split < kept ? split : split - kept) * ${lanes} + ${own_query};
  if (split >= kept && split < 2 * kept) {
    part_top[part] = top;
    part_total[part] = total;
//@for j columns
    part_acc_${j}[part] = acc_${j};
//@end
  }
  ${barrier}
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
  ${barrier}
//@end
}
