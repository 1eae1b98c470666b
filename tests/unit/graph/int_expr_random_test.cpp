// Everything that IntExpr claims of an expression is compared with direct arithmetic on random expressions and values.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "base/checked.h"
#include "base/lexer.h"
#include "graph/int_expr.h"

using namespace tuff;

namespace {

using Values = std::map<std::string, int64_t, std::less<>>;

// An expression twice: as IntExpr simplifies it, and as it was asked for.
struct Pair {
  IntExpr simplified;
  std::function<int64_t(const Values&)> direct;
};

class RandomExpressions {
 public:
  explicit RandomExpressions(uint64_t seed) : random_(seed) {
    add_dimension({"a", 1, 9, 1, nullptr});
    add_dimension({"b", 2, 16, 2, nullptr});
    add_dimension({"c", 0, 40, 4, nullptr});
    add_dimension({"d", 1, Symbol::kMax, 1, nullptr});
    const IntExpr a = dimensions_[0], b = dimensions_[1], c = dimensions_[2];
    for (const IntExpr& extent : {a, b, IntExpr(12), a * b, c + IntExpr(1), floor_div(b, IntExpr(2)), IntExpr(3) * a})
      loops_.push_back({"i" + std::to_string(loops_.size()), extent});
  }

  Values values() {
    Values out;
    for (const Symbol& s : symbols_) {
      int64_t most = std::min<int64_t>(s.max, 60) / s.divisor, least = (s.min + s.divisor - 1) / s.divisor;
      out[s.name] = below(most - least + 1) * s.divisor + least * s.divisor;
    }
    for (const auto& [name, extent] : loops_) out[name] = below(*evaluate(extent, out));
    return out;
  }

  Pair expression(int depth) {
    if (depth == 0 || below(6) == 0) return leaf();
    switch (below(8)) {
      case 0:
      case 1: return sum(expression(depth - 1), expression(depth - 1), 1);
      case 2: return sum(expression(depth - 1), expression(depth - 1), -1);
      case 3: return times(expression(depth - 1), leaf());
      case 4: return divided(expression(depth - 1), divisor());
      case 5: return remainder(expression(depth - 1), divisor());
      case 6: {
        Pair x = expression(depth - 1), y = expression(depth - 1);
        return {minimum(x.simplified, y.simplified), [=](const Values& v) { return std::min(x.direct(v), y.direct(v)); }};
      }
      default: {
        Pair x = expression(depth - 1), y = expression(depth - 1);
        return {maximum(x.simplified, y.simplified), [=](const Values& v) { return std::max(x.direct(v), y.direct(v)); }};
      }
    }
  }

  // Sums that look like addresses: n*(x/n), x mod n, clamps and their neighbours, so that the rules meet.
  Pair address() {
    Pair x = expression(2), n = divisor(), k = divisor();
    Pair q = divided(x, n), r = remainder(x, n);
    Pair total = sum(times(q, n), r, below(4) ? 1 : -1);
    if (below(2)) total = sum(times(remainder(q, k), n), r, 1);
    if (below(3) == 0) total = divided(sum(total, leaf(), 1), below(2) ? n : k);
    if (below(3) == 0) total = remainder(sum(total, leaf(), 1), times(n, k));
    return total;
  }

  static std::optional<int64_t> evaluate(const IntExpr& e, const Values& values) {
    return e.evaluate([&](std::string_view name) -> std::optional<int64_t> {
      auto it = values.find(name);
      if (it == values.end()) return std::nullopt;
      return it->second;
    });
  }

  Result<IntExpr> find(const std::string& name) const {
    for (size_t i = 0; i < symbols_.size(); ++i)
      if (symbols_[i].name == name) return dimensions_[i];
    for (const auto& [loop, extent] : loops_)
      if (loop == name) return IntExpr::loop_variable(loop, extent);
    return invalid_argument("no symbol '" + name + "'.");
  }

  int64_t below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  const std::vector<IntExpr>& dimensions() const { return dimensions_; }

 private:
  void add_dimension(const Symbol& s) {
    symbols_.push_back(s);
    dimensions_.push_back(IntExpr::symbol(s));
  }

