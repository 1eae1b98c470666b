// The time that has passed on the host.
#pragma once

#include <chrono>
#include <cstdint>

namespace tuff::cli {

inline uint64_t clock_ns() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

}  // namespace tuff::cli
