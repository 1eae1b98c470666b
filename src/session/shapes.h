// What sizes say of a model's symbols, and symbols of its sizes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace tuff {

using Shape = std::vector<int64_t>;
using SymbolValues = std::map<std::string, int64_t>;

// The symbols' values that give the inputs these shapes (one an input, in order). INVALID_ARGUMENT names the input and the
// axis where a shape does not fit, and the symbols that no input's shape gives and that have more than one value.
// `given`: symbols that the shapes may leave open.
Result<SymbolValues> solve_symbols(const Graph& graph, const std::vector<Shape>& input_shapes, const SymbolValues& given = {});

// Fills in symbols whose range is a single number, and checks names, ranges and divisors.
Result<SymbolValues> complete_symbols(const Graph& graph, const SymbolValues& given);

Result<Shape> evaluate_shape(const Graph& graph, ValueId value, const SymbolValues& symbols);

}  // namespace tuff
