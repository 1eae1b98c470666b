// CompiledKernels: a plan's kernels as modules, made by codegen or read from an artifact. Plain data: backends read it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "device/device_info.h"
#include "kernel/kernel.h"

namespace tuff {

struct CompiledKernel {
  std::string name;             // Kernel::name, for messages and debug labels
  std::vector<uint32_t> spirv;  // verified; entry point "main"
  Hash hash;                    // of the words
  std::array<uint32_t, 3> workgroup = {1, 1, 1};
  std::vector<int> texel_words;  // by binding, as KernelBinding has it
  bool has_parameters = false;
};

struct CompiledKernels {
  std::vector<CompiledKernel> kernels;  // by KernelId
};

}  // namespace tuff
