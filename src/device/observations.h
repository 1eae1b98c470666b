// Observations: what was learnt by running on a device; a text, empty by default, hashed into plan and cache keys. Written
// by tuning, by the probe and by quarantine, read by the stages after simplify.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "base/status.h"
#include "device/device_info.h"
#include "device/kernel_usage.h"

namespace tuff {

struct Observations {
  std::map<std::string, int64_t> rates;          // names of DeviceRates' members, measured
  std::map<std::string, std::string> schedules;  // kernel key -> schedule text that won
  std::set<std::string> quarantined;             // kernel keys that failed their test
  // By kernel key and schedule text: what the driver said of it, of several kernels the worst; at least one figure each.
  std::map<std::pair<std::string, std::string>, KernelUsage> compiled;
  bool empty() const { return rates.empty() && schedules.empty() && quarantined.empty() && compiled.empty(); }
  // Of registers, as the driver said; 0 of what it did not say, or says not to spill.
  int64_t spill_count(const std::string& key, const std::string& schedule) const;
};

std::string print(const Observations& observations);
Result<Observations> parse_observations(std::string_view text, const std::string& source_name);
Hash hash(const Observations& observations);

// The device at the rates that were measured.
DeviceInfo with_rates(DeviceInfo device, const Observations& observations);

}  // namespace tuff