  Pair constant(int64_t v) {
    return {IntExpr(v), [v](const Values&) { return v; }};
  }
  Pair named(const std::string& name) {
    return {*find(name), [name](const Values& v) { return v.find(name)->second; }};
  }
  Pair leaf() {
    switch (below(3)) {
      case 0: return constant(below(31) - 15);
      case 1: return named(symbols_[static_cast<size_t>(below(static_cast<int64_t>(symbols_.size())))].name);
      default: return named(loops_[static_cast<size_t>(below(static_cast<int64_t>(loops_.size())))].first);
    }
  }
  // Always positive.
  Pair divisor() {
    switch (below(5)) {
      case 0: return named("a");
      case 1: return named("b");
      case 2: return times(named("a"), below(2) ? named("b") : constant(below(4) + 1));
      case 3: return sum(named(below(2) ? "a" : "c"), constant(below(4) + 1), 1);
      default: return constant(below(12) + 1);
    }
  }
  static Pair sum(const Pair& x, const Pair& y, int64_t sign) {
    return {sign > 0 ? x.simplified + y.simplified : x.simplified - y.simplified,
            [=](const Values& v) { return x.direct(v) + sign * y.direct(v); }};
  }
  static Pair times(const Pair& x, const Pair& y) {
    return {x.simplified * y.simplified, [=](const Values& v) { return x.direct(v) * y.direct(v); }};
  }
  static Pair divided(const Pair& x, const Pair& n) {
    return {floor_div(x.simplified, n.simplified), [=](const Values& v) { return floor_div(x.direct(v), n.direct(v)); }};
  }
  static Pair remainder(const Pair& x, const Pair& n) {
    return {mod(x.simplified, n.simplified), [=](const Values& v) { return floor_mod(x.direct(v), n.direct(v)); }};
  }

  std::mt19937_64 random_;
  std::vector<Symbol> symbols_;
  std::vector<IntExpr> dimensions_;
  std::vector<std::pair<std::string, IntExpr>> loops_;
};

constexpr int kTrials = 12;

// TUFF_RANDOM_EXPRESSIONS=<count> for a longer search, or a shorter one where instructions are dear.
int expression_count() {
  const char* count = std::getenv("TUFF_RANDOM_EXPRESSIONS");
  return count ? std::atoi(count) : 3000;
}

Pair some_expression(RandomExpressions& r, int i) { return i % 2 ? r.expression(1 + i % 4) : r.address(); }

}  // namespace

TEST_CASE("simplified expressions have the values of direct arithmetic") {
  RandomExpressions r(1);
  for (int i = 0; i < expression_count(); ++i) {
    Pair e = some_expression(r, i);
    for (int trial = 0; trial < kTrials; ++trial) {
      Values v = r.values();
      auto found = RandomExpressions::evaluate(e.simplified, v);
      REQUIRE(found.has_value());
      REQUIRE_MESSAGE(*found == e.direct(v), e.simplified.text(), " with a=", v["a"], " b=", v["b"], " c=", v["c"]);
    }
  }
}

TEST_CASE("intervals, bounds, divisors and proofs hold") {
  RandomExpressions r(2);
  int proven = 0;
  for (int i = 0; i < expression_count(); ++i) {
    Pair x = some_expression(r, i);
    // Against a second expression as well, as a bounds check does it.
    Pair e = i % 3 ? x : Pair{x.simplified - r.expression(2).simplified, {}};
    bool nonnegative = proven_nonnegative(e.simplified);
    proven += nonnegative;
    IntExpr::Interval range = e.simplified.interval();
    int64_t divisor = known_divisor(e.simplified);
    IntExpr low = lower_bound(e.simplified), high = upper_bound(e.simplified);
    CHECK_FALSE(low.uses_loop_variables());
    CHECK_FALSE(high.uses_loop_variables());
    for (int trial = 0; trial < kTrials; ++trial) {
      Values v = r.values();
      int64_t value = *RandomExpressions::evaluate(e.simplified, v);
      std::string text = e.simplified.text();
      if (nonnegative) REQUIRE_MESSAGE(value >= 0, text);
      REQUIRE_MESSAGE(range.low <= value, text);
      REQUIRE_MESSAGE(range.high >= value, text);
      REQUIRE_MESSAGE((divisor == 0 ? value == 0 : value % divisor == 0), text, " by ", divisor);
      if (auto bound = RandomExpressions::evaluate(low, v)) REQUIRE_MESSAGE(*bound <= value, text, " >= ", low.text());
      if (auto bound = RandomExpressions::evaluate(high, v)) REQUIRE_MESSAGE(*bound >= value, text, " <= ", high.text());
    }
  }
  CHECK(proven > expression_count() / 20);
}

