// IntExpr: integer expressions over symbols. Sizes of tensors ("2*height") and coordinates inside kernels
// ("64*row + lane") are both of this kind, so one simplifier serves shape inference, views and address generation.
//
// Invariant: an IntExpr is a canonical sum of terms (coefficient x product of atoms), so that equal polynomials compare
// equal. An atom is a symbol or one of floor(a/n), a mod n, min, max; those are simplified when built, from what the
// symbols say of themselves (their range, or their extent).
//
// What 64 bits cannot hold, or what grows beyond all reason (a file can ask for it), becomes the symbol <overflow>: it
// absorbs whatever it meets, has no value, and is refused by verify(). No result is ever silently wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tuff {

class IntExpr;
using Dims = std::vector<IntExpr>;

// A named integer. A dimension symbol lies in [min, max] and is a multiple of divisor; a loop variable lies in [0, extent).
struct Symbol {
  std::string name;
  int64_t min = 1;
  int64_t max = kMax;
  int64_t divisor = 1;
  std::shared_ptr<const IntExpr> extent;  // set: a loop variable

  static constexpr int64_t kMax = int64_t{1} << 31;
};

enum class AtomKind : uint8_t { kSymbol, kFloorDiv, kMod, kMin, kMax };

struct AtomNode;
using Atom = std::shared_ptr<const AtomNode>;

class IntExpr {
 public:
  struct Term {
    int64_t coefficient;
    std::vector<Atom> atoms;  // sorted; empty for the constant term
  };
  struct Interval {
    int64_t low, high;  // saturated at the ends of int64
  };

  IntExpr() = default;  // zero
  IntExpr(int64_t constant);
  static IntExpr symbol(Symbol s);
  static IntExpr loop_variable(std::string name, const IntExpr& extent);

  bool is_constant() const { return terms_.empty() || (terms_.size() == 1 && terms_[0].atoms.empty()); }
  int64_t constant() const { return terms_.empty() ? 0 : terms_[0].coefficient; }  // only if is_constant()
  bool is(int64_t c) const { return is_constant() && constant() == c; }
  bool has_overflowed() const;
  const std::vector<Term>& terms() const { return terms_; }

  friend IntExpr operator+(const IntExpr& a, const IntExpr& b);
  friend IntExpr operator-(const IntExpr& a, const IntExpr& b);
  friend IntExpr operator*(const IntExpr& a, const IntExpr& b);
  IntExpr operator-() const { return IntExpr(0) - *this; }
  IntExpr& operator+=(const IntExpr& b) { return *this = *this + b; }
  IntExpr& operator*=(const IntExpr& b) { return *this = *this * b; }

  friend bool operator==(const IntExpr& a, const IntExpr& b) { return compare(a, b) == 0; }
  friend bool operator<(const IntExpr& a, const IntExpr& b) { return compare(a, b) < 0; }
  static int compare(const IntExpr& a, const IntExpr& b);

  Interval interval() const;
  bool uses_loop_variables() const;
  void visit_symbols(const std::function<void(const Symbol&)>& visit) const;
  std::vector<Symbol> symbols() const;  // distinct, by name

  // Replaces symbols by name; a symbol for which the function gives nothing stays. The result is simplified anew.
  IntExpr substitute(const std::function<std::optional<IntExpr>(const Symbol&)>& value) const;
  // nullopt: a symbol without a value, a division by zero, or an overflow.
  std::optional<int64_t> evaluate(const std::function<std::optional<int64_t>(std::string_view)>& value) const;

  std::string text() const;

 private:
  friend IntExpr make_atom_expr(Atom atom);
  friend struct IntExprBuilder;
  explicit IntExpr(std::vector<Term> terms) : terms_(std::move(terms)) {}
  std::vector<Term> terms_;  // sorted by atoms, coefficients non-zero
};

struct AtomNode {
  AtomKind kind;
  Symbol symbol;     // kSymbol
  IntExpr a, b;      // the others
  IntExpr quotient;  // kMod: floor(a/b)
  // Found once, when the atom is made.
  IntExpr::Interval interval = {0, 0};
  bool uses_loop_variables = false;
  int depth = 0, weight = 1;  // nesting, and the atoms inside
};

// Floor division and remainder by a positive n, as in Python. Dividing by an expression that may be zero is the
// caller's error; evaluate() reports it.
IntExpr floor_div(const IntExpr& a, const IntExpr& n);
IntExpr mod(const IntExpr& a, const IntExpr& n);
IntExpr ceil_div(const IntExpr& a, const IntExpr& n);
IntExpr minimum(const IntExpr& a, const IntExpr& b);
IntExpr maximum(const IntExpr& a, const IntExpr& b);

// a = n * quotient, where that is provable; nullopt otherwise.
std::optional<IntExpr> divide_exact(const IntExpr& a, const IntExpr& n);
// Sound, not complete: false means "not proven".
bool proven_nonnegative(const IntExpr& a);
inline bool proven_less(const IntExpr& a, const IntExpr& b) { return proven_nonnegative(b - a - IntExpr(1)); }
// The greatest known divisor of every value of a (0 when a is 0).
int64_t known_divisor(const IntExpr& a);
// a's bounds as expressions without loop variables.
IntExpr upper_bound(const IntExpr& a);
IntExpr lower_bound(const IntExpr& a);
// The part of a that multiplies the loop variable, and the rest; nullopt if a is not linear in it (a floor of it, say).
struct LinearForm {
  IntExpr coefficient, rest;
};
std::optional<LinearForm> linear_in(const IntExpr& a, std::string_view variable);

IntExpr product(const Dims& dims);
std::string dims_text(const Dims& dims);  // "[1, 3, height, width]"

class Lexer;
// Reads what text() prints. Symbols are looked up with the function.
Result<IntExpr> parse_int_expr(Lexer& lexer, const std::function<Result<IntExpr>(const std::string&)>& symbol);

}  // namespace tuff
