// shaders/lib/integer.glsl, compiled as C++, is what the reference computes, so that kernels agree with it.
#include <cmath>
#include <limits>

#include "graph/builder.h"
#include "graph_text.h"
#include "lib/numerics_cpp.h"

// In the kernels' own terms: GLSL's names for types, 64-bit ones too.
#define TUFF_FN [[nodiscard, maybe_unused]] static inline
#define TUFF_INT64
namespace tuff::numerics {
#include "lib/integer.glsl"
}
#undef TUFF_FN
#undef TUFF_INT64

using namespace tuff;

namespace {

template <class T>
std::vector<T> edges() {
  std::vector<T> edges;
  constexpr T low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
  for (int i = 0; i < 70; i += i < 10 ? 1 : 7) {
    edges.push_back(static_cast<T>(i));
    edges.push_back(static_cast<T>(low + static_cast<T>(i)));
    edges.push_back(static_cast<T>(high - static_cast<T>(i)));
    edges.push_back(static_cast<T>(T{0} - static_cast<T>(i)));
  }
  return edges;
}

template <class T>
T call(MapOp op, T a, T b) {
  using namespace numerics;
  switch (op) {
    case MapOp::div: return tuff_idiv(a, b);
    case MapOp::fmod: return tuff_irem(a, b);
    case MapOp::floormod: return tuff_imod(a, b);
    case MapOp::pow: return tuff_ipow(a, b);
    case MapOp::sign: return tuff_isign(a);
    case MapOp::shift_left: return tuff_ishl(a, b);
    default: return tuff_ishr(a, b);
  }
}

// Register: what a kernel computes the dtype in; the result is narrowed when it is stored.
template <class T, class Register>
void check(Dtype dtype) {
  std::vector<T> a, b;
  for (T x : edges<T>())
    for (T y : edges<T>()) a.push_back(x), b.push_back(y);
  const int64_t count = static_cast<int64_t>(a.size());
  for (MapOp op : {MapOp::div, MapOp::fmod, MapOp::floormod, MapOp::pow, MapOp::sign, MapOp::shift_left, MapOp::shift_right}) {
    GraphBuilder builder;
    ValueId x = builder.input("a", dtype, {IntExpr(count)}), y = builder.input("b", dtype, {IntExpr(count)});
    auto z = builder.add(MapAttrs{op}, op == MapOp::sign ? std::vector{x} : std::vector{x, y});
    REQUIRE(z.ok());
    builder.output(*z, "z");
    Tensor expected =
        outputs_of(std::move(builder).finish(), {make_tensor(dtype, {count}, a), make_tensor(dtype, {count}, b)})[0];
    for (size_t i = 0; i < a.size(); ++i) {
      T found = static_cast<T>(call<Register>(op, static_cast<Register>(a[i]), static_cast<Register>(b[i])));
      CHECK_MESSAGE(found == expected.elements<T>()[i], map_op_row(op).name << "(" << +a[i] << ", " << +b[i] << ")");
    }
  }
}

}  // namespace

TEST_CASE("kernels compute integers as the reference does") {
  check<int8_t, int32_t>(Dtype::kI8);
  check<int16_t, int32_t>(Dtype::kI16);
  check<int32_t, int32_t>(Dtype::kI32);
  check<int64_t, int64_t>(Dtype::kI64);
  check<uint8_t, uint32_t>(Dtype::kU8);
  check<uint16_t, uint32_t>(Dtype::kU16);
  check<uint32_t, uint32_t>(Dtype::kU32);
  check<uint64_t, uint64_t>(Dtype::kU64);
}

TEST_CASE("kernels cast floats to 64-bit integers as the reference does") {
  std::vector<float> x = {
      0.0f,     -0.0f,           0.99f,          -0.99f,         1.0f,       -1.5f,      16777215.0f,    16777216.0f,
      1e9f,     -1e9f,           123456792.0f,   4e18f,          -4e18f,     0x1p62f,    0x1.fffffep62f, 0x1p63f,
      -0x1p63f, -0x1.fffffep62f, 0x1.fffffep63f, 0x1p64f,        1e30f,      -1e30f,     INFINITY,       -INFINITY,
      NAN,      1e-40f,          0x1.8p23f,      0x1.000002p22f, 8388607.5f, -8388607.5f};
  const int64_t count = static_cast<int64_t>(x.size());
  for (Dtype to : {Dtype::kI64, Dtype::kU64}) {
    GraphBuilder builder;
    auto y = builder.cast(builder.input("x", Dtype::kF32, {IntExpr(count)}), to);
    REQUIRE(y.ok());
    builder.output(*y, "y");
    Tensor expected = outputs_of(std::move(builder).finish(), {make_tensor(Dtype::kF32, {count}, x)})[0];
    for (size_t i = 0; i < x.size(); ++i) {
      uint64_t found =
          to == Dtype::kI64 ? static_cast<uint64_t>(numerics::tuff_f32_to_i64(x[i])) : numerics::tuff_f32_to_u64(x[i]);
      CHECK_MESSAGE(found == expected.elements<uint64_t>()[i], x[i]);
    }
  }
}
