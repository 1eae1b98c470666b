// A profile as the command shows it: as a table, as JSON and as a page.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tuff/tuff.hpp>

namespace tuff::cli {

struct ProfiledKernel {
  tuff_kernel_profile_t as = TUFF_KERNEL_PROFILE_INIT;
  std::string name, nodes, skeleton, schedule, tuning_key, alternatives, source, decisions;
  double share = 0;  // of the time of all kernels

  uint64_t bytes() const { return as.bytes_read + as.bytes_written; }
};

struct ProfileReport {
  std::string model, device, driver, options, version;
  int64_t warmup_count = 0;
  tuff_profile_info_t info = TUFF_PROFILE_INFO_INIT;
  std::vector<ProfiledKernel> kernels;  // in run order
  uint64_t time_ns = 0;                 // the sum of the kernels' medians
};

ProfileReport make_report(const Profile& profile);

// 10^9 a second, of a count in so many nanoseconds; 0 where no time was seen.
double per_ns(uint64_t count, uint64_t time_ns);
// The larger of the shares of the device's two rates that were reached.
double share_of_roof(const ProfileReport& report, const ProfiledKernel& kernel);
const char* bound_name(tuff_bound_t bound);
// What the times are by.
const char* clock_text(const ProfileReport& report);
std::string fixed(double value, int decimals);

std::string profile_table(const ProfileReport& report, bool by_time);
std::string profile_json(const ProfileReport& report);
// One HTML page that needs nothing else.
std::string profile_page(const ProfileReport& report);

}  // namespace tuff::cli
