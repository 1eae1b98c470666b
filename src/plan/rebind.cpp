// rebind(): the numbers of a bound plan that dynamic dimensions change, for one set of their sizes.
#include <algorithm>

#include "base/checked.h"
#include "plan/hazards.h"
#include "plan/plan.h"
#include "plan/sizes.h"

namespace tuff {
namespace {

struct Rebinder {
  const BoundPlan& bound;
  const std::map<std::string, int64_t>& symbols;
  BoundSizes& sizes;

  // Without a string of its own, which might allocate.
  Result<int64_t> value_of(const DynamicNumber& number) const {
    const std::optional<int64_t> value = number.value.evaluate([this](std::string_view name) -> std::optional<int64_t> {
      for (const auto& [symbol, size] : symbols)
        if (symbol == name) return size;
      return std::nullopt;
    });
    if (!value)
      return limit_exceeded("The size " + number.value.text() + " cannot be computed: it overflows or divides by zero.");
    return *value;
  }

  Status check_symbols() const {
    for (const Symbol& s : bound.dynamics.symbols) {
      auto it = symbols.find(s.name);
      if (it == symbols.end()) return invalid_argument("No size was given for the dimension '" + s.name + "'.");
      TUFF_TRY(check_size(s, it->second));
    }
    return ok_status();
  }

  Status set_tensors(const std::vector<DynamicNumber>& numbers, std::vector<BoundTensor>& tensors) const {
    for (const DynamicNumber& number : numbers) {
      TUFF_ASSIGN(const int64_t extent, value_of(number));
      if (extent < 0)
        return invalid_argument("The size " + number.value.text() + " of " + tensors[number.of].name + " would be " +
                                std::to_string(extent) + ".");
      tensors[number.of].shape[number.at] = extent;
    }
    for (const DynamicNumber& number : numbers) TUFF_TRY(set_storage_bytes(tensors[number.of]));
    return ok_status();
  }

  Status set_grids() const {
    for (const DynamicNumber& number : bound.dynamics.grids) {
      TUFF_ASSIGN(const int64_t count, value_of(number));
      sizes.grids[number.of][number.at] = static_cast<uint32_t>(std::max<int64_t>(count, 0));
    }
    return ok_status();
  }

  Status check_bytes() const {
    for (const DynamicNumber& number : bound.dynamics.bytes) {
      const std::array<uint32_t, 3>& grid = sizes.grids[number.of];
      if (std::find(grid.begin(), grid.end(), 0u) != grid.end()) continue;
      TUFF_ASSIGN(const int64_t bytes, value_of(number));
      if (bytes < 0)
        return limit_exceeded("A value of " + number.value.text() + " bytes would have " + std::to_string(bytes) + ".");
    }
    return ok_status();
  }

  Status set_parameters() const {
    for (const DynamicNumber& number : bound.dynamics.parameters) {
      TUFF_ASSIGN(const int64_t v, value_of(number));
      if (v < INT32_MIN || v > INT32_MAX)
        return limit_exceeded("A parameter, " + number.value.text() + " = " + std::to_string(v) + ", does not fit 32 bits.");
      sizes.parameters[number.of] = static_cast<int32_t>(v);
    }
    return ok_status();
  }
};

}  // namespace

Status check_size(const Symbol& dimension, int64_t size) {
  if (size >= dimension.min && size <= dimension.max && size % dimension.divisor == 0) return ok_status();
  return invalid_argument("The dimension '" + dimension.name + "' is " + std::to_string(size) + "; the program takes " +
                          std::to_string(dimension.min) + " to " + std::to_string(dimension.max) +
                          (dimension.divisor > 1 ? " in steps of " + std::to_string(dimension.divisor) : "") + ".");
}

Status set_storage_bytes(BoundTensor& tensor) {
  int64_t bytes = dtype_size_bytes(tensor.dtype);
  for (const int64_t extent : tensor.shape) {
    const auto product = checked_multiply(bytes, extent);
    if (!product) return limit_exceeded(tensor.name + " has more bytes than 64 bits count.");
    bytes = *product;
  }
  tensor.storage_bytes = range_bytes(bytes);
  return ok_status();
}

Result<std::vector<Symbol>> dynamic_symbols(const Graph& graph, const std::vector<std::string>& names) {
  std::vector<Symbol> symbols;
  for (const std::string& name : names) {
    auto has_name = [&](const Symbol& s) { return s.name == name; };
    if (std::any_of(symbols.begin(), symbols.end(), has_name)) continue;
    const auto found = std::find_if(graph.symbols.begin(), graph.symbols.end(), has_name);
    if (found == graph.symbols.end()) return invalid_argument("The model has no dimension '" + name + "'.");
    if (found->max >= Symbol::kMax)
      return invalid_argument("The dimension '" + name + "' has no upper bound: as a dynamic one it needs one, for which its " +
                              "memory is made.");
    Symbol symbol = *found;
    symbol.min = round_up(symbol.min, symbol.divisor);
    symbol.max = symbol.max / symbol.divisor * symbol.divisor;
    symbols.push_back(std::move(symbol));
  }
  return symbols;
}

BoundSizes largest_sizes(const BoundPlan& bound) {
  BoundSizes sizes{{}, bound.parameters, bound.inputs, bound.outputs};
  for (const BoundDispatch& dispatch : bound.dispatches) sizes.grids.push_back(dispatch.grid);
  return sizes;
}

Status rebind(const BoundPlan& bound, const std::map<std::string, int64_t>& symbols, BoundSizes& sizes) {
  const Rebinder rebinder{bound, symbols, sizes};
  TUFF_TRY(rebinder.check_symbols());
  TUFF_TRY(rebinder.set_tensors(bound.dynamics.inputs, sizes.inputs));
  TUFF_TRY(rebinder.set_tensors(bound.dynamics.outputs, sizes.outputs));
  TUFF_TRY(rebinder.set_grids());
  TUFF_TRY(rebinder.check_bytes());
  return rebinder.set_parameters();
}

BoundPlan at_sizes(const BoundPlan& bound, const std::map<std::string, int64_t>& symbols, const BoundSizes& sizes) {
  BoundPlan plan = bound;
  plan.symbols = symbols;
  plan.parameters = sizes.parameters;
  plan.dynamics = {};
  for (size_t d = 0; d < plan.dispatches.size(); ++d) plan.dispatches[d].grid = sizes.grids[d];
  std::erase_if(plan.dispatches, [](const BoundDispatch& dispatch) {
    return std::find(dispatch.grid.begin(), dispatch.grid.end(), 0u) != dispatch.grid.end();
  });
  place_barriers(plan);
  return plan;
}

}  // namespace tuff
