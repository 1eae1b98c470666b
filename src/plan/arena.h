// Arena: offsets for values that live only between steps. Values whose lives do not meet share bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tuff {

struct ArenaValue {
  uint64_t size_bytes = 0;
  size_t first = 0, last = 0;  // the dispatches between which it lives, inclusive
  uint64_t offset = 0;         // out
};

// Places every value, largest first, at the lowest offset that is free for its whole life; returns the size of the arena.
// The result depends on the order of equal sizes alone, so it is the same everywhere.
uint64_t place_in_arena(std::vector<ArenaValue>& values, uint64_t alignment);

}  // namespace tuff
