// A module of cooperative matrices: accepted for a device that lists their product, refused for any other. Skipped with a
// word where this build's GLSL compiler knows none.
#include <doctest/doctest.h>

#include "codegen/codegen.h"
#include "unit/codegen/small_kernels.h"

namespace tuff {
namespace {

// 0 * 0 + 0, in matrices of 16x8x16 of halves that are summed in f32.
Kernel matrix_kernel() {
  Kernel kernel;
  kernel.name = "matrices";
  kernel.workgroup = {32, 1, 1};
  kernel.source =
      "#version 450\n"
      "#extension GL_KHR_cooperative_matrix : require\n"
      "#extension GL_KHR_memory_scope_semantics : require\n"
      "#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require\n"
      "layout(local_size_x = 32, local_size_y = 1, local_size_z = 1) in;\n"
      "shared float sums[128];\n"
      "void main() {\n"
      "  coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA> a =\n"
      "      coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>(0.0);\n"
      "  coopmat<float16_t, gl_ScopeSubgroup, 16, 8, gl_MatrixUseB> b =\n"
      "      coopmat<float16_t, gl_ScopeSubgroup, 16, 8, gl_MatrixUseB>(0.0);\n"
      "  coopmat<float, gl_ScopeSubgroup, 16, 8, gl_MatrixUseAccumulator> sum =\n"
      "      coopmat<float, gl_ScopeSubgroup, 16, 8, gl_MatrixUseAccumulator>(0.0);\n"
      "  sum = coopMatMulAdd(a, b, sum);\n"
      "  coopMatStore(sum, sums, 0, 8, gl_CooperativeMatrixLayoutRowMajor);\n"
      "}\n";
  return kernel;
}

}  // namespace

TEST_CASE("cooperative matrices are for devices that list their product") {
  if (!compiles_cooperative_matrices()) {
    MESSAGE("skipped: this build's GLSL compiler has no cooperative matrices");
    return;
  }
  const Kernel kernel = matrix_kernel();
  DeviceInfo device;
  device.name = "small device";
  device.float16 = true;
  auto refusal = [&](std::vector<MatrixShape> shapes) {
    device.matrix_shapes = std::move(shapes);
    return compile_kernel(kernel, device, {}).status().message();
  };
  CHECK(refusal({{16, 16, 16, "f16", "f16", "f32", "f32"}, {16, 8, 16, "f16", "f16", "f32", "f32"}}).empty());
  CHECK(contains(refusal({}), "needs the SPIR-V capability"));
  CHECK(contains(refusal({{16, 16, 16, "f16", "f16", "f32", "f32"}}), "multiplies matrices of 16x8x16"));
  CHECK(contains(refusal({{16, 8, 16, "f16", "f16", "f16", "f16"}}), "multiplies matrices of 16x8x16"));
}

}  // namespace tuff
