// In: sums, products, floors. Out: the canonical form that int_expr.h promises.
//
// The rules that matter downstream: (i*n + r)/n -> i and mod -> r when 0 <= r < n is proven, and n*(x/n) + x mod n -> x.
// A reshape there and back again therefore leaves nothing in a kernel.
#include "graph/int_expr.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/checked.h"
#include "base/lexer.h"

namespace tuff {
namespace {

constexpr int64_t kLow = INT64_MIN / 4;
constexpr int64_t kHigh = INT64_MAX / 4;

int64_t saturate(__int128 v) { return v < kLow ? kLow : v > kHigh ? kHigh : static_cast<int64_t>(v); }

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

bool atom_less(const Atom& a, const Atom& b) { return compare_atoms(a, b) < 0; }

bool atom_uses_loop_variables(const Atom& atom) {
  if (atom->kind == AtomKind::kSymbol) return atom->symbol.extent != nullptr;
  return atom->a.uses_loop_variables() || atom->b.uses_loop_variables();
}

struct ProductLess {
  bool operator()(const std::vector<Atom>& a, const std::vector<Atom>& b) const { return compare_products(a, b) < 0; }
};
using TermMap = std::map<std::vector<Atom>, int64_t, ProductLess>;

}  // namespace

// Builds canonical sums; the one place that touches terms_.
struct IntExprBuilder {
  TermMap terms;

  void add(const std::vector<Atom>& atoms, int64_t coefficient) {
    int64_t& slot = terms[atoms];
    slot = saturate(static_cast<__int128>(slot) + coefficient);
  }
  void add(const IntExpr& e, int64_t scale) {
    for (const auto& t : e.terms()) add(t.atoms, saturate(static_cast<__int128>(t.coefficient) * scale));
  }

  // n*(x/n) + (x mod n) -> x, scaled; n may be a product of symbols.
  bool recombine() {
    for (const auto& [atoms, coefficient] : terms) {
      if (coefficient == 0) continue;
      for (size_t i = 0; i < atoms.size(); ++i) {
        if (atoms[i]->kind != AtomKind::kMod) continue;
        const IntExpr& x = atoms[i]->a;
        const IntExpr& n = atoms[i]->b;
        if (n.terms().size() != 1) continue;
        Atom quotient = std::make_shared<AtomNode>(AtomNode{AtomKind::kFloorDiv, {}, x, n});
        std::vector<Atom> wanted = atoms;
        wanted.erase(wanted.begin() + static_cast<ptrdiff_t>(i));
        std::vector<Atom> rest = wanted;
        wanted.push_back(quotient);
        for (const Atom& factor : n.terms()[0].atoms) wanted.push_back(factor);
        std::sort(wanted.begin(), wanted.end(), atom_less);
        auto found = terms.find(wanted);
        if (found == terms.end() || found->second != coefficient * n.terms()[0].coefficient) continue;
        int64_t scale = coefficient;
        std::vector<Atom> mod_term = atoms;
        found->second = 0;
        terms[mod_term] = 0;
        std::vector<IntExpr::Term> rest_terms = {{scale, rest}};
        IntExpr replacement = IntExpr(std::move(rest_terms)) * x;
        add(replacement, 1);
        return true;
      }
    }
    return false;
  }

  IntExpr finish() {
    while (recombine()) {
    }
    std::vector<IntExpr::Term> out;
    for (const auto& [atoms, coefficient] : terms)
      if (coefficient != 0) out.push_back({coefficient, atoms});
    return IntExpr(std::move(out));
  }

