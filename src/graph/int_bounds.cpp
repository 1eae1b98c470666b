// What is known of an expression's values: intervals, bounds, divisors and proofs that it is not negative.
//
// All of it is sound and none of it complete: "false" means that no proof was found.
#include <algorithm>
#include <numeric>

#include "base/checked.h"
#include "graph/int_terms.h"

namespace tuff {
namespace {

using Interval = IntExpr::Interval;
using Term = IntExpr::Term;

Interval multiply(Interval a, Interval b) {
  auto times = [](int64_t x, int64_t y) { return static_cast<__int128>(x) * y; };
  auto ends = std::minmax({times(a.low, b.low), times(a.low, b.high), times(a.high, b.low), times(a.high, b.high)});
  return {saturate(ends.first), saturate(ends.second)};
}

std::vector<Atom> without(const std::vector<Atom>& atoms, size_t i) {
  std::vector<Atom> rest = atoms;
  rest.erase(rest.begin() + static_cast<ptrdiff_t>(i));
  return rest;
}

bool all_nonnegative(const std::vector<Atom>& atoms) {
  return std::all_of(atoms.begin(), atoms.end(), [](const Atom& atom) { return atom->interval.low >= 0; });
}

}  // namespace

Interval atom_interval(AtomKind kind, const IntExpr& a_expr, const IntExpr& b_expr) {
  Interval a = a_expr.interval(), b = b_expr.interval();
  switch (kind) {
    case AtomKind::kFloorDiv: {
      // The quotient is largest, in magnitude, by the smallest divisor.
      int64_t least = std::max<int64_t>(b.low, 1), most = std::max<int64_t>(b.high, 1);
      Interval out = {floor_div(a.low, a.low < 0 ? least : most), floor_div(a.high, a.high < 0 ? most : least)};
      if (a.low <= kUnboundedLow) out.low = kUnboundedLow;
      if (a.high >= kUnboundedHigh || b.high >= kUnboundedHigh) out.high = std::max(out.high, a.high);
      return out;
    }
    case AtomKind::kMod: {
      int64_t high = b.high >= kUnboundedHigh ? kUnboundedHigh : std::max<int64_t>(0, b.high - 1);
      return {0, a.low >= 0 ? std::min(high, a.high) : high};
    }
    case AtomKind::kMin: return {std::min(a.low, b.low), std::min(a.high, b.high)};
    case AtomKind::kMax: return {std::max(a.low, b.low), std::max(a.high, b.high)};
    case AtomKind::kSymbol: break;
  }
  return {kUnboundedLow, kUnboundedHigh};
}

Interval term_interval(const Term& term) {
  Interval product = {saturate(term.coefficient), saturate(term.coefficient)};
  for (const auto& atom : term.atoms) product = multiply(product, atom->interval);
  return product;
}

Interval IntExpr::interval() const {
  __int128 low = 0, high = 0;
  bool low_known = true, high_known = true;
  for (const auto& t : terms_) {
    Interval product = term_interval(t);
    low_known = low_known && product.low > kUnboundedLow;
    high_known = high_known && product.high < kUnboundedHigh;
    low += product.low;
    high += product.high;
  }
  return {low_known ? saturate(low) : kUnboundedLow, high_known ? saturate(high) : kUnboundedHigh};
}

namespace {

IntExpr bound(const IntExpr& e, bool upper);

IntExpr bound_constant(int64_t v) { return v <= kUnboundedLow || v >= kUnboundedHigh ? overflow_expr() : IntExpr(v); }

// Not smaller (upper) or not larger than the atom, without loop variables.
IntExpr bound_atom(const Atom& atom, bool upper) {
  const IntExpr fallback = bound_constant(upper ? atom->interval.high : atom->interval.low);
  switch (atom->kind) {
    case AtomKind::kSymbol: return upper ? bound(*atom->symbol.extent, true) - IntExpr(1) : IntExpr(0);
    case AtomKind::kMod: return upper && !atom->b.uses_loop_variables() ? atom->b - IntExpr(1) : fallback;
    case AtomKind::kFloorDiv: return atom->b.uses_loop_variables() ? fallback : floor_div(bound(atom->a, upper), atom->b);
    case AtomKind::kMin: return minimum(bound(atom->a, upper), bound(atom->b, upper));
    case AtomKind::kMax: return maximum(bound(atom->a, upper), bound(atom->b, upper));
  }
  return fallback;
}

IntExpr bound(const IntExpr& e, bool upper) {
  IntExpr sum;
  for (const auto& t : e.terms()) {
    if (!IntExprBuilder::single(t).uses_loop_variables()) {
      sum += IntExprBuilder::single(t);
      continue;
    }
    // A product of several is monotone in each only where none is negative.
    if (t.atoms.size() > 1 && !all_nonnegative(t.atoms)) {
      Interval range = term_interval(t);
      sum += bound_constant(upper ? range.high : range.low);
      continue;
    }
    bool up = upper == (t.coefficient > 0);
    IntExpr term(t.coefficient);
    for (const auto& atom : t.atoms) {
      IntExpr factor = atom->uses_loop_variables ? bound_atom(atom, up) : make_atom_expr(atom);
      bool may_be_negative = t.atoms.size() > 1 && !up && factor.interval().low < 0;
      term = term * (may_be_negative ? IntExpr(atom->interval.low) : factor);
    }
    sum += term;
  }
  return sum;
}

// Writes every atom as its minimum plus something that is not negative; then non-negative coefficients prove it. The
// sums are no expressions any more (an atom stands for its excess), so no rule of IntExpr may touch them.
bool excess_nonnegative(const IntExpr& e) {
  std::map<std::vector<Atom>, __int128, ProductLess> sums;
  for (const auto& t : e.terms()) {
    std::map<std::vector<Atom>, __int128, ProductLess> expanded = {{{}, t.coefficient}};
    for (const auto& atom : t.atoms) {
      int64_t low = atom->interval.low;
      if (low <= kUnboundedLow || expanded.size() > 64) return false;
      std::map<std::vector<Atom>, __int128, ProductLess> next;
      for (const auto& [atoms, coefficient] : expanded) {
        // 2^50 * 2^61, and few enough of them, stay below 2^127.
        constexpr __int128 kLimit = static_cast<__int128>(1) << 50;
        if (coefficient > kLimit || coefficient < -kLimit) return false;
        next[atoms] += coefficient * low;
        std::vector<Atom> longer = atoms;
        longer.push_back(atom);  // stays sorted: a term's atoms are
        next[longer] += coefficient;
      }
      expanded = std::move(next);
    }
    for (const auto& [atoms, coefficient] : expanded) sums[atoms] += coefficient;
  }
  return std::all_of(sums.begin(), sums.end(), [](const auto& entry) { return entry.second >= 0; });
}

bool directly_nonnegative(const IntExpr& e) {
  if (e.has_overflowed()) return false;
  if (e.interval().low >= 0) return true;
  IntExpr low = e.uses_loop_variables() ? bound(e, false) : e;
  return !low.has_overflowed() && (low.interval().low >= 0 || excess_nonnegative(low));
}

// What e times a positive number is not smaller than, with floors and remainders gone where these hold:
//   n*floor(x/n) <= x     n*floor(x/n) >= x - n + 1 (only if `both`)     x mod n <= x for x >= 0
// nullopt if there are none.
std::optional<IntExpr> relax(const IntExpr& e, bool both) {
  constexpr int64_t kMaxScale = 1 << 20;
  int64_t scale = 1;
  auto relaxed = [&](const Term& t, size_t i) -> std::optional<IntExpr> {
    const AtomNode& atom = *t.atoms[i];
    std::vector<Atom> others = without(t.atoms, i);
    if (!all_nonnegative(others)) return std::nullopt;
    if (atom.kind == AtomKind::kMod && t.coefficient < 0 && atom.a.interval().low >= 0)
      return IntExprBuilder::single(t.coefficient, others) * atom.a;
    if (atom.kind != AtomKind::kFloorDiv || (t.coefficient > 0 && !both)) return std::nullopt;
    IntExpr x = t.coefficient < 0 ? atom.a : atom.a - atom.b + IntExpr(1);
    if (auto multiple = divide_exact(IntExprBuilder::single(t.coefficient, others), atom.b)) return *multiple * x;
    return std::nullopt;
  };
  for (const auto& t : e.terms()) {
    for (const auto& atom : t.atoms) {
      if (atom->kind != AtomKind::kFloorDiv || !atom->b.is_constant() || (t.coefficient > 0 && !both)) continue;
      int64_t n = atom->b.constant();
      if (n > 0 && n <= kMaxScale && scale <= kMaxScale) scale = std::lcm(scale, n / std::gcd(std::abs(t.coefficient), n));
    }
  }
  if (scale > kMaxScale) return std::nullopt;
  IntExpr sum;
  bool changed = false;
  const IntExpr scaled = e * IntExpr(scale);
  for (const auto& t : scaled.terms()) {
    std::optional<IntExpr> replacement;
    for (size_t i = 0; i < t.atoms.size() && !replacement; ++i) replacement = relaxed(t, i);
    changed = changed || replacement.has_value();
    sum += replacement ? *replacement : IntExprBuilder::single(t);
  }
  if (!changed) return std::nullopt;
  return sum;
}

bool prove_nonnegative(const IntExpr& e, int budget) {
  if (directly_nonnegative(e)) return true;
  if (budget == 0 || e.has_overflowed()) return false;
  // -min(a, b) is the larger of -a and -b: one suffices. -max(a, b) is the smaller: both must do.
  for (const auto& t : e.terms()) {
    for (size_t i = 0; i < t.atoms.size(); ++i) {
      const AtomNode& atom = *t.atoms[i];
      if (atom.kind != AtomKind::kMin && atom.kind != AtomKind::kMax) continue;
      std::vector<Atom> others = without(t.atoms, i);
      if (!all_nonnegative(others)) continue;
      IntExpr scale = IntExprBuilder::single(t.coefficient, others);
      IntExpr rest = e - IntExprBuilder::single(t);
      bool one_suffices = (t.coefficient < 0) == (atom.kind == AtomKind::kMin);
      bool first = prove_nonnegative(rest + scale * atom.a, budget - 1);
      if (first == one_suffices) return first;
      return prove_nonnegative(rest + scale * atom.b, budget - 1);
    }
  }
  for (bool both : {false, true}) {
    auto relaxed = relax(e, both);
    if (relaxed && prove_nonnegative(*relaxed, budget - 1)) return true;
  }
  // The extents of loop variables have floors of their own.
  return e.uses_loop_variables() && prove_nonnegative(bound(e, false), budget - 1);
}

}  // namespace

IntExpr upper_bound(const IntExpr& a) { return bound(a, true); }
IntExpr lower_bound(const IntExpr& a) { return bound(a, false); }

bool proven_nonnegative(const IntExpr& a) {
  constexpr int kBudget = 3;  // the nesting of cases; an index through an edge-padded view needs two
  return prove_nonnegative(a, kBudget);
}

int64_t known_divisor(const IntExpr& a) {
  int64_t divisor = 0;
  for (const auto& t : a.terms()) {
    int64_t d = std::abs(t.coefficient);
    for (const auto& atom : t.atoms) {
      int64_t factor = 1;
      if (atom->kind == AtomKind::kSymbol)
        factor = std::max<int64_t>(1, atom->symbol.divisor);
      else if (atom->kind != AtomKind::kFloorDiv)
        factor = std::gcd(known_divisor(atom->a), known_divisor(atom->b));
      // A divisor too large to hold is left out: what remains divides too.
      if (factor > 0) d = checked_multiply(d, factor).value_or(d);
    }
    divisor = std::gcd(divisor, d);
  }
  return divisor;
}

}  // namespace tuff
