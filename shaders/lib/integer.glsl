// integer.glsl: what ops.def's `integer` column calls, for int and uint, and under TUFF_INT64 for their 64-bit kin.
//
// In: any two integers. Out: the result modulo 2^width. Invariant: nothing is undefined, as GLSL's / and % by zero or of
// negative operands and shifts beyond the width are: signs are taken off first, divisors and shift counts are made
// valid before they are used. An i8 or i16 is computed as an int, a u8 or u16 as a uint, and narrowed by the caller; that
// gives the same bits as arithmetic of its own width would.
//
// In the subset that numerics.glsl describes, but overloaded. It comes after numerics.glsl. GLSL wants its 64-bit types
// enabled by GL_EXT_shader_explicit_arithmetic_types_int64.

TUFF_FN uint tuff_imagnitude(int a) { return a < 0 ? 0u - uint(a) : uint(a); }

// Toward zero; by zero, 0.
TUFF_FN uint tuff_idiv(uint a, uint b) { return b == 0u ? 0u : a / (b == 0u ? 1u : b); }
TUFF_FN int tuff_idiv(int a, int b) {
  uint quotient = tuff_idiv(tuff_imagnitude(a), tuff_imagnitude(b));
  return int((a < 0) != (b < 0) ? 0u - quotient : quotient);
}

// What division leaves, with the sign of a; by zero, 0.
TUFF_FN uint tuff_irem(uint a, uint b) { return b == 0u ? 0u : a % (b == 0u ? 1u : b); }
TUFF_FN int tuff_irem(int a, int b) {
  uint rest = tuff_irem(tuff_imagnitude(a), tuff_imagnitude(b));
  return int(a < 0 ? 0u - rest : rest);
}

