// The names that drivers give to what a kernel takes: each has its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "device/kernel_usage.h"

namespace tuff::vulkan {

// Of one executable's statistics, names and values as the driver gives them; empty where none of them is known.
KernelUsage usage_of(const std::vector<std::pair<std::string, std::string>>& statistics);

// Of the executables that a driver made of one kernel, at several widths. Which of them runs is not told: with the fewest
// spills, as no driver prefers one that spills to one that does not.
KernelUsage usage_of_best(const std::vector<KernelUsage>& executables);

}  // namespace tuff::vulkan
