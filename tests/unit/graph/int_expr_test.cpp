// The identities that shapes, views and addresses rest on.
#include <doctest/doctest.h>

#include <random>

#include "base/lexer.h"
#include "graph/int_expr.h"

using namespace tuff;

namespace {

IntExpr dimension(const char* name, int64_t min = 1, int64_t max = 4096, int64_t divisor = 1) {
  return IntExpr::symbol({name, min, max, divisor, nullptr});
}
const IntExpr h = dimension("h"), w = dimension("w"), w8 = dimension("w8", 8, 4096, 8);
IntExpr loop(const char* name, const IntExpr& extent) { return IntExpr::loop_variable(name, extent); }

// Row-major position of a coordinate, and the coordinate of a position, as views do it.
IntExpr linearise(const std::vector<IntExpr>& coordinate, const Dims& shape) {
  IntExpr position;
  for (size_t i = 0; i < shape.size(); ++i) position = position * shape[i] + coordinate[i];
  return position;
}
std::vector<IntExpr> delinearise(const IntExpr& position, const Dims& shape) {
  std::vector<IntExpr> coordinate(shape.size());
  IntExpr stride(1);
  for (size_t i = shape.size(); i-- > 0;) {
    coordinate[i] = floor_div(position, stride);
    if (i > 0) coordinate[i] = mod(coordinate[i], shape[i]);
    stride *= shape[i];
  }
  return coordinate;
}

std::string read_back(const std::string& text) {
  Lexer lexer(text, "test");
  auto e = parse_int_expr(lexer, [](const std::string& name) -> Result<IntExpr> { return dimension(name.c_str()); });
  return e.ok() ? e->text() : e.status().message();
}

}  // namespace

TEST_CASE("sums are canonical") {
  CHECK((h + w == w + h));
  CHECK(((h + IntExpr(2)) * (h - IntExpr(2)) == h * h - IntExpr(4)));
  CHECK((h - h).is(0));
  CHECK((IntExpr(3) * h * w - IntExpr(2) * w + IntExpr(1)).text() == "3*h*w - 2*w + 1");
  CHECK((-h - IntExpr(1)).text() == "-h - 1");
  CHECK(IntExpr(0).text() == "0");
  CHECK(dims_text({1, h, floor_div(w, 2)}) == "[1, h, floor(w, 2)]");
  CHECK(product({2, h, 3}) == IntExpr(6) * h);
  CHECK(product({}).is(1));
}

TEST_CASE("floors and remainders of what is known") {
  IntExpr i = loop("i", h), j = loop("j", 4), k = loop("k", w);
  CHECK(floor_div(IntExpr(4) * i + j, 4) == i);
  CHECK(mod(IntExpr(4) * i + j, 4) == j);
  CHECK(floor_div(i * w + k, w) == i);
  CHECK(mod(i * w + k, w) == k);
  CHECK(floor_div(IntExpr(3) - j, 4).is(0));
  CHECK(mod(IntExpr(3) - j, 4) == IntExpr(3) - j);
  CHECK(floor_div(w - IntExpr(1) - k, w).is(0));  // a reversed axis
  CHECK(floor_div(i * w + w - IntExpr(1) - k, w) == i);
  CHECK(mod(i * w + w - IntExpr(1) - k, w) == w - IntExpr(1) - k);
  CHECK(floor_div(j - IntExpr(4), 4).is(-1));
  CHECK(floor_div(IntExpr(12) * i + IntExpr(4) * j + IntExpr(1), 12) == i + floor_div(j, 3));
  CHECK(mod(IntExpr(4) * i + j, 12) == IntExpr(4) * mod(i, 3) + j);
  CHECK(floor_div(floor_div(i, 3), 4) == floor_div(i, 12));
  CHECK(mod(mod(i, 12), 4) == mod(i, 4));
  CHECK(floor_div(mod(i, 12), 4) == mod(floor_div(i, 4), 3));
  CHECK(IntExpr(4) * floor_div(i, 4) + mod(i, 4) == i);
  CHECK(IntExpr(4) * mod(floor_div(i, 4), 3) + mod(i, 4) == mod(i, 12));
  CHECK((w + IntExpr(1)) * floor_div(i, w + IntExpr(1)) + mod(i, w + IntExpr(1)) == i);
  CHECK(floor_div(i * w + k, h * w).is(0));
  IntExpr rows = loop("rows", IntExpr(5) * h);
  CHECK(floor_div(rows * w + k, h * w) == floor_div(rows, h));
  CHECK(mod(rows * w + k, h * w) == mod(rows, h) * w + k);
  CHECK(loop("one", 1).is(0));
}

TEST_CASE("sizes after strided windows in a row have one form") {
  IntExpr once = floor_div(h - IntExpr(1), 2) + IntExpr(1);
  IntExpr twice = floor_div(once - IntExpr(1), 2) + IntExpr(1);
  CHECK(once == ceil_div(h, 2));
  CHECK(twice == ceil_div(h, 4));
  CHECK(twice.text() == "floor(h + 3, 4)");
}

