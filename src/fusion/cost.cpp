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

bool can_exchange_loads(const DeviceInfo& device) {
  const int64_t lanes = device.subgroup_size;
  return device.subgroup_ballot && lanes >= 4 && lanes <= 16 && device.min_subgroup_size == lanes &&
         device.max_subgroup_size == lanes;
}

bool exchanges_loads(const DeviceInfo& device) { return device.rates.loads_cost_lanes && can_exchange_loads(device); }

int64_t load_cost(const DeviceInfo& device, int64_t width) { return device.rates.loads_cost_lanes ? 12 : width; }

// Where shared memory is plain memory, a workgroup's invocations take turns between barriers, and what they hold is in memory,
// too. On llvmpipe 22.3 the taps of a depthwise convolution took 3.5 times as long in a kernel with a barrier behind them as in
// one without.
int64_t barrier_cost(const DeviceInfo& device, int64_t operations) {
  return device.rates.shared_memory_on_chip ? operations : 4 * operations;
}

int64_t busy_ns(int64_t bytes, int64_t cache_bytes, int64_t operations, int64_t workgroups, const DeviceInfo& device) {
  const int64_t work = std::max({memory_ns(bytes, device), cache_ns(cache_bytes, device), arithmetic_ns(operations, device)});
  const int64_t wanted = 2 * device.rates.compute_units;
  return device.rates.launch_ns + (workgroups < wanted ? work / std::max<int64_t>(1, workgroups) * wanted : work);
}

}  // namespace tuff
