#include "codegen/spirv_tools.h"

#include <iterator>
#include <memory>

#include <spirv-tools/libspirv.h>
#include <spirv/unified1/spirv.h>

#include "codegen/codegen.h"
#include "module/spirv_module.h"

namespace tuff {
namespace {

struct ContextDeleter {
  void operator()(spv_context_t* p) const { spvContextDestroy(p); }
};
struct DiagnosticDeleter {
  void operator()(spv_diagnostic_t* p) const { spvDiagnosticDestroy(p); }
};
struct TextDeleter {
  void operator()(spv_text_t* p) const { spvTextDestroy(p); }
};

constexpr uint32_t kCapability = (2u << SpvWordCountShift) | SpvOpCapability;

using ContextPtr = std::unique_ptr<spv_context_t, ContextDeleter>;
using DiagnosticPtr = std::unique_ptr<spv_diagnostic_t, DiagnosticDeleter>;
using TextPtr = std::unique_ptr<spv_text_t, TextDeleter>;

std::string text_of(const DiagnosticPtr& diagnostic) {
  if (!diagnostic || !diagnostic->error) return "it gives no reason";
  return std::string(diagnostic->error) + " (word " + std::to_string(diagnostic->position.index) + ")";
}

bool has_cooperative_matrices(std::span<const uint32_t> words) {
  for (size_t at = kSpirvHeaderWords; at + 1 < words.size() && words[at] == kCapability; at += 2)
    if (words[at + 1] == kSpirvCooperativeMatrixCapability) return true;
  return false;
}

// Does this SPIRV-Tools know cooperative matrices? Debian 12's takes their instructions for damage.
bool knows_cooperative_matrices() {
  static const bool known = [] {
    const uint32_t words[] = {SpvMagicNumber, 0x10300, 0, 1, 0, kCapability, kSpirvCooperativeMatrixCapability};
    ContextPtr context(spvContextCreate(SPV_ENV_VULKAN_1_1));
    spv_text raw_text = nullptr;
    spv_diagnostic raw = nullptr;
    const spv_result_t result = spvBinaryToText(context.get(), words, std::size(words), 0, &raw_text, &raw);
    DiagnosticPtr diagnostic(raw);
    TextPtr text(raw_text);
    return result == SPV_SUCCESS;
  }();
  return known;
}

}  // namespace

Status validate_spirv(std::span<const uint32_t> words, const std::string& kernel_name) {
  // Our own rules (module/verify_spirv.h) hold for these all the same, and a driver's validation layer in the tests.
  if (has_cooperative_matrices(words) && !knows_cooperative_matrices()) return ok_status();
  ContextPtr context(spvContextCreate(SPV_ENV_VULKAN_1_1));
  if (!context) return out_of_memory("No memory for the SPIR-V validator.");
  spv_const_binary_t binary = {words.data(), words.size()};
  spv_diagnostic raw = nullptr;
  spv_result_t result = spvValidate(context.get(), &binary, &raw);
  DiagnosticPtr diagnostic(raw);
  if (result == SPV_SUCCESS) return ok_status();
  return internal_error("SPIRV-Tools rejects the module of kernel '" + kernel_name + "': " + text_of(diagnostic) + ".");
}

std::string disassemble(std::span<const uint32_t> words) {
  ContextPtr context(spvContextCreate(SPV_ENV_VULKAN_1_1));
  if (!context) return "; no memory for the disassembler\n";
  spv_text raw_text = nullptr;
  spv_diagnostic raw = nullptr;
  uint32_t options =
      SPV_BINARY_TO_TEXT_OPTION_INDENT | SPV_BINARY_TO_TEXT_OPTION_FRIENDLY_NAMES | SPV_BINARY_TO_TEXT_OPTION_NO_HEADER;
  spv_result_t result = spvBinaryToText(context.get(), words.data(), words.size(), options, &raw_text, &raw);
  TextPtr text(raw_text);
  DiagnosticPtr diagnostic(raw);
  if (result != SPV_SUCCESS || !text) return "; not a module: " + text_of(diagnostic) + "\n";
  return std::string(text->str, text->length);
}

}  // namespace tuff
