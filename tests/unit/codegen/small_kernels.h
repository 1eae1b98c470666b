// GLSL that is small enough to know what its module must hold.
#pragma once

#include <string>

#include "kernel/kernel.h"

namespace tuff {

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// out[i] = <expression of x and y>, over two read buffers and one written one.
inline Kernel small_kernel(const std::string& expression, bool exact, const std::string& functions = "") {
  Kernel kernel;
  kernel.name = "small";
  kernel.workgroup = {8, 1, 1};
  kernel.exact = exact;
  kernel.bindings.resize(3);
  kernel.bindings[2].access = Access::kWrite;
  kernel.source =
      "#version 450\n"
      "layout(local_size_x = 8, local_size_y = 1, local_size_z = 1) in;\n"
      "layout(std430, set = 0, binding = 1) readonly buffer A { float a[]; };\n"
      "layout(std430, set = 0, binding = 2) readonly buffer B { float b[]; };\n"
      "layout(std430, set = 0, binding = 3) writeonly buffer C { float c[]; };\n" +
      functions +
      "void main() {\n"
      "  uint i = gl_GlobalInvocationID.x;\n"
      "  float x = a[i];\n"
      "  float y = b[i];\n"
      "  c[i] = " +
      expression +
      ";\n"
      "}\n";
  return kernel;
}

}  // namespace tuff
