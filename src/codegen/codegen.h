// Source to verified SPIR-V. In: kernels with GLSL. Out: modules that SPIRV-Tools accepts and that keep Tuff's own rules.
// Invariant: in an exact kernel every float arithmetic instruction is decorated NoContraction and no float instruction
// is outside the allow-list (NUMERICS, rule 3), shown on the final binary.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "base/workers.h"
#include "module/compiled_kernels.h"

namespace tuff {

// Where SPIR-V is kept between runs; keys are hashes of source, options and compiler version. Both may be null; any of the
// workers may call them.
// Damage must cost speed only: what load returns is verified like a fresh module.
struct SpirvCache {
  std::function<std::optional<std::vector<uint32_t>>(const Hash& key)> load;
  std::function<void(const Hash& key, std::span<const uint32_t> words)> store;
};

struct CodegenOptions {
  bool validate = true;        // SPIRV-Tools on every fresh module
  bool decorate_exact = true;  // off only in the test that shows the decoration matters
  SpirvCache cache;
  Workers workers = {};  // a piece a kernel
};

// INTERNAL with the compiler's log and the numbered source line if GLSL does not compile: our bug, never the user's.
Result<CompiledKernel> compile_kernel(const Kernel& kernel, const DeviceInfo& device, const CodegenOptions& options);
Result<CompiledKernels> compile_kernels(std::span<const Kernel> kernels, const DeviceInfo& device,
                                        const CodegenOptions& options);

// Whether the GLSL compiler of this build knows cooperative matrices: Debian 12's does not (third_party/README.md).
bool compiles_cooperative_matrices();

std::string disassemble(std::span<const uint32_t> words);

}  // namespace tuff
