// Every row of ops.def: exact mode against truth within the row's bound, and integers against arithmetic spelled out.
#include <bit>
#include <cmath>
#include <limits>

#include "graph/builder.h"
#include "graph_text.h"

using namespace tuff;

namespace {

// One map node over inputs of a dtype (select's first is bool).
Graph map_graph(MapOp op, Dtype dtype, int64_t count) {
  GraphBuilder b;
  std::vector<ValueId> operands;
  for (int i = 0; i < map_op_row(op).arity; ++i) {
    Dtype operand = op == MapOp::select && i == 0 ? Dtype::kBool : dtype;
    operands.push_back(b.input("x" + std::to_string(i), operand, {IntExpr(count)}));
  }
  auto y = b.add(MapAttrs{op, Dtype::kF32}, operands);
  REQUIRE_MESSAGE(y.ok(), y.status().message());
  b.output(*y, "y");
  return std::move(b).finish();
}

bool takes_floats(const MapOpRow& row) {
  return row.operands == OperandClass::kFloats || row.operands == OperandClass::kNumbers || row.operands == OperandClass::kAny;
}

// The distance of neighbouring floats around y.
double unit_in_last_place(double y) {
  if (y == 0 || std::fabs(y) < 0x1p-126) return 0x1p-149;
  return std::ldexp(1.0, std::max(std::ilogb(y), -126) - 23);
}

template <class T>
T wrapped(__int128 x) {
  return static_cast<T>(x);
}

// The meaning of each integer op, in 128 bits.
template <class T>
std::optional<T> integer_meaning(std::string_view op, __int128 a, __int128 b) {
  if (op == "add") return wrapped<T>(a + b);
  if (op == "sub") return wrapped<T>(a - b);
  if (op == "mul") return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  if (op == "div") return b == 0 ? T{0} : wrapped<T>(a / b);
  if (op == "fmod") return b == 0 ? T{0} : wrapped<T>(a % b);
  if (op == "floormod") return b == 0 ? T{0} : wrapped<T>(((a % b) + b) % b);
  if (op == "max") return wrapped<T>(a > b ? a : b);
  if (op == "min") return wrapped<T>(a < b ? a : b);
  if (op == "neg") return wrapped<T>(-a);
  if (op == "abs") return wrapped<T>(a < 0 ? -a : a);
  if (op == "sign") return wrapped<T>((a > 0) - (a < 0));
  if (op == "bit_and") return wrapped<T>(a & b);
  if (op == "bit_or") return wrapped<T>(a | b);
  if (op == "bit_xor") return wrapped<T>(a ^ b);
  if (op == "bit_not") return wrapped<T>(-a - 1);
  if (op == "shift_left") {
    if (b < 0 || b >= 64) return T{0};
    return static_cast<T>(static_cast<uint64_t>(a) << static_cast<int>(b));
  }
  if (op == "shift_right") {  // floor(a / 2^b)
    if (b < 0) return T{0};
    __int128 divisor = b >= 64 ? __int128{1} << 64 : __int128{1} << static_cast<int>(b);
    __int128 quotient = a / divisor;
    return wrapped<T>(a % divisor < 0 ? quotient - 1 : quotient);
  }
  if (op == "pow") {
    if (b < 0) return static_cast<T>(a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0);
    if (b > 300) return std::nullopt;  // too long for a loop
    uint64_t power = 1;
    for (int i = 0; i < static_cast<int>(b); ++i) power *= static_cast<uint64_t>(a);
    return static_cast<T>(power);
  }
  return std::nullopt;
}

template <class T>
void check_integers(Dtype dtype) {
  std::vector<T> edges = {0,
                          1,
                          2,
                          3,
                          7,
                          8,
                          31,
                          32,
                          63,
                          64,
                          100,
                          std::numeric_limits<T>::max(),
                          std::numeric_limits<T>::min(),
                          static_cast<T>(-1),
                          static_cast<T>(-2),
                          static_cast<T>(-7),
                          static_cast<T>(std::numeric_limits<T>::max() - 1),
                          static_cast<T>(std::numeric_limits<T>::max() / 2 + 1)};
  std::vector<T> a, b;
  for (T x : edges)
    for (T y : edges) a.push_back(x), b.push_back(y);
  int64_t count = static_cast<int64_t>(a.size());
  int checked = 0;
  for (int i = 0; i < kMapOpCount; ++i) {
    MapOp op = static_cast<MapOp>(i);
    const MapOpRow& row = map_op_row(op);
    if (row.operands != OperandClass::kNumbers && row.operands != OperandClass::kIntegers) continue;
    if (row.result == ResultClass::kBoolean) continue;
    std::vector<Tensor> inputs = {make_tensor(dtype, {count}, a)};
    if (row.arity == 2) inputs.push_back(make_tensor(dtype, {count}, b));
    std::vector<Tensor> out = outputs_of(map_graph(op, dtype, count), inputs);
    for (size_t k = 0; k < a.size(); ++k) {
      auto expected = integer_meaning<T>(row.name, a[k], b[k]);
      if (!expected) continue;
      ++checked;
      CHECK_MESSAGE(out[0].elements<T>()[k] == *expected, row.name << "(" << +a[k] << ", " << +b[k] << ")");
    }
  }
  CHECK(checked > 17 * count);  // 17 ops have a meaning above, but for the longest powers
}

}  // namespace

