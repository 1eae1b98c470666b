#version 450
#extension GL_GOOGLE_include_directive : require
// every_function.comp: outputs[i] = the function numbered `function_index` in functions.def, of pair i of inputs.
//
// In: pairs of bit patterns. Out: one word a pair. With it a device's bits are compared with C++.
#include "lib/numerics.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint function_index = 0u;
layout(std430, binding = 0) readonly buffer Inputs { uint inputs[]; };
layout(std430, binding = 1) writeonly buffer Outputs { uint outputs[]; };

void main() {
  uint i = gl_GlobalInvocationID.x;
  uint bits = inputs[2u * i];
  float x = uintBitsToFloat(bits);
  float y = uintBitsToFloat(inputs[2u * i + 1u]);
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
