// numerics.glsl: the scalar functions of every kernel, written once for GLSL 4.50, C++20 and CUDA.
//
// In: f32 values of any bit pattern. Out: zero, a normal number, an infinity or the one NaN 0x7fc00000; never
// a denormal (but for the flushing functions, which say what they pass). Invariant: the bits of each result
// follow from the bits of the arguments alone, on every device whose +, -, * round to nearest even, whether or
// not it flushes denormals, provided that no multiplication is contracted with an addition and no sum
// reordered (exact mode decorates and checks that). In fast mode, where both are allowed, the ULP bounds
// stated here still hold; `precise` marks the sums whose order is the algorithm, since a compiler may
// otherwise simplify (a + b) - a (Mesa does: without it log1p returns 0 near 0). Its decorations must
// therefore stay in fast mode's modules.
//
// How that is reached: only +, -, *, compare, select and integer operations. No division, no built-in
// function but bit casts and exact int <-> float conversions. Tests for zero, denormals, Inf and NaN look at
// bits, because a float compare may flush its operands and a driver may assume that NaN does not exist.
// Exponents are moved by integer arithmetic, so that no intermediate result that matters is a denormal.
//
// No branches: what stands beside ? and : or right of && and || is a name, a constant or one comparison of them, so that
// GLSL compilers select. Two functions for which work may be saved say `if`. SwiftShader's time over a loop doubles with
// each branch in it (it walks all paths from a loop's head to its end): 25 of them are minutes and gigabytes.
//
// The subset: scalars, two plain structs, no in/out parameters, no arrays, no overloading, no implicit
// conversion. C++ and CUDA come through numerics_cpp.h and numerics_cuda.h, which define the three names
// below; GLSL takes this text as it stands after `#version 450`.
// One long file, since it enters a kernel as one text and every section builds on those before it.
// "r to 2^-17" says relative error. Polynomials are minimax fits over the interval named beside them.
#ifndef TUFF_FN
#define TUFF_FN
#define TUFF_PRECISE precise
#endif

// An unevaluated sum: |lo| is at most a few ulp of hi's leading 12 bits (a split) or of hi (a pair).
struct tuff_pair {
  float hi;
  float lo;
};

// An angle less its nearest multiple of pi/2: hi + lo in [-pi/4, pi/4], and that multiple modulo 4.
struct tuff_angle {
  float hi;
  float lo;
  uint quadrant;
};

// ---- Classes of values, flushing -------------------------------------------------------------------------

TUFF_FN bool tuff_is_nan(float x) { return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u; }

TUFF_FN bool tuff_is_inf(float x) { return (floatBitsToUint(x) & 0x7fffffffu) == 0x7f800000u; }

// Denormals pass.
TUFF_FN float tuff_canonical_nan(float x) {
  uint bits = floatBitsToUint(x);
  return uintBitsToFloat(tuff_is_nan(x) ? 0x7fc00000u : bits);
}

// Below 2^-126 an operand is a zero of its sign; a NaN passes with its bits.
TUFF_FN float tuff_flush_operand(float x) {
  uint bits = floatBitsToUint(x);
  uint sign = bits & 0x80000000u;
  return uintBitsToFloat((bits & 0x7f800000u) == 0u ? sign : bits);
}

// What every exact +, -, * ends with. 2^-126 itself goes too: a device that flushes before rounding and one
// that flushes after disagree there. The zero is +0 since a driver may lose the sign of a zero result.
TUFF_FN float tuff_flush_result(float x) {
  uint bits = floatBitsToUint(x);
  uint magnitude = bits & 0x7fffffffu;
  bits = magnitude > 0x7f800000u ? 0x7fc00000u : bits;
  return uintBitsToFloat(magnitude <= 0x00800000u ? 0u : bits);
}

// Both at once, for a value that is passed on and not computed with.
TUFF_FN float tuff_flush(float x) { return tuff_canonical_nan(tuff_flush_operand(x)); }

// Operand of an inner product: products of what is left are at least 2^-102, so that no partial sum of them
// is a denormal. NaN and Inf pass.
TUFF_FN float tuff_flush_inner(float x) {
  uint bits = floatBitsToUint(x);
  return uintBitsToFloat((bits & 0x7fffffffu) < 0x26000000u ? 0u : bits);
}

// A result computed for |x|, given the sign of x; a NaN stays canonical.
TUFF_FN float tuff_signed_result(float magnitude, uint sign) {
  uint bits = floatBitsToUint(tuff_flush_result(magnitude));
  uint signed_bits = bits ^ sign;
  return uintBitsToFloat(bits == 0x7fc00000u ? bits : signed_bits);
}

TUFF_FN uint tuff_sign_bit(float x) { return floatBitsToUint(x) & 0x80000000u; }

// |x| with denormals flushed: how the functions below start.
TUFF_FN float tuff_magnitude(float x) {
  uint bits = floatBitsToUint(x) & 0x7fffffffu;
  return uintBitsToFloat(bits < 0x00800000u ? 0u : bits);
}

// m * 2^k as bits, for a positive normal m: Inf above the range, zero at or below 2^-126.
TUFF_FN uint tuff_scaled_bits(float m, int k) {
  uint bits = floatBitsToUint(m);
  int exponent = int(bits >> 23) + k;
  uint scaled = (bits & 0x007fffffu) | (uint(exponent) << 23);
  scaled = exponent >= 255 ? 0x7f800000u : scaled;
  return exponent <= 0 || scaled == 0x00800000u ? 0u : scaled;
}

// ---- Exact-mode arithmetic -------------------------------------------------------------------------------
// Values that come from a function of this file need no second tuff_flush_operand: a chain may write
// tuff_flush_result(a * b).

TUFF_FN float tuff_add(float a, float b) {
  return tuff_flush_result(tuff_flush_operand(a) + tuff_flush_operand(b));
}

TUFF_FN float tuff_sub(float a, float b) {
  return tuff_flush_result(tuff_flush_operand(a) - tuff_flush_operand(b));
}

TUFF_FN float tuff_mul(float a, float b) {
  return tuff_flush_result(tuff_flush_operand(a) * tuff_flush_operand(b));
}

// ---- Sign, order, selection ------------------------------------------------------------------------------