TEST_CASE("exact mode is within each row's bound of truth") {
  constexpr int64_t kCount = 4096;
  for (int i = 0; i < static_cast<int>(MapOp::cast); ++i) {
    MapOp op = static_cast<MapOp>(i);
    const MapOpRow& row = map_op_row(op);
    if (!takes_floats(row)) continue;
    Graph graph = map_graph(op, Dtype::kF32, kCount);
    std::vector<Tensor> inputs;
    for (int k = 0; k < row.arity; ++k)
      inputs.push_back(float_tensor({kCount}, static_cast<uint32_t>(100 * i + k), row.low, row.high));
    if (op == MapOp::select) {
      std::vector<uint8_t> flags(kCount);
      for (size_t k = 0; k < flags.size(); ++k) flags[k] = k % 3 == 0;
      inputs[0] = make_tensor(Dtype::kBool, {kCount}, flags);
    }
    std::vector<Tensor> exact = outputs_of(graph, inputs), truth = outputs_of(graph, inputs, Precision::kTruth);
    double worst = 0;
    for (int64_t k = 0; k < kCount; ++k) {
      double y = truth[0].at(k), found = exact[0].at(k);
      worst = std::max(worst, std::fabs(found - y) / unit_in_last_place(y));
    }
    CHECK_MESSAGE(worst <= row.ulp, row.name);
  }
}

TEST_CASE("integers wrap at their width, and nothing divides by zero") {
  check_integers<int8_t>(Dtype::kI8);
  check_integers<int16_t>(Dtype::kI16);
  check_integers<int32_t>(Dtype::kI32);
  check_integers<int64_t>(Dtype::kI64);
  check_integers<uint8_t>(Dtype::kU8);
  check_integers<uint16_t>(Dtype::kU16);
  check_integers<uint32_t>(Dtype::kU32);
  check_integers<uint64_t>(Dtype::kU64);
}

TEST_CASE("comparisons order the ends of unsigned and signed ranges") {
  auto less = [](Dtype dtype, auto a, auto b) {
    std::vector<Tensor> inputs = {make_tensor(dtype, {1}, std::vector{a}), make_tensor(dtype, {1}, std::vector{b})};
    return outputs_of(map_graph(MapOp::less, dtype, 1), inputs)[0].elements<uint8_t>()[0];
  };
  CHECK(less(Dtype::kU64, uint64_t{1}, UINT64_MAX) == 1);
  CHECK(less(Dtype::kI64, int64_t{1}, int64_t{-1}) == 0);
  CHECK(less(Dtype::kI64, INT64_MIN, INT64_MAX) == 1);
  CHECK(less(Dtype::kF32, 1.0f, NAN) == 0);
}

