// NUMERICS, rules 2 and 3, on the binary: what exact kernels must have and must not have.
#include <doctest/doctest.h>

#include "codegen/codegen.h"
#include "module/spirv_module.h"
#include "module/verify_spirv.h"
#include "unit/codegen/small_kernels.h"

#include <spirv/unified1/spirv.h>

namespace tuff {
namespace {

struct Contractions {
  int arithmetic = 0, decorated = 0;
};

Contractions count(std::span<const uint32_t> words) {
  Contractions c;
  Result<SpirvModule> module = read_spirv(words);
  REQUIRE(module.ok());
  for (const SpirvInstruction& i : module->instructions) {
    c.arithmetic += is_float_arithmetic(i.opcode);
    c.decorated += i.opcode == SpvOpDecorate && i.word(2) == SpvDecorationNoContraction;
  }
  return c;
}

DeviceInfo any_device() {
  DeviceInfo device;
  device.name = "any";
  return device;
}

const char kInnerFunction[] = "float inner(float p, float q) { return p * q + p; }\n";

TEST_CASE("every float instruction of an exact kernel is decorated, in called functions too") {
  Kernel kernel = small_kernel("inner(x, y) - x * y", true, kInnerFunction);
  Result<CompiledKernel> compiled = compile_kernel(kernel, any_device(), {});
  REQUIRE_MESSAGE(compiled.ok(), compiled.status().message());
  Contractions c = count(compiled->spirv);
  CHECK(c.arithmetic == 4);
  CHECK(c.decorated == 4);
}

TEST_CASE("what `precise` decorated is not decorated twice") {
  Kernel kernel = small_kernel("z", true);
  kernel.source.insert(kernel.source.find("  c[i]"), "  precise float z = x * y + x;\n");
  Result<CompiledKernel> compiled = compile_kernel(kernel, any_device(), {});
  REQUIRE_MESSAGE(compiled.ok(), compiled.status().message());
  Contractions c = count(compiled->spirv);
  CHECK(c.arithmetic == 2);
  CHECK(c.decorated == 2);
}

TEST_CASE("fast kernels are left as they are") {
  Result<CompiledKernel> compiled = compile_kernel(small_kernel("x * y + x", false), any_device(), {});
  REQUIRE(compiled.ok());
  CHECK(count(compiled->spirv).decorated == 0);
}

TEST_CASE("an exact kernel with one decoration missing is refused") {
  Kernel kernel = small_kernel("x * y + x", true);
  Result<CompiledKernel> compiled = compile_kernel(kernel, any_device(), {});
  REQUIRE(compiled.ok());
  Result<SpirvModule> module = read_spirv(compiled->spirv);
  REQUIRE(module.ok());
  int removed = 0;
  for (const SpirvInstruction& i : module->instructions) {
    if (i.opcode != SpvOpDecorate || i.word(2) != SpvDecorationNoContraction) continue;
    std::vector<uint32_t> words = compiled->spirv;
    words.erase(words.begin() + static_cast<ptrdiff_t>(i.offset),
                words.begin() + static_cast<ptrdiff_t>(i.offset + i.words.size()));
    Status status = verify_spirv(words, kernel, any_device());
    CHECK(status.code() == Code::kInternal);
    CHECK(status.message().find("NoContraction is missing") != std::string::npos);
    ++removed;
  }
  CHECK(removed == 2);
}

TEST_CASE("exact kernels ask for NaN, infinities and signed zeros where the device offers them") {
  DeviceInfo device = any_device();
  const char kMode[] = "OpExecutionMode %main SignedZeroInfNanPreserve 32";
  auto text = [&](bool exact) {
    Result<CompiledKernel> compiled = compile_kernel(small_kernel("x * y", exact), device, {});
    REQUIRE_MESSAGE(compiled.ok(), compiled.status().message());
    return disassemble(compiled->spirv);
  };
  CHECK(text(true).find(kMode) == std::string::npos);
  device.signed_zero_inf_nan_f32 = true;
  CHECK(text(true).find(kMode) != std::string::npos);
  CHECK(text(true).find("OpExtension \"SPV_KHR_float_controls\"") != std::string::npos);
  CHECK(text(false).find(kMode) == std::string::npos);
}

TEST_CASE("without the exact pass nothing is decorated") {
  CodegenOptions options;
  options.decorate_exact = false;
  Result<CompiledKernel> compiled = compile_kernel(small_kernel("x * y + x", true), any_device(), options);
  REQUIRE(compiled.ok());
  CHECK(count(compiled->spirv).decorated == 0);
}

TEST_CASE("what devices round differently is refused in exact kernels and allowed in fast ones") {
  for (const char* expression : {"x / y", "mod(x, y)", "dot(vec2(x, y), vec2(y, x))", "exp(x)", "sqrt(x)", "fma(x, y, x)",
                                 "min(x, y)", "mix(x, y, 0.5)", "floor(x)", "(mat2(x) * vec2(y)).x"}) {
    CAPTURE(expression);
    Result<CompiledKernel> exact = compile_kernel(small_kernel(expression, true), any_device(), {});
    CHECK(exact.status().code() == Code::kInternal);
    Result<CompiledKernel> fast = compile_kernel(small_kernel(expression, false), any_device(), {});
    CHECK(fast.ok());
  }
}

TEST_CASE("halves are unpacked where the device keeps denormal ones, by a mode that the module asks for") {
  const Kernel fast = small_kernel("unpackHalf2x16(floatBitsToUint(x)).x", false);
  const Kernel exact = small_kernel("unpackHalf2x16(floatBitsToUint(x)).x", true);
  DeviceInfo device = any_device();
  CHECK(compile_kernel(fast, device, {}).status().message().find("may take denormal ones for zeros") != std::string::npos);
  device.denorm_preserve_f16 = true;
  CHECK(compile_kernel(exact, device, {}).status().code() == Code::kInternal);
  auto text = [&] {
    Result<CompiledKernel> compiled = compile_kernel(fast, device, {});
    REQUIRE_MESSAGE(compiled.ok(), compiled.status().message());
    return disassemble(compiled->spirv);
  };
  const char kMode16[] = "OpExecutionMode %main DenormPreserve 16", kMode64[] = "OpExecutionMode %main DenormPreserve 64";
  CHECK(text().find(kMode16) != std::string::npos);
  CHECK(text().find(kMode64) == std::string::npos);
  device.denorm_preserve_f64 = true;
  CHECK(text().find(kMode64) != std::string::npos);

  Result<CompiledKernel> compiled = compile_kernel(fast, device, {});
  REQUIRE(compiled.ok());
  Result<SpirvModule> module = read_spirv(compiled->spirv);
  REQUIRE(module.ok());
  for (const SpirvInstruction& i : module->instructions) {
    if (i.opcode != SpvOpExecutionMode || i.word(2) != SpvExecutionModeDenormPreserve || i.word(3) != 16) continue;
    std::vector<uint32_t> words = compiled->spirv;
    words[i.offset + 3] = 64;
    CHECK(verify_spirv(words, fast, device).message().find("without the mode") != std::string::npos);
  }
}

TEST_CASE("what is exact by construction is allowed") {
  for (const char* expression :
       {"x + y", "-x", "x > y ? x : y", "uintBitsToFloat(floatBitsToUint(x) & 0x7fffffffu)", "float(int(x))",
        "(vec4(x, y, x, y) * y).z", "float(findMSB(floatBitsToUint(x)))", "float(max(int(x), 3))"}) {
    CAPTURE(expression);
    Result<CompiledKernel> exact = compile_kernel(small_kernel(expression, true), any_device(), {});
    CHECK_MESSAGE(exact.ok(), exact.status().message());
  }
}

}  // namespace
}  // namespace tuff
