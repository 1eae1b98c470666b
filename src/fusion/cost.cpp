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

namespace {

int64_t at_rate(int64_t count, int64_t per_us) {
  return static_cast<int64_t>(static_cast<__int128>(count) * 1000 / std::max<int64_t>(1, per_us));
}

}  // namespace

int64_t memory_ns(int64_t bytes, const DeviceInfo& device) { return at_rate(bytes, device.rates.dram_bytes_per_us); }
int64_t cache_ns(int64_t bytes, const DeviceInfo& device) { return at_rate(bytes, device.rates.cache_bytes_per_us); }
int64_t arithmetic_ns(int64_t operations, const DeviceInfo& device) { return at_rate(operations, device.rates.fma_per_us); }

}  // namespace tuff
