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

// Erases the factors from the product; false if one is missing.
bool remove_factors(std::vector<Atom>& product, const std::vector<Atom>& factors) {
  for (const auto& factor : factors) {
    auto it = std::find_if(product.begin(), product.end(), [&](const Atom& x) { return compare_atoms(x, factor) == 0; });
    if (it == product.end()) return false;
    product.erase(it);
  }
  return true;
}

// By degree, then by atoms: an order that multiplication keeps, as long division needs.
bool graded_less(const std::pair<const std::vector<Atom>, int64_t>& a, const std::pair<const std::vector<Atom>, int64_t>& b) {
  if (a.first.size() != b.first.size()) return a.first.size() < b.first.size();
  return compare_products(a.first, b.first) < 0;
}

// The leading term of rest by that of n; nullopt if it does not divide.
std::optional<Term> divide_leading(const IntExprBuilder& rest, const IntExprBuilder& n) {
  auto t = std::max_element(rest.terms.begin(), rest.terms.end(), graded_less);
  auto lead = std::max_element(n.terms.begin(), n.terms.end(), graded_less);
  Term part{t->second / lead->second, t->first};
  if (t->second % lead->second != 0 || !remove_factors(part.atoms, lead->first)) return std::nullopt;
  return part;
}

void subtract_product(IntExprBuilder& rest, const Term& part, const IntExprBuilder& n) {
  for (const auto& [n_atoms, coefficient] : n.terms) {
    std::vector<Atom> atoms = part.atoms;
    atoms.insert(atoms.end(), n_atoms.begin(), n_atoms.end());
    std::sort(atoms.begin(), atoms.end(), atom_less);
    rest.add(std::move(atoms), -static_cast<__int128>(part.coefficient) * coefficient);
  }
}

}  // namespace

std::optional<IntExpr> divide_exact(const IntExpr& a, const IntExpr& n) {
  if (n.is(0) || a.has_overflowed() || n.has_overflowed()) return std::nullopt;
  if (n.is(1)) return a;
  // Polynomial long division; each step removes the leading term or gives up.
  constexpr int kMaxSteps = 4096;
  IntExprBuilder rest, divisor, quotient;
  rest.add(a, 1);
  divisor.add(n, 1);
  for (int step = 0; step < kMaxSteps && !rest.overflowed && !divisor.overflowed; ++step) {
    if (rest.terms.empty()) return quotient.finish();
    auto part = divide_leading(rest, divisor);
    if (!part) return std::nullopt;
    subtract_product(rest, *part, divisor);
    quotient.add(std::move(part->atoms), part->coefficient);
  }
  return std::nullopt;
}

namespace {

struct Split {
  IntExpr quotient, rest;  // a = n * quotient + rest
};

// By a number: what it divides, also by the divisors of symbols, and of the rest the coefficients' quotients. The rest
// keeps its sign.
Split split_by_number(const IntExpr& a, int64_t n, bool use_symbol_divisors) {
  Split split;
  for (const auto& t : a.terms()) {
    if (use_symbol_divisors) {
      if (auto q = divide_exact(IntExprBuilder::single(t), IntExpr(n))) {
        split.quotient += *q;
        continue;
      }
    }
    split.quotient += IntExprBuilder::single(t.coefficient / n, t.atoms);
    split.rest += IntExprBuilder::single(t.coefficient % n, t.atoms);
  }
  return split;
}

// By a polynomial: a itself, or its terms, or its leading terms as long as fewer are left.
Split split_by_polynomial(const IntExpr& a, const IntExpr& n) {
  if (auto q = divide_exact(a, n)) return {*q, {}};
  Split split;
  if (n.terms().size() == 1) {
    for (const auto& t : a.terms()) {
      if (auto q = divide_exact(IntExprBuilder::single(t), n))
        split.quotient += *q;
      else
        split.rest += IntExprBuilder::single(t);
    }
    return split;
  }
  split.rest = a;
  while (!split.rest.is(0)) {
    IntExprBuilder rest, divisor;
    rest.add(split.rest, 1);
    divisor.add(n, 1);
    auto part = divide_leading(rest, divisor);
    if (!part) break;
    size_t before = rest.terms.size();
    subtract_product(rest, *part, divisor);
    if (rest.overflowed || rest.terms.size() >= before) break;
    split.quotient += IntExprBuilder::single(part->coefficient, part->atoms);
    split.rest = rest.finish();
  }
  return split;
}

// Moves into the quotient whatever is provably a multiple of n, for each product of loop variables on its own.
Split split_multiples(const IntExpr& a, const IntExpr& n, bool use_symbol_divisors) {
  if (n.is_constant()) return split_by_number(a, n.constant(), use_symbol_divisors);
  std::map<std::vector<Atom>, IntExpr, ProductLess> groups;
  for (const auto& t : a.terms()) {
    std::vector<Atom> loop, other;
    for (const auto& atom : t.atoms) (atom->uses_loop_variables ? loop : other).push_back(atom);
    groups[loop] += IntExprBuilder::single(t.coefficient, other);
  }
  Split split;
  for (const auto& [loop, coefficient] : groups) {
    IntExpr variables = IntExprBuilder::single(1, loop);
    Split part = split_by_polynomial(coefficient, n);
    split.quotient += part.quotient * variables;
    split.rest += part.rest * variables;
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
  // What n shares with each term of rest, or, where n is a sum, the coefficient of each loop variable.
  IntExprBuilder dividend, divisor;
  dividend.add(rest, 1);
  divisor.add(n, 1);
  std::map<std::vector<Atom>, IntExpr, ProductLess> coefficients;
  for (const auto& [atoms, coefficient] : dividend.terms) {
    if (divisor.terms.size() != 1) {
      std::vector<Atom> loop, other;
      for (const auto& atom : atoms) (atom->uses_loop_variables ? loop : other).push_back(atom);
      coefficients[loop] += IntExprBuilder::single(coefficient, other);
      continue;
    }
    std::vector<Atom> shared, available = divisor.terms.begin()->first;
    for (const auto& atom : atoms)
      if (remove_factors(available, {atom})) shared.push_back(atom);
    propose(IntExprBuilder::single(std::gcd(coefficient, divisor.terms.begin()->second), shared));
  }
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

// The atom that the term is; null if there is more to it.
const AtomNode* single_atom(const Term& t) { return t.coefficient == 1 && t.atoms.size() == 1 ? t.atoms[0].get() : nullptr; }
const AtomNode* single_atom(const IntExpr& e) { return e.terms().size() == 1 ? single_atom(e.terms()[0]) : nullptr; }

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
      const AtomNode* inner = single_atom(t);
      if (!inner || inner->kind != AtomKind::kFloorDiv) continue;
      return floor_div(inner->a + (rest - IntExprBuilder::single(t)) * inner->b, inner->b * n);
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
