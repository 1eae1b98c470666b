// The inside of IntExpr, for the files that build canonical sums: int_expr.cpp, int_division.cpp, int_bounds.cpp.
#pragma once

#include <map>

#include "graph/int_expr.h"

namespace tuff {

// Ends of an interval at or beyond these stand for "unbounded".
inline constexpr int64_t kUnboundedHigh = int64_t{1} << 61;
inline constexpr int64_t kUnboundedLow = -kUnboundedHigh;

inline int64_t saturate(__int128 v) {
  return v < kUnboundedLow ? kUnboundedLow : v > kUnboundedHigh ? kUnboundedHigh : static_cast<int64_t>(v);
}

int compare_atoms(const Atom& a, const Atom& b);
int compare_products(const std::vector<Atom>& a, const std::vector<Atom>& b);
inline bool atom_less(const Atom& a, const Atom& b) { return compare_atoms(a, b) < 0; }

struct ProductLess {
  bool operator()(const std::vector<Atom>& a, const std::vector<Atom>& b) const { return compare_products(a, b) < 0; }
};

// Builds canonical sums; the one place that touches IntExpr's terms.
//
// While it is built, a symbol s with divisor d stands as d*floor(s/d), and every exact floor(s/g) as (d/g)*floor(s/d), so
// that equal products meet; finish() writes them as s and floor(s/g) again as far as the coefficients allow.
struct IntExprBuilder {
  std::map<std::vector<Atom>, int64_t, ProductLess> terms;
  bool overflowed = false;

  void add(std::vector<Atom> atoms, __int128 coefficient);
  void add(const IntExpr& e, int64_t scale);
  void add(const IntExprBuilder& sum, int64_t scale);
  void multiply(const IntExpr& e);
  IntExpr finish();

  // coefficient * product of the sorted atoms, canonical.
  static IntExpr single(int64_t coefficient, std::vector<Atom> atoms);
  static IntExpr single(const IntExpr::Term& t) { return single(t.coefficient, t.atoms); }

 private:
  bool contains(const IntExprBuilder& part) const;
  bool rewrite_remainder();
};

IntExpr make_atom_expr(Atom atom);
IntExpr overflow_expr();
// The atom as it is, not simplified.
IntExpr make_binary(AtomKind kind, const IntExpr& a, const IntExpr& b);
IntExpr make_remainder(const IntExpr& a, const IntExpr& n, const IntExpr& quotient);
// The operation that the kind stands for, simplified.
IntExpr combine(AtomKind kind, const IntExpr& a, const IntExpr& b);
IntExpr::Interval atom_interval(AtomKind kind, const IntExpr& a, const IntExpr& b);
IntExpr::Interval term_interval(const IntExpr::Term& term);

}  // namespace tuff
