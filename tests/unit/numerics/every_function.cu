// every_function.cu: every_function.comp in CUDA, to see that NVRTC's language takes the same text.
#include "lib/numerics_cuda.h"
#include "lib/numerics.glsl"

extern "C" __global__ void every_function(const uint* inputs, uint* outputs, uint function_index) {
  const uint i = blockIdx.x * blockDim.x + threadIdx.x;
  const uint bits = inputs[2u * i];
  const float x = uintBitsToFloat(bits);
  const float y = uintBitsToFloat(inputs[2u * i + 1u]);
  uint row = 0u;
  uint result = 0u;
#define UNARY(name, ulp_bound, low, high, reference) \
  if (row++ == function_index) { result = floatBitsToUint(tuff_##name(x)); }
#define BINARY(name, ulp_bound, reference) \
  if (row++ == function_index) { result = floatBitsToUint(tuff_##name(x, y)); }
#define BITS(name, expression) \
  if (row++ == function_index) { result = expression; }
#include "functions.def"
  outputs[i] = result;
}
