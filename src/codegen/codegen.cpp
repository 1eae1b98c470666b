#include "codegen/codegen.h"

#include "codegen/exact.h"
#include "codegen/float_controls.h"
#include "codegen/glsl.h"
#include "codegen/spirv_tools.h"
#include "module/verify_spirv.h"

namespace tuff {
namespace {

// Counted up when the words that come out of the same source change.
constexpr uint64_t kCodegenVersion = 3;

// What is done to the words beside compiling them.
bool is_decorated(const Kernel& kernel, const CodegenOptions& options) { return kernel.exact && options.decorate_exact; }

Hash cache_key(const Kernel& kernel, const DeviceInfo& device, const CodegenOptions& options) {
  Hasher key;
  key.text("tuff spirv")
      .number(kCodegenVersion)
      .text(glsl_compiler_version())
      .number(is_decorated(kernel, options) ? 1 : 0)
      .text(kernel.source);
  for (const FloatControl& c : float_controls_of(kernel, device)) key.number(c.mode).number(c.bits);
  return key.finish();
}

Result<std::vector<uint32_t>> compile_fresh(const Kernel& kernel, const DeviceInfo& device, const CodegenOptions& options) {
  TUFF_ASSIGN(std::vector<uint32_t> words, compile_glsl(kernel.source, kernel.name));
  if (is_decorated(kernel, options)) {
    TUFF_ASSIGN(words, decorate_no_contraction(std::move(words)));
  }
  const std::vector<FloatControl> controls = float_controls_of(kernel, device);
  if (!controls.empty()) {
    TUFF_ASSIGN(words, add_float_controls(std::move(words), controls));
  }
  if (options.validate) TUFF_TRY(validate_spirv(words, kernel.name));
  return words;
}

Status verify_module(std::span<const uint32_t> words, const Kernel& kernel, const DeviceInfo& device,
                     const CodegenOptions& options) {
  if (options.decorate_exact) return verify_spirv(words, kernel, device);
  Kernel undecorated = kernel;
  undecorated.exact = false;
  return verify_spirv(words, undecorated, device);
}

CompiledKernel compiled(const Kernel& kernel, std::vector<uint32_t> words) {
  CompiledKernel out;
  out.name = kernel.name;
  out.hash = hash_bytes(words.data(), words.size() * sizeof(uint32_t));
  out.spirv = std::move(words);
  out.workgroup = kernel.workgroup;
  out.texel_words = texel_words_of(kernel);
  out.has_parameters = !kernel.parameters.empty();
  return out;
}

}  // namespace

Result<CompiledKernel> compile_kernel(const Kernel& kernel, const DeviceInfo& device, const CodegenOptions& options) {
  Hash key = cache_key(kernel, device, options);
  if (options.cache.load) {
    std::optional<std::vector<uint32_t>> words = options.cache.load(key);
    // A damaged or foreign entry is compiled anew and written over.
    if (words && validate_spirv(*words, kernel.name).ok() && verify_module(*words, kernel, device, options).ok()) {
      return compiled(kernel, std::move(*words));
    }
  }
  TUFF_ASSIGN(std::vector<uint32_t> words, compile_fresh(kernel, device, options));
  TUFF_TRY(verify_module(words, kernel, device, options));
  if (options.cache.store) options.cache.store(key, words);
  return compiled(kernel, std::move(words));
}

Result<CompiledKernels> compile_kernels(std::span<const Kernel> kernels, const DeviceInfo& device,
                                        const CodegenOptions& options) {
  CompiledKernels out;
  out.kernels.resize(kernels.size());
  TUFF_TRY(for_each(static_cast<uint32_t>(kernels.size()), options.workers, [&](uint32_t i) -> Status {
    TUFF_ASSIGN(out.kernels[i], compile_kernel(kernels[i], device, options));
    return ok_status();
  }));
  return out;
}

}  // namespace tuff
