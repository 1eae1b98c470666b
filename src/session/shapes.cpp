#include "session/shapes.h"

#include <functional>
#include <optional>

namespace tuff {
namespace {

std::function<std::optional<int64_t>(std::string_view)> lookup(const SymbolValues& symbols) {
  return [&symbols](std::string_view name) -> std::optional<int64_t> {
    auto it = symbols.find(std::string(name));
    if (it == symbols.end()) return std::nullopt;
    return it->second;
  };
}

// size = coefficient * symbol + constant, solved for its only symbol. Nothing if the size is not of that form.
void learn(const IntExpr& size, int64_t actual, SymbolValues& symbols) {
  std::vector<Symbol> unknown = size.symbols();
  if (unknown.size() != 1 || symbols.contains(unknown[0].name)) return;
  std::optional<LinearForm> linear = linear_in(size, unknown[0].name);
  if (!linear || !linear->coefficient.is_constant() || !linear->rest.is_constant()) return;
  int64_t coefficient = linear->coefficient.constant();
  if (coefficient == 0) return;
  symbols[unknown[0].name] = (actual - linear->rest.constant()) / coefficient;
}

// Does the size never fall as a symbol grows? Pictures with planes or aligned rows have such sizes.
bool is_rising(const IntExpr& e) {
  for (const auto& term : e.terms()) {
    if (term.atoms.empty()) continue;
    if (term.coefficient < 0) return false;
    for (const Atom& a : term.atoms) {
      if (a->kind == AtomKind::kMod) return false;
      if (a->kind == AtomKind::kSymbol) continue;
      if (a->kind == AtomKind::kFloorDiv && !a->b.is_constant()) return false;
      if (!is_rising(a->a) || !is_rising(a->b)) return false;
    }
  }
  return true;
}

// A rising size of one symbol, solved where only one value of the symbol gives it.
void search(const IntExpr& size, int64_t actual, SymbolValues& symbols) {
  std::vector<Symbol> unknown = size.symbols();
  if (unknown.size() != 1 || symbols.contains(unknown[0].name) || !is_rising(size)) return;
  const Symbol& symbol = unknown[0];
  auto at = [&](int64_t value) {
    return size.evaluate([&](std::string_view) { return std::optional<int64_t>(value); }).value_or(INT64_MAX);
  };
  const int64_t step = symbol.divisor, last = symbol.max / step;
  int64_t low = (symbol.min + step - 1) / step, high = last;  // in steps
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (at(middle * step) < actual)
      low = middle + 1;
    else
      high = middle;
  }
  if (at(low * step) == actual && (low >= last || at((low + 1) * step) != actual)) symbols[symbol.name] = low * step;
}

std::string shape_text(const Shape& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

Status check_symbol(const Symbol& symbol, int64_t value) {
  if (value < symbol.min || value > symbol.max) {
    return invalid_argument("Dimension '" + symbol.name + "' is " + std::to_string(value) + ", outside its range " +
                            std::to_string(symbol.min) + " to " + std::to_string(symbol.max) + ".");
  }
  if (symbol.divisor > 1 && value % symbol.divisor != 0) {
    return invalid_argument("Dimension '" + symbol.name + "' is " + std::to_string(value) + ", not a multiple of " +
                            std::to_string(symbol.divisor) + ".");
  }
  return ok_status();
}

}  // namespace

Result<SymbolValues> complete_symbols(const Graph& graph, const SymbolValues& given) {
  SymbolValues symbols;
  std::string missing;
  for (const Symbol& symbol : graph.symbols) {
    auto it = given.find(symbol.name);
    if (it != given.end()) {
      TUFF_TRY(check_symbol(symbol, it->second));
      symbols[symbol.name] = it->second;
    } else if (symbol.min == symbol.max) {
      symbols[symbol.name] = symbol.min;
    } else {
      missing += (missing.empty() ? "'" : ", '") + symbol.name + "'";
    }
  }
  if (!missing.empty()) return invalid_argument("The model needs a value for the dimensions " + missing + ".");
  for (const auto& [name, value] : given) {
    if (!symbols.contains(name)) return invalid_argument("The model has no dimension '" + name + "'.");
  }
  return symbols;
}

Result<SymbolValues> solve_symbols(const Graph& graph, const std::vector<Shape>& input_shapes, const SymbolValues& given) {
  if (input_shapes.size() != graph.inputs.size()) {
    return invalid_argument("The model has " + std::to_string(graph.inputs.size()) + " inputs, " +
                            std::to_string(input_shapes.size()) + " shapes were given.");
  }
  SymbolValues symbols = given;
  for (size_t i = 0; i < input_shapes.size(); ++i) {
    const Value& input = graph.value(graph.inputs[i]);
    if (input.shape.size() != input_shapes[i].size()) {
      return invalid_argument("Input '" + input.name + "' is " + dims_text(input.shape) + ", the given shape is " +
                              shape_text(input_shapes[i]) + ".");
    }
    for (size_t axis = 0; axis < input.shape.size(); ++axis) learn(input.shape[axis], input_shapes[i][axis], symbols);
  }
  for (size_t i = 0; i < input_shapes.size(); ++i) {
    const Dims& shape = graph.value(graph.inputs[i]).shape;
    for (size_t axis = 0; axis < shape.size(); ++axis) search(shape[axis], input_shapes[i][axis], symbols);
  }
  // The shapes are checked before the ranges: an input that does not fit is the clearer message.
  for (size_t i = 0; i < input_shapes.size(); ++i) {
    const Value& input = graph.value(graph.inputs[i]);
    for (size_t axis = 0; axis < input.shape.size(); ++axis) {
      std::optional<int64_t> expected = input.shape[axis].evaluate(lookup(symbols));
      if (!expected || *expected == input_shapes[i][axis]) continue;  // unknown ones are told below
      return invalid_argument("Input '" + input.name + "' is " + dims_text(input.shape) + ", the given shape is " +
                              shape_text(input_shapes[i]) + ": axis " + std::to_string(axis) + " must be " +
                              std::to_string(*expected) + ".");
    }
  }
  return complete_symbols(graph, symbols);
}

Result<Shape> evaluate_shape(const Graph& graph, ValueId value, const SymbolValues& symbols) {
  Shape shape;
  for (const IntExpr& size : graph.value(value).shape) {
    std::optional<int64_t> number = size.evaluate(lookup(symbols));
    if (!number || *number < 0) {
      return invalid_argument("Size " + size.text() + " of '" + graph.value(value).name +
                              "' has no value with the given dimensions.");
    }
    shape.push_back(*number);
  }
  return shape;
}

}  // namespace tuff
