#version 450
// dst[i] = src[i] * src[i] for the whole grid: no parameters.
layout(local_size_x = 1) in;
layout(set = 0, binding = 1, std430) readonly buffer Src { float src[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Dst { float dst[]; };
void main() {
  uint i = gl_GlobalInvocationID.x + gl_NumWorkGroups.x * gl_GlobalInvocationID.y;
  dst[i] = src[i] * src[i];
}
