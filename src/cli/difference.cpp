#include "cli/difference.h"

#include <cmath>
#include <cstring>

namespace tuff::cli {

Difference compare(const HostTensor& actual, const HostTensor& expected, const Tolerance& tolerance) {
  const double rtol = tolerance.rtol, atol = tolerance.atol;
  Difference d;
  d.count = actual.bytes.size() / dtype_size_bytes(actual.dtype);
  d.same_bits = actual.dtype == expected.dtype && actual.bytes.size() == expected.bytes.size() &&
                (actual.bytes.empty() || std::memcmp(actual.bytes.data(), expected.bytes.data(), actual.bytes.size()) == 0);
  uint64_t row = actual.shape.empty() || actual.shape.back() == 0 ? 1 : static_cast<uint64_t>(actual.shape.back());
  double dot = 0, actual_norm = 0, expected_norm = 0, worst_excess = -INFINITY;
  uint64_t actual_top = 0, expected_top = 0, same_tops = 0;
  for (uint64_t i = 0; i < d.count; ++i) {
    double a = element(actual, i), e = element(expected, i);
    bool same = a == e || (std::isnan(a) && std::isnan(e));
    double abs = same ? 0 : std::fabs(a - e);
    if (std::isnan(abs)) abs = INFINITY;  // a maximum would drop NaN again
    const double allowed = atol + rtol * std::fabs(e);
    double excess = same ? -atol : abs - allowed;
    if (std::isnan(excess)) excess = INFINITY;  // a number where Inf is due
    if (!same && excess > 0) ++d.beyond;
    const double share = same ? 0 : excess == INFINITY || allowed == 0 ? INFINITY : abs / allowed;
    d.share = std::fmax(d.share, share);
    if (excess > worst_excess) {
      worst_excess = excess;
      d.worst = i;
    }
    d.max_abs = std::fmax(d.max_abs, abs);
    const double rel = same ? 0 : abs / std::fabs(e);
    d.max_rel = std::fmax(d.max_rel, std::isnan(rel) ? INFINITY : rel);
    dot += a * e;
    actual_norm += a * a;
    expected_norm += e * e;
    if (i % row == 0 || a > element(actual, actual_top)) actual_top = i;
    if (i % row == 0 || e > element(expected, expected_top)) expected_top = i;
    if (i % row == row - 1) same_tops += actual_top == expected_top;
  }
  const auto row_count = d.count / row;
  if (d.count > 0) d.top_agreement = static_cast<double>(same_tops) / static_cast<double>(row_count);
  double norms = std::sqrt(actual_norm) * std::sqrt(expected_norm);
  d.cosine = norms > 0 ? dot / norms : (actual_norm == expected_norm ? 1 : 0);
  return d;
}

}  // namespace tuff::cli
