// What a convolution in Winograd's form F(2x2, 3x3) may be off by.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace tuff {

// |x| and what x may be off by already.
struct ErrorOperand {
  double magnitude, error;
};

// By element of the result. x: [n, k, rows + 2, columns + 2]; result: [n, m, rows, columns]; operands by row-major index, the
// weights' of [m, k, 3, 3].
std::vector<double> winograd_error(const std::vector<int64_t>& x_shape, const std::vector<int64_t>& result_shape,
                                   const std::function<ErrorOperand(int64_t)>& x,
                                   const std::function<ErrorOperand(int64_t)>& weights);

}  // namespace tuff