TUFF_FN float tuff_neg(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  uint negated = bits ^ 0x80000000u;
  return uintBitsToFloat(bits == 0x7fc00000u ? bits : negated);
}

TUFF_FN float tuff_abs(float x) { return tuff_canonical_nan(tuff_magnitude(x)); }

// -1, +0 or 1; sign(-0) is +0.
TUFF_FN float tuff_sign(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  uint one = 0x3f800000u | (bits & 0x80000000u);
  one = bits == 0x7fc00000u ? bits : one;
  return uintBitsToFloat((bits & 0x7fffffffu) == 0u ? 0u : one);
}

// Integers that order floats as numbers, not for NaN: with -0 just below +0, and with both zeros equal.
TUFF_FN int tuff_order_key(float x) {
  uint bits = floatBitsToUint(tuff_flush_operand(x));
  uint reversed = bits ^ 0x7fffffffu;
  return int(bits >= 0x80000000u ? reversed : bits);
}

TUFF_FN int tuff_rank(float x) {
  int magnitude = int(floatBitsToUint(tuff_magnitude(x)));
  int negated = -magnitude;
  return floatBitsToUint(x) >= 0x80000000u ? negated : magnitude;
}

// Nothing equals NaN, is below it or above it. Of two equal ranks both are NaN or none.
TUFF_FN bool tuff_equal(float a, float b) {
  bool a_nan = tuff_is_nan(a);
  return tuff_rank(a) == tuff_rank(b) && !a_nan;
}

TUFF_FN bool tuff_less(float a, float b) {
  bool a_nan = tuff_is_nan(a);
  bool b_nan = tuff_is_nan(b);
  return tuff_rank(a) < tuff_rank(b) && !a_nan && !b_nan;
}

TUFF_FN bool tuff_less_equal(float a, float b) {
  bool a_nan = tuff_is_nan(a);
  bool b_nan = tuff_is_nan(b);
  return tuff_rank(a) <= tuff_rank(b) && !a_nan && !b_nan;
}

// NaN if either is; max(-0, +0) = +0 and min(-0, +0) = -0 in either order.
TUFF_FN float tuff_max(float a, float b) {
  float larger = tuff_order_key(a) > tuff_order_key(b) ? a : b;
  uint bits = floatBitsToUint(tuff_flush_operand(larger));
  bits = tuff_is_nan(a) ? 0x7fc00000u : bits;
  return uintBitsToFloat(tuff_is_nan(b) ? 0x7fc00000u : bits);
}

TUFF_FN float tuff_min(float a, float b) {
  float smaller = tuff_order_key(a) < tuff_order_key(b) ? a : b;
  uint bits = floatBitsToUint(tuff_flush_operand(smaller));
  bits = tuff_is_nan(a) ? 0x7fc00000u : bits;
  return uintBitsToFloat(tuff_is_nan(b) ? 0x7fc00000u : bits);
}

// The same but for the sign of a zero, the bits of a NaN and denormals: five instructions instead of twenty.
TUFF_FN float tuff_fast_max(float a, float b) {
  bool a_nan = tuff_is_nan(a);
  float larger = a > b ? a : b;
  return a_nan ? a : larger;
}

TUFF_FN float tuff_fast_min(float a, float b) {
  bool a_nan = tuff_is_nan(a);
  float smaller = a < b ? a : b;
  return a_nan ? a : smaller;
}

// As ONNX Clip and numpy: min(max(x, low), high), so high wins where low > high.
TUFF_FN float tuff_clip(float x, float low, float high) { return tuff_min(tuff_max(x, low), high); }

// ---- Rounding to integers: exact -------------------------------------------------------------------------

// Toward zero, keeping the sign: the fraction's bits are cleared.
TUFF_FN float tuff_trunc(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  uint exponent = (bits >> 23) & 255u;
  uint fraction_bits = 150u - exponent;
  fraction_bits = exponent < 127u || exponent > 149u ? 0u : fraction_bits;
  uint truncated = (bits >> fraction_bits) << fraction_bits;
  uint zero = bits & 0x80000000u;
  return uintBitsToFloat(exponent < 127u ? zero : truncated);
}

TUFF_FN float tuff_floor(float x) {
  float t = tuff_trunc(x);
  uint bits = floatBitsToUint(t);
  uint x_bits = floatBitsToUint(tuff_flush(x));
  uint next = floatBitsToUint(t - 1.0f);
  return uintBitsToFloat(bits >= 0x80000000u && bits != x_bits ? next : bits);
}

TUFF_FN float tuff_ceil(float x) {
  float t = tuff_trunc(x);
  uint bits = floatBitsToUint(t);
  uint x_bits = floatBitsToUint(tuff_flush(x));
  uint next = floatBitsToUint(t + 1.0f);
  return uintBitsToFloat(bits < 0x80000000u && bits != x_bits ? next : bits);
}

// Halves to even (ONNX Round), keeping the sign of zero. Where a fraction exists |x| is below 2^23.
TUFF_FN float tuff_round(float x) {
  float magnitude = tuff_magnitude(x);
  bool has_fraction = floatBitsToUint(magnitude) < 0x4b000000u;
  uint whole = uint(has_fraction ? magnitude : 0.0f);
  float fraction = magnitude - float(whole);
  uint up = (fraction == 0.5f ? 1u : 0u) & whole;
  whole += fraction > 0.5f ? 1u : up;
  float rounded = float(whole);
  return tuff_signed_result(has_fraction ? rounded : magnitude, tuff_sign_bit(x));
}

// Toward zero; the nearest end of the range beyond it, and 0 for NaN.
TUFF_FN int tuff_f32_to_i32(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  bool in_range = (bits & 0x7fffffffu) < 0x4f000000u;
  int converted = int(uintBitsToFloat(in_range ? bits : 0u));
  int limit = bits >= 0x80000000u ? int(0x80000000u) : 0x7fffffff;
  limit = bits == 0x7fc00000u ? 0 : limit;
  return in_range ? converted : limit;
}

TUFF_FN uint tuff_f32_to_u32(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  bool in_range = bits < 0x4f800000u;
  uint converted = uint(uintBitsToFloat(in_range ? bits : 0u));
  uint limit = bits <= 0x7f800000u ? 0xffffffffu : 0u;
  return in_range ? converted : limit;
}

