#include "backend/vulkan/kernel_usage.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace tuff::vulkan {
namespace {

struct StatisticName {
  std::string_view name;
  std::optional<int64_t> KernelUsage::*figure;  // several of one figure add up
};

// Mesa 22 to 26, and NVIDIA's own driver.
constexpr StatisticName kNames[] = {
    // RADV
    {"VGPRs", &KernelUsage::registers},
    {"Spilled SGPRs", &KernelUsage::spills},
    {"Spilled VGPRs", &KernelUsage::spills},
    {"Subgroups per SIMD", &KernelUsage::occupancy},
    {"LDS size", &KernelUsage::shared_bytes},
    // ANV; "Spill Count" before 25
    {"Max live registers", &KernelUsage::registers},
    {"Spills", &KernelUsage::spills},
    {"Spill Count", &KernelUsage::spills},
    {"Max dispatch width", &KernelUsage::occupancy},
    {"Workgroup Memory Size", &KernelUsage::shared_bytes},
    // NVK; its "Spills to reg" are predicates and uniforms in registers, a move and no memory
    {"Number of GPRs", &KernelUsage::registers},
    {"Spills to memory", &KernelUsage::spills},
    {"Max warps/SM", &KernelUsage::occupancy},
    // Turnip; stores to private memory, of which Tuff's kernels have none of their own
    {"Registers used", &KernelUsage::registers},
    {"STP Count", &KernelUsage::spills},
    {"Max Waves Per Core", &KernelUsage::occupancy},
    // V3DV
    {"TMU Spills", &KernelUsage::spills},
    {"Thread Count", &KernelUsage::occupancy},
    // NVIDIA; it tells no spills apart from other local memory
    {"Register Count", &KernelUsage::registers},
};

}  // namespace

KernelUsage usage_of(const std::vector<std::pair<std::string, std::string>>& statistics) {
  KernelUsage usage;
  for (const auto& [name, value] : statistics)
    for (const StatisticName& known : kNames) {
      if (known.name != name) continue;
      int64_t number = 0;
      const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
      if (read.ec == std::errc() && read.ptr == value.data() + value.size() && number >= 0)
        usage.*known.figure = (usage.*known.figure).value_or(0) + number;
    }
  return usage;
}

KernelUsage usage_of_best(const std::vector<KernelUsage>& executables) {
  const auto best = std::min_element(executables.begin(), executables.end(), [](const KernelUsage& a, const KernelUsage& b) {
    return a.spill_count() < b.spill_count();
  });
  return best == executables.end() ? KernelUsage() : *best;
}

}  // namespace tuff::vulkan
