#include "codegen/glsl.h"

#include <exception>
#include <new>

#include <glslang/Public/ShaderLang.h>
#include <glslang/SPIRV/GlslangToSpv.h>
#include <glslang/build_info.h>

#include "codegen/codegen.h"

namespace tuff {
namespace {

// What gl_Max... constants would say, which no kernel reads, and which loops and indexing are allowed: all of them.
// Limits of a real device are the plan's business.
TBuiltInResource compute_resources() {
  TBuiltInResource r = {};
  r.maxComputeWorkGroupCountX = r.maxComputeWorkGroupCountY = r.maxComputeWorkGroupCountZ = INT32_MAX;
  r.maxComputeWorkGroupSizeX = r.maxComputeWorkGroupSizeY = r.maxComputeWorkGroupSizeZ = 4096;
  r.maxComputeUniformComponents = 4096;
  r.maxCombinedShaderOutputResources = 64;
  r.maxDrawBuffers = 1;
  r.maxClipDistances = r.maxCullDistances = r.maxCombinedClipAndCullDistances = 8;
  r.maxSamples = 4;
  r.limits.nonInductiveForLoops = true;
  r.limits.whileLoops = true;
  r.limits.doWhileLoops = true;
  r.limits.generalUniformIndexing = true;
  r.limits.generalAttributeMatrixVectorIndexing = true;
  r.limits.generalVaryingIndexing = true;
  r.limits.generalSamplerIndexing = true;
  r.limits.generalVariableIndexing = true;
  r.limits.generalConstantMatrixVectorIndexing = true;
  return r;
}

std::string source_line(std::string_view source, long number) {
  for (long line = 1; !source.empty(); ++line) {
    size_t end = source.find('\n');
    if (line == number) return std::string(source.substr(0, end));
    if (end == std::string_view::npos) break;
    source.remove_prefix(end + 1);
  }
  return "";
}

// The first message of the log, "ERROR: 0:LINE: ...", with the line that it speaks of.
Status compile_failure(const std::string& source, const std::string& kernel_name, const std::string& log) {
  std::string message = "The GLSL of kernel '" + kernel_name + "' does not compile: " + log;
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  size_t at = log.find("ERROR: 0:");
  if (at != std::string::npos) {
    long line = std::strtol(log.c_str() + at + 9, nullptr, 10);
    message += "\nline " + std::to_string(line) + ": " + source_line(source, line);
  }
  return internal_error(message);
}

// glslang counts its users; the one that stays until the process ends is made once, whichever thread comes first.
bool initialize_glslang() {
  static const bool ok = glslang::InitializeProcess();
  return ok;
}

Result<std::vector<uint32_t>> compile(const std::string& source, const std::string& kernel_name) {
  if (!initialize_glslang()) return internal_error("glslang could not be initialised.");
  static const TBuiltInResource kResources = compute_resources();
  glslang::TShader shader(EShLangCompute);
  const char* text = source.c_str();
  int length = static_cast<int>(source.size());
  shader.setStringsWithLengths(&text, &length, 1);
  shader.setEnvInput(glslang::EShSourceGlsl, EShLangCompute, glslang::EShClientVulkan, 450);
  shader.setEnvClient(glslang::EShClientVulkan, glslang::EShTargetVulkan_1_1);
  shader.setEnvTarget(glslang::EShTargetSpv, glslang::EShTargetSpv_1_3);
  EShMessages messages = static_cast<EShMessages>(EShMsgSpvRules | EShMsgVulkanRules);
  if (!shader.parse(&kResources, 450, false, messages)) {
    return compile_failure(source, kernel_name, shader.getInfoLog());
  }
  glslang::TProgram program;
  program.addShader(&shader);
  if (!program.link(messages)) return compile_failure(source, kernel_name, program.getInfoLog());
  const glslang::TIntermediate* intermediate = program.getIntermediate(EShLangCompute);
  if (!intermediate) return compile_failure(source, kernel_name, "the compute stage is missing");
  std::vector<uint32_t> words;
  glslang::SpvOptions options;
  options.disableOptimizer = true;  // drivers optimise; the words stay close to the source
  glslang::GlslangToSpv(*intermediate, words, &options);
  if (words.empty()) return compile_failure(source, kernel_name, "no words came out");
  return words;
}

}  // namespace

Result<std::vector<uint32_t>> compile_glsl(const std::string& source, const std::string& kernel_name) {
  try {
    return compile(source, kernel_name);
  } catch (const std::bad_alloc&) {
    return out_of_memory("No memory to compile kernel '" + kernel_name + "'.");
  } catch (const std::exception& e) {
    return internal_error("glslang threw while it compiled kernel '" + kernel_name + "': " + e.what() + ".");
  } catch (...) {
    return internal_error("glslang threw while it compiled kernel '" + kernel_name + "'.");
  }
}

bool compiles_cooperative_matrices() { return GLSLANG_VERSION_MAJOR >= 13; }

std::string glsl_compiler_version() {
  return "glslang " + std::to_string(GLSLANG_VERSION_MAJOR) + "." + std::to_string(GLSLANG_VERSION_MINOR) + "." +
         std::to_string(GLSLANG_VERSION_PATCH) + " generator " + std::to_string(glslang::GetSpirvGeneratorVersion());
}

}  // namespace tuff
