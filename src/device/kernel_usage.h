// What a driver says of a kernel that it compiled, in its own units: figures of one driver compare, those of two do not.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tuff {

// Each figure only where the driver tells it.
struct KernelUsage {
  std::optional<int64_t> registers;     // an invocation or a thread takes, as many as live at once
  std::optional<int64_t> spills;        // of registers to memory; 0: it fits
  std::optional<int64_t> occupancy;     // subgroups that a core runs at a time; of Intel, lanes a thread
  std::optional<int64_t> shared_bytes;  // a workgroup
  friend bool operator==(const KernelUsage&, const KernelUsage&) = default;
  bool empty() const { return *this == KernelUsage(); }
  int64_t spill_count() const { return spills.value_or(0); }
};

// The figures by the names that texts have of them.
struct UsageField {
  std::string_view name;
  std::optional<int64_t> KernelUsage::*figure;
};
inline constexpr std::array<UsageField, 4> kUsageFields = {{{"registers", &KernelUsage::registers},
                                                            {"spills", &KernelUsage::spills},
                                                            {"occupancy", &KernelUsage::occupancy},
                                                            {"shared_bytes", &KernelUsage::shared_bytes}}};

}  // namespace tuff
