#version 450
// The host's own work again: planes to packed pixels, eight bits a channel.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Planes { float planes[]; };
layout(set = 0, binding = 1) writeonly buffer Pixels { uint pixels[]; };
layout(push_constant) uniform Size { uint width, height; };

void main() {
  uint i = gl_GlobalInvocationID.x, n = width * height;
  if (i >= n) return;
  pixels[i] = packUnorm4x8(vec4(planes[i], planes[n + i], planes[2 * n + i], 1.0));
}
