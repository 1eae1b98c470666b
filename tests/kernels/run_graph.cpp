#include "kernels/run_graph.h"

#include "codegen/codegen.h"
#include "fusion/fusion.h"
#include "kernel/make_kernels.h"
#include "layout/isolate_stored_values.h"
#include "plan/make_plan.h"
#include "session/session.h"

namespace tuff {

Result<std::shared_ptr<Device>> test_device() {
  static Result<std::shared_ptr<Device>> device = [] {
    OpenOptions options;
    options.allow_software = true;
    return open_device("", options);
  }();
  return device;
}

Result<RunResult> run_graph(const Graph& source, const std::shared_ptr<Device>& device, const RunMode& mode,
                            const std::vector<Tensor>& inputs, const std::map<std::string, int64_t>& symbols) {
  TUFF_TRY(verify(source));
  const DeviceInfo& info = device->info();
  Graph graph = isolate_stored_values(source);
  TUFF_TRY(verify(graph));
  Layouts layouts = choose_layouts(graph, info);
  TUFF_ASSIGN(Fusion fusion, fuse(graph, layouts, {mode.fuse}, info, {}));
  TUFF_TRY(verify(fusion, graph));
  std::vector<std::vector<GuardedKernel>> groups;
  for (const Group& group : fusion.groups) {
    TUFF_ASSIGN(auto kernels, make_kernels({graph, layouts, fusion, group, info, mode.exact}));
    groups.push_back(std::move(kernels));
  }
  std::vector<std::vector<int>> orders;
  for (const StorageFormat& f : layouts.formats) orders.push_back(f.order);
  auto program = std::make_shared<Program>();
  program->target = {TargetKind::kDevice, info, device};
  program->exact = mode.exact;
  TUFF_ASSIGN(program->plan, make_plan(graph, std::move(orders), std::move(groups)));
  TUFF_TRY(verify(program->plan));
  RunResult result;
  for (const Kernel& k : program->plan.kernels)
    result.sources += "// " + k.name + "\n" + k.source.substr(k.source.find("layout(local")) + "\n";
  CodegenOptions codegen;
  auto compiled = compile_kernels(program->plan.kernels, info, codegen);
  if (!compiled.ok()) return Status(compiled.status().code(), compiled.status().message() + "\n" + result.sources);
  TUFF_ASSIGN(program->pipelines, device->create_pipelines(*compiled, {}));
  TUFF_ASSIGN(program->weights, upload_weights(program->plan, *device));
  TUFF_ASSIGN(BoundPlan bound, tuff::bind(program->plan, symbols, info));
  TUFF_TRY(verify(program->plan, bound, info));
  TUFF_ASSIGN(auto session, make_session(program, {}));
  TUFF_TRY(session->prepare(symbols));
  for (size_t i = 0; i < inputs.size(); ++i) {
    TensorView view{inputs[i].dtype, inputs[i].shape, dense_byte_strides(inputs[i].dtype, inputs[i].shape),
                    inputs[i].bytes.data()};
    TUFF_TRY(session->write_input(i, view));
  }
  TUFF_TRY(run(*session, 60'000'000'000ull));
  result.dispatch_count = session->prepared()->dispatch_count;
  for (size_t i = 0; i < session->prepared()->outputs.size(); ++i) {
    const BoundTensor& output = session->prepared()->outputs[i];
    Tensor t{output.dtype, output.shape, {}};
    t.bytes.resize(static_cast<size_t>(t.element_count() * dtype_size_bytes(t.dtype)));
    MutableTensorView view{t.dtype, t.shape, dense_byte_strides(t.dtype, t.shape), t.bytes.data()};
    TUFF_TRY(session->read_output(i, view));
    result.outputs.push_back(std::move(t));
  }
  return result;
}

}  // namespace tuff
