// The module against the kernel and the device that it is for.
#include <doctest/doctest.h>

#include "codegen/codegen.h"
#include "module/verify_spirv.h"
#include "unit/codegen/small_kernels.h"

namespace tuff {
namespace {

void replace(std::string& text, const std::string& from, const std::string& to) {
  size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
}

TEST_CASE("a capability that the device lacks is refused, and told") {
  Kernel kernel = small_kernel("float(double(x) * double(y))", false);
  DeviceInfo device;
  device.name = "small device";
  Status refused = compile_kernel(kernel, device, {}).status();
  CHECK(refused.code() == Code::kInternal);
  CHECK(contains(refused.message(), "'small device' lacks"));
  device.float64 = true;
  CHECK(compile_kernel(kernel, device, {}).ok());
}

TEST_CASE("a workgroup other than the kernel's is refused") {
  Kernel kernel = small_kernel("x", false);
  kernel.workgroup = {16, 1, 1};
  CHECK(contains(compile_kernel(kernel, DeviceInfo{}, {}).status().message(), "workgroups of 8 along axis 0"));
}

TEST_CASE("a storage buffer beyond the kernel's bindings is refused") {
  Kernel kernel = small_kernel("x + y", false);
  kernel.bindings.resize(2);
  CHECK(contains(compile_kernel(kernel, DeviceInfo{}, {}).status().message(),
                 "has a storage buffer that is not one of the kernel's 2 bindings"));
}

TEST_CASE("a binding is a texel buffer exactly where the kernel says so") {
  Kernel kernel = small_kernel("x + y", false);
  kernel.bindings[1].texel_words = 1;
  CHECK(contains(compile_kernel(kernel, DeviceInfo{}, {}).status().message(), "has a storage buffer that is not one"));
  replace(kernel.source, "layout(std430, set = 0, binding = 2) readonly buffer B { float b[]; }",
          "layout(set = 0, binding = 2) uniform usamplerBuffer b");
  replace(kernel.source, "b[i]", "uintBitsToFloat(texelFetch(b, int(i)).x)");
  Result<CompiledKernel> compiled = compile_kernel(kernel, DeviceInfo{}, {});
  REQUIRE_MESSAGE(compiled.ok(), compiled.status().message());
  CHECK(compiled->texel_words == std::vector<int>{0, 1, 0});
  kernel.bindings[1].texel_words = 0;
  CHECK(contains(compile_kernel(kernel, DeviceInfo{}, {}).status().message(), "has a texel buffer that is not one"));
}

TEST_CASE("the parameter block is a uniform buffer at binding 0, where there are parameters") {
  Kernel kernel = small_kernel("x + y * float(p[0].x)", false);
  replace(kernel.source, "void main", "layout(std140, set = 0, binding = 0) uniform P { ivec4 p[1]; };\nvoid main");
  CHECK(contains(compile_kernel(kernel, DeviceInfo{}, {}).status().message(), "not the parameter block"));
  kernel.parameters = {IntExpr(3)};
  Result<CompiledKernel> compiled = compile_kernel(kernel, DeviceInfo{}, {});
  REQUIRE_MESSAGE(compiled.ok(), compiled.status().message());
  CHECK(compiled->has_parameters);
}

TEST_CASE("push constants and other descriptor sets are refused") {
  Kernel pushed = small_kernel("x + y * s", false);
  replace(pushed.source, "void main", "layout(push_constant) uniform P { float s; };\nvoid main");
  CHECK(contains(compile_kernel(pushed, DeviceInfo{}, {}).status().message(), "push constants"));
  Kernel second_set = small_kernel("x + y", false);
  replace(second_set.source, "set = 0, binding = 3", "set = 1, binding = 3");
  CHECK(contains(compile_kernel(second_set, DeviceInfo{}, {}).status().message(), "descriptor set 1"));
}

TEST_CASE("words that are no module are an error, not a crash") {
  Kernel kernel = small_kernel("x + y", true);
  Result<CompiledKernel> compiled = compile_kernel(kernel, DeviceInfo{}, {});
  REQUIRE(compiled.ok());
  CHECK_FALSE(verify_spirv({}, kernel, DeviceInfo{}).ok());
  for (size_t at = 0; at < compiled->spirv.size(); ++at) {
    std::vector<uint32_t> words = compiled->spirv;
    words[at] ^= 0xffff0000u;
    Status status = verify_spirv(words, kernel, DeviceInfo{});
    CHECK((status.ok() || !status.message().empty()));
    CHECK_FALSE(disassemble(words).empty());
  }
}

}  // namespace
}  // namespace tuff
