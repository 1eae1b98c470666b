// What a kernel costs on a device, in integer nanoseconds: launch + max(memory, arithmetic). Sizes that are symbolic are
// taken at a typical value, the same for every device, so that the same inputs give the same plan.
#pragma once

#include "device/rate_times.h"
#include "graph/graph.h"

namespace tuff {

// 256 for a free symbol, or the nearest value inside its range.
int64_t typical(const IntExpr& e);
int64_t typical_bytes(const Graph& graph, ValueId value);

// Do the device's subgroups let lanes pass each other what they load: are all of one size, which a workgroup may be?
bool can_exchange_loads(const DeviceInfo& device);
// And does it pay, since each lane pays for its own loads?
bool exchanges_loads(const DeviceInfo& device);
// Instructions where it does, as llvmpipe has them.
struct ExchangeCost {
  static constexpr int64_t kLoad = 24, kBroadcast = 2, kMultiplyAdd = 2;
};
// Multiply-adds that a load of a vector costs as much as.
int64_t load_cost(const DeviceInfo& device, int64_t width);
// What operations before a barrier cost as much as.
int64_t barrier_cost(const DeviceInfo& device, int64_t operations);
// A kernel's time: launch + max(memory, cache, arithmetic), longer where workgroups are fewer than two a core.
int64_t busy_ns(int64_t bytes, int64_t cache_bytes, int64_t operations, int64_t workgroups, const DeviceInfo& device);

}  // namespace tuff
