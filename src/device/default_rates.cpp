// Rates from what is known of a device: its row of rates.def, else its vendor and kind. The figures of the two switches
// below are estimates; tuning replaces them through Observations.
#include "device/device_info.h"

#include "device/text_match.h"

namespace tuff {
namespace {

struct Row {
  uint32_t vendor_id;
  std::string_view names;
  int64_t units, gb_per_s, cache_mib;
  double tflops;
};
constexpr Row kDefaultRates[] = {
#define TUFF_RATES(vendor_id, names, units, gb_per_s, cache_mib, tflops, source) \
  {vendor_id, names, units, gb_per_s, cache_mib, tflops},
#include "device/rates.def"
#undef TUFF_RATES
};

constexpr uint32_t kAmd = 0x1002, kNvidia = 0x10de, kIntel = 0x8086, kArm = 0x13b5, kQualcomm = 0x5143, kBroadcom = 0x14e4;

DeviceRates rates_of_kind(DeviceKind kind) {
  DeviceRates r;
  switch (kind) {
    case DeviceKind::kDiscrete:
    case DeviceKind::kVirtual:
      r = {.compute_units = 32,
           .dram_bytes_per_us = 400'000,
           .cache_bytes_per_us = 1'600'000,
           .cache_bytes = 4 << 20,
           .fma_per_us = 6'000'000,
           .launch_ns = 3'000};
      break;
    case DeviceKind::kIntegrated:
    case DeviceKind::kOther:
      r = {.compute_units = 8,
           .dram_bytes_per_us = 50'000,
           .cache_bytes_per_us = 150'000,
           .cache_bytes = 1 << 20,
           .fma_per_us = 800'000,
           .launch_ns = 6'000};
      break;
    case DeviceKind::kSoftware:
      // A few host cores whose number DeviceInfo must not depend on. Shared memory is plain memory, and registers above
      // the host's own sixteen live on the stack, in its first cache.
      r = {.compute_units = 2,
           .dram_bytes_per_us = 10'000,
           .cache_bytes_per_us = 60'000,
           .cache_bytes = 4 << 20,
           .fma_per_us = 20'000,
           .launch_ns = 20'000,
           .registers_per_lane = 192,
           .loads_cost_lanes = true,
           .shared_memory_on_chip = false};
      break;
  }
  return r;
}

// What a driver's count of units is worth, and how many registers a lane has before occupancy halves or values spill.
struct VendorRates {
  uint32_t vendor_id;
  int64_t fma_per_unit_us;  // lanes x clock in MHz
  int64_t registers_per_lane;
  int64_t launch_ns;  // 0: as the kind
  // How many multiply-adds of f16 into f32 matrix units do while the others do one of f32, by the makers' peak figures: the
  // least of each maker's GPUs that have such units (GeForce 2, Radeon 4, Arc 8; data-centre GPUs have 16).
  int64_t matrix_factor;
};
constexpr VendorRates kVendors[] = {
    {kNvidia, 128 * 1500, 128, 0, 2},
    {kAmd, 64 * 1800, 128, 0, 4},
    {kIntel, 128 * 1800, 96, 0, 8},   // 8x8 tiles drop the compiler to 8 lanes a thread
    {kArm, 64 * 800, 64, 15'000, 2},  // 8x8 tiles spill on Bifrost
    {kQualcomm, 128 * 600, 96, 15'000, 2},
    {kBroadcom, 16 * 900, 64, 30'000, 0},  // 64 registers a lane, and nothing to spill to but memory
};

}  // namespace

DeviceRates default_rates(const DeviceInfo& info) {
  DeviceRates r = rates_of_kind(info.kind);
  const VendorRates* vendor = nullptr;
  for (const VendorRates& v : kVendors)
    if (v.vendor_id == info.vendor_id && info.kind != DeviceKind::kSoftware) vendor = &v;
  if (vendor != nullptr) {
    r.registers_per_lane = vendor->registers_per_lane;
    // GCN: 256 registers a lane, for all waves of 64 that a SIMD holds, where RDNA has 1024 for waves of 32.
    if (info.vendor_id == kAmd && info.min_subgroup_size == 64) r.registers_per_lane = 64;
    if (vendor->launch_ns != 0) r.launch_ns = vendor->launch_ns;
    if (info.compute_units > 0) r.fma_per_us = info.compute_units * vendor->fma_per_unit_us;
  }
  for (const Row& row : kDefaultRates) {
    if (row.vendor_id != info.vendor_id || !contains_any(info.name, row.names)) continue;
    r.compute_units = row.units;
    r.dram_bytes_per_us = row.gb_per_s * 1000;
    // No maker publishes its cache's rate; measured ones lie between two and six times memory's.
    r.cache_bytes_per_us = r.dram_bytes_per_us * 3;
    r.cache_bytes = row.cache_mib << 20;
    r.fma_per_us = static_cast<int64_t>(row.tflops * 500'000);
    break;
  }
  if (info.compute_units > 0) r.compute_units = info.compute_units;
  if (vendor != nullptr && !info.matrix_shapes.empty()) r.matrix_fma_per_us = r.fma_per_us * vendor->matrix_factor;
  // Mesa's llvmpipe loads from storage buffers lane by lane in a loop; a texel fetch gathers and transposes all lanes at
  // once (ten times as fast with 22.3, twice with 26.1).
  if (info.kind == DeviceKind::kSoftware && contains_any(info.driver_name, "llvmpipe")) r.texel_loads = true;
  return r;
}

}  // namespace tuff
