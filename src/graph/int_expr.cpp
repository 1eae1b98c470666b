// In: sums and products. Out: the canonical form that int_expr.h promises.
//
// The rules that matter downstream: n*(x/n) + x mod n -> x, here; (i*n + r)/n -> i and mod -> r when 0 <= r < n is
// proven, in int_division.cpp. A reshape there and back again therefore leaves nothing in a kernel.
#include "graph/int_expr.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"
#include "graph/int_terms.h"

namespace tuff {
namespace {

// Beyond these an expression is no size or address that a person's model has; they bound time, memory and the stack.
constexpr size_t kMaxTerms = 4096;
constexpr size_t kMaxFactors = 64;
constexpr int kMaxDepth = 64;
constexpr int kMaxWeight = 1 << 16;

constexpr const char* kOverflowName = "<overflow>";

const Atom& overflow_atom() {
  static const Atom atom = [] {
    AtomNode node{AtomKind::kSymbol, {kOverflowName, kUnboundedLow, kUnboundedHigh, 1, nullptr}, {}, {}, {}};
    node.interval = {kUnboundedLow, kUnboundedHigh};
    return std::make_shared<const AtomNode>(std::move(node));
  }();
  return atom;
}

int weight_of(const IntExpr& e) {
  int64_t weight = 0;
  for (const auto& t : e.terms())
    for (const auto& atom : t.atoms) weight = std::min<int64_t>(weight + atom->weight, kMaxWeight + 1);
  return static_cast<int>(weight);
}

int depth_of(const IntExpr& e) {
  int depth = 0;
  for (const auto& t : e.terms())
    for (const auto& atom : t.atoms) depth = std::max(depth, atom->depth);
  return depth;
}

}  // namespace

int compare_atoms(const Atom& a, const Atom& b) {
  if (a == b) return 0;
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  if (a->kind == AtomKind::kSymbol) return a->symbol.name.compare(b->symbol.name);
  if (int c = IntExpr::compare(a->a, b->a)) return c;
  return IntExpr::compare(a->b, b->b);
}

int compare_products(const std::vector<Atom>& a, const std::vector<Atom>& b) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (int c = compare_atoms(a[i], b[i])) return c;
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

namespace {

// The g of an exact floor(s/g), 1 for a symbol s itself; 0 for other atoms and where the divisor says nothing.
int64_t exact_divisor(const Atom& atom) {
  if (atom->kind == AtomKind::kSymbol) return atom->symbol.divisor > 1 ? 1 : 0;
  if (atom->kind != AtomKind::kFloorDiv || !atom->b.is_constant() || atom->a.terms().size() != 1) return 0;
  const IntExpr::Term& t = atom->a.terms()[0];
  if (t.coefficient != 1 || t.atoms.size() != 1 || t.atoms[0]->kind != AtomKind::kSymbol) return 0;
  int64_t g = atom->b.constant();
  return g > 0 && t.atoms[0]->symbol.divisor % g == 0 ? g : 0;
}

const Atom& dividend_symbol(const Atom& atom) { return atom->kind == AtomKind::kSymbol ? atom : atom->a.terms()[0].atoms[0]; }

// floor(s/g) as it is.
Atom exact_atom(const Atom& symbol, int64_t g) {
  if (g == 1) return symbol;
  return make_binary(AtomKind::kFloorDiv, make_atom_expr(symbol), IntExpr(g)).terms()[0].atoms[0];
}

void expand(std::vector<Atom>& atoms, __int128& coefficient) {
  constexpr __int128 kBeyond = static_cast<__int128>(1) << 80;  // overflows in any case
  bool changed = false;
  for (auto& atom : atoms) {
    int64_t g = exact_divisor(atom);
    if (g == 0 || coefficient > kBeyond || coefficient < -kBeyond) continue;
    const Atom symbol = dividend_symbol(atom);
    if (g == symbol->symbol.divisor) continue;
    coefficient *= symbol->symbol.divisor / g;
    atom = exact_atom(symbol, symbol->symbol.divisor);
    changed = true;
  }
  if (changed) std::sort(atoms.begin(), atoms.end(), atom_less);
}

void contract(std::vector<Atom>& atoms, int64_t& coefficient) {
  bool changed = false;
  for (auto& atom : atoms) {
    int64_t d = exact_divisor(atom);
    int64_t g = d > 1 ? std::gcd(coefficient, d) : 1;
    if (g == 1) continue;
    coefficient /= g;
    atom = exact_atom(dividend_symbol(atom), d / g);
    changed = true;
  }
  if (changed) std::sort(atoms.begin(), atoms.end(), atom_less);
}

}  // namespace

void IntExprBuilder::add(std::vector<Atom> atoms, __int128 coefficient) {
  if (coefficient == 0 || overflowed) return;
  expand(atoms, coefficient);
  size_t factor_count = atoms.size();
  auto [slot, is_new] = terms.try_emplace(std::move(atoms), 0);
  __int128 sum = slot->second + coefficient;
  // The range is symmetric, so that negation cannot overflow.
  if (sum > INT64_MAX || sum < -INT64_MAX || terms.size() > kMaxTerms || factor_count > kMaxFactors) {
    overflowed = true;
    terms.clear();
    return;
  }
  if (sum == 0)
    terms.erase(slot);
  else
    slot->second = static_cast<int64_t>(sum);
}

void IntExprBuilder::add(const IntExpr& e, int64_t scale) {
  overflowed = overflowed || e.has_overflowed();
  for (const auto& t : e.terms()) {
    if (overflowed) return;
    add(t.atoms, static_cast<__int128>(t.coefficient) * scale);
  }
}

void IntExprBuilder::add(const IntExprBuilder& sum, int64_t scale) {
  overflowed = overflowed || sum.overflowed;
  for (const auto& [atoms, coefficient] : sum.terms) add(atoms, static_cast<__int128>(coefficient) * scale);
}

void IntExprBuilder::multiply(const IntExpr& e) {
  IntExprBuilder product;
  product.overflowed = overflowed || e.has_overflowed();
  for (const auto& [atoms, coefficient] : terms) {
    for (const auto& t : e.terms()) {
      if (product.overflowed) break;
      std::vector<Atom> joined = atoms;
      joined.insert(joined.end(), t.atoms.begin(), t.atoms.end());
      std::sort(joined.begin(), joined.end(), atom_less);
      product.add(std::move(joined), static_cast<__int128>(coefficient) * t.coefficient);
    }
  }
  *this = std::move(product);
}

// Does the sum hold each term of the part with exactly its coefficient?
bool IntExprBuilder::contains(const IntExprBuilder& part) const {
  for (const auto& [atoms, coefficient] : part.terms) {
    auto it = terms.find(atoms);
    if (it == terms.end() || it->second != coefficient) return false;
  }
  return !part.terms.empty() && !part.overflowed;
}

// For what multiplies a remainder, c*(x mod n), with q = floor(x/n):
//   c*n*q + c*(x mod n)           -> c*x
//   c*n*(q mod k) + c*(x mod n)   -> c*(x mod n*k)
bool IntExprBuilder::rewrite_remainder() {
  if (terms.size() < 2) return false;
  // c is all that multiplies the remainder, or else one term of it.
  std::map<std::vector<Atom>, std::vector<IntExprBuilder>, ProductLess> factors;
  for (const auto& [atoms, coefficient] : terms) {
    for (size_t i = 0; i < atoms.size(); ++i) {
      if (atoms[i]->kind != AtomKind::kMod || (i > 0 && compare_atoms(atoms[i], atoms[i - 1]) == 0)) continue;
      std::vector<Atom> others = atoms;
      others.erase(others.begin() + static_cast<ptrdiff_t>(i));
      auto& candidates = factors[{atoms[i]}];
      if (candidates.empty()) candidates.emplace_back();
      candidates.front().add(others, coefficient);
      candidates.emplace_back().add(others, coefficient);
    }
  }
  for (const auto& [key, candidates] : factors) {
    const Atom& remainder = key[0];
    for (const IntExprBuilder& c : candidates) {
      auto replace = [&](const IntExpr& high, const IntExpr& low, const IntExpr& by) {
        IntExprBuilder old = c, low_part = c, replacement = c;
        old.multiply(high);
        if (!contains(old)) return false;
        low_part.multiply(low);
        old.add(low_part, 1);
        replacement.multiply(by);
        add(old, -1);
        add(replacement, 1);
        return true;
      };
      const IntExpr low = make_atom_expr(remainder), &n = remainder->b;
      if (replace(n * remainder->quotient, low, remainder->a)) return true;
      for (const auto& [other, unused] : factors) {
        if (!(other[0]->a == remainder->quotient)) continue;
        if (replace(n * make_atom_expr(other[0]), low, mod(remainder->a, n * other[0]->b))) return true;
      }
    }
  }
  return false;
}

IntExpr IntExprBuilder::finish() {
  // Each rewrite leaves fewer or smaller atoms; the bound is for the case that this sentence is wrong.
  for (int step = 0; step < 1000 && !overflowed && rewrite_remainder(); ++step) {
  }
  if (overflowed) return overflow_expr();
  std::vector<IntExpr::Term> out;
  out.reserve(terms.size());
  for (const auto& [atoms, coefficient] : terms) {
    out.push_back({coefficient, atoms});
    contract(out.back().atoms, out.back().coefficient);
  }
  std::sort(out.begin(), out.end(),
            [](const IntExpr::Term& a, const IntExpr::Term& b) { return compare_products(a.atoms, b.atoms) < 0; });
  return IntExpr(std::move(out));
}

IntExpr IntExprBuilder::single(int64_t coefficient, std::vector<Atom> atoms) {
  if (coefficient == 0) return {};
  bool has_exact = std::any_of(atoms.begin(), atoms.end(), [](const Atom& atom) { return exact_divisor(atom) > 1; });
  if (!has_exact) return IntExpr(std::vector<IntExpr::Term>{{coefficient, std::move(atoms)}});
  IntExprBuilder one;
  one.add(std::move(atoms), coefficient);
  return one.finish();
}

IntExpr make_atom_expr(Atom atom) { return IntExpr(std::vector<IntExpr::Term>{{1, {std::move(atom)}}}); }

IntExpr overflow_expr() { return make_atom_expr(overflow_atom()); }

bool IntExpr::has_overflowed() const {
  return terms_.size() == 1 && terms_[0].atoms.size() == 1 && terms_[0].atoms[0] == overflow_atom();
}

IntExpr make_binary(AtomKind kind, const IntExpr& a, const IntExpr& b) {
  if (a.has_overflowed() || b.has_overflowed()) return overflow_expr();
  AtomNode node{kind, {}, a, b, {}};
  node.depth = 1 + std::max(depth_of(a), depth_of(b));
  node.weight = 1 + weight_of(a) + weight_of(b);
  if (node.depth > kMaxDepth || node.weight > kMaxWeight) return overflow_expr();
  node.interval = atom_interval(kind, a, b);
  node.uses_loop_variables = a.uses_loop_variables() || b.uses_loop_variables();
  return make_atom_expr(std::make_shared<const AtomNode>(std::move(node)));
}

IntExpr make_remainder(const IntExpr& a, const IntExpr& n, const IntExpr& quotient) {
  IntExpr e = make_binary(AtomKind::kMod, a, n);
  if (e.has_overflowed() || quotient.has_overflowed()) return overflow_expr();
  AtomNode node = *e.terms()[0].atoms[0];
  node.quotient = quotient;
  return make_atom_expr(std::make_shared<const AtomNode>(std::move(node)));
}

IntExpr::IntExpr(int64_t constant) {
  if (constant == INT64_MIN)
    *this = overflow_expr();
  else if (constant != 0)
    terms_.push_back({constant, {}});
}

IntExpr IntExpr::symbol(Symbol s) {
  AtomNode node{AtomKind::kSymbol, std::move(s), {}, {}, {}};
  // Only multiples of the divisor occur.
  int64_t divisor = std::max<int64_t>(1, node.symbol.divisor);
  node.interval.low = saturate(static_cast<__int128>(ceil_div(std::max(node.symbol.min, -INT64_MAX), divisor)) * divisor);
  node.interval.high = saturate(static_cast<__int128>(floor_div(node.symbol.max, divisor)) * divisor);
  node.uses_loop_variables = node.symbol.extent != nullptr;
  return make_atom_expr(std::make_shared<const AtomNode>(std::move(node)));
}

IntExpr IntExpr::loop_variable(std::string name, const IntExpr& extent) {
  if (extent.is(1)) return IntExpr(0);
  Symbol s;
  s.name = std::move(name);
  s.min = 0;
  s.max = std::max<int64_t>(0, extent.interval().high - 1);
  s.extent = std::make_shared<IntExpr>(extent);
  return symbol(std::move(s));
}

IntExpr operator+(const IntExpr& a, const IntExpr& b) {
  if (a.terms_.empty()) return b;
  if (b.terms_.empty()) return a;
  IntExprBuilder sum;
  sum.add(a, 1);
  sum.add(b, 1);
  return sum.finish();
}

IntExpr operator-(const IntExpr& a, const IntExpr& b) {
  if (b.terms_.empty()) return a;
  IntExprBuilder sum;
  sum.add(a, 1);
  sum.add(b, -1);
  return sum.finish();
}

IntExpr operator*(const IntExpr& a, const IntExpr& b) {
  if (a.is(1)) return b;
  if (b.is(1)) return a;
  IntExprBuilder product;
  product.add(a, 1);
  product.multiply(b);
  return product.finish();
}

int IntExpr::compare(const IntExpr& a, const IntExpr& b) {
  for (size_t i = 0; i < a.terms_.size() && i < b.terms_.size(); ++i) {
    if (int c = compare_products(a.terms_[i].atoms, b.terms_[i].atoms)) return c;
    if (a.terms_[i].coefficient != b.terms_[i].coefficient) return a.terms_[i].coefficient < b.terms_[i].coefficient ? -1 : 1;
  }
  return a.terms_.size() == b.terms_.size() ? 0 : a.terms_.size() < b.terms_.size() ? -1 : 1;
}

bool IntExpr::uses_loop_variables() const {
  for (const auto& t : terms_)
    for (const auto& atom : t.atoms)
      if (atom->uses_loop_variables) return true;
  return false;
}

void IntExpr::visit_symbols(const std::function<void(const Symbol&)>& visit) const {
  for (const auto& t : terms_) {
    for (const auto& atom : t.atoms) {
      if (atom->kind == AtomKind::kSymbol) {
        visit(atom->symbol);
      } else {
        atom->a.visit_symbols(visit);
        atom->b.visit_symbols(visit);
      }
    }
  }
}

std::vector<Symbol> IntExpr::symbols() const {
  std::map<std::string, Symbol> found;
  visit_symbols([&](const Symbol& s) { found.emplace(s.name, s); });
  std::vector<Symbol> out;
  for (auto& [name, s] : found) out.push_back(s);
  return out;
}

IntExpr combine(AtomKind kind, const IntExpr& a, const IntExpr& b) {
  switch (kind) {
    case AtomKind::kFloorDiv: return floor_div(a, b);
    case AtomKind::kMod: return mod(a, b);
    case AtomKind::kMin: return minimum(a, b);
    case AtomKind::kMax: return maximum(a, b);
    case AtomKind::kSymbol: break;
  }
  return {};
}

IntExpr IntExpr::substitute(const std::function<std::optional<IntExpr>(const Symbol&)>& value) const {
  auto replaced = [&](const Atom& atom) -> IntExpr {
    if (atom->kind != AtomKind::kSymbol) return combine(atom->kind, atom->a.substitute(value), atom->b.substitute(value));
    if (atom == overflow_atom()) return overflow_expr();
    if (auto v = value(atom->symbol)) return *v;
    // A loop variable that stays runs to its extent's new value.
    if (atom->symbol.extent) {
      IntExpr extent = atom->symbol.extent->substitute(value);
      if (!(extent == *atom->symbol.extent)) return loop_variable(atom->symbol.name, extent);
    }
    return make_atom_expr(atom);
  };
  IntExpr sum;
  for (const auto& t : terms_) {
    IntExpr term(t.coefficient);
    for (const auto& atom : t.atoms) term = term * replaced(atom);
    sum = sum + term;
  }
  return sum;
}

std::optional<int64_t> IntExpr::evaluate(const std::function<std::optional<int64_t>(std::string_view)>& value) const {
  int64_t sum = 0;
  for (const auto& t : terms_) {
    int64_t product = t.coefficient;
    for (const auto& atom : t.atoms) {
      std::optional<int64_t> v;
      if (atom->kind == AtomKind::kSymbol) {
        if (atom != overflow_atom()) v = value(atom->symbol.name);
      } else {
        auto a = atom->a.evaluate(value);
        auto b = atom->b.evaluate(value);
        if (!a || !b) return std::nullopt;
        switch (atom->kind) {
          case AtomKind::kFloorDiv:
            if (*b > 0) v = floor_div(*a, *b);
            break;
          case AtomKind::kMod:
            if (*b > 0) v = floor_mod(*a, *b);
            break;
          case AtomKind::kMin: v = std::min(*a, *b); break;
          case AtomKind::kMax: v = std::max(*a, *b); break;
          case AtomKind::kSymbol: break;
        }
      }
      if (!v) return std::nullopt;
      auto next = checked_multiply(product, *v);
      if (!next) return std::nullopt;
      product = *next;
    }
    auto next = checked_add(sum, product);
    if (!next) return std::nullopt;
    sum = *next;
  }
  return sum;
}

std::optional<LinearForm> linear_in(const IntExpr& a, std::string_view variable) {
  auto mentions = [&](const Atom& atom) {
    bool found = false;
    make_atom_expr(atom).visit_symbols([&](const Symbol& s) { found = found || s.name == variable; });
    return found;
  };
  LinearForm form;
  for (const auto& t : a.terms()) {
    int uses = 0;
    std::vector<Atom> others;
    for (const auto& atom : t.atoms) {
      if (!mentions(atom)) {
        others.push_back(atom);
      } else if (atom->kind == AtomKind::kSymbol) {
        ++uses;
      } else {
        return std::nullopt;
      }
    }
    if (uses > 1) return std::nullopt;
    (uses == 1 ? form.coefficient : form.rest) += IntExprBuilder::single(t.coefficient, others);
  }
  return form;
}

IntExpr product(const Dims& dims) {
  IntExpr p(1);
  for (const auto& d : dims) p = p * d;
  return p;
}

}  // namespace tuff
