// cast<C>(cast<B>(x: A)) = cast<C>(x), where B holds every value of A and the way by B takes no other turn: floats
// saturate where integers wrap, so a float between two different integer types stays. cast<A>(x: A) = x.
#include "simplify/rules.h"

namespace tuff {
namespace {

int significant_bits(Dtype d) {
  switch (d) {
    case Dtype::kF64: return 53;
    case Dtype::kF32: return 24;
    case Dtype::kF16: return 11;
    case Dtype::kBf16: return 8;
    case Dtype::kBool: return 1;
    default: return static_cast<int>(8 * dtype_size_bytes(d)) - (is_signed_integer(d) ? 1 : 0);
  }
}

// Exponents: f16 < bf16 = f32 < f64; every integer of few enough bits fits each of them, but u16 and f16's 65,504.
bool holds_every_value(Dtype wide, Dtype narrow) {
  if (wide == narrow || narrow == Dtype::kBool) return true;
  if (wide == Dtype::kBool) return false;
  if (is_float(narrow)) return is_float(wide) && significant_bits(wide) > significant_bits(narrow) && wide != Dtype::kF16;
  if (is_signed_integer(narrow) && is_unsigned_integer(wide)) return false;
  return significant_bits(wide) >= significant_bits(narrow);
}

}  // namespace

Rewritten cast_of_cast(Rewriter& dst, const Site& site) {
  if (!site.is_map(MapOp::cast)) return kNoMatch;
  ValueId between = site.inputs[0];
  Dtype to = site.output.dtype;
  if (dst.value(between).dtype == to) return between;
  const Node* inner = dst.map_producer(between, MapOp::cast);
  if (!inner) return kNoMatch;
  ValueId x = inner->inputs[0];
  Dtype from = dst.value(x).dtype, by = dst.value(between).dtype;
  if (!holds_every_value(by, from)) return kNoMatch;
  bool same_way = from == to || is_float(by) == is_float(from) || from == Dtype::kBool || is_float(to);
  if (!same_way) return kNoMatch;
  dst.also_from({between});
  TUFF_ASSIGN(ValueId y, dst.builder().cast(x, to));
  return y;
}

}  // namespace tuff
