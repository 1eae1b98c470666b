// y = A^T (sum over k of U * V) A with U = G g G^T and V = B^T d B (fusion/winograd.h). Taken apart into sums of products, y is
// the sum over u, v, k of A[u] A[v] times a product of a sum of nine g and one of four d. Along each way from g and d to y lie
// one rounding of U (made in doubles), two of V (a sum of sums), K of the products' sum and nine of the results' sum, the
// factors 0, 1 and -1 being exact. So, as for plain sums, |error| <= gamma_(K + 13) B, where B is the same sum with each matrix
// and each operand replaced by its magnitudes: what NUMERICS bounds by the receptive field times the norms' product.
#include "reference/winograd_error.h"

#include <array>
#include <cmath>
#include <limits>

namespace tuff {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();
constexpr double kFlushed = 0x1p-126, kLargestF32 = 0x1.fffffep127;
// Magnitudes.
constexpr double kB[4][4] = {{1, 0, 1, 0}, {0, 1, 1, 0}, {0, 1, 1, 0}, {0, 1, 0, 1}};
constexpr double kG[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}, {0, 0, 1}};
constexpr double kA[2][4] = {{1, 1, 1, 0}, {0, 1, 1, 1}};

// The sixteen of one channel: magnitudes, and with their errors.
struct WinogradOperand {
  std::array<double, 16> base = {}, total = {};
};

template <size_t kSize>
WinogradOperand winograd_operand(const double (&matrix)[4][kSize], const std::function<ErrorOperand(size_t, size_t)>& element) {
  WinogradOperand out;
  for (size_t i = 0; i < kSize; ++i)
    for (size_t j = 0; j < kSize; ++j) {
      const ErrorOperand x = element(i, j);
      for (size_t t = 0; t < 16; ++t) {
        const double factor = matrix[t / 4][i] * matrix[t % 4][j];
        if (factor == 0) continue;
        out.base[t] += factor * x.magnitude;
        out.total[t] += factor * (x.magnitude + x.error);
      }
    }
  for (size_t t = 0; t < 16; ++t) {
    out.total[t] += kFlushed;  // of a result that is denormal, and may be flushed
    if (!(out.total[t] <= kLargestF32)) out.total[t] = kUnbounded;
  }
  return out;
}

}  // namespace

std::vector<double> winograd_error(const std::vector<int64_t>& x_shape, const std::vector<int64_t>& result_shape,
                                   const std::function<ErrorOperand(int64_t)>& x,
                                   const std::function<ErrorOperand(int64_t)>& weights) {
  const int64_t depth = x_shape[1], high = x_shape[2], wide = x_shape[3];
  const int64_t images = result_shape[0], channels = result_shape[1], rows = result_shape[2], columns = result_shape[3];
  std::vector<double> out(static_cast<size_t>(images * channels * rows * columns), 0.0);
  std::vector<WinogradOperand> u;
  for (int64_t w = 0; w < channels * depth; ++w)
    u.push_back(winograd_operand(kG, [&](size_t i, size_t j) { return weights(w * 9 + static_cast<int64_t>(i * 3 + j)); }));

  const double terms = static_cast<double>(depth) + 13, unit = 0x1p-24, gamma = terms * unit / (1 - terms * unit);
  std::vector<WinogradOperand> v(static_cast<size_t>(depth));
  auto tile = [&](int64_t image, int64_t row, int64_t column) {
    for (int64_t k = 0; k < depth; ++k)
      v[static_cast<size_t>(k)] = winograd_operand(kB, [&](size_t i, size_t j) -> ErrorOperand {
        // Behind the image lies what only results that nobody stores see.
        const int64_t at_row = row + static_cast<int64_t>(i), at_column = column + static_cast<int64_t>(j);
        if (at_row >= high || at_column >= wide) return {0, 0};
        return x(((image * depth + k) * high + at_row) * wide + at_column);
      });
    for (int64_t m = 0; m < channels; ++m) {
      std::array<double, 16> base = {}, total = {};
      for (int64_t k = 0; k < depth; ++k) {
        const WinogradOperand &a = v[static_cast<size_t>(k)], &b = u[static_cast<size_t>(m * depth + k)];
        for (size_t t = 0; t < 16; ++t) {
          base[t] += a.base[t] * b.base[t];
          total[t] += a.total[t] * b.total[t];
        }
      }
      for (int64_t p = 0; p < 4; ++p) {
        const int64_t at_row = row + p / 2, at_column = column + p % 2;
        if (at_row >= rows || at_column >= columns) continue;
        double all = 0, bound = 0;
        for (size_t t = 0; t < 16; ++t) {
          if (kA[p / 2][t / 4] * kA[p % 2][t % 4] == 0) continue;
          all += total[t];
          bound += total[t] - base[t];
        }
        bound += 1e-14 * all + (gamma + unit) * all + (terms + 1) * kFlushed;
        out[static_cast<size_t>(((image * channels + m) * rows + at_row) * columns + at_column)] =
            all <= kLargestF32 ? bound : kUnbounded;
      }
    }
  };
  for (int64_t image = 0; image < images; ++image)
    for (int64_t row = 0; row < rows; row += 2)
      for (int64_t column = 0; column < columns; column += 2) tile(image, row, column);
  return out;
}

}  // namespace tuff
