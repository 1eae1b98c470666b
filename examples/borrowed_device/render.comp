#version 450
// The host's own work: a picture as planes of red, green and blue, one float a pixel.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Unused { float unused[]; };
layout(set = 0, binding = 1) writeonly buffer Planes { float planes[]; };
layout(push_constant) uniform Size { uint width, height; };

void main() {
  uint i = gl_GlobalInvocationID.x;
  if (i >= width * height) return;
  float x = (float(i % width) + 0.5) / float(width), y = (float(i / width) + 0.5) / float(height);
  float ring = 0.5 + 0.5 * sin(40.0 * length(vec2(x - 0.5, y - 0.5)));
  planes[i] = ring;
  planes[width * height + i] = x;
  planes[2 * width * height + i] = step(0.5, y) * ring;
}