TEST_CASE("a symbol's divisor makes quotients exact") {
  CHECK(*divide_exact(w8, 8) == floor_div(w8, 8));
  CHECK(IntExpr(8) * floor_div(w8, 8) == w8);
  CHECK(IntExpr(4) * floor_div(w8, 8) == floor_div(w8, 2));
  CHECK(product({floor_div(w8, 8), h, 8}) == w8 * h);
  CHECK(*divide_exact(w8 * h, IntExpr(8) * h) == floor_div(w8, 8));
  CHECK(mod(loop("i", h) * w8 + loop("j", 8), 8) == loop("j", 8));
  CHECK(known_divisor(w8 * h + IntExpr(12)) == 4);
  CHECK(known_divisor(IntExpr(6) * mod(w8, 12)) == 24);
  CHECK(known_divisor(IntExpr(0)) == 0);
  CHECK_FALSE(divide_exact(h, 2).has_value());
  CHECK_FALSE(divide_exact(h, 0).has_value());
}

TEST_CASE("polynomials divide") {
  IntExpr a = h + w + IntExpr(2), b = h * w - IntExpr(3);
  CHECK(*divide_exact(a * b, b) == a);
  CHECK(*divide_exact(a * b, a) == b);
  CHECK(*divide_exact(a * a * b, -a) == -(a * b));
  CHECK_FALSE(divide_exact(a * b + IntExpr(1), a).has_value());
}

TEST_CASE("a reshape there and back again leaves the plain variables") {
  std::mt19937 random(1);
  const std::vector<IntExpr> sizes = {2, 3, 5, 8, h, w, w8, h + IntExpr(2), IntExpr(2) * w, floor_div(w8, 8)};
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<IntExpr> factors;
    for (size_t n = 2 + random() % 4; factors.size() < n;) factors.push_back(sizes[random() % sizes.size()]);
    auto grouped = [&] {
      Dims shape = {factors[0]};
      for (size_t i = 1; i < factors.size(); ++i) {
        if (random() % 2)
          shape.push_back(factors[i]);
        else
          shape.back() *= factors[i];
      }
      return shape;
    };
    Dims from = grouped(), to = grouped(), third = grouped();
    std::vector<IntExpr> variables;
    for (size_t i = 0; i < from.size(); ++i) variables.push_back(loop(("i" + std::to_string(i)).c_str(), from[i]));
    IntExpr position = linearise(variables, from);
    CHECK(delinearise(position, from) == variables);
    // Through one other shape, and through two.
    std::vector<IntExpr> other = delinearise(position, to);
    std::string what = dims_text(from) + " -> " + dims_text(to) + " -> " + dims_text(third);
    CHECK_MESSAGE(linearise(other, to) == position, what, " gives ", linearise(other, to).text());
    IntExpr again = linearise(delinearise(linearise(other, to), third), third);
    CHECK_MESSAGE(delinearise(again, from) == variables, what);
  }
}

TEST_CASE("the checks of padded, clamped and strided reads are proven away") {
  auto inside = [](const IntExpr& index, const IntExpr& size) { return proven_nonnegative(index) && proven_less(index, size); };
  // A 3-wide window of stride 2 over an axis padded by 1 on both sides.
  IntExpr y = loop("y", floor_div(h - IntExpr(1), 2) + IntExpr(1)), k = loop("k", 3);
  CHECK(inside(IntExpr(2) * y + k, h + IntExpr(2)));
  CHECK_FALSE(inside(IntExpr(2) * y + k, h + IntExpr(1)));
  CHECK_FALSE(inside(IntExpr(2) * y + k - IntExpr(1), h));
  // Edge padding clamps.
  IntExpr x = loop("x", w + IntExpr(2));
  CHECK(inside(maximum(0, minimum(x - IntExpr(1), w - IntExpr(1))), w));
  CHECK_FALSE(inside(minimum(x - IntExpr(1), w - IntExpr(1)), w));
  // Enlargement by 3, and a remainder.
  IntExpr u = loop("u", IntExpr(3) * h);
  CHECK(inside(floor_div(u, 3), h));
  CHECK(inside(mod(u, h), h));
  CHECK(inside(u - IntExpr(3) * floor_div(u, 3), IntExpr(3)));
  CHECK(proven_nonnegative(h - mod(h, 8)));
  CHECK(proven_nonnegative(u - floor_div(u, 2)));
  CHECK_FALSE(proven_nonnegative(floor_div(u, 2) - IntExpr(1)));
  CHECK_FALSE(proven_nonnegative(h - w));
  CHECK(minimum(h, h + IntExpr(1)) == h);
  CHECK(maximum(h, IntExpr(1)) == h);
  CHECK(minimum(h, IntExpr(5000)) == h);
  CHECK(minimum(h, w) == minimum(w, h));
}

