#include "plan/arena.h"

#include <algorithm>
#include <numeric>

namespace tuff {

uint64_t place_in_arena(std::vector<ArenaValue>& values, uint64_t alignment) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a].size_bytes > values[b].size_bytes; });
  auto aligned = [&](uint64_t v) { return (v + alignment - 1) / alignment * alignment; };
  uint64_t arena = 0;
  std::vector<size_t> placed;
  for (size_t v : order) {
    ArenaValue& value = values[v];
    // The placed values that live at the same time, by offset: the first gap that is wide enough.
    std::vector<size_t> alive;
    for (size_t p : placed)
      if (values[p].first <= value.last && value.first <= values[p].last) alive.push_back(p);
    std::sort(alive.begin(), alive.end(), [&](size_t a, size_t b) { return values[a].offset < values[b].offset; });
    uint64_t offset = 0;
    for (size_t p : alive) {
      if (offset + value.size_bytes <= values[p].offset) break;
      offset = std::max(offset, aligned(values[p].offset + values[p].size_bytes));
    }
    value.offset = offset;
    arena = std::max(arena, offset + value.size_bytes);
    placed.push_back(v);
  }
  return aligned(arena);
}

}  // namespace tuff