TEST_CASE("logic") {
  std::vector<uint8_t> a = {0, 0, 1, 1}, b = {0, 1, 0, 1};
  auto run = [&](MapOp op) {
    std::vector<Tensor> inputs = {make_tensor(Dtype::kBool, {4}, a)};
    if (map_op_row(op).arity == 2) inputs.push_back(make_tensor(Dtype::kBool, {4}, b));
    auto out = outputs_of(map_graph(op, Dtype::kBool, 4), inputs)[0];
    auto elements = out.elements<uint8_t>();
    return std::vector<uint8_t>(elements.begin(), elements.end());
  };
  CHECK(run(MapOp::logical_and) == std::vector<uint8_t>{0, 0, 0, 1});
  CHECK(run(MapOp::logical_or) == std::vector<uint8_t>{0, 1, 1, 1});
  CHECK(run(MapOp::logical_xor) == std::vector<uint8_t>{0, 1, 1, 0});
  CHECK(run(MapOp::logical_not) == std::vector<uint8_t>{1, 1, 0, 0});
  CHECK(run(MapOp::equal) == std::vector<uint8_t>{1, 0, 0, 1});
}

TEST_CASE("casts truncate, saturate and wrap") {
  auto cast = [](Dtype from, Dtype to, auto values) {
    GraphBuilder b;
    ValueId x = b.input("x", from, {IntExpr(static_cast<int64_t>(values.size()))});
    auto y = b.add(MapAttrs{MapOp::cast, to}, {x});
    REQUIRE(y.ok());
    b.output(*y, "y");
    Tensor out = outputs_of(std::move(b).finish(), {make_tensor(from, {static_cast<int64_t>(values.size())}, values)})[0];
    std::vector<double> numbers;
    for (int64_t i = 0; i < out.element_count(); ++i) numbers.push_back(out.at(i));
    return numbers;
  };
  using Numbers = std::vector<double>;
  std::vector<float> floats = {-1.9f, 0.0f, 2.5f, 1e10f, -1e10f, NAN, INFINITY, -INFINITY, -0.5f, 1e-40f};
  CHECK(cast(Dtype::kF32, Dtype::kI32, floats) ==
        Numbers{-1, 0, 2, 2147483647, -2147483648.0, 0, 2147483647, -2147483648.0, 0, 0});
  CHECK(cast(Dtype::kF32, Dtype::kU8, floats) == Numbers{0, 0, 2, 255, 0, 0, 255, 0, 0, 0});
  CHECK(cast(Dtype::kF32, Dtype::kI8, floats) == Numbers{-1, 0, 2, 127, -128, 0, 127, -128, 0, 0});
  CHECK(cast(Dtype::kF32, Dtype::kBool, floats) == Numbers{1, 0, 1, 1, 1, 1, 1, 1, 1, 0});
  CHECK(cast(Dtype::kI32, Dtype::kI8, std::vector<int32_t>{200, -200, 127}) == Numbers{-56, 56, 127});
  CHECK(cast(Dtype::kI8, Dtype::kU16, std::vector<int8_t>{-1, 5}) == Numbers{65535, 5});
  CHECK(cast(Dtype::kI32, Dtype::kBool, std::vector<int32_t>{256, 0, -1}) == Numbers{1, 0, 1});
  CHECK(cast(Dtype::kI32, Dtype::kF32, std::vector<int32_t>{16777217, 16777219}) == Numbers{16777216, 16777220});
  CHECK(cast(Dtype::kF32, Dtype::kF16, std::vector<float>{65520.0f, 65519.0f, 0x1p-25f, 0x1.8p-24f}) ==
        Numbers{INFINITY, 65504, 0, 0x1p-23});
}

TEST_CASE("half precision computes in f32 and rounds at every node") {
  Graph graph = graph_of(
      "input %0 \"x\": f16[2]\n"
      "%1: f16[2] = map.mul %0, %0 from \"m\"\n"
      "%2: f16[2] = map.sub %1, %0 from \"s\"\n"
      "output %2 \"y\"\n");
  // 1.001^2 = 1.001953125 + 2^-20, which rounds to 1.001953125 in f16.
  std::vector<uint16_t> x = {0x3c01, 0x4000};
  auto y = outputs_of(graph, {make_tensor(Dtype::kF16, {2}, x)});
  CHECK(y[0].at(0) == 0x1p-10);
  CHECK(y[0].at(1) == 2);
}
