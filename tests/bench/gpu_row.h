// One measured workload: a line of JSON, and a row of the table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tuff::bench {

struct Kernel {
  std::string name, schedule;
  double ms = 0;
};

struct Row {
  std::string workload, what, engine = "tuff", status = "failed", why;
  bool small = false, by_host = false;
  std::string device, driver, commit, command;
  std::string clock;              // "device" or, where that has no timestamps, "host"
  std::vector<double> device_ms;  // medians of the same version measured twice: of the kernels alone,
  std::vector<double> host_ms;    // and of a whole run by the host's clock
  int run_count = 0;              // that each median is of
  uint64_t seed = 0;              // of the inputs
  double floor_ms = 0, bound_share = 0, error = 0;
  std::vector<Kernel> kernels;  // the longest ones
  int dispatch_count = 0;
};

double median(std::vector<double> values);
// With the date, as UTC.
std::string json_line(const Row& row);
// Without a line's end.
std::string table_row(const Row& row);
std::string table_head();

}  // namespace tuff::bench
