#include "compile/compile.h"

#include <cstring>

#include "compile/stages.h"
#include "kernel/make_kernels.h"
#include "layout/isolate_stored_values.h"
#include "plan/make_plan.h"
#include "reference/reference.h"
#include "simplify/precision.h"
#include "simplify/simplify.h"

namespace tuff {
namespace {

SpirvCache spirv_cache(const std::shared_ptr<Cache>& cache) {
  SpirvCache spirv;
  if (!cache) return spirv;
  spirv.load = [cache](const Hash& key) -> std::optional<std::vector<uint32_t>> {
    std::optional<std::vector<std::byte>> blob = cache->load(key, "spirv");
    if (!blob || blob->size() % sizeof(uint32_t) != 0) return std::nullopt;
    std::vector<uint32_t> words(blob->size() / sizeof(uint32_t));
    if (!words.empty()) std::memcpy(words.data(), blob->data(), blob->size());
    return words;
  };
  spirv.store = [cache](const Hash& key, std::span<const uint32_t> words) { cache->store(key, "spirv", std::as_bytes(words)); };
  return spirv;
}

SimplifyOptions simplify_options(bool exact) {
  SimplifyOptions simplify;
  simplify.exact = exact;
  simplify.evaluate_constants = evaluate_closed;
  return simplify;
}

Result<std::vector<std::vector<GuardedKernel>>> make_all_kernels(const Stages& s, const DeviceInfo& device,
                                                                 const CompileOptions& options) {
  std::vector<std::vector<GuardedKernel>> all;
  for (const Group& group : s.fusion.groups) {
    TUFF_ASSIGN(auto kernels,
                make_kernels({s.laid_out, s.layouts, s.fusion, group, device, options.exact, &options.observations}));
    all.push_back(std::move(kernels));
  }
  return all;
}

// The nodes of these steps' groups, which then run one by one; false where they all do already.
bool keep_apart(const Stages& stages, const std::vector<StepId>& steps, std::vector<bool>& apart) {
  bool any = false;
  apart.resize(stages.laid_out.nodes.size());
  for (StepId step : steps) {
    const std::vector<NodeId>& members = stages.fusion.groups[step.value].members;
    if (members.size() < 2) return false;
    for (NodeId node : members) {
      any = any || !apart[node.value];
      apart[node.value] = true;
    }
  }
  return any;
}

}  // namespace

Result<Stages> run_stages(const Graph& graph, const DeviceInfo& described, const CompileOptions& options, Stage last,
                          const std::vector<bool>& apart) {
  TUFF_TRY(check_cancelled(options.workers));
  const DeviceInfo device = with_rates(described, options.observations);
  Stages s;
  // What changes arithmetic is decided here, from the graph alone, so that every device computes the same.
  TUFF_ASSIGN(s.simplified, timed_stage("simplify", options.progress, s.times,
                                        [&] { return simplify(graph, simplify_options(options.exact)); }));
  if (options.precision != FloatPrecision::kModel) {
    const bool all = options.precision == FloatPrecision::kF16;
    TUFF_ASSIGN(Lowered lowered, timed_stage("precision", options.progress, s.times,
                                             [&] { return all ? compute_in_f16(s.simplified) : store_in_f16(s.simplified); }));
    s.simplified = std::move(lowered.graph);
    s.lowered = std::move(lowered.values);
  }
  TUFF_TRY(verify(s.simplified));
  if (last <= Stage::kSimplified) return s;

  // Where elements lie is chosen before what runs together, since a group's stores have to agree with it.
  s.laid_out = timed_stage("layout", options.progress, s.times, [&] {
    Graph isolated = isolate_stored_values(std::move(s.simplified));
    s.layouts = choose_layouts(isolated, device);
    return isolated;
  });
  TUFF_TRY(verify(s.laid_out));
  if (last <= Stage::kLayout) return s;

  TUFF_ASSIGN(s.fusion, timed_stage("fusion", options.progress, s.times, [&] {
                return fuse(s.laid_out, s.layouts, {options.fuse, options.exact, apart, compiles_cooperative_matrices()},
                            device, options.observations);
              }));
  TUFF_TRY(verify(s.fusion, s.laid_out));
  if (last <= Stage::kExplain) return s;

  // A group may have more than one kernel: sizes that are known only later choose between them.
  TUFF_ASSIGN(auto kernels,
              timed_stage("kernels", options.progress, s.times, [&] { return make_all_kernels(s, device, options); }));
  std::vector<std::vector<int>> orders;
  for (const StorageFormat& format : s.layouts.formats) orders.push_back(format.order);
  TUFF_ASSIGN(s.plan, timed_stage("plan", options.progress, s.times,
                                  [&] { return make_plan(s.laid_out, std::move(orders), std::move(kernels)); }));
  TUFF_TRY(verify(s.plan));
  if (last < Stage::kSpirv) return s;

  // Last, because it is the dearest: no kernel is compiled that the plan does not run.
  CodegenOptions codegen;
  codegen.cache = spirv_cache(options.cache);
  codegen.workers = options.workers;
  TUFF_ASSIGN(s.modules, timed_stage("codegen", options.progress, s.times,
                                     [&] { return compile_kernels(s.plan.kernels, device, codegen); }));
  return s;
}

Result<std::shared_ptr<const Program>> compile_model(const Graph& graph, const Target& target, const CompileOptions& options) {
  auto program = std::make_shared<Program>();
  program->target = target;
  program->exact = options.exact;
  // The CPU interprets the graph; a description has no driver to make pipelines.
  Stage last = target.kind == TargetKind::kCpu ? Stage::kSimplified : Stage::kSpirv;
  for (std::vector<bool> apart;;) {
    TUFF_ASSIGN(Stages stages, run_stages(graph, target.info, options, last, apart));
    program->times = std::move(stages.times);
    if (target.kind == TargetKind::kCpu) {
      program->plan.graph = std::move(stages.simplified);
      return std::shared_ptr<const Program>(program);
    }
    program->plan = std::move(stages.plan);
    program->decisions = explain_groups(stages.fusion);
    std::vector<StepId> without_kernel;
    const Status finished =
        finish_program(*program, stages.modules, {options.cache, options.progress, options.workers}, &without_kernel);
    if (finished.ok()) return std::shared_ptr<const Program>(program);
    if (!keep_apart(stages, without_kernel, apart)) return finished;
  }
}

Result<std::vector<std::byte>> compile_artifact(const Graph& graph, const std::vector<DeviceInfo>& devices,
                                                const CompileOptions& options, uint32_t numerics_version) {
  std::vector<ArtifactEntry> entries;
  auto add = [&](const DeviceInfo& device) -> Status {
    auto stages = run_stages(graph, device, options, Stage::kSpirv);
    if (!stages.ok()) return stages.status().with_context("for '" + device.name + "'");
    entries.push_back({device, std::move(stages->plan), std::move(stages->modules)});
    return ok_status();
  };
  for (const DeviceInfo& device : devices) TUFF_TRY(add(device));
  // A model that the least device cannot run (it has f64, say) does without the fallback if it is for named devices.
  Status fallback = add(fallback_device());
  if (!fallback.ok() && (devices.empty() || fallback.code() != Code::kUnsupported)) return fallback;
  return save_artifact(entries, options.exact, numerics_version);
}

}  // namespace tuff
