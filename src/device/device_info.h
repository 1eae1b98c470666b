// DeviceInfo: everything the stages may know of a device. It prints to a text and parses back, so that a plan for a
// device that is not in this machine can be made and looked at (--as FILE); tests/devices holds texts of real ones.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/status.h"

namespace tuff {

enum class DeviceKind : uint8_t { kOther, kIntegrated, kDiscrete, kVirtual, kSoftware };

std::string_view device_kind_name(DeviceKind kind);  // "discrete"

struct MatrixShape {  // one supported cooperative matrix product
  uint32_t m, n, k;
  std::string a, b, c, result;  // dtype names
};

// Rates for the cost model. The defaults follow from the kind; Observations may replace them.
struct DeviceRates {
  int64_t compute_units = 16;
  int64_t dram_bytes_per_us = 50'000;
  int64_t cache_bytes_per_us = 200'000;
  int64_t cache_bytes = 1 << 20;
  int64_t fma_per_us = 1'000'000;  // f32 multiply-adds
  int64_t matrix_fma_per_us = 0;   // multiply-adds of f16 into f32 on matrix units; 0: not known to be faster
  int64_t launch_ns = 3'000;       // one dispatch and its barrier
  int64_t registers_per_lane = 128;
  bool loads_cost_lanes = false;      // true: a load costs each lane of a subgroup its own, as no unit joins neighbours
  bool texel_loads = false;           // true: a fetch from a texel buffer is cheaper than a load from a storage buffer
  bool shared_memory_on_chip = true;  // false: shared memory is plain memory, staging through it buys nothing
};

struct DeviceInfo {
  std::string name;
  DeviceKind kind = DeviceKind::kOther;
  uint32_t vendor_id = 0, device_id = 0;
  std::string driver_name, driver_version;  // version as the driver prints it
  std::string uuid;                         // 32 hex digits: pipeline cache UUID; with driver_version the cache key
  std::string device_uuid;                  // 32 hex digits, as `--device` takes it
  uint32_t api_version_major = 1, api_version_minor = 1;

  // Limits, in Vulkan's own guarantees where nothing else is known.
  int64_t max_storage_buffer_bytes = int64_t{1} << 27;
  int64_t max_uniform_buffer_bytes = 16384;
  int64_t max_push_constant_bytes = 128;
  int64_t max_buffer_bytes = int64_t{1} << 30;
  int64_t max_allocation_bytes = int64_t{1} << 30;
  int64_t max_storage_buffers = 4;  // a stage
  int64_t max_texel_buffers = 16;   // a stage, uniform ones, beside all its storage buffers
  int64_t max_texel_buffer_elements = 65536;
  int64_t max_shared_bytes = 16384;
  int64_t max_workgroup_invocations = 128;
  std::array<int64_t, 3> max_workgroup_size = {128, 128, 64};
  std::array<int64_t, 3> max_workgroup_count = {65535, 65535, 65535};
  int64_t storage_offset_alignment = 256;
  int64_t uniform_offset_alignment = 256;
  int64_t texel_offset_alignment = 256;
  int64_t non_coherent_atom_bytes = 256;
  int64_t device_memory_bytes = 0;  // of the largest device-local heap
  double timestamp_period_ns = 0;   // 0: no timestamps
  int64_t compute_units = 0;        // multiprocessors or shader cores as the driver counts them; 0: it does not say

  int64_t subgroup_size = 32, min_subgroup_size = 32, max_subgroup_size = 32;
  bool subgroup_size_control = false;
  bool subgroup_arithmetic = false, subgroup_ballot = false, subgroup_shuffle = false;

  int64_t max_loop_rounds = 0;  // of all loops of an invocation together, after which loops end early; 0: no limit

  bool unified_memory = false;  // device-local memory that the host can map
  bool float16 = false, float64 = false, int8 = false, int16 = false, int64 = false;
  bool storage8 = false, storage16 = false;
  bool integer_dot_product = false;        // of packed 4x8 bits, both signed or both unsigned, faster than its emulation
  bool integer_dot_product_mixed = false;  // and of signed with unsigned ones
  bool denorm_flush_f32 = false, denorm_preserve_f32 = false, rounding_rte_f32 = false, signed_zero_inf_nan_f32 = false;
  bool denorm_preserve_f16 = false;  // also where nothing is asked for f32
  bool denorm_preserve_f64 = false;  // to be asked for together with f16's
  bool pipeline_executable_properties = false;
  std::vector<MatrixShape> matrix_shapes;

  DeviceRates rates;
};

// How many texel buffers a kernel may read values through: none where it does not pay, or where a view does not reach
// whatever a storage buffer reaches.
int64_t usable_texel_buffers(const DeviceInfo& info);
// Does the device widen denormal halves as they are, if asked to where it has a mode for it?
bool keeps_denormal_halves(const DeviceInfo& info);
// What offsets of values in buffers are multiples of.
int64_t buffer_offset_alignment(const DeviceInfo& info);

// Fills rates from kind, limits and names.
DeviceRates default_rates(const DeviceInfo& info);

// One "name value" a line. Rates are printed only where they differ from default_rates(), so that a text of a device stays
// true when the defaults get better; a field that a text leaves out has the default above.
std::string print(const DeviceInfo& info);
// INVALID_ARGUMENT naming source and line for an unknown or repeated field, or a value that no device can have.
Result<DeviceInfo> parse_device_info(std::string_view text, const std::string& source_name);
Hash hash(const DeviceInfo& info);

}  // namespace tuff
