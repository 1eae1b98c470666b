#include "codegen/float_controls.h"

#include <set>
#include <string_view>

#include <spirv/unified1/spirv.h>

#include "module/spirv_module.h"

namespace tuff {
namespace {

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

std::vector<FloatControl> float_controls_of(const Kernel& kernel, const DeviceInfo& device) {
  std::vector<FloatControl> controls;
  if (kernel.exact && device.signed_zero_inf_nan_f32)
    controls.push_back({SpvCapabilitySignedZeroInfNanPreserve, SpvExecutionModeSignedZeroInfNanPreserve, 32});
  if (device.denorm_preserve_f16 && kernel.source.find("unpackHalf2x16") != std::string::npos) {
    controls.push_back({SpvCapabilityDenormPreserve, SpvExecutionModeDenormPreserve, 16});
    if (device.denorm_preserve_f64) controls.push_back({SpvCapabilityDenormPreserve, SpvExecutionModeDenormPreserve, 64});
  }
  return controls;
}

Result<std::vector<uint32_t>> add_float_controls(std::vector<uint32_t> words, const std::vector<FloatControl>& controls) {
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
  std::vector<uint32_t> capabilities, modes;
  std::set<uint32_t> declared;
  for (const FloatControl& c : controls) {
    modes.insert(modes.end(), {(4u << SpvWordCountShift) | SpvOpExecutionMode, entry_point, c.mode, c.bits});
    if (declared.insert(c.capability).second)
      capabilities.insert(capabilities.end(), {(2u << SpvWordCountShift) | SpvOpCapability, c.capability});
  }
  // From the back, so that offsets in front stay right.
  insert(words, modes_end, modes);
  insert(words, capabilities_end, extension_instruction("SPV_KHR_float_controls"));
  insert(words, capabilities_end, capabilities);
  return words;
}

}  // namespace tuff
