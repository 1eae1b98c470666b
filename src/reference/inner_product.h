// The one loop nest behind contractions and convolutions.
//
//   out[out_batch + out_m + out_n] = sum over k, in order, of a[a_batch + a_m + a_k] * b[b_batch + b_n + b_k]
//
// with every part an offset from a table, so that labels, strides, dilations and groups are the tables' business.
// Several outputs are computed side by side; the order of each one's sum does not change.
#pragma once

#include "reference/array.h"

namespace tuff {

struct InnerProduct {
  std::vector<int64_t> a_batch, b_batch, out_batch;  // one length
  std::vector<int64_t> a_m, out_m;                   // one length
  std::vector<int64_t> b_n, out_n;                   // one length
  std::vector<int64_t> a_k, b_k;                     // one length
  int64_t chunk_length = 0;                          // 0: serial
};

Result<InnerProduct> with_order(InnerProduct product, const SumOrder& order);

// All of one storage dtype, not bool; out is contiguous.
void inner_products(const InnerProduct& product, const Array& a, const Array& b, Array& out, int thread_count);

}  // namespace tuff
