// Scalar maps: the expressions of ops.def over blocks of elements, as floats (exact mode), doubles (truth) or integers.
#include <algorithm>
#include <cmath>

#include "lib/numerics_cpp.h"
#include "reference/ops.h"

namespace tuff {
namespace {

constexpr int64_t kBlock = 256;

// Integers are computed in 128 bits, where no operation of two 64-bit operands overflows, and wrap when they are
// stored.
using Wide = __int128;

template <class T>
using BlockFunction = void (*)(const T* a, const T* b, const T* c, T* out, int64_t n);

// NOLINTBEGIN(bugprone-macro-parentheses): a type stands without them.
// Each namespace gives the names that its column of ops.def uses; `none` stands where infer() lets nothing come.
#define TUFF_BLOCK_FUNCTION(T, expression)                                                         \
  [](const T* pa, [[maybe_unused]] const T* pb, [[maybe_unused]] const T* pc, T* out, int64_t n) { \
    for (int64_t i = 0; i < n; ++i) {                                                              \
      [[maybe_unused]] const T a = pa[i], b = pb[i], c = pc[i];                                    \
      out[i] = static_cast<T>(expression);                                                         \
    }                                                                                              \
  }
// NOLINTEND(bugprone-macro-parentheses)

namespace float_maps {
using namespace numerics;
constexpr float none = 0;
const BlockFunction<float> kFunctions[] = {
#define TUFF_OP(name, arity, operands, result, cost, ulp, low, high, fast, exact, integer, truth) \
  TUFF_BLOCK_FUNCTION(float, exact),
#include "graph/ops.def"
#undef TUFF_OP
};
}  // namespace float_maps

namespace double_maps {
constexpr double none = 0;
double floor_mod_truth(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(rest, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}
double max_truth(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : a > b ? a : b; }
double min_truth(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : a < b ? a : b; }
double sign_truth(double a) { return std::isnan(a) ? NAN : a > 0 ? 1 : a < 0 ? -1 : 0; }
double softplus_truth(double a) { return std::isnan(a) ? NAN : std::max(a, 0.0) + std::log1p(std::exp(-std::fabs(a))); }

const BlockFunction<double> kFunctions[] = {
#define TUFF_OP(name, arity, operands, result, cost, ulp, low, high, fast, exact, integer, truth) \
  TUFF_BLOCK_FUNCTION(double, truth),
#include "graph/ops.def"
#undef TUFF_OP
};
const BlockFunction<double> kSelect = TUFF_BLOCK_FUNCTION(double, (a != 0 ? b : c));
}  // namespace double_maps

namespace integer_maps {
constexpr Wide none = 0;
Wide tuff_idiv(Wide a, Wide b) { return b == 0 ? 0 : a / b; }
Wide tuff_irem(Wide a, Wide b) { return b == 0 ? 0 : a % b; }
Wide tuff_imod(Wide a, Wide b) {
  Wide rest = tuff_irem(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
// A negative power of anything but 1 and -1 truncates to 0.
Wide tuff_ipow(Wide a, Wide b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
  uint64_t power = 1, base = static_cast<uint64_t>(a);
  for (uint64_t left = static_cast<uint64_t>(b); left != 0; left >>= 1) {
    if (left & 1) power *= base;
    base *= base;
  }
  return static_cast<Wide>(power);
}
Wide tuff_isign(Wide a) { return a > 0 ? 1 : a < 0 ? -1 : 0; }
// a * 2^b and floor(a / 2^b); a negative b gives 0.
Wide tuff_ishl(Wide a, Wide b) { return b < 0 || b >= 64 ? 0 : a * (Wide{1} << b); }
Wide tuff_ishr(Wide a, Wide b) { return b < 0 ? 0 : a >> std::min<Wide>(b, 64); }

const BlockFunction<Wide> kFunctions[] = {
#define TUFF_OP(name, arity, operands, result, cost, ulp, low, high, fast, exact, integer, truth) \
  TUFF_BLOCK_FUNCTION(Wide, integer),
#include "graph/ops.def"
#undef TUFF_OP
};
// The one product that 128 signed bits cannot hold is of two u64; modulo 2^128 it wraps as it should.
const BlockFunction<Wide> kMultiply =
    TUFF_BLOCK_FUNCTION(Wide, (static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b)));
}  // namespace integer_maps

template <class T>
BlockFunction<T> block_function(MapOp op);
template <>
BlockFunction<float> block_function(MapOp op) {
  return float_maps::kFunctions[static_cast<int>(op)];
}
template <>
BlockFunction<double> block_function(MapOp op) {
  return op == MapOp::select ? double_maps::kSelect : double_maps::kFunctions[static_cast<int>(op)];
}
template <>
BlockFunction<Wide> block_function(MapOp op) {
  return op == MapOp::mul ? integer_maps::kMultiply : integer_maps::kFunctions[static_cast<int>(op)];
}

template <class From, class T>
void load_as(const Array& x, int64_t at, int64_t step, T* block, int64_t n) {
  const From* from = x.data<From>() + at;
  for (int64_t i = 0; i < n; ++i) block[i] = static_cast<T>(from[i * step]);
}

template <class T>
void load(const Array& x, int64_t at, int64_t step, T* block, int64_t n) {
  with_element_type(x.dtype, [&]<class From>(From) { load_as<From>(x, at, step, block, n); });
}

template <class T, class To>
void store_as(const T* block, To* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<To>(block[i]);
}

template <class T>
void store(const T* block, Array& out, int64_t at, int64_t n) {
  // Integers wrap; a float's block is stored as floats or, from a test, as bools.
  switch (dtype_size_bytes(out.dtype)) {
    case 1: return store_as(block, out.mutable_data<uint8_t>() + at, n);
    case 2: return store_as(block, out.mutable_data<uint16_t>() + at, n);
    case 4:
      if constexpr (std::is_same_v<T, float>) return store_as(block, out.mutable_data<float>() + at, n);
      return store_as(block, out.mutable_data<uint32_t>() + at, n);
    default:
      if constexpr (std::is_same_v<T, double>) return store_as(block, out.mutable_data<double>() + at, n);
      return store_as(block, out.mutable_data<uint64_t>() + at, n);
  }
}

template <class T>
void map_elements(MapOp op, const Arrays& inputs, Array& out) {
  BlockFunction<T> function = block_function<T>(op);
  std::vector<Sizes> strides = {out.strides};
  for (const Array& x : inputs) strides.push_back(x.strides);
  Walk walk(out.shape, strides);
  T blocks[4][kBlock] = {};
  walk.for_each_row([&](std::span<const int64_t> at, int64_t row) {
    for (int64_t done = 0; done < row; done += kBlock) {
      int64_t n = std::min(kBlock, row - done);
      for (size_t i = 0; i < inputs.size(); ++i) {
        int64_t step = walk.strides[i + 1].back();
        load(inputs[i], at[i + 1] + done * step, step, blocks[i], n);
      }
      function(blocks[0], blocks[1], blocks[2], blocks[3], n);
      store(blocks[3], out, at[0] + done, n);
    }
  });
}

}  // namespace

Result<Array> evaluate_map(const MapAttrs& attrs, const Arrays& inputs, Dtype from, Dtype to, const OpContext& context) {
  if (attrs.op == MapOp::cast) return evaluate_cast(inputs[0], from, to, context);
  TUFF_ASSIGN(Array out, context.memory.allocate(storage_dtype(to, context.precision), inputs[0].shape));
  Dtype computed = inputs.back().dtype;
  if (computed == Dtype::kF32)
    map_elements<float>(attrs.op, inputs, out);
  else if (computed == Dtype::kF64)
    map_elements<double>(attrs.op, inputs, out);
  else
    map_elements<Wide>(attrs.op, inputs, out);
  round_to_dtype(out, to);
  return out;
}

}  // namespace tuff
