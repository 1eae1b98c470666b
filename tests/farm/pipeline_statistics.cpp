// Compiles a model for the device that the loader lists first and prints, as JSON, what its driver says of each kernel's
// machine code: registers, spills, occupancy, instruction counts.
//
// pipeline_statistics MODEL.onnx [--exact] [--undecorated]: --undecorated leaves out the decorations that forbid fused
// multiply-adds; it is how a test shows that they matter. Exit status 1 with a sentence where a stage refuses.
// Invariant: each kernel is made by itself, so that a refusal and a compile time name their kernel.
#include <chrono>
#include <cstdio>
#include <cstring>

#include "base/json.h"
#include "compile/load.h"
#include "compile/stages.h"

namespace tuff::test {
namespace {

struct Arguments {
  std::string model;
  bool exact = false, decorate = true;
};

// A pipeline's creation and what it left.
Status print_kernel(const CompiledKernel& kernel, const Kernel& made_from, Device& device, JsonWriter& json) {
  CompiledKernels one;
  one.kernels.push_back(kernel);
  auto start = std::chrono::steady_clock::now();
  TUFF_ASSIGN(auto pipelines, device.create_pipelines(one, {}));
  auto elapsed = std::chrono::steady_clock::now() - start;
  json.begin_object().key("name").string(kernel.name).key("schedule").string(made_from.schedule);
  json.key("compile_ms").integer(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
  json.key("statistics").begin_object();
  for (const PipelineStatistics& statistics : device.statistics(*pipelines))
    for (const auto& [name, value] : statistics.values) json.key(name).string(value);
  json.end_object().end_object();
  return Status();
}

Result<std::string> statistics_of(const Arguments& arguments) {
  OpenOptions open;
  open.allow_software = true;
  open.statistics = true;
  TUFF_ASSIGN(std::shared_ptr<Device> device, open_device("", open));
  TUFF_ASSIGN(LoadedModel model, load_model(arguments.model, {}));
  CompileOptions options;
  options.exact = arguments.exact;
  TUFF_ASSIGN(Stages stages, run_stages(model.graph, device->info(), options, Stage::kPlan));
  CodegenOptions codegen;
  codegen.decorate_exact = arguments.decorate;
  TUFF_ASSIGN(CompiledKernels modules, compile_kernels(stages.plan.kernels, device->info(), codegen));
  JsonWriter json;
  json.begin_object().key("device").string(device->info().name).key("driver").string(device->info().driver_name);
  json.key("kernels").begin_array();
  for (size_t k = 0; k < modules.kernels.size(); ++k)
    TUFF_TRY(print_kernel(modules.kernels[k], stages.plan.kernels[k], *device, json));
  json.end_array().end_object();
  return json.text();
}

}  // namespace
}  // namespace tuff::test

int main(int argc, char** argv) {
  tuff::test::Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--exact"))
      arguments.exact = true;
    else if (!std::strcmp(argv[i], "--undecorated"))
      arguments.decorate = false;
    else
      arguments.model = argv[i];
  }
  auto text = tuff::test::statistics_of(arguments);
  if (!text.ok()) {
    std::fprintf(stderr, "%s: %s\n", std::string(tuff::code_name(text.status().code())).c_str(),
                 text.status().message().c_str());
    return 1;
  }
  std::printf("%s\n", text->c_str());
  return 0;
}
