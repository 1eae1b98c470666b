#version 450
// dst[i] = a[i] + scale * b[i] for i < count. In: parameters {count, scale}.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0, std140) uniform Parameters { ivec4 p[1]; };
layout(set = 0, binding = 1, std430) readonly buffer A { float a[]; };
layout(set = 0, binding = 2, std430) readonly buffer B { float b[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Dst { float dst[]; };
void main() {
  uint i = gl_GlobalInvocationID.x;
  if (i < uint(p[0].x)) dst[i] = a[i] + float(p[0].y) * b[i];
}
