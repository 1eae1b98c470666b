#include "module/verify_spirv.h"

#include <spirv/unified1/GLSL.std.450.h>
#include <spirv/unified1/spirv.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "module/spirv_module.h"

namespace tuff {
namespace {

bool device_has(uint32_t capability, const DeviceInfo& device) {
  switch (capability) {
    case SpvCapabilityMatrix:
    case SpvCapabilityShader:
    case SpvCapabilitySampledBuffer:
    case SpvCapabilityGroupNonUniform: return true;  // Vulkan 1.1 has these everywhere
    case SpvCapabilityGroupNonUniformArithmetic: return device.subgroup_arithmetic;
    case SpvCapabilityGroupNonUniformBallot: return device.subgroup_ballot;
    case SpvCapabilityGroupNonUniformShuffle: return device.subgroup_shuffle;
    case SpvCapabilityFloat16: return device.float16;
    case SpvCapabilityFloat64: return device.float64;
    case SpvCapabilityInt8: return device.int8;
    case SpvCapabilityInt16: return device.int16;
    case SpvCapabilityInt64: return device.int64;
    case SpvCapabilityStorageBuffer16BitAccess: return device.storage16;
    case SpvCapabilityStorageBuffer8BitAccess: return device.storage8;
    case SpvCapabilityDotProduct:
    case SpvCapabilityDotProductInput4x8Bit:
    case SpvCapabilityDotProductInput4x8BitPacked: return device.integer_dot_product;
    case SpvCapabilityDenormFlushToZero: return device.denorm_flush_f32;
    case SpvCapabilityDenormPreserve: return device.denorm_preserve_f16;
    case SpvCapabilityRoundingModeRTE: return device.rounding_rte_f32;
    case SpvCapabilitySignedZeroInfNanPreserve: return device.signed_zero_inf_nan_f32;
    case SpvCapabilityVulkanMemoryModel:  // a device has its matrices listed only where it has this memory model
    case kSpirvCooperativeMatrixCapability: return !device.matrix_shapes.empty();
    default: return false;
  }
}

// Integer functions of GLSL.std.450 are exact everywhere; no function of floats is (NUMERICS, rule 2).
bool is_exact_function(uint32_t function) {
  switch (function) {
    case GLSLstd450SAbs:
    case GLSLstd450SSign:
    case GLSLstd450UMin:
    case GLSLstd450SMin:
    case GLSLstd450UMax:
    case GLSLstd450SMax:
    case GLSLstd450UClamp:
    case GLSLstd450SClamp:
    case GLSLstd450FindILsb:
    case GLSLstd450FindSMsb:
    case GLSLstd450FindUMsb: return true;
    default: return false;
  }
}

// Instructions with a float result that give the same bits on every device: +, -, *, conversions that the source keeps
// exact, and those that only move bits. Whatever is not listed is refused, so that a new opcode has to be thought about.
bool is_exact_instruction(uint32_t opcode) {
  switch (opcode) {
    case SpvOpFNegate:
    case SpvOpFAdd:
    case SpvOpFSub:
    case SpvOpFMul:
    case SpvOpVectorTimesScalar:
    case SpvOpConvertSToF:
    case SpvOpConvertUToF:
    case SpvOpFConvert:
    case SpvOpBitcast:
    case SpvOpSelect:
    case SpvOpPhi:
    case SpvOpLoad:
    case SpvOpCopyObject:
    case SpvOpCompositeConstruct:
    case SpvOpCompositeExtract:
    case SpvOpCompositeInsert:
    case SpvOpVectorShuffle:
    case SpvOpVectorExtractDynamic:
    case SpvOpVectorInsertDynamic:
    case SpvOpFunctionCall:
    case SpvOpFunctionParameter:
    case SpvOpFunction:
    case SpvOpConstant:
    case SpvOpConstantComposite:
    case SpvOpConstantNull:
    case SpvOpGroupNonUniformFMin:
    case SpvOpGroupNonUniformFMax:
    case SpvOpGroupNonUniformBroadcast:
    case SpvOpGroupNonUniformBroadcastFirst:
    case SpvOpGroupNonUniformShuffle:
    case SpvOpGroupNonUniformShuffleXor: return true;
    default: return false;
  }
}

std::string place(const SpirvInstruction& i) {
  return "instruction " + std::to_string(i.opcode) + " at word " + std::to_string(i.offset);
}

Status broken(const Kernel& kernel, const std::string& what) {
  return internal_error("The module of kernel '" + kernel.name + "' " + what + ".");
}

Status verify_exact(const SpirvModule& module, const Kernel& kernel) {
  std::unordered_set<uint32_t> decorated;
  for (const SpirvInstruction& i : module.instructions) {
    if (i.opcode == SpvOpDecorate && i.word(2) == SpvDecorationNoContraction) decorated.insert(i.word(1));
  }
  for (const SpirvInstruction& i : module.instructions) {
    if (i.opcode == SpvOpExtInst) {
      if (!is_exact_function(i.word(4))) {
        return broken(kernel, "is exact but calls the built-in function " + std::to_string(i.word(4)) +
                                  " of GLSL.std.450 at word " + std::to_string(i.offset));
      }
    } else if (module.has_float_result(i) && !is_exact_instruction(i.opcode)) {
      return broken(kernel, "is exact but has the float " + place(i) + ", which devices round differently");
    }
    if (is_float_arithmetic(i.opcode) && !decorated.contains(i.result)) {
      return broken(kernel, "is exact but its float " + place(i) + " may be contracted: NoContraction is missing");
    }
  }
  return ok_status();
}

Status verify_interface(const SpirvModule& module, const Kernel& kernel) {
  std::unordered_map<uint32_t, uint32_t> bindings;
  for (const SpirvInstruction& i : module.instructions) {
    if (i.opcode == SpvOpDecorate && i.word(2) == SpvDecorationDescriptorSet && i.word(3) != 0) {
      return broken(kernel, "uses descriptor set " + std::to_string(i.word(3)) + "; set 0 is the only one");
    }
    if (i.opcode == SpvOpDecorate && i.word(2) == SpvDecorationBinding) bindings[i.word(1)] = i.word(3);
  }
  const std::vector<int> buffers = texel_words_of(kernel);
  bool has_size = false;
  for (const SpirvInstruction& i : module.instructions) {
    if (i.opcode == SpvOpExecutionMode && i.word(2) == SpvExecutionModeLocalSize) {
      has_size = true;
      for (size_t axis = 0; axis < 3; ++axis) {
        if (i.word(3 + axis) == kernel.workgroup[axis]) continue;
        return broken(kernel, "has workgroups of " + std::to_string(i.word(3 + axis)) + " along axis " + std::to_string(axis) +
                                  ", the kernel says " + std::to_string(kernel.workgroup[axis]));
      }
    }
    if (i.opcode != SpvOpVariable) continue;
    uint32_t storage = i.word(3);
    auto binding = bindings.find(i.result);
    if (storage == SpvStorageClassStorageBuffer || storage == SpvStorageClassUniformConstant) {
      const bool is_texels = storage == SpvStorageClassUniformConstant;
      if (binding == bindings.end() || binding->second < 1 || binding->second > buffers.size() ||
          (buffers[binding->second - 1] != 0) != is_texels) {
        return broken(kernel, std::string("has a ") + (is_texels ? "texel" : "storage") +
                                  " buffer that is not one of the kernel's " + std::to_string(buffers.size()) + " bindings");
      }
    } else if (storage == SpvStorageClassUniform) {
      if (binding == bindings.end() || binding->second != 0 || kernel.parameters.empty()) {
        return broken(kernel, "has a uniform buffer that is not the parameter block at binding 0");
      }
    } else if (storage == SpvStorageClassPushConstant) {
      return broken(kernel, "uses push constants, which no backend binds");
    }
  }
  if (!has_size) return broken(kernel, "does not say its workgroup size");
  return ok_status();
}

// A denormal half is a small weight, not zero.
Status verify_halves(const SpirvModule& module, const Kernel& kernel, const DeviceInfo& device) {
  bool unpacks = false, preserves = !device.denorm_preserve_f16;
  for (const SpirvInstruction& i : module.instructions) {
    unpacks = unpacks || (i.opcode == SpvOpExtInst && i.word(4) == GLSLstd450UnpackHalf2x16);
    preserves = preserves || (i.opcode == SpvOpExecutionMode && i.word(2) == SpvExecutionModeDenormPreserve && i.word(3) == 16);
  }
  if (!unpacks || (preserves && keeps_denormal_halves(device))) return ok_status();
  return broken(kernel,
                std::string("unpacks halves ") + (preserves ? "on '" + device.name + "', which may take denormal ones for zeros"
                                                            : "without the mode that keeps denormal ones"));
}

// The matrices of a module, by use: 0 and 1 are the factors, 2 is the sum.
struct MatrixTypes {
  struct Type {
    uint32_t rows = 0, columns = 0, bits = 0;
    bool operator==(const Type&) const = default;
  };
  Type a, b, sum;
};

// A kernel has matrices of one product; nullopt where it has several, or a number is not a constant.
std::optional<MatrixTypes> matrix_types(const SpirvModule& module) {
  auto number = [&](uint32_t id) {
    const SpirvInstruction* constant = module.definition(id);
    return constant && constant->opcode == SpvOpConstant ? constant->word(3) : 0;
  };
  MatrixTypes types;
  for (const SpirvInstruction& i : module.instructions) {
    if (i.opcode != kSpirvTypeCooperativeMatrix) continue;
    const SpirvInstruction* component = module.definition(i.word(2));
    const uint32_t use = number(i.word(6));
    if (!component || component->opcode != SpvOpTypeFloat || number(i.word(3)) != SpvScopeSubgroup || use > 2)
      return std::nullopt;
    MatrixTypes::Type& type = use == 0 ? types.a : use == 1 ? types.b : types.sum;
    const MatrixTypes::Type found = {number(i.word(4)), number(i.word(5)), component->word(2)};
    if (type.rows != 0 && !(type == found)) return std::nullopt;
    type = found;
  }
  return types;
}

Status verify_matrices(const SpirvModule& module, const Kernel& kernel, const DeviceInfo& device) {
  const std::optional<MatrixTypes> types = matrix_types(module);
  if (!types) return broken(kernel, "has cooperative matrices other than those of one product of floats");
  auto dtype = [](const MatrixTypes::Type& type) { return "f" + std::to_string(type.bits); };
  const bool offered = std::any_of(device.matrix_shapes.begin(), device.matrix_shapes.end(), [&](const MatrixShape& s) {
    return types->a == MatrixTypes::Type{s.m, s.k, types->a.bits} && types->b == MatrixTypes::Type{s.k, s.n, types->b.bits} &&
           types->sum == MatrixTypes::Type{s.m, s.n, types->sum.bits} && dtype(types->a) == s.a && dtype(types->b) == s.b &&
           dtype(types->sum) == s.c && dtype(types->sum) == s.result;
  });
  if (offered) return ok_status();
  return broken(kernel, "multiplies matrices of " + std::to_string(types->a.rows) + "x" + std::to_string(types->b.columns) +
                            "x" + std::to_string(types->a.columns) + ", which '" + device.name + "' does not");
}

}  // namespace

Status verify_spirv(std::span<const uint32_t> words, const Kernel& kernel, const DeviceInfo& device) {
  TUFF_ASSIGN(SpirvModule module, read_spirv(words));
  bool has_matrices = false;
  for (const SpirvInstruction& i : module.instructions) {
    if (i.opcode == SpvOpCapability && !device_has(i.word(1), device)) {
      return broken(kernel, "needs the SPIR-V capability " + std::to_string(i.word(1)) + ", which '" + device.name + "' lacks");
    }
    if (i.opcode == SpvOpCapability && i.word(1) == kSpirvCooperativeMatrixCapability) has_matrices = true;
    if (i.opcode == SpvOpEntryPoint && (i.word(1) != SpvExecutionModelGLCompute || spirv_string(i, 3) != "main")) {
      return broken(kernel, "has an entry point other than a compute shader's main");
    }
    if (i.opcode == SpvOpExtInstImport && spirv_string(i, 2) != "GLSL.std.450") {
      return broken(kernel, "imports the instructions '" + spirv_string(i, 2) + "'");
    }
  }
  TUFF_TRY(verify_interface(module, kernel));
  TUFF_TRY(verify_halves(module, kernel, device));
  if (has_matrices) TUFF_TRY(verify_matrices(module, kernel, device));
  return kernel.exact ? verify_exact(module, kernel) : ok_status();
}

}  // namespace tuff
