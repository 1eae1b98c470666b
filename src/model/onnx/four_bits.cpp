#include "model/onnx/four_bits.h"

namespace tuff::onnx {

// (byte << (4 - 4 j)) >> 4, where the dtype of 8 bits cuts off what is left of it.
Tensor unpack_four_bits(Tensor packed) {
  if (packed.rank() == 0) return packed;  // after a failure
  Dims apart = packed.shape(), pairs = packed.shape(), one(packed.shape().size() + 1, IntExpr(1)), joined = packed.shape();
  apart.insert(apart.begin() + 1, IntExpr(1));
  pairs.insert(pairs.begin() + 1, IntExpr(2));
  joined[0] = joined[0] * IntExpr(2);
  one[1] = IntExpr(5);
  Tensor shift = packed.composition().add(IotaAttrs{packed.dtype(), one, 1}, {});
  shift = slice(shift, 1, IntExpr(4), IntExpr(2), -4);  // 4, 0
  Tensor left = map(MapOp::shift_left, {broadcast(reshape(packed, apart), pairs), shift});
  return reshape(map(MapOp::shift_right, {left, packed.composition().scalar(packed.dtype(), 4)}), joined);
}

}  // namespace tuff::onnx
