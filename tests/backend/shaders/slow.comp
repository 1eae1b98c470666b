#version 450
// dst[i] = a pseudo-random word after `rounds` steps from i: long enough for a timeout to pass first. In: {rounds}.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0, std140) uniform Parameters { ivec4 p[1]; };
layout(set = 0, binding = 1, std430) writeonly buffer Dst { uint dst[]; };
void main() {
  uint word = gl_GlobalInvocationID.x;
  for (int i = 0; i < p[0].x; ++i) word = word * 1664525u + 1013904223u;
  dst[gl_GlobalInvocationID.x] = word;
}
