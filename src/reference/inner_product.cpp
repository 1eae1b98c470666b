#include "reference/inner_product.h"

#include <algorithm>

#include "reference/combine.h"

namespace tuff {
namespace {

// Outputs computed together: a block of kRows x kColumns accumulators stays in registers along the whole sum.
constexpr int64_t kRows = 4;
constexpr int64_t kStrip = 8;
template <class T>
constexpr int64_t kColumns = 32 / static_cast<int64_t>(sizeof(T) < 4 ? 4 : sizeof(T));

template <class T>
T operand(T x) {
  if constexpr (std::is_same_v<T, float>)
    return numerics::tuff_flush_inner(x);
  else
    return x;
}

template <class T>
T result(T x) {
  if constexpr (std::is_same_v<T, float>)
    return numerics::tuff_canonical_nan(x);
  else
    return x;
}

// panel[k][lane] = x[offsets[first + lane] + along[k]]; lanes beyond the offsets are 0.
template <class T>
void pack(const T* x, const std::vector<int64_t>& offsets, int64_t first, int64_t lanes, const std::vector<int64_t>& along,
          T* panel) {
  int64_t n = std::min(lanes, static_cast<int64_t>(offsets.size()) - first);
  const int64_t* offset = offsets.data() + first;
  for (size_t k = 0; k < along.size(); ++k, panel += lanes) {
    const T* from = x + along[k];
    for (int64_t l = 0; l < n; ++l) panel[l] = operand(from[offset[l]]);
    std::fill(panel + n, panel + lanes, T{0});
  }
}

// T for integers is the unsigned type of the width: sums and products wrap.
template <class T>
struct Block {
  T sum[kRows][kColumns<T>] = {};

  void accumulate(const T* a, const T* b, int64_t length) {
    T local[kRows][kColumns<T>] = {};
    for (int64_t k = 0; k < length; ++k, a += kRows, b += kColumns<T>)
      for (int64_t r = 0; r < kRows; ++r)
        for (int64_t c = 0; c < kColumns<T>; ++c)
          local[r][c] = static_cast<T>(local[r][c] + static_cast<Wrapping<T>>(a[r]) * b[c]);
    for (int64_t r = 0; r < kRows; ++r)
      for (int64_t c = 0; c < kColumns<T>; ++c) sum[r][c] = static_cast<T>(sum[r][c] + local[r][c]);
  }
};

template <class T>
void store(const Block<T>& block, const InnerProduct& p, T* out, int64_t first_m, int64_t first_n) {
  int64_t rows = std::min(kRows, static_cast<int64_t>(p.out_m.size()) - first_m);
  int64_t columns = std::min(kColumns<T>, static_cast<int64_t>(p.out_n.size()) - first_n);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      out[p.out_m[static_cast<size_t>(first_m + r)] + p.out_n[static_cast<size_t>(first_n + c)]] = result(block.sum[r][c]);
}

template <class T>
void run(const InnerProduct& p, const T* a, const T* b, T* out, int thread_count) {
  constexpr int64_t columns = kColumns<T>;
  const int64_t m_count = static_cast<int64_t>(p.a_m.size()), n_count = static_cast<int64_t>(p.b_n.size());
  const int64_t k_count = static_cast<int64_t>(p.a_k.size());
  const int64_t m_blocks = (m_count + kRows - 1) / kRows, n_blocks = (n_count + columns - 1) / columns;
  const int64_t chunk = p.chunk_length > 0 ? p.chunk_length : std::max<int64_t>(k_count, 1);
  std::vector<T> a_panels(static_cast<size_t>(m_blocks * kRows * k_count));
  for (size_t batch = 0; batch < p.out_batch.size(); ++batch) {
    for (int64_t m = 0; m < m_blocks; ++m)
      pack(a + p.a_batch[batch], p.a_m, m * kRows, kRows, p.a_k, a_panels.data() + m * kRows * k_count);
    // Panels of b are taken in strips: each row panel of a then comes from cache for all of a strip but its first.
    parallel_for(n_blocks, thread_count, [&](int64_t begin, int64_t end) {
      std::vector<T> b_panels(static_cast<size_t>(kStrip * columns * k_count));
      for (int64_t strip = begin; strip < end; strip += kStrip) {
        int64_t panels = std::min(kStrip, end - strip);
        for (int64_t n = 0; n < panels; ++n)
          pack(b + p.b_batch[batch], p.b_n, (strip + n) * columns, columns, p.b_k, b_panels.data() + n * columns * k_count);
        for (int64_t m = 0; m < m_blocks; ++m) {
          for (int64_t n = 0; n < panels; ++n) {
            Block<T> block;
            for (int64_t k = 0; k < k_count; k += chunk)
              block.accumulate(a_panels.data() + (m * k_count + k) * kRows, b_panels.data() + (n * k_count + k) * columns,
                               std::min(chunk, k_count - k));
            store(block, p, out + p.out_batch[batch], m * kRows, (strip + n) * columns);
          }
        }
      }
    });
  }
}

}  // namespace

Result<InnerProduct> with_order(InnerProduct product, const SumOrder& order) {
  if (order.kind == SumOrder::Kind::kTree)
    return invalid_argument("An inner product is summed serially or in chunks, not as a tree.");
  if (order.kind != SumOrder::Kind::kChunked) return product;
  if (order.chunk_length < 1)
    return invalid_argument("A chunked sum has chunks of " + std::to_string(order.chunk_length) + " elements.");
  product.chunk_length = order.chunk_length;
  return product;
}

void inner_products(const InnerProduct& product, const Array& a, const Array& b, Array& out, int thread_count) {
  switch (a.dtype) {
    case Dtype::kF32: return run(product, a.data<float>(), b.data<float>(), out.mutable_data<float>(), thread_count);
    case Dtype::kF64: return run(product, a.data<double>(), b.data<double>(), out.mutable_data<double>(), thread_count);
    default: break;
  }
  switch (dtype_size_bytes(a.dtype)) {
    case 1: return run(product, a.data<uint8_t>(), b.data<uint8_t>(), out.mutable_data<uint8_t>(), thread_count);
    case 2: return run(product, a.data<uint16_t>(), b.data<uint16_t>(), out.mutable_data<uint16_t>(), thread_count);
    case 4: return run(product, a.data<uint32_t>(), b.data<uint32_t>(), out.mutable_data<uint32_t>(), thread_count);
    default: return run(product, a.data<uint64_t>(), b.data<uint64_t>(), out.mutable_data<uint64_t>(), thread_count);
  }
}

}  // namespace tuff