// ---- Narrow floats: to nearest even, one NaN, denormal halves kept ---------------------------------------

TUFF_FN uint tuff_f32_to_f16_bits(float x) {
  uint bits = floatBitsToUint(x);
  uint sign = (bits >> 16) & 0x8000u;
  uint magnitude = bits & 0x7fffffffu;
  // Normal halves: the exponent is re-biased, then the 13 bits that go are rounded; a carry is right as it is.
  uint rebiased = magnitude - 0x38000000u;
  uint normal = (rebiased + 0xfffu + ((rebiased >> 13) & 1u)) >> 13;
  // Denormal halves: units of 2^-24; a shift of 25 leaves nothing of any float below 2^-25.
  uint exponent = magnitude >> 23;
  uint shift = 126u - exponent;
  shift = exponent < 101u ? 25u : shift;
  shift = exponent > 112u ? 14u : shift;
  uint mantissa = (magnitude & 0x007fffffu) | 0x00800000u;
  uint denormal = mantissa >> shift;
  uint rest = mantissa - (denormal << shift);
  uint half_unit = 1u << (shift - 1u);
  uint up = (rest == half_unit ? 1u : 0u) & denormal;
  denormal += rest > half_unit ? 1u : up;
  uint half_bits = magnitude < 0x38800000u ? denormal : normal;
  half_bits = magnitude >= 0x477ff000u ? 0x7c00u : half_bits;
  half_bits |= sign;
  return magnitude > 0x7f800000u ? 0x7e00u : half_bits;
}

TUFF_FN float tuff_f16_bits_to_f32(uint half_bits) {
  uint magnitude = half_bits & 0x7fffu;
  uint bits = (magnitude << 13) + 0x38000000u;
  bits = magnitude == 0x7c00u ? 0x7f800000u : bits;
  // A denormal half counts units of 2^-24: this product is exact.
  uint denormal = floatBitsToUint(float(magnitude) * 5.9604644775390625e-8f);
  bits = magnitude < 0x0400u ? denormal : bits;
  bits |= (half_bits & 0x8000u) << 16;
  return uintBitsToFloat(magnitude > 0x7c00u ? 0x7fc00000u : bits);
}

TUFF_FN uint tuff_f32_to_bf16_bits(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  uint rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return bits == 0x7fc00000u ? 0x7fc0u : rounded;
}

TUFF_FN float tuff_bf16_bits_to_f32(uint bfloat_bits) { return tuff_flush(uintBitsToFloat(bfloat_bits << 16)); }

// ---- Division and roots ----------------------------------------------------------------------------------
// All on mantissas: an approximation is rounded to 12 bits, so that its products with 12-bit halves and with
// it the residual are exact without fma; one step from there leaves 0.5 ULP and a few hundredths.

TUFF_FN float tuff_round12(float x) { return uintBitsToFloat((floatBitsToUint(x) + 0x800u) & 0xfffff000u); }

TUFF_FN tuff_pair tuff_split12(float x) {
  tuff_pair halves;
  halves.hi = tuff_round12(x);
  halves.lo = x - halves.hi;
  return halves;
}

TUFF_FN float tuff_mantissa(float x) {
  return uintBitsToFloat((floatBitsToUint(x) & 0x007fffffu) | 0x3f800000u);
}

// 1/m to 2^-17 for m in [1/2, 4): a linear guess by integers (to 5 %), two Newton steps.
TUFF_FN float tuff_reciprocal_estimate(float m) {
  float r = uintBitsToFloat(0x7ef127eau - floatBitsToUint(m));
  r = r * (2.0f - m * r);
  return r * (2.0f - m * r);
}

// a/b for mantissas in [1, 2): hi has 12 bits, hi + lo is right to 2^-28.
TUFF_FN tuff_pair tuff_quotient(float a, float b) {
  float r = tuff_reciprocal_estimate(b);
  tuff_pair q;
  q.hi = tuff_round12(a * r);
  tuff_pair d = tuff_split12(b);
  TUFF_PRECISE float rest = (a - d.hi * q.hi) - d.lo * q.hi;
  q.lo = rest * r;
  return q;
}

// 0.6 ULP. Signs as IEEE 754 has them, those of zeros too; a quotient that is a float comes out exact.
TUFF_FN float tuff_div(float a, float b) {
  uint a_bits = floatBitsToUint(tuff_magnitude(a));
  uint b_bits = floatBitsToUint(tuff_magnitude(b));
  tuff_pair q = tuff_quotient(tuff_mantissa(a), tuff_mantissa(b));
  uint bits = tuff_scaled_bits(q.hi + q.lo, int(a_bits >> 23) - int(b_bits >> 23));
  bits = a_bits == 0u || b_bits == 0x7f800000u ? 0u : bits;
  bits = a_bits == 0x7f800000u || b_bits == 0u ? 0x7f800000u : bits;
  bits |= tuff_sign_bit(a) ^ tuff_sign_bit(b);
  bool end = a_bits == 0u || a_bits == 0x7f800000u;
  bool undefined = a_bits == b_bits && end;
  undefined = undefined || a_bits > 0x7f800000u || b_bits > 0x7f800000u;
  return uintBitsToFloat(undefined ? 0x7fc00000u : bits);
}

// 0.6 ULP.
TUFF_FN float tuff_reciprocal(float x) { return tuff_div(1.0f, x); }

// C's fmod: exact, with the sign of x. Long division of mantissas, 8 bits a step, at most 32 steps.
TUFF_FN float tuff_fmod(float x, float y) {
  uint x_bits = floatBitsToUint(tuff_magnitude(x));
  uint y_bits = floatBitsToUint(tuff_magnitude(y));
  bool undefined = x_bits >= 0x7f800000u || y_bits == 0u || y_bits > 0x7f800000u;
  uint bits = undefined ? 0x7fc00000u : x_bits;
  if (!undefined && x_bits >= y_bits) {
    uint divisor = (y_bits & 0x007fffffu) | 0x00800000u;
    uint rest = ((x_bits & 0x007fffffu) | 0x00800000u) % divisor;
    uint left = (x_bits >> 23) - (y_bits >> 23);
    while (left > 0u && rest > 0u) {
      uint step = left < 8u ? left : 8u;
      rest = (rest << step) % divisor;
      left -= step;
    }
    bits = rest == 0u ? 0u : tuff_scaled_bits(float(rest), int(y_bits >> 23) - 150);
  }
  return tuff_signed_result(uintBitsToFloat(bits), tuff_sign_bit(x));
}

