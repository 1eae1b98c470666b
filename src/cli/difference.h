// How far a tensor is from what it should be.
#pragma once

#include "cli/host_tensor.h"

namespace tuff::cli {

// What may differ: |actual - expected| <= atol + rtol*|expected|, or no bit at all.
struct Tolerance {
  double rtol = 1e-3, atol = 1e-4;
  bool bits = false;
};

struct Difference {
  uint64_t count = 0;
  double max_abs = 0, max_rel = 0, cosine = 1;  // the errors are infinite where NaN meets a number
  double share = 0;                             // the largest |actual - expected| over what the tolerance allows there
  double top_agreement = 1;  // of rows along the last axis, how many have their largest element at the same place
  uint64_t worst = 0;        // the index that is furthest beyond the tolerance
  uint64_t beyond = 0;       // how many are
  bool same_bits = true;
};

// Of two tensors of one shape; NaN is equal to NaN only.
Difference compare(const HostTensor& actual, const HostTensor& expected, const Tolerance& tolerance);

inline bool within(const Difference& d, const Tolerance& tolerance) { return tolerance.bits ? d.same_bits : d.beyond == 0; }

}  // namespace tuff::cli
