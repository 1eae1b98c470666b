// What the benchmark for one GPU measures: a row a workload. Its graph is gpu_graphs.py's of the same name.
#pragma once

#include <cstdint>

#include <tuff/tuff.h>

namespace tuff::bench {

struct Workload {
  const char* name;
  const char* what;
  tuff_precision_t precision;
  // How many indices of the first axis but for those of size 1 are held against doubles: rows, heads, pictures, which do not
  // depend on each other. 0: all of the output, or where there is a NAME.check.onnx, all of that one's.
  int checked_rows;
  double most_error;  // root of the mean square, relative to that of the truth; beside Tuff's bound of each element
  // No version of full size beats it: bytes moved at 4.3 TB/s (a device's copy) or operations at 790 TFLOP/s (cuBLAS, f16),
  // whichever takes longer. Both rates are measured ones of an H200; on another GPU the fraction is still of these.
  double floor_ms;
  bool by_host = false;      // what is measured is the host's and the gaps' time, too
  int64_t product_size = 0;  // of what is a bare product of square matrices, which cuBLAS has
};

constexpr Workload kWorkloads[] = {
    {"gemm_gelu", "4096^3 f16, bias, GELU", TUFF_PRECISION_MODEL, 8, 2e-3, 0.174},        // 137 GFLOP, 101 MB
    {"gemm", "8192^3 f16", TUFF_PRECISION_MODEL, 4, 2e-3, 1.392, false, 8192},            // 1100 GFLOP, 403 MB
    {"swiglu_1", "SwiGLU 4096, 14336, 1 token", TUFF_PRECISION_MODEL, 0, 5e-3, 0.082},    // 352 MB
    {"swiglu_512", "SwiGLU, 512 tokens", TUFF_PRECISION_MODEL, 2, 5e-3, 0.228},           // 180 GFLOP
    {"rms_norm", "RMSNorm + residual 8192x4096", TUFF_PRECISION_MODEL, 16, 2e-3, 0.062},  // 268 MB
    {"softmax", "softmax 8192x8192", TUFF_PRECISION_MODEL, 16, 2e-3, 0.062},              // 268 MB
    {"attention", "causal, 32 heads, 128, 4096", TUFF_PRECISION_MODEL, 1, 5e-3, 0.174},   // 137 GFLOP
    {"chain", "8 operators, 256 Mi", TUFF_PRECISION_MODEL, 4, 2e-3, 0.25},                // 1074 MB
    {"resnet50_1", "ResNet-50, 1", TUFF_PRECISION_F16, 0, 5e-3, 0.022},                   // 96 MB
    {"resnet50_64", "ResNet-50, 64", TUFF_PRECISION_F16, 1, 5e-3, 0.67},                  // 2893 MB, 525 GFLOP
    {"tiny", "500 products of 16x16", TUFF_PRECISION_MODEL, 0, 2e-2, 0.65, true},         // a CUDA graph's time
    {"decode_int4", "8B int4, 1 token", TUFF_PRECISION_MODEL, 0, 2e-2, 0.90},             // 3870 MB
    {"decode", "8B f16, 1 token", TUFF_PRECISION_MODEL, 0, 2e-2, 3.49},                   // 15009 MB
};

}  // namespace tuff::bench