  static IntExpr single(int64_t coefficient, std::vector<Atom> atoms) {
    if (coefficient == 0) return {};
    return IntExpr(std::vector<IntExpr::Term>{{coefficient, std::move(atoms)}});
  }
};

IntExpr make_atom_expr(Atom atom) { return IntExprBuilder::single(1, {std::move(atom)}); }

IntExpr::IntExpr(int64_t constant) {
  if (constant != 0) terms_.push_back({constant, {}});
}

IntExpr IntExpr::symbol(Symbol s) {
  return make_atom_expr(std::make_shared<AtomNode>(AtomNode{AtomKind::kSymbol, std::move(s), {}, {}}));
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
  IntExprBuilder sum;
  sum.add(a, 1);
  sum.add(b, 1);
  return sum.finish();
}

IntExpr operator-(const IntExpr& a, const IntExpr& b) {
  IntExprBuilder sum;
  sum.add(a, 1);
  sum.add(b, -1);
  return sum.finish();
}

IntExpr operator*(const IntExpr& a, const IntExpr& b) {
  IntExprBuilder sum;
  for (const auto& s : a.terms_) {
    for (const auto& t : b.terms_) {
      std::vector<Atom> atoms = s.atoms;
      atoms.insert(atoms.end(), t.atoms.begin(), t.atoms.end());
      std::sort(atoms.begin(), atoms.end(), atom_less);
      sum.add(atoms, saturate(static_cast<__int128>(s.coefficient) * t.coefficient));
    }
  }
  return sum.finish();
}

int IntExpr::compare(const IntExpr& a, const IntExpr& b) {
  for (size_t i = 0; i < a.terms_.size() && i < b.terms_.size(); ++i) {
    if (int c = compare_products(a.terms_[i].atoms, b.terms_[i].atoms)) return c;
    if (a.terms_[i].coefficient != b.terms_[i].coefficient)
      return a.terms_[i].coefficient < b.terms_[i].coefficient ? -1 : 1;
  }
  return a.terms_.size() == b.terms_.size() ? 0 : a.terms_.size() < b.terms_.size() ? -1 : 1;
}

namespace {

using Interval = IntExpr::Interval;

Interval multiply(Interval a, Interval b) {
  __int128 products[] = {static_cast<__int128>(a.low) * b.low, static_cast<__int128>(a.low) * b.high,
                         static_cast<__int128>(a.high) * b.low, static_cast<__int128>(a.high) * b.high};
  return {saturate(*std::min_element(products, products + 4)), saturate(*std::max_element(products, products + 4))};
}

Interval atom_interval(const Atom& atom) {
  if (atom->kind == AtomKind::kSymbol) return {atom->symbol.min, atom->symbol.max};
  Interval a = atom->a.interval();
  Interval b = atom->b.interval();
  switch (atom->kind) {
    case AtomKind::kFloorDiv: {
      int64_t low = std::max<int64_t>(b.low, 1);
      int64_t high = std::max<int64_t>(b.high, 1);
      int64_t ends[] = {floor_div(a.low, low), floor_div(a.low, high), floor_div(a.high, low), floor_div(a.high, high)};
      return {*std::min_element(ends, ends + 4), *std::max_element(ends, ends + 4)};
    }
    case AtomKind::kMod: return {0, std::max<int64_t>(0, b.high - 1)};
    case AtomKind::kMin: return {std::min(a.low, b.low), std::min(a.high, b.high)};
    case AtomKind::kMax: return {std::max(a.low, b.low), std::max(a.high, b.high)};
    case AtomKind::kSymbol: break;
  }
  return {kLow, kHigh};
}

}  // namespace

IntExpr::Interval IntExpr::interval() const {
  __int128 low = 0, high = 0;
  for (const auto& t : terms_) {
    Interval product = {t.coefficient, t.coefficient};
    for (const auto& atom : t.atoms) product = multiply(product, atom_interval(atom));
    low += product.low;
    high += product.high;
  }
  return {saturate(low), saturate(high)};
}

bool IntExpr::uses_loop_variables() const {
  for (const auto& t : terms_)
    for (const auto& atom : t.atoms)
      if (atom_uses_loop_variables(atom)) return true;
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

namespace {

// Rebuilds an expression with each atom replaced by what the function returns.
IntExpr map_atoms(const IntExpr& e, const std::function<IntExpr(const Atom&)>& replace) {
  IntExpr sum;
  for (const auto& t : e.terms()) {
    IntExpr term(t.coefficient);
    for (const auto& atom : t.atoms) term = term * replace(atom);
    sum = sum + term;
  }
  return sum;
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

}  // namespace

IntExpr IntExpr::substitute(const std::function<std::optional<IntExpr>(const Symbol&)>& value) const {
  return map_atoms(*this, [&](const Atom& atom) -> IntExpr {
    if (atom->kind == AtomKind::kSymbol) {
      if (auto v = value(atom->symbol)) return *v;
      return make_atom_expr(atom);
    }
    return combine(atom->kind, atom->a.substitute(value), atom->b.substitute(value));
  });
}

std::optional<int64_t> IntExpr::evaluate(
    const std::function<std::optional<int64_t>(std::string_view)>& value) const {
  int64_t sum = 0;
  for (const auto& t : terms_) {
    int64_t product = t.coefficient;
    for (const auto& atom : t.atoms) {
      std::optional<int64_t> v;
      if (atom->kind == AtomKind::kSymbol) {
        v = value(atom->symbol.name);
      } else {
        auto a = atom->a.evaluate(value);
        auto b = atom->b.evaluate(value);
        if (!a || !b) return std::nullopt;
        switch (atom->kind) {
          case AtomKind::kFloorDiv: if (*b > 0) v = floor_div(*a, *b); break;
          case AtomKind::kMod: if (*b > 0) v = floor_mod(*a, *b); break;
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

std::optional<IntExpr> divide_exact(const IntExpr& a, const IntExpr& n) {
  if (n.is(0)) return std::nullopt;
  if (n.is(1)) return a;
  IntExpr rest = a;
  IntExpr quotient;
  const IntExpr::Term& lead = n.terms().back();
  // Polynomial long division by the leading term; each step removes one term or gives up.
  for (int step = 0; step < 64 && !rest.is(0); ++step) {
    const IntExpr::Term& t = rest.terms().back();
    if (t.coefficient % lead.coefficient != 0) return std::nullopt;
    std::vector<Atom> remaining = t.atoms;
    for (const auto& factor : lead.atoms) {
      auto it = std::find_if(remaining.begin(), remaining.end(),
                             [&](const Atom& x) { return compare_atoms(x, factor) == 0; });
      if (it == remaining.end()) return std::nullopt;
      remaining.erase(it);
    }
    IntExpr part = IntExprBuilder::single(t.coefficient / lead.coefficient, remaining);
    quotient = quotient + part;
    rest = rest - part * n;
  }
  if (!rest.is(0)) return std::nullopt;
  return quotient;
}

namespace {

// Each loop variable, floor or remainder replaced so that the value does not get smaller (upper) or larger (lower).
IntExpr bound(const IntExpr& e, bool upper) {
  IntExpr sum;
  for (const auto& t : e.terms()) {
    IntExpr term(t.coefficient);
    bool up = upper == (t.coefficient > 0);
    for (const auto& atom : t.atoms) {
      if (!atom_uses_loop_variables(atom)) {
        term = term * make_atom_expr(atom);
        continue;
      }
      IntExpr replaced;
      switch (atom->kind) {
        case AtomKind::kSymbol: replaced = up ? *atom->symbol.extent - IntExpr(1) : IntExpr(0); break;
        case AtomKind::kMod: replaced = up ? bound(atom->b, true) - IntExpr(1) : IntExpr(0); break;
        default: replaced = combine(atom->kind, bound(atom->a, up), bound(atom->b, up)); break;
      }
      term = term * replaced;
    }
    sum = sum + term;
  }
  return sum;
}

// Is each atom that a bound was taken of non-negative? Only then does replacing factors one by one bound the product.
bool atoms_nonnegative(const IntExpr& e) {
  for (const auto& t : e.terms()) {
    if (t.atoms.size() < 2) continue;
    for (const auto& atom : t.atoms)
      if (atom_interval(atom).low < 0) return false;
  }
  return true;
}

}  // namespace

IntExpr upper_bound(const IntExpr& a) { return bound(a, true); }
IntExpr lower_bound(const IntExpr& a) { return bound(a, false); }

bool proven_nonnegative(const IntExpr& a) {
  if (a.interval().low >= 0) return true;
  if (!atoms_nonnegative(a)) return false;
  IntExpr low = a.uses_loop_variables() ? lower_bound(a) : a;
  if (low.interval().low >= 0) return true;
  // Write every atom as its minimum plus something non-negative; then non-negative coefficients prove it.
  IntExpr shifted = map_atoms(low, [](const Atom& atom) {
    int64_t minimum_value = atom_interval(atom).low;
    return minimum_value <= kLow ? make_atom_expr(atom) : make_atom_expr(atom) + IntExpr(minimum_value);
  });
  for (const auto& t : shifted.terms()) {
    if (t.coefficient < 0) return false;
    for (const auto& atom : t.atoms)
      if (atom_interval(atom).low <= kLow) return false;
  }
  return true;
}

int64_t known_divisor(const IntExpr& a) {
  int64_t divisor = 0;
  for (const auto& t : a.terms()) {
    int64_t d = std::abs(t.coefficient);
    for (const auto& atom : t.atoms)
      if (atom->kind == AtomKind::kSymbol) d = saturate(static_cast<__int128>(d) * atom->symbol.divisor);
    divisor = std::gcd(divisor, d);
  }
  return divisor;
}

namespace {

struct Split {
  IntExpr quotient, rest;  // a = n * quotient + rest
};

// Moves into the quotient whatever is provably a multiple of n: per product of loop variables, the part of its
// coefficient that n divides.
Split split_multiples(const IntExpr& a, const IntExpr& n) {
  std::map<std::vector<Atom>, IntExpr, ProductLess> groups;
  for (const auto& t : a.terms()) {
    std::vector<Atom> loop, other;
    for (const auto& atom : t.atoms) (atom_uses_loop_variables(atom) ? loop : other).push_back(atom);
    groups[loop] += IntExprBuilder::single(t.coefficient, other);
  }
  Split split;
  for (const auto& [loop, coefficient] : groups) {
    IntExpr variables = IntExprBuilder::single(1, loop);
    if (auto q = divide_exact(coefficient, n)) {
      split.quotient += *q * variables;
      continue;
    }
    for (const auto& t : coefficient.terms()) {
      IntExpr term = IntExprBuilder::single(t.coefficient, t.atoms);
      if (auto q = divide_exact(term, n)) {
        split.quotient += *q * variables;
      } else if (n.is_constant()) {
        int64_t q = floor_div(t.coefficient, n.constant());
        IntExpr unit = IntExprBuilder::single(1, t.atoms) * variables;
        split.quotient += IntExpr(q) * unit;
        split.rest += IntExpr(t.coefficient - q * n.constant()) * unit;
      } else {
        split.rest += term * variables;
      }
    }
  }
  return split;
}

// rest = g * coarse + fine with 0 <= fine < g and g a divisor of the constant n; lets floors look through a common factor.
struct Factored {
  int64_t factor;
  IntExpr coarse, fine;
};

std::optional<Factored> factor_out(const IntExpr& rest, int64_t n) {
  std::vector<int64_t> candidates;
  for (const auto& t : rest.terms()) {
    IntExpr term = IntExprBuilder::single(t.coefficient, t.atoms);
    int64_t g = std::gcd(n, known_divisor(term));
    if (g > 1) candidates.push_back(g);
  }
  std::sort(candidates.rbegin(), candidates.rend());
  for (int64_t g : candidates) {
    IntExpr coarse, fine;
    for (const auto& t : rest.terms()) {
      if (t.coefficient % g == 0) coarse += IntExprBuilder::single(t.coefficient / g, t.atoms);
      else fine += IntExprBuilder::single(t.coefficient, t.atoms);
    }
    if (coarse.is(0)) continue;
    if (proven_nonnegative(fine) && proven_less(fine, IntExpr(g))) return Factored{g, coarse, fine};
  }
  return std::nullopt;
}

IntExpr make_binary(AtomKind kind, const IntExpr& a, const IntExpr& b) {
  return make_atom_expr(std::make_shared<AtomNode>(AtomNode{kind, {}, a, b}));
}

const AtomNode* single_atom(const IntExpr& e) {
  if (e.terms().size() != 1 || e.terms()[0].coefficient != 1 || e.terms()[0].atoms.size() != 1) return nullptr;
  return e.terms()[0].atoms[0].get();
}

}  // namespace

IntExpr floor_div(const IntExpr& a, const IntExpr& n) {
  if (n.is(1) || a.is(0)) return a;
  if (a.is_constant() && n.is_constant() && n.constant() > 0) return floor_div(a.constant(), n.constant());
  Split split = split_multiples(a, n);
  if (split.rest.is(0) || (proven_nonnegative(split.rest) && proven_less(split.rest, n))) return split.quotient;
  if (n.is_constant() && n.constant() > 1) {
    if (auto f = factor_out(split.rest, n.constant()))
      return split.quotient + floor_div(f->coarse, IntExpr(n.constant() / f->factor));
  }
  if (const AtomNode* inner = single_atom(split.rest)) {
    if (inner->kind == AtomKind::kFloorDiv) return split.quotient + floor_div(inner->a, inner->b * n);
    if (inner->kind == AtomKind::kMod) {
      if (auto k = divide_exact(inner->b, n)) return split.quotient + mod(floor_div(inner->a, n), *k);
    }
  }
  return split.quotient + make_binary(AtomKind::kFloorDiv, split.rest, n);
}

IntExpr mod(const IntExpr& a, const IntExpr& n) {
  if (n.is(1) || a.is(0)) return IntExpr(0);
  if (a.is_constant() && n.is_constant() && n.constant() > 0) return floor_mod(a.constant(), n.constant());
  IntExpr rest = split_multiples(a, n).rest;
  if (rest.is(0) || (proven_nonnegative(rest) && proven_less(rest, n))) return rest;
  if (n.is_constant() && n.constant() > 1) {
    if (auto f = factor_out(rest, n.constant()))
      return IntExpr(f->factor) * mod(f->coarse, IntExpr(n.constant() / f->factor)) + f->fine;
  }
  if (const AtomNode* inner = single_atom(rest)) {
    if (inner->kind == AtomKind::kMod && divide_exact(inner->b, n)) return mod(inner->a, n);
  }
  return make_binary(AtomKind::kMod, rest, n);
}

IntExpr ceil_div(const IntExpr& a, const IntExpr& n) { return floor_div(a + n - IntExpr(1), n); }

IntExpr minimum(const IntExpr& a, const IntExpr& b) {
  if (proven_nonnegative(b - a)) return a;
  if (proven_nonnegative(a - b)) return b;
  return a < b ? make_binary(AtomKind::kMin, a, b) : make_binary(AtomKind::kMin, b, a);
}

IntExpr maximum(const IntExpr& a, const IntExpr& b) {
  if (proven_nonnegative(b - a)) return b;
  if (proven_nonnegative(a - b)) return a;
  return a < b ? make_binary(AtomKind::kMax, a, b) : make_binary(AtomKind::kMax, b, a);
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

namespace {

std::string atom_text(const Atom& atom) {
  switch (atom->kind) {
    case AtomKind::kSymbol: return atom->symbol.name;
    case AtomKind::kFloorDiv: return "floor(" + atom->a.text() + ", " + atom->b.text() + ")";
    case AtomKind::kMod: return "mod(" + atom->a.text() + ", " + atom->b.text() + ")";
    case AtomKind::kMin: return "min(" + atom->a.text() + ", " + atom->b.text() + ")";
    case AtomKind::kMax: return "max(" + atom->a.text() + ", " + atom->b.text() + ")";
  }
  return "?";
}

}  // namespace

std::string IntExpr::text() const {
  if (terms_.empty()) return "0";
  std::string out;
  // Constants read best last.
  for (size_t pass = 0; pass < 2; ++pass) {
    for (const auto& t : terms_) {
      if (t.atoms.empty() != (pass == 1)) continue;
      int64_t c = t.coefficient;
      if (out.empty()) {
        if (c < 0) out += "-";
      } else {
        out += c < 0 ? " - " : " + ";
      }
      int64_t magnitude = c < 0 ? -c : c;
      bool first = true;
      if (magnitude != 1 || t.atoms.empty()) {
        out += std::to_string(magnitude);
        first = false;
      }
      for (const auto& atom : t.atoms) {
        if (!first) out += "*";
        out += atom_text(atom);
        first = false;
      }
    }
  }
  return out;
}

std::string dims_text(const Dims& dims) {
  std::string out = "[";
  for (size_t i = 0; i < dims.size(); ++i) out += (i ? ", " : "") + dims[i].text();
  return out + "]";
}

Result<IntExpr> parse_int_expr(Lexer& lexer, const std::function<Result<IntExpr>(const std::string&)>& symbol) {
  struct Parser {
    Lexer& lexer;
    const std::function<Result<IntExpr>(const std::string&)>& symbol;
    int depth = 0;

    Result<IntExpr> sum() {
      if (++depth > 100) return lexer.error("expressions nest too deeply");
      bool negative = lexer.accept("-");
      TUFF_ASSIGN(IntExpr total, term());
      if (negative) total = -total;
      for (;;) {
        if (lexer.accept("+")) {
          TUFF_ASSIGN(IntExpr t, term());
          total = total + t;
        } else if (lexer.accept("-")) {
          TUFF_ASSIGN(IntExpr t, term());
          total = total - t;
        } else {
          --depth;
          return total;
        }
      }
    }
    Result<IntExpr> term() {
      TUFF_ASSIGN(IntExpr product, factor());
      while (lexer.accept("*")) {
        TUFF_ASSIGN(IntExpr f, factor());
        product = product * f;
      }
      return product;
    }
    Result<IntExpr> factor() {
      if (lexer.peek().kind == TokenKind::kInteger) return IntExpr(lexer.take().integer);
      TUFF_ASSIGN(std::string name, lexer.expect_name());
      AtomKind kind = name == "floor" ? AtomKind::kFloorDiv : name == "mod" ? AtomKind::kMod
                    : name == "min"   ? AtomKind::kMin      : name == "max" ? AtomKind::kMax : AtomKind::kSymbol;
      if (kind == AtomKind::kSymbol || !lexer.accept("(")) return symbol(name);
      TUFF_ASSIGN(IntExpr a, sum());
      TUFF_TRY(lexer.expect(","));
      TUFF_ASSIGN(IntExpr b, sum());
      TUFF_TRY(lexer.expect(")"));
      if ((kind == AtomKind::kFloorDiv || kind == AtomKind::kMod) && b.is_constant() && b.constant() <= 0)
        return lexer.error("a divisor must be positive");
      return combine(kind, a, b);
    }
  };
  return Parser{lexer, symbol}.sum();
}

}  // namespace tuff
