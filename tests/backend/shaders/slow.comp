#version 450
// dst[i] = a pseudo-random word after 64 * rounds steps from i: long enough for a timeout to pass first. In: {rounds}.
// The steps of a round are unrolled: Mesa 22.3's llvmpipe leaves every loop once an invocation has made 65,535 rounds in
// all its loops together.
#define STEP word = word * 1664525u + 1013904223u;
#define STEP4 STEP STEP STEP STEP
#define STEP16 STEP4 STEP4 STEP4 STEP4
#define STEP64 STEP16 STEP16 STEP16 STEP16
layout(local_size_x = 64) in;
layout(set = 0, binding = 0, std140) uniform Parameters { ivec4 p[1]; };
layout(set = 0, binding = 1, std430) writeonly buffer Dst { uint dst[]; };
void main() {
  uint word = gl_GlobalInvocationID.x;
  for (int i = 0; i < p[0].x; ++i) { STEP64 }
  dst[gl_GlobalInvocationID.x] = word;
}