// Python's and numpy's %: the sign of y; a zero too.
TUFF_FN float tuff_floormod(float x, float y) {
  float rest = tuff_fmod(x, y);
  uint bits = floatBitsToUint(rest);
  bool differ = (bits & 0x80000000u) != tuff_sign_bit(y) && bits != 0x7fc00000u;
  uint other_zero = bits ^ 0x80000000u;
  uint moved = floatBitsToUint(tuff_flush_result(rest + y));
  moved = (bits & 0x7fffffffu) == 0u ? other_zero : moved;
  return uintBitsToFloat(differ ? moved : bits);
}

// 1/sqrt(m) to 2^-17 for m in [1, 4).
TUFF_FN float tuff_rsqrt_estimate(float m) {
  float half_m = 0.5f * m;
  float y = uintBitsToFloat(0x5f375a86u - (floatBitsToUint(m) >> 1));
  y = y * (1.5f - half_m * y * y);
  return y * (1.5f - half_m * y * y);
}

// x = m * 4^k with m in [1, 4): the two parts for positive normal x.
TUFF_FN int tuff_root_exponent(uint bits) { return (int(bits >> 23) - 127) >> 1; }
TUFF_FN float tuff_root_mantissa(uint bits) {
  uint odd = ((bits >> 23) + 1u) & 1u;
  return uintBitsToFloat((bits & 0x007fffffu) | ((127u + odd) << 23));
}

// 0.6 ULP. sqrt(-0) = -0.
TUFF_FN float tuff_sqrt(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  float m = tuff_root_mantissa(bits);
  float y = tuff_rsqrt_estimate(m);
  float half_y = 0.5f * y;
  float s = tuff_round12(m * y);
  TUFF_PRECISE float c = (m - s * s) * half_y;
  TUFF_PRECISE float corrected = s + (c + c * c * half_y);
  uint root = tuff_scaled_bits(corrected, tuff_root_exponent(bits));
  root = bits == 0x7f800000u || bits == 0u || bits == 0x80000000u ? bits : root;
  return uintBitsToFloat(bits > 0x80000000u || bits == 0x7fc00000u ? 0x7fc00000u : root);
}

// 0.6 ULP. rsqrt(0) = Inf and rsqrt(-0) = -Inf, as 1/sqrt(x).
TUFF_FN float tuff_rsqrt(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  tuff_pair m = tuff_split12(tuff_root_mantissa(bits));
  float y = tuff_round12(tuff_rsqrt_estimate(m.hi + m.lo));
  tuff_pair t = tuff_split12(y * y);
  TUFF_PRECISE float rest = (((1.0f - m.hi * t.hi) - m.hi * t.lo) - m.lo * t.hi) - m.lo * t.lo;
  uint root = tuff_scaled_bits(y + y * (rest * (0.5f + 0.375f * rest)), -tuff_root_exponent(bits));
  root = bits == 0x7f800000u ? 0u : root;
  uint pole = bits | 0x7f800000u;
  root = (bits & 0x7fffffffu) == 0u ? pole : root;
  return uintBitsToFloat(bits > 0x80000000u || bits == 0x7fc00000u ? 0x7fc00000u : root);
}

// ---- Exponentials ----------------------------------------------------------------------------------------

// 2^f for f in [-1/2, 1/2], to 2^-27.
TUFF_FN float tuff_exp2_fraction(float f) {
  float p = (1.54572248e-4f * f + 1.33918587e-3f) * f + 9.61807556e-3f;
  p = ((p * f + 5.55035770e-2f) * f + 0.240226507f) * f + 0.693147182f;
  return 1.0f + p * f;
}

// The integer nearest to x for |x| < 250 (a tie may go either way): conversion truncates what is positive.
TUFF_FN int tuff_nearest_int(float x) { return int(x + 256.5f) - 256; }

// e^x * 2^k as bits, for |x| < 120. x = n ln 2 + r, where n times the leading 15 bits of ln 2 is exact.
TUFF_FN uint tuff_exp_scaled_bits(float x, int k) {
  int n = tuff_nearest_int(x * 1.44269502f);
  float n_float = float(n);
  TUFF_PRECISE float r = (x - n_float * 0.693145751953125f) - n_float * 1.42860677e-6f;
  // e^r for |r| <= 0.3475, to 2^-27.
  float p = (1.36998156e-3f * r + 8.36913288e-3f) * r + 4.16707136e-2f;
  p = (p * r + 0.166665167f) * r + 0.499999821f;
  return tuff_scaled_bits(1.0f + (r + r * r * p), n + k);
}

// 1.5 ULP. 0 below -87.3 (a little before e^x reaches 2^-126), Inf above 88.7228.
TUFF_FN float tuff_exp(float x) {
  uint bits = floatBitsToUint(x);
  bool in_range = (bits & 0x7fffffffu) < 0x42f00000u;
  float c = tuff_flush_operand(uintBitsToFloat(in_range ? bits : 0u));
  uint e = tuff_exp_scaled_bits(c, 0);
  e = in_range ? e : 0x7f800000u;
  e = bits > 0xc2ae999au ? 0u : e;
  return uintBitsToFloat(tuff_is_nan(x) ? 0x7fc00000u : e);
}

// 1.5 ULP.
TUFF_FN float tuff_exp2(float x) {
  uint bits = floatBitsToUint(x);
  bool in_range = (bits & 0x7fffffffu) < 0x43160000u;
  float c = tuff_flush_operand(uintBitsToFloat(in_range ? bits : 0u));
  int n = tuff_nearest_int(c);
  uint e = tuff_scaled_bits(tuff_exp2_fraction(c - float(n)), n);
  uint limit = bits >= 0x80000000u ? 0u : 0x7f800000u;
  e = in_range ? e : limit;
  return uintBitsToFloat(tuff_is_nan(x) ? 0x7fc00000u : e);
}

// ---- Logarithms ------------------------------------------------------------------------------------------

