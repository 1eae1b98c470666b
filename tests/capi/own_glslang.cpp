// A host that compiles shaders of its own, with a glslang that it has linked: own_glslang own|tuff MODEL. Whichever comes
// first in the process, and after the host has ended its own, each does what it does alone. The host exports all its symbols,
// so that a library which imported glslang's would get the host's. MODEL: f32[1, 4] to f32[1, 4], its input plus k/4.
#include <cstdio>
#include <cstring>
#include <vector>

#include <glslang/Public/ShaderLang.h>
#include <glslang/SPIRV/GlslangToSpv.h>
#include <tuff/tuff.hpp>

namespace {

constexpr uint32_t kSpirvMagic = 0x07230203;

std::vector<uint32_t> compile_own() {
  static const char* const kSource =
      "#version 450\n"
      "layout(local_size_x = 64) in;\n"
      "layout(binding = 0) buffer Data { float data[]; };\n"
      "void main() { data[gl_GlobalInvocationID.x] *= 2.0; }\n";
  TBuiltInResource limits = {};
  limits.maxComputeWorkGroupCountX = limits.maxComputeWorkGroupCountY = limits.maxComputeWorkGroupCountZ = 65535;
  limits.maxComputeWorkGroupSizeX = 64;
  limits.limits.generalUniformIndexing = limits.limits.generalVariableIndexing = true;
  glslang::TShader shader(EShLangCompute);
  shader.setStrings(&kSource, 1);
  shader.setEnvInput(glslang::EShSourceGlsl, EShLangCompute, glslang::EShClientVulkan, 450);
  shader.setEnvClient(glslang::EShClientVulkan, glslang::EShTargetVulkan_1_0);
  shader.setEnvTarget(glslang::EShTargetSpv, glslang::EShTargetSpv_1_0);
  const auto messages = static_cast<EShMessages>(EShMsgSpvRules | EShMsgVulkanRules);
  glslang::TProgram program;
  std::vector<uint32_t> words;
  if (!shader.parse(&limits, 450, false, messages)) return std::fprintf(stderr, "%s", shader.getInfoLog()), words;
  program.addShader(&shader);
  if (!program.link(messages)) return std::fprintf(stderr, "%s", program.getInfoLog()), words;
  glslang::GlslangToSpv(*program.getIntermediate(EShLangCompute), words);
  return words;
}

// Compiles the model and runs it.
tuff::Result<std::vector<float>> run_model(const char* path) {
  tuff::DeviceOptions software;
  software.allow_software = true;
  tuff::Result<tuff::Device> device = tuff::Device::open(software);
  if (!device) return device.error();
  tuff::Result<tuff::Model> model = tuff::Model::load_file(path);
  if (!model) return model.error();
  tuff::Result<tuff::Program> program = tuff::Program::create(*device, *model);
  if (!program) return program.error();
  tuff::Result<tuff::Session> session = tuff::Session::create(*program);
  if (!session) return session.error();
  std::vector<float> x(4, 0.5f), y(4);
  tuff::Tensor input, output;
  input.data = x.data();
  output.data = y.data();
  input.size_bytes = output.size_bytes = 4 * sizeof(float);
  tuff::Status ran = session->run({&input, 1}, {&output, 1});
  if (!ran) return ran.error();
  return y;
}

bool own_works() {
  static const std::vector<uint32_t> kFirst = compile_own();
  const bool same = !kFirst.empty() && kFirst[0] == kSpirvMagic && compile_own() == kFirst;
  if (!same) std::fprintf(stderr, "own_glslang: the host's own glslang does not do what it did\n");
  return same;
}

bool tuff_works(const char* path) {
  tuff::Result<std::vector<float>> y = run_model(path);
  if (!y) return std::fprintf(stderr, "own_glslang: %s\n", y.error().message.c_str()), false;
  const bool right = *y == std::vector<float>{0.75f, 1.0f, 1.25f, 1.5f};
  if (!right) std::fprintf(stderr, "own_glslang: Tuff computed something else\n");
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: own_glslang own|tuff MODEL\n"), 2;
  const bool own_first = std::strcmp(argv[1], "own") == 0;
  if (!own_first && !tuff_works(argv[2])) return 1;
  if (!glslang::InitializeProcess() || !own_works() || !tuff_works(argv[2]) || !own_works()) return 1;
  glslang::FinalizeProcess();
  if (!tuff_works(argv[2])) return 1;
  std::printf("both compilers did what they do alone\n");
}
