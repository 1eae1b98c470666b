#include "kernel/schedule.h"

namespace tuff {

std::vector<int64_t> numbers_in(std::string_view text) {
  constexpr int64_t kLargest = 1 << 20;
  std::vector<int64_t> numbers;
  bool inside = false;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !inside) numbers.push_back(0);
    if (digit) numbers.back() = numbers.back() * 10 + (c - '0');
    if (digit && numbers.back() > kLargest) return {};
    inside = digit;
  }
  return numbers;
}

int64_t most_workgroups(const IntExpr& extent, int64_t tile) {
  const int64_t most = extent.interval().high;
  return most <= 0 ? 0 : (most - 1) / tile + 1;
}

const std::string* observed_schedule(const Observations* observations, const std::string& key) {
  if (!observations) return nullptr;
  const auto found = observations->schedules.find(key);
  return found == observations->schedules.end() ? nullptr : &found->second;
}

}  // namespace tuff
