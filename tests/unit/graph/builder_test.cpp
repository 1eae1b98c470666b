// The builder's shorthands, NumPy's broadcasting, and numbers as elements.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/float16.h"
#include "graph/builder.h"
#include "unit/graph/symbol_n.h"

using namespace tuff;

namespace {

std::string joined_text(const Dims& a, const Dims& b) {
  auto joined = broadcast_shapes(a, b);
  auto swapped = broadcast_shapes(b, a);
  CHECK(joined == swapped);
  return joined ? dims_text(*joined) : "clash";
}

}  // namespace

TEST_CASE("shapes broadcast as in NumPy") {
  CHECK(joined_text({2, 3}, {2, 3}) == "[2, 3]");
  CHECK(joined_text({2, 1}, {1, 3}) == "[2, 3]");
  CHECK(joined_text({3}, {4, 2, 3}) == "[4, 2, 3]");
  CHECK(joined_text({}, {n, 3}) == "[n, 3]");
  CHECK(joined_text({0}, {1}) == "[0]");
  CHECK(joined_text({n, 1}, {1, 3}) == "[n, 3]");
  CHECK(joined_text({n}, {n}) == "[n]");
  CHECK(joined_text({2}, {3}) == "clash");
  CHECK(joined_text({0}, {2}) == "clash");
  CHECK(joined_text({n}, {n + IntExpr(1)}) == "clash");
}

TEST_CASE("map makes broadcasting explicit") {
  GraphBuilder b;
  ValueId x = b.input("x", Dtype::kF32, {b.symbol({"n", 1, 64, 1, nullptr}), 3});
  ValueId row = b.input("row", Dtype::kF32, {3});
  ValueId y = *b.map(MapOp::add, {x, row});
  CHECK(dims_text(b.shape(y)) == "[n, 3]");
  std::vector<std::string> names;
  for (const Node& node : b.graph().nodes) names.emplace_back(attrs_name(node.attrs));
  CHECK(names == std::vector<std::string>{"reshape", "broadcast", "map.add"});
  auto clash = b.map(MapOp::add, {x, b.input("two", Dtype::kF32, {2})});
  CHECK(clash.status().message() == "graph: cannot broadcast [n, 3] and [2] together.");
  CHECK(b.map(MapOp::add, {}).status().message() == "graph: map.add takes 2 inputs, got 0.");
  CHECK(b.map(MapOp::neg, {x, x}).status().message() == "graph: map.neg takes 1 inputs, got 2.");
  CHECK(b.graph().nodes.size() == 3);  // what fails adds nothing
}

TEST_CASE("shorthands that change nothing add nothing, and wrong ones say so") {
  GraphBuilder b;
  ValueId x = b.input("x", Dtype::kF32, {2, 3});
  CHECK(*b.cast(x, Dtype::kF32) == x);
  CHECK(*b.reshape(x, {2, 3}) == x);
  CHECK(*b.transpose(x, {0, 1}) == x);
  CHECK(*b.broadcast(x, {2, 3}) == x);
  CHECK(b.graph().nodes.empty());
  b.set_origins({"Node_7"});
  CHECK_FALSE(b.transpose(x, {0, 0}).ok());
  CHECK(b.transpose(x, {0}).status().message() == "Node_7: transpose perm has another rank than the input.");
  CHECK(b.broadcast(x, {3}).status().message() == "Node_7: cannot broadcast [2, 3] to [3].");
  CHECK(b.reduce(ReduceOp::kSum, x, {1, 1}).status().message().find("ascending") != std::string::npos);
  CHECK(dims_text(b.shape(*b.reduce(ReduceOp::kSum, x, {1, 0}))) == "[1, 1]");
  b.set_origins({});
  CHECK(b.graph().node(b.value(*b.cast(x, Dtype::kF16)).producer).origins == std::vector<std::string>{"graph"});
}

TEST_CASE("a symbol is declared once, in order") {
  GraphBuilder b;
  IntExpr w = b.symbol({"w", 1, 8, 1, nullptr});
  IntExpr h = b.symbol({"h", 1, 9, 1, nullptr});
  CHECK(b.symbol({"w", 1, 100, 1, nullptr}) == w);
  REQUIRE(b.graph().symbols.size() == 2);
  CHECK(b.graph().symbols[0].name == "h");
  CHECK(b.graph().symbols[1].max == 8);
  CHECK_FALSE(h == w);
}

