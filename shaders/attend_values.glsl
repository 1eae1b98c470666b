// A tile of keys: what their values, each times its e_<key>, add to the sums. Nothing beyond the last key: its e is 0, but what
// would be read there may be no number. Where the test is for nothing it still keeps compilers from loading the values of all
// keys before the first is used, for which they take up to twice the registers.
//@for t key_tile
//@if guarded
if (first + ${t} < ${key_count}) {
//@else
{
//@end
  ${loads_v_${t}}
  total = total + e_${t};
//@for j columns
  acc_${j} = ${multiply_add_begin}${vector}(e_${t})${multiply_add_middle}v_${t}_${j}${multiply_add_end}acc_${j}${multiply_add_close};
//@end
}
//@end
