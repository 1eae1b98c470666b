#include "module/spirv_module.h"

// Asks the header for SpvHasResultAndType().
#define SPV_ENABLE_UTILITY_CODE
#include <spirv/unified1/spirv.h>

namespace tuff {

bool SpirvModule::is_float_type(uint32_t type_id) const {
  // Types nest only a few levels; the bound guards against a module whose types refer to themselves.
  for (int depth = 0; depth < 8; ++depth) {
    const SpirvInstruction* type = definition(type_id);
    if (!type) return false;
    switch (type->opcode) {
      case SpvOpTypeFloat: return true;
      case SpvOpTypeVector:
      case SpvOpTypeMatrix:
      case SpvOpTypeArray:
      case SpvOpTypeRuntimeArray: type_id = type->word(2); break;
      default: return false;
    }
  }
  return false;
}

Result<SpirvModule> read_spirv(std::span<const uint32_t> words) {
  if (words.size() < kSpirvHeaderWords || words[0] != SpvMagicNumber) {
    return corrupt("The SPIR-V module has no header.");
  }
  SpirvModule module;
  module.words = words;
  for (size_t at = kSpirvHeaderWords; at < words.size();) {
    size_t count = words[at] >> SpvWordCountShift;
    if (count == 0 || count > words.size() - at) {
      return corrupt("The SPIR-V instruction at word " + std::to_string(at) + " has " + std::to_string(count) + " words, " +
                     std::to_string(words.size() - at) + " are left.");
    }
    SpirvInstruction i;
    i.opcode = words[at] & SpvOpCodeMask;
    i.offset = at;
    i.words = words.subspan(at, count);
    bool has_result = false, has_type = false;
    SpvHasResultAndType(static_cast<SpvOp>(i.opcode), &has_result, &has_type);
    if (i.opcode == kSpirvTypeCooperativeMatrix) has_result = true;
    if (has_type) i.type = i.word(1);
    if (has_result) {
      i.result = i.word(has_type ? 2 : 1);
      module.definitions[i.result] = module.instructions.size();
    }
    module.instructions.push_back(i);
    at += count;
  }
  return module;
}

std::string spirv_string(const SpirvInstruction& instruction, size_t first) {
  std::string s;
  for (size_t i = first; i < instruction.words.size(); ++i) {
    for (int shift = 0; shift < 32; shift += 8) {
      char c = static_cast<char>(instruction.words[i] >> shift);
      if (c == 0) return s;
      s += c;
    }
  }
  return s;
}

bool is_float_arithmetic(uint32_t opcode) {
  switch (opcode) {
    case SpvOpFNegate:
    case SpvOpFAdd:
    case SpvOpFSub:
    case SpvOpFMul:
    case SpvOpFDiv:
    case SpvOpFRem:
    case SpvOpFMod:
    case SpvOpVectorTimesScalar:
    case SpvOpMatrixTimesScalar:
    case SpvOpVectorTimesMatrix:
    case SpvOpMatrixTimesVector:
    case SpvOpMatrixTimesMatrix:
    case SpvOpOuterProduct:
    case SpvOpDot: return true;
    default: return false;
  }
}

}  // namespace tuff
