// Two ways of doing one thing, timed in turn: what slows a machine for a while slows both, so that the ratio of a pair tells
// what their times do not.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tuff::cli {

class PairedTimes {
 public:
  void add(uint64_t before_ns, uint64_t after_ns) {
    before_ns_.push_back(before_ns);
    after_ns_.push_back(after_ns);
  }
  size_t count() const { return before_ns_.size(); }
  // Medians; those of no pair are 0, and their ratio 1.
  uint64_t before_ns() const { return median(before_ns_); }
  uint64_t after_ns() const { return median(after_ns_); }
  // Of the pairs' ratios, after to before.
  double ratio() const {
    const std::vector<double> all = ratios();
    return all.empty() ? 1 : median(all);
  }
  // By `gain` at least, a share, in the middle, and in more pairs than chance makes of them, by a sign test: 5 of 5 pairs, 8 of
  // 10, 26 of 40.
  bool is_faster(double gain) const {
    const std::vector<double> all = ratios();
    const auto count = static_cast<std::ptrdiff_t>(all.size());
    const std::ptrdiff_t won = std::count_if(all.begin(), all.end(), [](double r) { return r < 1; });
    const std::ptrdiff_t lead = 2 * won - count;
    return count != 0 && ratio() <= 1 - gain && lead > 0 && lead * lead >= 3 * count;
  }

 private:
  template <class T>
  static T median(std::vector<T> samples) {
    if (samples.empty()) return {};
    std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2), samples.end());
    return samples[samples.size() / 2];
  }
  std::vector<double> ratios() const {
    std::vector<double> all;
    for (size_t i = 0; i < before_ns_.size(); ++i)
      all.push_back(static_cast<double>(std::max<uint64_t>(after_ns_[i], 1)) /
                    static_cast<double>(std::max<uint64_t>(before_ns_[i], 1)));
    return all;
  }

  std::vector<uint64_t> before_ns_, after_ns_;
};

}  // namespace tuff::cli
