// Compiles a model for the device that the loader lists first and prints, as JSON, the device's limits, what each kernel
// takes of them, what bounds it by the cost model at typical sizes, and what the driver says of its machine code: registers,
// spills, occupancy, instruction counts, as it names them and as Tuff reads them. Before each kernel it prints "kernel NAME" to
// stderr, so that what a driver prints there finds its kernel.
//
// pipeline_statistics MODEL.onnx [--exact] [--f16] [--undecorated]: --f16 keeps weights and intermediate values in f16;
// --undecorated leaves out the decorations that forbid fused multiply-adds; it is how a test shows that they matter. Exit
// status 1 with a sentence where a stage refuses.
// Invariant: each kernel is made by itself, so that a refusal and a compile time name their kernel.
#include <spirv/unified1/spirv.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/json.h"
#include "compile/load.h"
#include "compile/stages.h"
#include "fusion/cost.h"
#include "module/spirv_module.h"
#include "plan/work.h"

namespace tuff::test {
namespace {

struct Arguments {
  std::string model;
  bool exact = false, f16 = false, decorate = true;
};

int64_t size_bytes(const SpirvModule& module, uint32_t type_id) {
  const SpirvInstruction* type = module.definition(type_id);
  if (type == nullptr) return 0;
  switch (type->opcode) {
    case SpvOpTypeBool: return 4;
    case SpvOpTypeInt:
    case SpvOpTypeFloat: return type->word(2) / 8;
    case SpvOpTypeVector: return size_bytes(module, type->word(2)) * type->word(3);
    case SpvOpTypeArray: {
      const SpirvInstruction* length = module.definition(type->word(3));
      return size_bytes(module, type->word(2)) * (length == nullptr ? 0 : length->word(3));
    }
    default: return 0;
  }
}

// What the module itself declares, whatever the schedule says.
Result<int64_t> shared_bytes(const CompiledKernel& kernel) {
  TUFF_ASSIGN(SpirvModule module, read_spirv(kernel.spirv));
  int64_t bytes = 0;
  for (const SpirvInstruction& i : module.instructions) {
    if (i.opcode != SpvOpVariable || i.word(3) != SpvStorageClassWorkgroup) continue;
    const SpirvInstruction* pointer = module.definition(i.type);
    const int64_t size = pointer == nullptr ? 0 : size_bytes(module, pointer->word(3));
    if (size == 0) return internal_error(kernel.name + " has a shared variable whose size this program cannot count.");
    bytes += size;
  }
  return bytes;
}

const char* name_of(Bound bound) {
  switch (bound) {
    case Bound::kMemory: return "memory";
    case Bound::kArithmetic: return "arithmetic";
    case Bound::kLaunch: break;
  }
  return "launch";
}

// Of a kernel's dispatches the one of the most workgroups: how many, and what bounds it.
void print_work(const Plan& plan, const BoundPlan& bound, KernelId kernel, const DeviceInfo& device, JsonWriter& json) {
  StepWork most;
  for (const BoundDispatch& dispatch : bound.dispatches) {
    const StepWork work = work_of(plan, bound, dispatch);
    if (dispatch.kernel == kernel && work.workgroups > most.workgroups) most = work;
  }
  json.key("workgroups").integer(most.workgroups).key("bound").string(name_of(bound_of(most, device)));
}

// A pipeline's creation and what it left.
Status print_pipeline(const CompiledKernel& kernel, const Kernel& made_from, Device& device, JsonWriter& json) {
  CompiledKernels one;
  one.kernels.push_back(kernel);
  TUFF_ASSIGN(const int64_t shared, shared_bytes(kernel));
  std::fprintf(stderr, "kernel %s\n", kernel.name.c_str());
  auto start = std::chrono::steady_clock::now();
  TUFF_ASSIGN(auto pipelines, device.create_pipelines(one, {}));
  auto elapsed = std::chrono::steady_clock::now() - start;
  json.key("name").string(kernel.name).key("schedule").string(made_from.schedule);
  json.key("compile_ms").integer(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
  const int64_t storage_buffers = std::count(kernel.texel_words.begin(), kernel.texel_words.end(), 0);
  json.key("storage_buffers").integer(storage_buffers).key("shared_bytes").integer(shared);
  json.key("invocations").integer(int64_t{kernel.workgroup[0]} * kernel.workgroup[1] * kernel.workgroup[2]);
  const std::vector<PipelineStatistics> all = device.statistics(*pipelines);
  json.key("statistics").begin_object();
  for (const PipelineStatistics& statistics : all)
    for (const auto& [name, value] : statistics.values) json.key(name).string(value);
  json.end_object().key("usage").begin_object();
  for (const PipelineStatistics& statistics : all)
    for (const UsageField& field : kUsageFields)
      if (const auto& figure = statistics.usage.*field.figure) json.key(field.name).integer(*figure);
  json.end_object();
  return Status();
}

Result<std::shared_ptr<Device>> open_first() {
  OpenOptions open;
  open.allow_software = true;
  open.statistics = true;
  return open_device("", open);
}

Result<std::string> statistics_of(const Arguments& arguments, Device& device) {
  const DeviceInfo& info = device.info();
  TUFF_ASSIGN(LoadedModel model, load_model(arguments.model, {}));
  CompileOptions options;
  options.exact = arguments.exact;
  if (arguments.f16) options.precision = FloatPrecision::kF16Storage;
  TUFF_ASSIGN(Stages stages, run_stages(model.graph, info, options, Stage::kPlan));
  CodegenOptions codegen;
  codegen.decorate_exact = arguments.decorate;
  TUFF_ASSIGN(CompiledKernels modules, compile_kernels(stages.plan.kernels, info, codegen));
  std::map<std::string, int64_t> sizes;
  for (const Symbol& dimension : stages.plan.graph.symbols) sizes[dimension.name] = typical(IntExpr::symbol(dimension));
  TUFF_ASSIGN(const BoundPlan bound, tuff::bind(stages.plan, sizes, info));
  JsonWriter json;
  json.begin_object().key("device").string(info.name).key("driver").string(info.driver_version);
  json.key("compute_units").integer(info.rates.compute_units);
  json.key("limits").begin_object().key("storage_buffers").integer(info.max_storage_buffers);
  json.key("shared_bytes").integer(info.max_shared_bytes).key("invocations").integer(info.max_workgroup_invocations);
  json.end_object().key("kernels").begin_array();
  for (size_t k = 0; k < modules.kernels.size(); ++k) {
    json.begin_object();
    TUFF_TRY(print_pipeline(modules.kernels[k], stages.plan.kernels[k], device, json));
    print_work(stages.plan, bound, KernelId{static_cast<uint32_t>(k)}, info, json);
    json.end_object();
  }
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
    else if (!std::strcmp(argv[i], "--f16"))
      arguments.f16 = true;
    else if (!std::strcmp(argv[i], "--undecorated"))
      arguments.decorate = false;
    else
      arguments.model = argv[i];
  }
  auto device = tuff::test::open_first();
  auto text = device.ok() ? tuff::test::statistics_of(arguments, **device) : tuff::Result<std::string>(device.status());
  if (text.ok())
    std::printf("%s\n", text->c_str());
  else
    std::fprintf(stderr, "%s: %s\n", std::string(tuff::code_name(text.status().code())).c_str(),
                 text.status().message().c_str());
  std::fflush(nullptr);
  // The device is not destroyed. V3DV (Mesa 25.0) waits for its queue in vkDestroyDevice; over a kernel interface that does
  // nothing the wait returns at once and frees what the driver's own submit thread is about to read, so that one run in
  // four crashes there, after all that is asked of it here.
  std::_Exit(text.ok() ? 0 : 1);
}
