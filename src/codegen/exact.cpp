#include "codegen/exact.h"

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

}  // namespace

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
  words.insert(words.begin() + static_cast<ptrdiff_t>(insert_at), added.begin(), added.end());
  return words;
}

}  // namespace tuff
