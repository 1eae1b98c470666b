// IntExpr as text and back. Reading simplifies as building does, so that text() of what was read is the text again.
#include "base/lexer.h"
#include "graph/int_terms.h"

namespace tuff {
namespace {

constexpr int kMaxNesting = 100;  // of text; above what text() of any expression needs

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

struct IntExprParser {
  Lexer& lexer;
  const std::function<Result<IntExpr>(const std::string&)>& symbol;
  int depth = 0;

  Result<IntExpr> sum() {
    if (++depth > kMaxNesting) return lexer.error("expressions nest too deeply");
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
    AtomKind kind = name == "floor" ? AtomKind::kFloorDiv
                    : name == "mod" ? AtomKind::kMod
                    : name == "min" ? AtomKind::kMin
                    : name == "max" ? AtomKind::kMax
                                    : AtomKind::kSymbol;
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

}  // namespace

std::string IntExpr::text() const {
  if (terms_.empty()) return "0";
  std::string out;
  // Constants read best last.
  for (size_t pass = 0; pass < 2; ++pass) {
    for (const auto& t : terms_) {
      if (t.atoms.empty() != (pass == 1)) continue;
      bool negative = t.coefficient < 0;
      if (out.empty())
        out += negative ? "-" : "";
      else
        out += negative ? " - " : " + ";
      int64_t magnitude = negative ? -t.coefficient : t.coefficient;
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
  return IntExprParser{lexer, symbol}.sum();
}

}  // namespace tuff
