// How fast a device is, by models that are made to show it. What comes out are the rates of kernels as Tuff makes them, which
// is what its cost model wants to know, and less than a device's data sheet says.
#pragma once

#include <tuff/tuff.hpp>

namespace tuff::cli {

// Members of DeviceRates.
struct MeasuredRates {
  int64_t dram_bytes_per_us = 0;
  int64_t fma_per_us = 0;
  int64_t launch_ns = 0;
};

// `options`: where compiled kernels are kept, and how they are compiled.
Result<MeasuredRates> measure_rates(const Device& device, ProgramOptions options);

}  // namespace tuff::cli
