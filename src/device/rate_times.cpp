#include "device/rate_times.h"

#include <algorithm>

namespace tuff {
namespace {

int64_t at_rate(int64_t count, int64_t per_us) {
  return static_cast<int64_t>(
      std::min<__int128>(static_cast<__int128>(count) * 1000 / std::max<int64_t>(1, per_us), INT64_MAX));
}

}  // namespace

int64_t memory_ns(int64_t bytes, const DeviceInfo& device) { return at_rate(bytes, device.rates.dram_bytes_per_us); }
int64_t cache_ns(int64_t bytes, const DeviceInfo& device) { return at_rate(bytes, device.rates.cache_bytes_per_us); }
int64_t arithmetic_ns(int64_t operations, const DeviceInfo& device) { return at_rate(operations, device.rates.fma_per_us); }
int64_t matrix_ns(int64_t multiply_adds, const DeviceInfo& device) {
  return at_rate(multiply_adds, device.rates.matrix_fma_per_us);
}

}  // namespace tuff
