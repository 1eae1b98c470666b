// Exact division, floor division, remainder, minimum and maximum of canonical sums.
//
// Floor and remainder of a by n share one split a = n*quotient + rest, so that n*floor(a/n) + a mod n is a again.
#include <algorithm>
#include <map>
#include <numeric>

#include "base/checked.h"
#include "graph/int_terms.h"

namespace tuff {
namespace {

using Term = IntExpr::Term;

IntExpr term_expr(const Term& t) { return IntExprBuilder::single(t.coefficient, t.atoms); }

// Erases the factors from the product; false if one is missing.
bool remove_factors(std::vector<Atom>& product, const std::vector<Atom>& factors) {
  for (const auto& factor : factors) {
    auto it = std::find_if(product.begin(), product.end(), [&](const Atom& x) { return compare_atoms(x, factor) == 0; });
    if (it == product.end()) return false;
    product.erase(it);
  }
  return true;
}

// t / n for n > 0, where the coefficient, and failing that the divisors of dimension symbols, hold all of n's factors.
// A symbol s that n divides becomes the exact floor(s/n).
std::optional<IntExpr> divide_term(const Term& t, int64_t n) {
  int64_t g = std::gcd(t.coefficient, n);
  n /= g;
  IntExpr quotient(t.coefficient / g);
  for (const auto& atom : t.atoms) {
    IntExpr factor = make_atom_expr(atom);
    if (n > 1 && atom->kind == AtomKind::kSymbol) {
      g = std::gcd(atom->symbol.divisor, n);
      if (g > 1) factor = make_binary(AtomKind::kFloorDiv, factor, IntExpr(g));
      n /= g;
    }
    quotient = quotient * factor;
  }
  if (n != 1) return std::nullopt;
  return quotient;
}

// By degree, then by atoms: an order that multiplication keeps, as long division needs.
bool graded_less(const Term& a, const Term& b) {
  if (a.atoms.size() != b.atoms.size()) return a.atoms.size() < b.atoms.size();
  return compare_products(a.atoms, b.atoms) < 0;
}

const Term& leading_term(const IntExpr& e) { return *std::max_element(e.terms().begin(), e.terms().end(), graded_less); }

std::optional<IntExpr> divide_by_term(const IntExpr& a, const Term& n) {
  IntExpr quotient;
  for (const auto& t : a.terms()) {
    Term reduced = t;
    if (!remove_factors(reduced.atoms, n.atoms)) return std::nullopt;
    auto q = divide_term(reduced, std::abs(n.coefficient));
    if (!q) return std::nullopt;
    quotient += *q;
  }
  return n.coefficient < 0 ? -quotient : quotient;
}

}  // namespace

std::optional<IntExpr> divide_exact(const IntExpr& a, const IntExpr& n) {
  if (n.is(0) || a.has_overflowed() || n.has_overflowed()) return std::nullopt;
  if (n.is(1)) return a;
  if (n.terms().size() == 1) return divide_by_term(a, n.terms()[0]);
  // Polynomial long division; each step removes the leading term or gives up.
  const Term lead = leading_term(n);
  IntExpr rest = a, quotient;
  for (int step = 0; step < 64 && !rest.is(0); ++step) {
    auto part = divide_by_term(term_expr(leading_term(rest)), lead);
    if (!part) return std::nullopt;
    quotient += *part;
    rest = rest - *part * n;
  }
  if (!rest.is(0)) return std::nullopt;
  return quotient;
}

namespace {

struct Split {
  IntExpr quotient, rest;  // a = n * quotient + rest
};

// Moves into the quotient whatever is provably a multiple of n: per product of loop variables, its whole coefficient
// or the terms of it. Numbers leave a remainder of their own sign.
Split split_multiples(const IntExpr& a, const IntExpr& n, bool use_symbol_divisors) {
  std::map<std::vector<Atom>, IntExpr, ProductLess> groups;
  for (const auto& t : a.terms()) {
    std::vector<Atom> loop, other;
    for (const auto& atom : t.atoms) (atom->uses_loop_variables ? loop : other).push_back(atom);
    groups[loop] += IntExprBuilder::single(t.coefficient, other);
  }
  Split split;
  for (const auto& [loop, coefficient] : groups) {
    IntExpr variables = IntExprBuilder::single(1, loop);
    if (!n.is_constant()) {
      if (auto q = divide_exact(coefficient, n)) {
        split.quotient += *q * variables;
        continue;
      }
    }
    for (const auto& t : coefficient.terms()) {
      if (!n.is_constant()) {
        if (auto q = divide_exact(term_expr(t), n)) split.quotient += *q * variables;
        else split.rest += term_expr(t) * variables;
        continue;
      }
      if (use_symbol_divisors) {
        if (auto q = divide_term(t, n.constant())) {
          split.quotient += *q * variables;
          continue;
        }
      }
      IntExpr unit = IntExprBuilder::single(1, t.atoms) * variables;
      split.quotient += IntExpr(t.coefficient / n.constant()) * unit;
      split.rest += IntExpr(t.coefficient % n.constant()) * unit;
    }
  }
  return split;
}

bool proven_remainder(const IntExpr& rest, const IntExpr& n) {
  return rest.is(0) || (proven_nonnegative(rest) && proven_less(rest, n));
}

struct Reduced {
  IntExpr quotient, rest;
  bool settled = false;  // 0 <= rest < n is proven
};

// a = n * quotient + rest. Where that is not settled and n is a number, the coefficients of rest lie in [0, n): one form
// for all that are congruent, and none is negative where the variables are not.
Reduced reduce(const IntExpr& a, const IntExpr& n) {
  Split split = split_multiples(a, n, true);
  if (proven_remainder(split.rest, n)) return {split.quotient, split.rest, true};
  if (!n.is_constant()) {
    // (n - 1) - i with i < n leaves a rest of -1 - i.
    IntExpr raised = split.rest + n;
    if (proven_remainder(raised, n)) return {split.quotient - IntExpr(1), raised, true};
    return {split.quotient, split.rest, false};
  }
  const int64_t divisor = n.constant();
  IntExpr::Interval range = split.rest.interval();
  if (range.low > kUnboundedLow && range.high < kUnboundedHigh &&
      floor_div(range.low, divisor) == floor_div(range.high, divisor)) {
    int64_t q = floor_div(range.low, divisor);
    return {split.quotient + IntExpr(q), split.rest - IntExpr(q) * n, true};
  }
  Reduced reduced{split.quotient, split.rest, false};
  // Adding terms up may turn n*(x/n) + x mod n into an x with multiples of its own; each turn leaves fewer of them.
  for (int turn = 0; turn < 8; ++turn) {
    IntExpr quotient;
    for (const Term& t : reduced.rest.terms())
      if (t.coefficient < 0) quotient = quotient - IntExprBuilder::single(1, t.atoms);
    reduced.rest = reduced.rest - quotient * n;
    Split more = split_multiples(reduced.rest, n, true);
    reduced.rest = more.rest;
    quotient += more.quotient;
    if (quotient.is(0)) break;
    reduced.quotient += quotient;
  }
  reduced.settled = proven_remainder(reduced.rest, n);
  return reduced;
}

// rest = factor*coarse + fine with 0 <= fine < factor, and n = factor*n_over: a floor or remainder of rest by n is one
// of coarse by n_over.
struct Factored {
  IntExpr factor, coarse, fine, n_over;
};

std::optional<Factored> factor_out(const IntExpr& rest, const IntExpr& n) {
  std::vector<IntExpr> candidates;
  auto propose = [&](IntExpr factor) {
    // A positive n can only be split into positive factors by one that is not negative itself.
    if (!proven_nonnegative(factor)) factor = -factor;
    if (factor.is(0) || factor.is(1) || factor == n || !proven_nonnegative(factor)) return;
    if (std::find(candidates.begin(), candidates.end(), factor) == candidates.end()) candidates.push_back(factor);
  };
  // What n shares with each term of rest, and, where n is a sum, with the coefficient of each loop variable.
  std::map<std::vector<Atom>, IntExpr, ProductLess> coefficients;
  for (const auto& t : rest.terms()) {
    std::vector<Atom> loop, other;
    for (const auto& atom : t.atoms) (atom->uses_loop_variables ? loop : other).push_back(atom);
    coefficients[loop] += IntExprBuilder::single(t.coefficient, other);
    if (n.terms().size() != 1) continue;
    std::vector<Atom> shared;
    std::vector<Atom> available = n.terms()[0].atoms;
    for (const auto& atom : t.atoms)
      if (remove_factors(available, {atom})) shared.push_back(atom);
    propose(IntExprBuilder::single(std::gcd(t.coefficient, n.terms()[0].coefficient), shared));
  }
  if (n.terms().size() != 1)
    for (const auto& [loop, coefficient] : coefficients) propose(coefficient);
  std::sort(candidates.begin(), candidates.end(), [](const IntExpr& a, const IntExpr& b) { return b < a; });
  for (const IntExpr& factor : candidates) {
    auto n_over = divide_exact(n, factor);
    if (!n_over) continue;
    Split split = split_multiples(rest, factor, false);
    if (split.quotient.is(0) || !proven_remainder(split.rest, factor)) continue;
    return Factored{factor, split.quotient, split.rest, *n_over};
  }
  return std::nullopt;
}

const AtomNode* single_atom(const IntExpr& e) {
  if (e.terms().size() != 1 || e.terms()[0].coefficient != 1 || e.terms()[0].atoms.size() != 1) return nullptr;
  return e.terms()[0].atoms[0].get();
}

bool is_positive(const IntExpr& n) { return !n.is_constant() || n.constant() > 0; }

// floor(a/n) where a is a rest that reduce() did not settle.
IntExpr floor_of_rest(const IntExpr& rest, const IntExpr& n) {
  if (auto f = factor_out(rest, n)) return floor_div(f->coarse, f->n_over);
  if (const AtomNode* inner = single_atom(rest)) {
    // floor(floor(x/m)/n) = floor(x/(m*n)); floor((x mod k*n)/n) = floor(x/n) mod k.
    if (inner->kind == AtomKind::kFloorDiv) return floor_div(inner->a, inner->b * n);
    if (inner->kind == AtomKind::kMod)
      if (auto k = divide_exact(inner->b, n)) return mod(floor_div(inner->a, n), *k);
  }
  if (!rest.uses_loop_variables()) {
    // floor((floor(x/m) + c)/n) = floor((x + c*m)/(m*n)): the sizes after strided windows in a row.
    for (const auto& t : rest.terms()) {
      const AtomNode* inner = single_atom(term_expr(t));
      if (!inner || inner->kind != AtomKind::kFloorDiv) continue;
      return floor_div(inner->a + (rest - term_expr(t)) * inner->b, inner->b * n);
    }
  }
  return make_binary(AtomKind::kFloorDiv, rest, n);
}

}  // namespace

IntExpr floor_div(const IntExpr& a, const IntExpr& n) {
  if (a.has_overflowed() || n.has_overflowed()) return overflow_expr();
  if (!is_positive(n)) return make_binary(AtomKind::kFloorDiv, a, n);
  if (n.is(1) || a.is(0)) return a;
  if (a.is_constant() && n.is_constant()) return floor_div(a.constant(), n.constant());
  Reduced reduced = reduce(a, n);
  if (reduced.settled) return reduced.quotient;
  return reduced.quotient + floor_of_rest(reduced.rest, n);
}

IntExpr mod(const IntExpr& a, const IntExpr& n) {
  if (a.has_overflowed() || n.has_overflowed()) return overflow_expr();
  if (!is_positive(n)) return make_binary(AtomKind::kMod, a, n);
  if (n.is(1) || a.is(0)) return IntExpr(0);
  if (a.is_constant() && n.is_constant()) return floor_mod(a.constant(), n.constant());
  Reduced reduced = reduce(a, n);
  const IntExpr& rest = reduced.rest;
  if (reduced.settled) return rest;
  if (auto f = factor_out(rest, n)) return f->factor * mod(f->coarse, f->n_over) + f->fine;
  if (const AtomNode* inner = single_atom(rest)) {
    if (inner->kind == AtomKind::kMod && divide_exact(inner->b, n)) return mod(inner->a, n);
  }
  return make_remainder(rest, n, floor_of_rest(rest, n));
}

IntExpr ceil_div(const IntExpr& a, const IntExpr& n) { return floor_div(a + n - IntExpr(1), n); }

IntExpr minimum(const IntExpr& a, const IntExpr& b) {
  if (a.has_overflowed() || b.has_overflowed()) return overflow_expr();
  if (proven_nonnegative(b - a)) return a;
  if (proven_nonnegative(a - b)) return b;
  return a < b ? make_binary(AtomKind::kMin, a, b) : make_binary(AtomKind::kMin, b, a);
}

IntExpr maximum(const IntExpr& a, const IntExpr& b) {
  if (a.has_overflowed() || b.has_overflowed()) return overflow_expr();
  if (proven_nonnegative(b - a)) return b;
  if (proven_nonnegative(a - b)) return a;
  return a < b ? make_binary(AtomKind::kMax, a, b) : make_binary(AtomKind::kMax, b, a);
}

}  // namespace tuff