// With the sign of b.
TUFF_FN uint tuff_imod(uint a, uint b) { return tuff_irem(a, b); }
TUFF_FN int tuff_imod(int a, int b) {
  int rest = tuff_irem(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

// A negative power of anything but 1 and -1 truncates to 0.
TUFF_FN uint tuff_ipow(uint a, uint b) {
  uint power = 1u;
  uint base = a;
  for (uint left = b; left != 0u; left >>= 1) {
    power *= (left & 1u) == 1u ? base : 1u;
    base *= base;
  }
  return power;
}
TUFF_FN int tuff_ipow(int a, int b) {
  int of_one = a == 1 ? 1 : (a == -1 ? ((b & 1) == 1 ? -1 : 1) : 0);
  return b < 0 ? of_one : int(tuff_ipow(uint(a), uint(b)));
}

TUFF_FN uint tuff_isign(uint a) { return a == 0u ? 0u : 1u; }
TUFF_FN int tuff_isign(int a) { return a < 0 ? -1 : (a == 0 ? 0 : 1); }

// a * 2^b; a negative b gives 0.
TUFF_FN uint tuff_ishl(uint a, uint b) { return b > 31u ? 0u : a << (b & 31u); }
TUFF_FN int tuff_ishl(int a, int b) { return int(tuff_ishl(uint(a), uint(b))); }

// floor(a / 2^b); a negative b gives 0.
TUFF_FN uint tuff_ishr(uint a, uint b) { return b > 31u ? 0u : a >> (b & 31u); }
TUFF_FN int tuff_ishr(int a, int b) { return b < 0 ? 0 : a >> (b > 31 ? 31 : b); }

#ifdef TUFF_INT64

TUFF_FN uint64_t tuff_imagnitude(int64_t a) { return a < 0 ? uint64_t(0) - uint64_t(a) : uint64_t(a); }

TUFF_FN uint64_t tuff_idiv(uint64_t a, uint64_t b) { return b == 0 ? uint64_t(0) : a / (b == 0 ? uint64_t(1) : b); }
TUFF_FN int64_t tuff_idiv(int64_t a, int64_t b) {
  uint64_t quotient = tuff_idiv(tuff_imagnitude(a), tuff_imagnitude(b));
  return int64_t((a < 0) != (b < 0) ? uint64_t(0) - quotient : quotient);
}

TUFF_FN uint64_t tuff_irem(uint64_t a, uint64_t b) { return b == 0 ? uint64_t(0) : a % (b == 0 ? uint64_t(1) : b); }
TUFF_FN int64_t tuff_irem(int64_t a, int64_t b) {
  uint64_t rest = tuff_irem(tuff_imagnitude(a), tuff_imagnitude(b));
  return int64_t(a < 0 ? uint64_t(0) - rest : rest);
}

TUFF_FN uint64_t tuff_imod(uint64_t a, uint64_t b) { return tuff_irem(a, b); }
TUFF_FN int64_t tuff_imod(int64_t a, int64_t b) {
  int64_t rest = tuff_irem(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

TUFF_FN uint64_t tuff_ipow(uint64_t a, uint64_t b) {
  uint64_t power = uint64_t(1);
  uint64_t base = a;
  for (uint64_t left = b; left != 0; left >>= 1) {
    power *= (left & uint64_t(1)) == 1 ? base : uint64_t(1);
    base *= base;
  }
  return power;
}
TUFF_FN int64_t tuff_ipow(int64_t a, int64_t b) {
  int64_t of_one = int64_t(a == 1 ? 1 : (a == -1 ? ((b & int64_t(1)) == 1 ? -1 : 1) : 0));
  return b < 0 ? of_one : int64_t(tuff_ipow(uint64_t(a), uint64_t(b)));
}

TUFF_FN uint64_t tuff_isign(uint64_t a) { return uint64_t(a == 0 ? 0 : 1); }
TUFF_FN int64_t tuff_isign(int64_t a) { return int64_t(a < 0 ? -1 : (a == 0 ? 0 : 1)); }

TUFF_FN uint64_t tuff_ishl(uint64_t a, uint64_t b) { return b > 63 ? uint64_t(0) : a << (b & uint64_t(63)); }
TUFF_FN int64_t tuff_ishl(int64_t a, int64_t b) { return int64_t(tuff_ishl(uint64_t(a), uint64_t(b))); }

TUFF_FN uint64_t tuff_ishr(uint64_t a, uint64_t b) { return b > 63 ? uint64_t(0) : a >> (b & uint64_t(63)); }
TUFF_FN int64_t tuff_ishr(int64_t a, int64_t b) { return b < 0 ? int64_t(0) : a >> (b > 63 ? int64_t(63) : b); }

// |x| below 2^64, truncated, as an integer.
TUFF_FN uint64_t tuff_f32_magnitude(uint bits) {
  uint exponent = (bits >> 23) & 255u;
  uint64_t mantissa = uint64_t((bits & 0x007fffffu) | 0x00800000u);
  uint left = exponent < 150u ? 0u : exponent - 150u;
  uint right = exponent < 150u ? 150u - exponent : 0u;
  return exponent < 127u ? uint64_t(0) : (mantissa << (left & 63u)) >> (right & 63u);
}

// Toward zero; the nearest end of the range beyond it, and 0 for NaN.
TUFF_FN int64_t tuff_f32_to_i64(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  bool negative = bits >= 0x80000000u;
  uint64_t magnitude = tuff_f32_magnitude(bits);
  uint64_t end = uint64_t(1) << 63;
  uint64_t limit = negative ? end : end - uint64_t(1);
  magnitude = (bits & 0x7fffffffu) >= 0x5f000000u ? limit : magnitude;
  magnitude = bits == 0x7fc00000u ? uint64_t(0) : magnitude;
  return int64_t(negative ? uint64_t(0) - magnitude : magnitude);
}

TUFF_FN uint64_t tuff_f32_to_u64(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  uint64_t magnitude = bits >= 0x5f800000u ? ~uint64_t(0) : tuff_f32_magnitude(bits);
  return bits >= 0x80000000u || bits == 0x7fc00000u ? uint64_t(0) : magnitude;
}

#endif  // TUFF_INT64
