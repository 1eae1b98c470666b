// cuBLAS' time of a product, where CUDA's libraries are installed: they are opened at run time.
#pragma once

#include <cstdint>
#include <string>

#include "gpu_row.h"

namespace tuff::bench {

// Two square matrices of f16, sums in f32. Fills the times of `row` and its status. Returns why there are none where a
// library, or what it needs, is missing; else nothing.
std::string measure_cublas(int64_t size, int run_count, Row& row);

}  // namespace tuff::bench