TEST_CASE("text reads back to the same expression") {
  RandomExpressions r(3);
  for (int i = 0; i < expression_count(); ++i) {
    IntExpr e = some_expression(r, i).simplified;
    std::string text = e.text();
    Lexer reader(text, "text");
    auto back = parse_int_expr(reader, [&](const std::string& name) { return r.find(name); });
    REQUIRE_MESSAGE(back.ok(), text, ": ", back.status().message());
    CHECK(reader.at_end());
    CHECK_MESSAGE(back->text() == text, "read as ", back->text());
    CHECK(*back == e);
  }
}

TEST_CASE("substitution commutes with evaluation") {
  RandomExpressions r(4);
  for (int i = 0; i < expression_count(); ++i) {
    IntExpr e = some_expression(r, i).simplified;
    Values v = r.values();
    // Some symbols become numbers, the others stay.
    int64_t chosen = r.below(64);
    IntExpr partly = e.substitute([&](const Symbol& s) -> std::optional<IntExpr> {
      bool take = (chosen >> (s.name[0] == 'i' ? 4 : s.name[0] - 'a')) & 1;
      if (!take) return std::nullopt;
      return IntExpr(v.find(s.name)->second);
    });
    auto wanted = RandomExpressions::evaluate(e, v), found = RandomExpressions::evaluate(partly, v);
    REQUIRE(found.has_value());
    REQUIRE_MESSAGE(*found == *wanted, e.text(), " -> ", partly.text());

    IntExpr all = e.substitute([&](const Symbol& s) { return std::optional<IntExpr>(v.find(s.name)->second); });
    REQUIRE_MESSAGE(all.is_constant(), e.text(), " -> ", all.text());
    REQUIRE(all.constant() == *wanted);
  }
}

TEST_CASE("exact division and linear forms give the expression back") {
  RandomExpressions r(5);
  int divided = 0, linear = 0;
  for (int i = 0; i < expression_count(); ++i) {
    IntExpr x = some_expression(r, i).simplified, n = r.expression(2).simplified;
    for (const IntExpr& whole : {x * n, x}) {
      auto quotient = divide_exact(whole, n);
      if (!quotient) continue;
      ++divided;
      for (int trial = 0; trial < kTrials; ++trial) {
        Values v = r.values();
        auto wanted = RandomExpressions::evaluate(whole, v), found = RandomExpressions::evaluate(*quotient * n, v);
        REQUIRE_MESSAGE(*wanted == *found, whole.text(), " by ", n.text());
      }
    }
    std::string name = "i" + std::to_string(i % 7);
    if (auto form = linear_in(x, name)) {
      ++linear;
      bool mentions = false;
      for (const IntExpr& part : {form->coefficient, form->rest})
        part.visit_symbols([&](const Symbol& s) { mentions = mentions || s.name == name; });
      CHECK_FALSE(mentions);
      CHECK(form->coefficient * *r.find(name) + form->rest == x);
    }
  }
  CHECK(divided > expression_count() / 2);
  CHECK(linear > expression_count() / 2);
}

TEST_CASE("what is proven equal, minimal or maximal is so for every value") {
  RandomExpressions r(6);
  for (int i = 0; i < expression_count(); ++i) {
    Pair x = r.expression(2), y = r.expression(2);
    bool less = proven_less(x.simplified, y.simplified);
    bool equal = x.simplified == y.simplified;
    for (int trial = 0; trial < kTrials; ++trial) {
      Values v = r.values();
      if (less) REQUIRE_MESSAGE(x.direct(v) < y.direct(v), x.simplified.text(), " < ", y.simplified.text());
      if (equal) REQUIRE(x.direct(v) == y.direct(v));
    }
  }
}