TEST_CASE("bounds where a factor may be negative") {
  // i*(h - 10) is largest at i = 0 when h < 10: neither end of i may be taken alone.
  IntExpr i = loop("i", 8), shrunk = minimum(h - IntExpr(10), w);
  IntExpr e = i * shrunk;
  IntExpr high = upper_bound(e);
  auto at = [](const IntExpr& x, int64_t i_value, int64_t h_value) {
    return *x.evaluate([&](std::string_view name) -> std::optional<int64_t> {
      return name == "i" ? i_value : name == "h" ? h_value : 4096;
    });
  };
  for (int64_t h_value : {1, 9, 10, 4096})
    for (int64_t i_value : {0, 7}) CHECK(at(e, i_value, h_value) <= at(high, 0, h_value));
}

TEST_CASE("substitution reaches the extents of loop variables") {
  IntExpr i = loop("i", h);
  auto h_is_one = [](const Symbol& s) -> std::optional<IntExpr> {
    if (s.name == "h") return IntExpr(1);
    return std::nullopt;
  };
  auto h_is_four = [](const Symbol& s) -> std::optional<IntExpr> {
    if (s.name == "h") return IntExpr(4);
    return std::nullopt;
  };
  CHECK((i + w).substitute(h_is_one) == w);
  CHECK(floor_div(i + IntExpr(8) * w, 8).substitute(h_is_four) == w);
}

TEST_CASE("the part that multiplies a variable") {
  IntExpr i = loop("i", h), j = loop("j", w);
  auto form = linear_in(i * w + IntExpr(3) * i + j, "i");
  REQUIRE(form.has_value());
  CHECK(form->coefficient == w + IntExpr(3));
  CHECK(form->rest == j);
  CHECK_FALSE(linear_in(floor_div(i, 2), "i").has_value());
  CHECK_FALSE(linear_in(i * i, "i").has_value());
  CHECK(linear_in(floor_div(j, 2), "i")->coefficient.is(0));
}

TEST_CASE("what 64 bits cannot hold is said and not wrong") {
  IntExpr big(INT64_MAX);
  CHECK(big.constant() == INT64_MAX);
  CHECK((big + IntExpr(0)) == big);
  CHECK((big - IntExpr(1)).constant() == INT64_MAX - 1);
  IntExpr over = big + IntExpr(1);
  CHECK(over.has_overflowed());
  CHECK_FALSE((big - IntExpr(1)).has_overflowed());
  CHECK(IntExpr(INT64_MIN).has_overflowed());
  for (const IntExpr& e : {over - over, over * IntExpr(0), over + h, floor_div(over, 2), mod(over, 2), minimum(over, h),
                           floor_div(h, over), big * big, product({big, h, 2})})
    CHECK_MESSAGE(e.has_overflowed(), e.text());
  auto anything = [](std::string_view) -> std::optional<int64_t> { return 1; };
  CHECK_FALSE(over.evaluate(anything).has_value());
  CHECK_FALSE((big * h + big * w).evaluate(anything).has_value());
  CHECK_FALSE(proven_nonnegative(over));
  CHECK_FALSE(proven_nonnegative(h * h * h * h * h * h - w * w * w * w * w * w));
}

TEST_CASE("dividing by zero is the value nothing, not a trap") {
  auto ones = [](std::string_view) -> std::optional<int64_t> { return 1; };
  for (int64_t n : {0, -3}) {
    CHECK_FALSE(floor_div(h, n).evaluate(ones).has_value());
    CHECK_FALSE(mod(h, n).evaluate(ones).has_value());
    CHECK_FALSE(floor_div(IntExpr(7), n).evaluate(ones).has_value());
  }
  CHECK_FALSE(floor_div(w, h - IntExpr(1)).evaluate(ones).has_value());
}

TEST_CASE("growth beyond reason is refused quickly") {
  IntExpr deep = h;
  for (int i = 0; i < 100000 && !deep.has_overflowed(); ++i)
    deep = minimum(floor_div(IntExpr(3) * deep + IntExpr(i % 2), 2), w * IntExpr(i + 1));
  CHECK(deep.has_overflowed());
  IntExpr doubled = h;
  for (int i = 0; i < 100 && !doubled.has_overflowed(); ++i) doubled = floor_div(doubled * doubled + w, 2);
  CHECK(doubled.has_overflowed());
  IntExpr wide(1);
  for (int i = 0; i < 40; ++i) wide *= dimension(("s" + std::to_string(i)).c_str()) + IntExpr(1);
  CHECK(wide.has_overflowed());
}

TEST_CASE("texts that are no expressions are refused") {
  CHECK(read_back("2*h - floor(h + 1, 2)*w + 3") == "2*h - w*floor(h + 1, 2) + 3");
  CHECK(read_back("floor") == "floor");  // a symbol may have any name
  CHECK(read_back("floor(h, 0)").find("a divisor must be positive") != std::string::npos);
  CHECK(read_back("mod(h, -1)").find("a divisor must be positive") != std::string::npos);
  CHECK(read_back("h +").find("a name was expected") != std::string::npos);
  CHECK(read_back("min(h").find("',' was expected") != std::string::npos);
  std::string nested;
  for (int i = 0; i < 100000; ++i) nested += "min(";
  CHECK(read_back(nested).find("nest too deeply") != std::string::npos);
}