TEST_CASE("numbers as elements") {
  CHECK(scalar_bits(Dtype::kF32, 1.5) == 0x3fc00000);
  CHECK(scalar_bits(Dtype::kF16, 1.0) == 0x3c00);
  CHECK(scalar_bits(Dtype::kBf16, 1.0) == 0x3f80);
  CHECK(scalar_bits(Dtype::kF64, -2.0) == 0xc000000000000000);
  CHECK(scalar_bits(Dtype::kI8, -1) == 0xff);
  CHECK(scalar_bits(Dtype::kI32, -1) == 0xffffffff);
  CHECK(scalar_bits(Dtype::kBool, 3) == 1);
  // Out of range and not a number: held, never undefined.
  CHECK(scalar_bits(Dtype::kU8, -0.75) == 0);
  CHECK(scalar_bits(Dtype::kU8, -7) == 0);
  CHECK(scalar_bits(Dtype::kU8, 300) == 255);
  CHECK(scalar_bits(Dtype::kI32, 1e30) == 0x7fffffff);
  CHECK(scalar_bits(Dtype::kI64, -1e30) == 0x8000000000000000);
  CHECK(scalar_bits(Dtype::kI64, 0x1p63) == 0x7fffffffffffffff);
  CHECK(scalar_bits(Dtype::kU64, 0x1p64) == 0xffffffffffffffff);
  CHECK(scalar_bits(Dtype::kI16, NAN) == 0);
  // Rounded once: by way of a float these would tie to even.
  CHECK(scalar_bits(Dtype::kF16, 1 + 0x1p-11 + 0x1p-40) == 0x3c01);
  CHECK(scalar_bits(Dtype::kF16, 1 + 0x1p-11) == 0x3c00);
  CHECK(scalar_bits(Dtype::kF16, 1 + 3 * 0x1p-11 - 0x1p-40) == 0x3c01);
  CHECK(scalar_bits(Dtype::kBf16, 1 + 0x1p-8 + 0x1p-50) == 0x3f81);
  CHECK(scalar_bits(Dtype::kF16, 0x1p-25 + 0x1p-60) == 1);
  CHECK(scalar_bits(Dtype::kF16, 1e300) == 0x7c00);
  CHECK(scalar_bits(Dtype::kF16, -1e-300) == 0x8000);
  CHECK(scalar_bits(Dtype::kBf16, -HUGE_VAL) == 0xff80);

  std::mt19937_64 random(1);
  for (Dtype dtype : {Dtype::kF32, Dtype::kF16, Dtype::kBf16, Dtype::kF64, Dtype::kI8, Dtype::kI16, Dtype::kI32, Dtype::kU8,
                      Dtype::kU16, Dtype::kU32}) {
    for (int i = 0; i < 5000; ++i) {
      int64_t width = 8 * dtype_size_bytes(dtype);
      uint64_t bits = width == 64 ? random() : random() & ((uint64_t{1} << width) - 1);
      double v = scalar_from_bits(dtype, bits);
      if (!std::isnan(v)) CHECK(scalar_bits(dtype, v) == bits);
    }
  }
}

TEST_CASE("constants written out") {
  ConstantAttrs splat{Dtype::kI16, {2, 3}, {ConstantData::Kind::kSplat, {}, scalar_bits(Dtype::kI16, -2), 1}};
  Bytes bytes = *constant_bytes(splat);
  REQUIRE(bytes.data.size() == 12);
  for (size_t i = 0; i < 6; ++i) {
    int16_t v;
    std::memcpy(&v, bytes.data.data() + 2 * i, 2);
    CHECK(v == -2);
  }
  ConstantAttrs random{Dtype::kF32, {1000}, {ConstantData::Kind::kRandom, {}, 7, 0.5}};
  Bytes first = *constant_bytes(random), again = *constant_bytes(random);
  CHECK(std::memcmp(first.data.data(), again.data.data(), 4000) == 0);
  double sum = 0, least = 1, most = -1;
  for (size_t i = 0; i < 1000; ++i) {
    float v;
    std::memcpy(&v, first.data.data() + 4 * i, 4);
    sum += v;
    least = std::min<double>(least, v);
    most = std::max<double>(most, v);
  }
  CHECK(least >= -0.5);
  CHECK(least < -0.45);
  CHECK(most < 0.5);
  CHECK(most > 0.45);
  CHECK(std::fabs(sum / 1000) < 0.05);
  random.data.bits = 8;
  CHECK(std::memcmp(first.data.data(), constant_bytes(random)->data.data(), 4000) != 0);
  random.dtype = Dtype::kU8;  // negative draws are held at 0
  CHECK(constant_bytes(random)->data.size() == 1000);
  random.shape = {IntExpr(int64_t{1} << 40)};
  CHECK(constant_bytes(random).status().code() == Code::kLimit);
  random.shape = {IntExpr(int64_t{1} << 62), 8};
  CHECK(constant_bytes(random).status().code() == Code::kLimit);
}
