#include "codegen/exact.h"

#include <string_view>
#include <unordered_set>

#include <spirv/unified1/spirv.h>

#include "module/spirv_module.h"

namespace tuff {
namespace {

// Annotations come after names and before types: behind the last instruction that can stand before them.
bool precedes_annotations(uint32_t opcode) {
  switch (opcode) {
    case SpvOpCapability:
    case SpvOpExtension:
    case SpvOpExtInstImport:
    case SpvOpMemoryModel:
    case SpvOpEntryPoint:
    case SpvOpExecutionMode:
    case SpvOpExecutionModeId:
    case SpvOpString:
    case SpvOpSourceExtension:
    case SpvOpSource:
    case SpvOpSourceContinued:
    case SpvOpName:
    case SpvOpMemberName:
    case SpvOpModuleProcessed: return true;
    default: return false;
  }
}

void insert(std::vector<uint32_t>& words, size_t at, const std::vector<uint32_t>& added) {
  words.insert(words.begin() + static_cast<ptrdiff_t>(at), added.begin(), added.end());
}

std::vector<uint32_t> extension_instruction(std::string_view name) {
  std::vector<uint32_t> words(1 + name.size() / 4 + 1);
  words[0] = static_cast<uint32_t>(words.size() << SpvWordCountShift) | SpvOpExtension;
  for (size_t i = 0; i < name.size(); ++i) {
    words[1 + i / 4] |= static_cast<uint32_t>(static_cast<unsigned char>(name[i])) << (8 * (i % 4));
  }
  return words;
}

}  // namespace

Result<std::vector<uint32_t>> preserve_signed_zero_inf_nan(std::vector<uint32_t> words) {
  TUFF_ASSIGN(SpirvModule module, read_spirv(words));
  size_t capabilities_end = kSpirvHeaderWords, modes_end = kSpirvHeaderWords;
  uint32_t entry_point = 0;
  for (const SpirvInstruction& i : module.instructions) {
    size_t end = i.offset + i.words.size();
    if (i.opcode == SpvOpCapability) capabilities_end = end;
    if (i.opcode == SpvOpEntryPoint) entry_point = i.word(2);
    if (i.opcode == SpvOpEntryPoint || i.opcode == SpvOpExecutionMode) modes_end = end;
  }
  if (entry_point == 0) return internal_error("A module without an entry point cannot have float controls.");
  // From the back, so that offsets in front stay right.
  insert(words, modes_end,
         {(4u << SpvWordCountShift) | SpvOpExecutionMode, entry_point, SpvExecutionModeSignedZeroInfNanPreserve, 32});
  insert(words, capabilities_end, extension_instruction("SPV_KHR_float_controls"));
  insert(words, capabilities_end, {(2u << SpvWordCountShift) | SpvOpCapability, SpvCapabilitySignedZeroInfNanPreserve});
  return words;
}

Result<std::vector<uint32_t>> decorate_no_contraction(std::vector<uint32_t> words) {
  TUFF_ASSIGN(SpirvModule module, read_spirv(words));
  size_t insert_at = kSpirvHeaderWords;
  std::unordered_set<uint32_t> decorated;
  for (const SpirvInstruction& i : module.instructions) {
    if (precedes_annotations(i.opcode)) insert_at = i.offset + i.words.size();
    if (i.opcode == SpvOpDecorate && i.word(2) == SpvDecorationNoContraction) decorated.insert(i.word(1));
  }
  std::vector<uint32_t> added;
  for (const SpirvInstruction& i : module.instructions) {
    if (!is_float_arithmetic(i.opcode) || !decorated.insert(i.result).second) continue;
    added.insert(added.end(), {(3u << SpvWordCountShift) | SpvOpDecorate, i.result, SpvDecorationNoContraction});
  }
  insert(words, insert_at, added);
  return words;
}

}  // namespace tuff
