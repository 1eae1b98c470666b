#include "model/onnx/element.h"

#include "base/checked.h"

namespace tuff::onnx {
namespace {

// Constants beyond this are not sizes; below it sums and products of expressions stay in range.
constexpr int64_t kMagnitudeLimit = int64_t{1} << 56;

bool in_range(const IntExpr& e) {
  IntExpr::Interval i = e.interval();
  return i.low > -kMagnitudeLimit && i.high < kMagnitudeLimit;
}

// Operands of sums and products of symbols may have wide ranges (2^31 each); only constants are held to the limit.
bool constant_in_range(const IntExpr& e) {
  return !e.is_constant() || (e.constant() > -kMagnitudeLimit && e.constant() < kMagnitudeLimit);
}

std::optional<IntExpr> times(const IntExpr& a, const IntExpr& b) {
  if (a.is_constant() && b.is_constant()) {
    auto product = checked_multiply(a.constant(), b.constant());
    if (!product) return std::nullopt;
    return IntExpr(*product);
  }
  if (!constant_in_range(a) || !constant_in_range(b)) return std::nullopt;
  return a * b;
}

std::optional<IntExpr> plus(const IntExpr& a, const IntExpr& b, int64_t sign) {
  if (a.is_constant() && b.is_constant()) {
    int64_t sum;
    bool overflow = sign > 0 ? __builtin_add_overflow(a.constant(), b.constant(), &sum)
                             : __builtin_sub_overflow(a.constant(), b.constant(), &sum);
    if (overflow) return std::nullopt;
    return IntExpr(sum);
  }
  if (!constant_in_range(a) || !constant_in_range(b)) return std::nullopt;
  return sign > 0 ? a + b : a - b;
}

// a - b over a common positive denominator.
std::optional<Element> difference(const Element& a, const Element& b, int64_t sign) {
  auto left = times(a.numerator, b.denominator);
  auto right = times(b.numerator, a.denominator);
  auto denominator = times(a.denominator, b.denominator);
  if (!left || !right || !denominator) return std::nullopt;
  auto numerator = plus(*left, *right, sign);
  if (!numerator) return std::nullopt;
  return quotient(*numerator, *denominator);
}

bool proven_positive(const IntExpr& e) { return proven_less(IntExpr(0), e); }

MaybeElement truth(bool v) { return Element(IntExpr(v ? 1 : 0)); }

}  // namespace

MaybeElement add(const Element& a, const Element& b) { return difference(a, b, 1); }
MaybeElement subtract(const Element& a, const Element& b) { return difference(a, b, -1); }

MaybeElement multiply(const Element& a, const Element& b) {
  auto numerator = times(a.numerator, b.numerator);
  auto denominator = times(a.denominator, b.denominator);
  if (!numerator || !denominator) return std::nullopt;
  return quotient(*numerator, *denominator);
}

MaybeElement divide_integers(const Element& a, const Element& b) {
  const IntExpr &n = a.numerator, &d = b.numerator;
  if (n.is_constant() && d.is_constant()) {
    if (d.constant() == 0 || (d.constant() == -1 && n.constant() == INT64_MIN)) return std::nullopt;
    return Element(IntExpr(n.constant() / d.constant()));
  }
  if (auto whole = d.is(0) ? std::nullopt : divide_exact(n, d)) return Element(*whole);
  if (!proven_nonnegative(n) || !proven_positive(d) || !in_range(n)) return std::nullopt;
  return Element(floor_div(n, d));
}

MaybeElement divide_reals(const Element& a, const Element& b) {
  IntExpr n = b.denominator, d = b.numerator;
  if (d.is_constant() && d.constant() < 0 && d.constant() > -kMagnitudeLimit) {
    n = -n;
    d = -d;
  }
  if (!proven_positive(d)) return std::nullopt;
  return multiply(a, Element(n, d));
}

MaybeElement modulo(const Element& a, const Element& b, bool sign_of_dividend) {
  const IntExpr &n = a.numerator, &d = b.numerator;
  if (n.is_constant() && d.is_constant()) {
    if (d.constant() == 0 || d.constant() == -1) return d.is(0) ? std::nullopt : MaybeElement(Element(IntExpr(0)));
    int64_t rest = n.constant() % d.constant();
    if (!sign_of_dividend && rest != 0 && (rest < 0) != (d.constant() < 0)) rest += d.constant();
    return Element(IntExpr(rest));
  }
  if (!proven_positive(d) || (sign_of_dividend && !proven_nonnegative(n)) || !in_range(n)) return std::nullopt;
  return Element(mod(n, d));
}

MaybeElement smaller(const Element& a, const Element& b) {
  if (a.is_integer() && b.is_integer()) return Element(minimum(a.numerator, b.numerator));
  MaybeElement a_less = less_equal(a, b);
  if (!a_less) return std::nullopt;
  return a_less->numerator.is(1) ? a : b;
}

MaybeElement larger(const Element& a, const Element& b) {
  if (a.is_integer() && b.is_integer()) return Element(maximum(a.numerator, b.numerator));
  MaybeElement a_less = less_equal(a, b);
  if (!a_less) return std::nullopt;
  return a_less->numerator.is(1) ? b : a;
}

MaybeElement floor(const Element& a) { return Element(floor_div(a.numerator, a.denominator)); }
MaybeElement ceil(const Element& a) { return Element(ceil_div(a.numerator, a.denominator)); }

MaybeElement truncate(const Element& a) {
  if (a.is_integer()) return a;
  if (a.is_constant()) return Element(IntExpr(a.numerator.constant() / a.denominator.constant()));
  if (!proven_nonnegative(a.numerator)) return std::nullopt;
  return floor(a);
}

MaybeElement absolute(const Element& a) {
  if (proven_nonnegative(a.numerator)) return a;
  if (!proven_nonnegative(-a.numerator) || !constant_in_range(a.numerator)) return std::nullopt;
  return Element(-a.numerator, a.denominator);
}

MaybeElement equal(const Element& a, const Element& b) {
  MaybeElement d = subtract(a, b);
  if (!d) return std::nullopt;
  IntExpr::Interval i = d->numerator.interval();
  if (i.low > 0 || i.high < 0) return truth(false);
  if (d->numerator.is(0)) return truth(true);
  return std::nullopt;
}

MaybeElement less(const Element& a, const Element& b) {
  MaybeElement d = subtract(b, a);
  if (!d) return std::nullopt;
  if (proven_positive(d->numerator)) return truth(true);
  if (proven_nonnegative(-d->numerator)) return truth(false);
  return std::nullopt;
}

MaybeElement less_equal(const Element& a, const Element& b) {
  MaybeElement d = less(b, a);
  if (!d) return std::nullopt;
  return truth(!d->numerator.is(1));
}

}  // namespace tuff::onnx
