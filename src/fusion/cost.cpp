#include "fusion/cost.h"

#include <algorithm>

#include "base/checked.h"
#include "layout/storage.h"

namespace tuff {

int64_t typical(const IntExpr& e) {
  if (e.is_constant()) return e.constant();
  std::vector<Symbol> symbols = e.symbols();
  auto value = e.evaluate([&](std::string_view name) -> std::optional<int64_t> {
    for (const Symbol& s : symbols)
      if (s.name == name) return std::clamp<int64_t>(256, s.min, s.max);
    return std::nullopt;
  });
  return value.value_or(0);
}

int64_t typical_bytes(const Graph& graph, ValueId value) {
  const Value& v = graph.value(value);
  return typical(product(v.shape)) * dtype_size_bytes(v.dtype);
}

}  // namespace tuff
