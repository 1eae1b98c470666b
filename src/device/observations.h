// Observations: what was learnt by running on a device; a text, empty by default, hashed into plan and cache keys. Written
// by tuning, by the probe and by quarantine, read by the stages after simplify.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/status.h"
#include "device/device_info.h"

namespace tuff {

struct Observations {
  std::map<std::string, int64_t> rates;          // names of DeviceRates' members, measured
  std::map<std::string, std::string> schedules;  // kernel key -> schedule text that won
  std::set<std::string> quarantined;             // kernel keys that failed their test
  bool empty() const { return rates.empty() && schedules.empty() && quarantined.empty(); }
};

std::string print(const Observations& observations);
Result<Observations> parse_observations(std::string_view text, const std::string& source_name);
Hash hash(const Observations& observations);

// The device at the rates that were measured.
DeviceInfo with_rates(DeviceInfo device, const Observations& observations);

}  // namespace tuff