// x = 2^n (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)], for positive normal x; f is exact.
TUFF_FN int tuff_log_exponent(uint bits) { return int((bits + 0x004afb0du) >> 23) - 127; }
TUFF_FN float tuff_log_fraction(uint bits) {
  return uintBitsToFloat(((bits + 0x004afb0du) & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
}

// ln(1 + f) - f, for f as above, to 2^-27 of ln(1 + f).
TUFF_FN float tuff_log_tail(float f) {
  float p = (-7.63837919e-2f * f + 0.127648532f) * f - 0.131601766f;
  p = ((p * f + 0.142012656f) * f - 0.166233152f) * f + 0.200012505f;
  p = (p * f - 0.250008225f) * f + 0.333333313f;
  return f * f * (p * f - 0.5f);
}

// n ln 2 + ln(1 + f).
TUFF_FN float tuff_log_sum(int n, float f) {
  float n_float = float(n);
  TUFF_PRECISE float sum = n_float * 0.693145751953125f + (f + (tuff_log_tail(f) + n_float * 1.42860677e-6f));
  return sum;
}

// A logarithm's value for any x, given its value for positive normal x.
TUFF_FN float tuff_log_result(uint bits, float value) {
  uint result = floatBitsToUint(value);
  result = bits >= 0x7f800000u ? bits : result;
  result = bits > 0x80000000u ? 0x7fc00000u : result;
  return uintBitsToFloat((bits & 0x7fffffffu) == 0u ? 0xff800000u : result);
}

// 1 ULP. log(0) = -Inf, NaN below.
TUFF_FN float tuff_log(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  return tuff_log_result(bits, tuff_log_sum(tuff_log_exponent(bits), tuff_log_fraction(bits)));
}

// 1.5 ULP. Exact for powers of two.
TUFF_FN float tuff_log2(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  float f = tuff_log_fraction(bits);
  tuff_pair halves = tuff_split12(f);
  // log2(e) = 1.44287109375 - 0.00017605..., so that the leading product is exact.
  float rest = halves.lo * 1.44287109375f + (tuff_log_tail(f) * 1.44269502f - f * 1.76052854e-4f);
  float value = float(tuff_log_exponent(bits)) + (halves.hi * 1.44287109375f + rest);
  return tuff_log_result(bits, value);
}

// ln(1 + x), 2 ULP. What 1 + x loses in rounding is given back, scaled, to f.
TUFF_FN float tuff_log1p(float x) {
  uint bits = floatBitsToUint(tuff_flush(x));
  bool inside = bits >= 0x80000000u && bits < 0xbf800000u;
  inside = inside || bits < 0x7f800000u;
  float v = uintBitsToFloat(inside ? bits : 0u);
  bool below_one = (bits & 0x7fffffffu) < 0x3f800000u;
  TUFF_PRECISE float u = 1.0f + v;
  TUFF_PRECISE float lost_of_v = v - (u - 1.0f);
  TUFF_PRECISE float lost_of_one = 1.0f - (u - v);
  float lost = below_one ? lost_of_v : lost_of_one;
  int n = tuff_log_exponent(floatBitsToUint(u));
  // Beyond 2^60 what is lost matters no more, and 2^-n would become a denormal.
  uint scale_bits = uint(127 - n) << 23;
  float scale = uintBitsToFloat(n > 60 ? 0u : scale_bits);
  uint result = floatBitsToUint(tuff_log_sum(n, tuff_log_fraction(floatBitsToUint(u)) + lost * scale));
  result = (bits & 0x7fffffffu) < 0x33800000u ? bits : result;
  uint outside = bits < 0x80000000u ? bits : 0x7fc00000u;
  result = inside ? result : outside;
  return uintBitsToFloat(bits == 0xbf800000u ? 0xff800000u : result);
}

// ---- Power -----------------------------------------------------------------------------------------------

// log2(x) as hi + lo, to 2^-31, for positive normal x: log2(1 + f) = L s + s^3 P(s^2), s = f / (2 + f),
// L = 2 / ln 2 = 2.8857421875 - 0.00035210...
TUFF_FN tuff_pair tuff_log2_pair(uint bits) {
  float f = tuff_log_fraction(bits);
  float n = float(tuff_log_exponent(bits));
  TUFF_PRECISE float d = 2.0f + f;
  TUFF_PRECISE float d_lost = f - (d - 2.0f);
  tuff_pair d_halves = tuff_split12(d);
  float r = tuff_reciprocal_estimate(d);
  r = r * (2.0f - d * r);
  float s_hi = tuff_round12(f * r);
  TUFF_PRECISE float rest = ((f - d_halves.hi * s_hi) - d_halves.lo * s_hi) - d_lost * s_hi;
  float s_lo = rest * r;
  float s = s_hi + s_lo;
  float z = s * s;
  float p = ((0.333545774f * z + 0.412058502f) * z + 0.577077448f) * z + 0.961796701f;
  float tail = s_lo * 2.8857421875f + (s * z * p - s * 3.52105708e-4f);
  float lead = s_hi * 2.8857421875f;
  TUFF_PRECISE float sum = n + lead;
  TUFF_PRECISE float low = ((n - sum) + lead) + tail;
  tuff_pair result;
  TUFF_PRECISE float hi = sum + low;
  TUFF_PRECISE float lo = (sum - hi) + low;
  result.hi = hi;
  result.lo = lo;
  return result;
}

// 5 ULP. C's pow, its special cases too, on flushed operands.
TUFF_FN float tuff_pow(float x, float y) {
  uint x_bits = floatBitsToUint(tuff_magnitude(x));
  uint y_bits = floatBitsToUint(tuff_magnitude(y));
  bool x_negative = tuff_sign_bit(x) != 0u;
  bool y_negative = tuff_sign_bit(y) != 0u;

  // Beyond 2^40 any y takes any |x| but 1 out of the range.
  float y_bounded = uintBitsToFloat((y_bits > 0x53800000u ? 0x53800000u : y_bits) | tuff_sign_bit(y));
  tuff_pair log2_x = tuff_log2_pair(x_bits);
  float product = y_bounded * log2_x.hi;
  bool in_range = (floatBitsToUint(product) & 0x7fffffffu) < 0x43480000u;
  int n = tuff_nearest_int(in_range ? product : 0.0f);
  tuff_pair a = tuff_split12(y_bounded);
  tuff_pair b = tuff_split12(log2_x.hi);
  float minor = a.lo * b.lo + y_bounded * log2_x.lo;
  TUFF_PRECISE float f = ((a.hi * b.hi - float(n)) + (a.hi * b.lo + a.lo * b.hi)) + minor;
  uint power = tuff_scaled_bits(tuff_exp2_fraction(f), n);
  uint limit = floatBitsToUint(product) >= 0x80000000u ? 0u : 0x7f800000u;
  power = in_range ? power : limit;

  uint exponent = y_bits >> 23;
  uint fraction_bits = 150u - exponent;
  fraction_bits = exponent < 127u ? 24u : fraction_bits;
  fraction_bits = exponent > 150u ? 0u : fraction_bits;
  uint y_mantissa = (y_bits & 0x007fffffu) | 0x00800000u;
  bool y_integer = ((y_mantissa >> fraction_bits) << fraction_bits) == y_mantissa;
  uint last_digit = (y_mantissa >> fraction_bits) & 1u;
  bool y_odd = y_integer && exponent < 151u && last_digit == 1u;

  uint of_zero = y_negative ? 0x7f800000u : 0u;
  uint of_infinity = y_negative ? 0u : 0x7f800000u;
  power = x_bits == 0u ? of_zero : power;
  power = x_bits == 0x7f800000u ? of_infinity : power;
  power |= x_negative && y_odd ? 0x80000000u : 0u;
  bool undefined = x_negative && !y_integer && x_bits != 0u && x_bits != 0x7f800000u;
  power = undefined || x_bits > 0x7f800000u || y_bits > 0x7f800000u ? 0x7fc00000u : power;
  power = floatBitsToUint(x) == 0x3f800000u ? 0x3f800000u : power;
  return uintBitsToFloat(y_bits == 0u ? 0x3f800000u : power);
}

// ---- Circular functions ----------------------------------------------------------------------------------

// The binary digits of 2/pi after the point, 32 a word, counted from 1.
TUFF_FN uint tuff_two_over_pi_word(uint index) {
  uint word = index == 1u ? 0xa2f9836eu : 0x4e441529u;
  word = index == 3u ? 0xfc2757d1u : word;
  word = index == 4u ? 0xf534ddc0u : word;
  word = index == 5u ? 0xdb629599u : word;
  word = index == 6u ? 0x3c439041u : word;
  return index == 7u ? 0xfe5163abu : word;
}

// The high word of a * b for a < 2^24.
TUFF_FN uint tuff_multiply_high(uint a, uint b) {
  uint a_hi = a >> 12;
  uint a_lo = a & 0xfffu;
  uint b_hi = b >> 16;
  uint b_lo = b & 0xffffu;
  uint middle = ((((a_lo * b_lo) >> 12) + a_hi * b_lo) >> 4) + a_lo * b_hi;
  return ((middle >> 12) + a_hi * b_hi) >> 4;
}

// |x| less its nearest multiple of pi/2, for any finite |x| given as bits, to 2^-27 of the angle left. In
// integers (after Payne and Hanek), since it is exact without fma, costs no more than eight terms of Cody
// and Waite, and does not end at 2^15: mantissa times 96 bits of 2/pi, modulo 4.
TUFF_FN tuff_angle tuff_reduce_angle(uint bits) {
  tuff_angle angle;
  angle.hi = uintBitsToFloat(bits);
  angle.lo = 0.0f;
  angle.quadrant = 0u;
  if (bits >= 0x3f490fdbu) {
    uint mantissa = (bits & 0x007fffffu) | 0x00800000u;
    // |x| = mantissa * 2^(exponent - 150); digits of 2/pi that weigh 4 and more in the product are left out.
    // The window's words a, b, c, d start at word 0, which is zero, for all |x| below 2^25.
    uint first_bit = (bits >> 23) - 120u;
    uint a = 0u;
    uint b = 0xa2f9836eu;
    uint c = 0x4e441529u;
    uint d = 0xfc2757d1u;
    if (first_bit >= 32u) {
      uint index = first_bit >> 5;
      a = tuff_two_over_pi_word(index);
      b = tuff_two_over_pi_word(index + 1u);
      c = tuff_two_over_pi_word(index + 2u);
      d = tuff_two_over_pi_word(index + 3u);
    }
    uint shift = first_bit & 31u;
    uint back = 31u - shift;
    uint high = mantissa * ((a << shift) | ((b >> 1) >> back));
    uint word = (b << shift) | ((c >> 1) >> back);
    high += tuff_multiply_high(mantissa, word);
    uint low = mantissa * word;
    uint carry_in = tuff_multiply_high(mantissa, (c << shift) | ((d >> 1) >> back));
    low += carry_in;
    high += low < carry_in ? 1u : 0u;

    // high:low counts quarter turns, 2 bits before the point; what is left of the nearest one is signed.
    angle.quadrant = (high + 0x20000000u) >> 30;
    high -= angle.quadrant << 30;
    uint sign = high & 0x80000000u;
    if (sign != 0u) {
      high = ~high + (low == 0u ? 1u : 0u);
      low = ~low + 1u;
    }
    high = (high << 2) | (low >> 30);
    low = low << 2;
    // To floats by pieces of 24, 24 and 16 bits, which convert exactly; then times
    // pi/2 = 1.57080078125 - 0.00000445...
    float first = float(high >> 8) * 5.9604644775390625e-8f;
    float second = float(((high & 0xffu) << 16) | (low >> 16)) * 3.5527136788005009e-15f;
    float third = float(low & 0xffffu) * 5.4210108624275222e-20f;
    float turn = tuff_round12(first + second);
    TUFF_PRECISE float turn_rest = ((first - turn) + second) + third;
    float lead = turn * 1.57080078125f;
    TUFF_PRECISE float tail = turn_rest * 1.57079637f - turn * 4.45445494e-6f;
    TUFF_PRECISE float sum = lead + tail;
    TUFF_PRECISE float lost = (lead - sum) + tail;
    angle.hi = uintBitsToFloat(floatBitsToUint(sum) ^ sign);
    angle.lo = uintBitsToFloat(floatBitsToUint(lost) ^ sign);
  }
  return angle;
}

// Both for angles in [-pi/4, pi/4].
TUFF_FN float tuff_sin_reduced(float hi, float lo) {
  float z = hi * hi;
  float p = (-1.95180721e-4f * z + 8.33218824e-3f) * z - 0.166666552f;
  return hi + (hi * z * p + lo);
}

TUFF_FN float tuff_cos_reduced(float hi, float lo) {
  float z = hi * hi;
  float p = (2.44323383e-5f * z - 1.38873095e-3f) * z + 4.16666456e-2f;
  return 1.0f + (z * (p * z - 0.5f) - hi * lo);
}

// sin(|x| + quarter_turns pi/2): one body for both.
TUFF_FN float tuff_sin_turned(uint bits, uint quarter_turns) {
  tuff_angle angle = tuff_reduce_angle(bits < 0x7f800000u ? bits : 0u);
  uint quadrant = angle.quadrant + quarter_turns;
  float sine = tuff_sin_reduced(angle.hi, angle.lo);
  float cosine = tuff_cos_reduced(angle.hi, angle.lo);
  uint value = floatBitsToUint((quadrant & 1u) == 1u ? cosine : sine) ^ ((quadrant & 2u) << 30);
  return uintBitsToFloat(bits < 0x7f800000u ? value : 0x7fc00000u);
}

// 1.5 ULP, over all finite x; NaN for Inf.
TUFF_FN float tuff_sin(float x) {
  return tuff_signed_result(tuff_sin_turned(floatBitsToUint(tuff_magnitude(x)), 0u), tuff_sign_bit(x));
}

// 1.5 ULP, over all finite x.
TUFF_FN float tuff_cos(float x) { return tuff_sin_turned(floatBitsToUint(tuff_magnitude(x)), 1u); }

// 3.5 ULP, over all finite x.
TUFF_FN float tuff_tan(float x) {
  uint bits = floatBitsToUint(tuff_magnitude(x));
  tuff_angle angle = tuff_reduce_angle(bits < 0x7f800000u ? bits : 0u);
  float sine = tuff_sin_reduced(angle.hi, angle.lo);
  float cosine = tuff_cos_reduced(angle.hi, angle.lo);
  bool odd = (angle.quadrant & 1u) == 1u;
  float ratio = tuff_div(odd ? cosine : sine, odd ? sine : cosine);
  uint value = floatBitsToUint(ratio) ^ (odd ? 0x80000000u : 0u);
  return tuff_signed_result(uintBitsToFloat(bits < 0x7f800000u ? value : 0x7fc00000u), tuff_sign_bit(x));
}

// 2 ULP. Above tan(3 pi/8) by -1/a from pi/2, above tan(pi/8) by (a - 1)/(a + 1) from pi/4.
TUFF_FN float tuff_atan(float x) {
  float a = tuff_abs(x);
  bool middle = a > 0.414213568f;
  bool large = a > 2.41421366f;
  float numerator = a - 1.0f;
  float denominator = a + 1.0f;
  float ratio = tuff_div(large ? -1.0f : numerator, large ? a : denominator);
  float t = middle ? ratio : a;
  float base = middle ? 0.785398185f : 0.0f;
  base = large ? 1.57079637f : base;
  float base_lo = middle ? -2.18556941e-8f : 0.0f;
  base_lo = large ? -4.37113883e-8f : base_lo;
  float z = t * t;
  float p = (-6.09062724e-2f * z + 0.105994172f) * z - 0.142444253f;
  p = (p * z + 0.199985296f) * z - 0.333333164f;
  float angle = base + (t + (t * z * p + base_lo));
  return tuff_signed_result(tuff_is_nan(x) ? x : angle, tuff_sign_bit(x));
}

// asin(t) - t for t in [0, 1/2], z = t * t.
TUFF_FN float tuff_asin_tail(float t, float z) {
  float p = (4.21650372e-2f * z + 2.41815336e-2f) * z + 4.54696380e-2f;
  p = (p * z + 7.49530718e-2f) * z + 0.166667521f;
  return t * z * p;
}

// 2.5 ULP; NaN outside [-1, 1]. Above 1/2: asin(a) = pi/2 - 2 asin(sqrt((1 - a)/2)).
TUFF_FN float tuff_asin(float x) {
  float a = tuff_abs(x);
  bool large = floatBitsToUint(a) > 0x3f000000u;
  float square = a * a;
  float half_rest = 0.5f - 0.5f * a;
  float root = tuff_sqrt(half_rest);
  float z = large ? half_rest : square;
  float t = large ? root : a;
  float tail = tuff_asin_tail(t, z);
  TUFF_PRECISE float near_end = (1.57079637f - 2.0f * t) - (2.0f * tail + 4.37113883e-8f);
  TUFF_PRECISE float near_zero = t + tail;
  uint bits = floatBitsToUint(large ? near_end : near_zero);
  bits = floatBitsToUint(a) > 0x3f800000u ? 0x7fc00000u : bits;
  return tuff_signed_result(uintBitsToFloat(bits), tuff_sign_bit(x));
}

// 2 ULP; NaN outside [-1, 1].
TUFF_FN float tuff_acos(float x) {
  float a = tuff_abs(x);
  bool large = floatBitsToUint(a) > 0x3f000000u;
  bool negative = tuff_sign_bit(x) != 0u;
  float square = a * a;
  float half_rest = 0.5f - 0.5f * a;
  float root = tuff_sqrt(half_rest);
  float z = large ? half_rest : square;
  float t = large ? root : a;
  float angle = t + tuff_asin_tail(t, z);
  float angle_below = -4.37113883e-8f - angle;
  float angle_above = angle + 4.37113883e-8f;
  float near_half_pi = 1.57079637f - (negative ? angle_below : angle_above);
  float near_one = 2.0f * angle;
  float near_minus_one = 3.14159274f - (2.0f * angle + 8.74227766e-8f);
  float near_end = negative ? near_minus_one : near_one;
  uint bits = floatBitsToUint(tuff_flush_result(large ? near_end : near_half_pi));
  return uintBitsToFloat(floatBitsToUint(a) > 0x3f800000u ? 0x7fc00000u : bits);
}

// ---- Hyperbolic functions and their inverses -------------------------------------------------------------

// e^a / 2 for a >= 0; Inf only where sinh and cosh are.
TUFF_FN float tuff_half_exp(float a) {
  bool in_range = floatBitsToUint(a) < 0x42f00000u;
  uint bits = tuff_exp_scaled_bits(in_range ? a : 0.0f, -1);
  return uintBitsToFloat(in_range ? bits : 0x7f800000u);
}

// 2 ULP.
TUFF_FN float tuff_sinh(float x) {
  float a = tuff_magnitude(x);
  float z = a * a;
  float p = ((2.79005599e-6f * z + 1.98416601e-4f) * z + 8.33331514e-3f) * z + 0.166666672f;
  float h = tuff_half_exp(a);
  float near = a + a * z * p;
  float far = h - tuff_div(0.25f, h);
  float value = floatBitsToUint(a) < 0x3f800000u ? near : far;
  return tuff_signed_result(tuff_is_nan(x) ? x : value, tuff_sign_bit(x));
}

// 2 ULP.
TUFF_FN float tuff_cosh(float x) {
  float h = tuff_half_exp(tuff_magnitude(x));
  float value = h + tuff_div(0.25f, h);
  return tuff_flush_result(tuff_is_nan(x) ? x : value);
}

// 1/(1 + t) for t in [0, 1]: a quotient that needs no look at signs, exponents and special values.
TUFF_FN float tuff_reciprocal_of_one_plus(float t) {
  tuff_pair q = tuff_quotient(1.0f, 1.0f + t);
  return q.hi + q.lo;
}

// e^-|x|, NaN for NaN.
TUFF_FN float tuff_exp_falling(float x) { return tuff_exp(uintBitsToFloat(floatBitsToUint(x) | 0x80000000u)); }

// 2 ULP. With t = e^-2a: 1 - 2t/(1 + t), which would cancel below 0.625.
TUFF_FN float tuff_tanh(float x) {
  float a = tuff_magnitude(x);
  float z = a * a;
  float p = (-5.69555396e-3f * z + 2.06306707e-2f) * z - 5.37371188e-2f;
  p = (p * z + 0.133314103f) * z - 0.333332807f;
  float t = tuff_exp_falling(a + a);
  float far = 1.0f - (t + t) * tuff_reciprocal_of_one_plus(t);
  float near = a + a * z * p;
  float value = floatBitsToUint(a) < 0x3f200000u ? near : far;
  return tuff_signed_result(tuff_is_nan(x) ? x : value, tuff_sign_bit(x));
}

// 2.5 ULP. ln(a + sqrt(a^2 + 1)) as log1p(a + a^2/(1 + sqrt(a^2 + 1))); ln 2a from 2^30 on.
TUFF_FN float tuff_asinh(float x) {
  float a = tuff_abs(x);
  bool large = floatBitsToUint(a) >= 0x4e800000u;
  float z = a * a;
  float t = a + tuff_div(z, 1.0f + tuff_sqrt(z + 1.0f));
  float value = tuff_log1p(large ? a : t) + (large ? 0.693147182f : 0.0f);
  return tuff_signed_result(value, tuff_sign_bit(x));
}

// 3 ULP; NaN below 1. With t = x - 1: log1p(t + sqrt(t(t + 2))).
TUFF_FN float tuff_acosh(float x) {
  float a = tuff_flush(x);
  uint bits = floatBitsToUint(a);
  bool large = bits >= 0x4e800000u;
  float t = a - 1.0f;
  float sum = t + tuff_sqrt(t * (t + 2.0f));
  uint value = floatBitsToUint(tuff_log1p(large ? a : sum) + (large ? 0.693147182f : 0.0f));
  bool undefined = bits < 0x3f800000u || bits >= 0x80000000u;
  return tuff_flush_result(uintBitsToFloat(undefined ? 0x7fc00000u : value));
}

// 3 ULP; NaN outside [-1, 1]. log1p(2a/(1 - a)) / 2.
TUFF_FN float tuff_atanh(float x) {
  float a = tuff_abs(x);
  return tuff_signed_result(0.5f * tuff_log1p(tuff_div(a + a, 1.0f - a)), tuff_sign_bit(x));
}

// ---- Functions of neural networks ------------------------------------------------------------------------

// 2.5 ULP. Below 0.92 a polynomial, above 1 - erfc with log2(erfc(a)) = -g(a). Below 2^-13 one product: in
// a + a * p the second term might be a denormal that counts.
TUFF_FN float tuff_erf(float x) {
  float a = tuff_magnitude(x);
  float z = a * a;
  float p = ((8.20068890e-5f * z - 8.09629855e-4f) * z + 5.19618625e-3f) * z - 2.68571110e-2f;
  p = ((p * z + 0.112836406f) * z - 0.376126289f) * z + 0.128379166f;
  float b = floatBitsToUint(a) < 0x407c0000u ? a : 3.9375f;
  float g = (-2.82677647e-4f * b + 4.39043436e-3f) * b - 3.20666656e-2f;
  g = ((g * b + 0.149941593f) * b + 0.919259667f) * b + 1.62689209f;
  float far = 1.0f - tuff_exp2(-2.82300490e-4f - g * b);
  float smallest = a * 1.12837923f;
  float near = a + a * p;
  near = floatBitsToUint(a) < 0x39000000u ? smallest : near;
  float value = floatBitsToUint(a) < 0x3f6b851fu ? near : far;
  return tuff_signed_result(tuff_is_nan(x) ? x : value, tuff_sign_bit(x));
}

// 3.5 ULP. With t = e^-|x|: 1/(1 + t), or t/(1 + t) for negative x, so that nothing overflows or cancels.
TUFF_FN float tuff_sigmoid(float x) {
  float t = tuff_exp_falling(x);
  float r = tuff_reciprocal_of_one_plus(t);
  float falling = t * r;
  float value = tuff_sign_bit(x) != 0u ? falling : r;
  return tuff_flush_result(tuff_is_nan(x) ? x : value);
}

// ln(1 + e^x) = max(x, 0) + log1p(e^-|x|), 2.5 ULP.
TUFF_FN float tuff_softplus(float x) {
  return tuff_flush_result(tuff_max(x, 0.0f) + tuff_log1p(tuff_exp_falling(x)));
}
