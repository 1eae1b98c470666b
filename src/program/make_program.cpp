#include "program/make_program.h"

#include "artifact/artifact.h"

namespace tuff {
namespace {

// One driver blob a program, device and driver: blobs that many programs share grow without bound.
PipelineOptions pipeline_options(const DriverOptions& driver, const DeviceInfo& device, const CompiledKernels& modules) {
  PipelineOptions options;
  options.workers = driver.workers;
  const std::shared_ptr<Cache>& cache = driver.cache;
  if (!cache) return options;
  Hasher hasher;
  hasher.text("tuff pipelines").text(device.name).text(device.uuid).text(device.driver_name).text(device.driver_version);
  for (const CompiledKernel& kernel : modules.kernels) hasher.number(kernel.hash.high).number(kernel.hash.low);
  Hash key = hasher.finish();
  options.load = [cache, key] { return cache->load(key, "pipelines").value_or(std::vector<std::byte>()); };
  options.store = [cache, key](std::span<const std::byte> blob) { cache->store(key, "pipelines", blob); };
  return options;
}

// Takes variants whose kernels the driver refused out of the plan; `refused`: by kernel.
Status leave_out(Plan& plan, const std::vector<Status>& refused, std::vector<StepId>* without_kernel) {
  Status missing;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    std::vector<Variant>& variants = plan.steps[s].variants;
    auto is_refused = [&](const Variant& v) { return !refused[v.kernel.value].ok(); };
    if (is_refused(variants.back())) {
      if (missing.ok()) missing = refused[variants.back().kernel.value];
      if (without_kernel) without_kernel->push_back(StepId(s));
    } else {
      std::erase_if(variants, is_refused);
    }
  }
  return missing;
}

}  // namespace

Status finish_program(Program& program, const CompiledKernels& modules, const DriverOptions& options,
                      std::vector<StepId>* without_kernel) {
  if (program.target.kind != TargetKind::kDevice) return ok_status();
  Device& device = *program.target.device;
  std::vector<Status> refused(modules.kernels.size());
  PipelineOptions pipelines = pipeline_options(options, program.target.info, modules);
  pipelines.refused = &refused;
  TUFF_ASSIGN(program.pipelines, timed_stage("pipelines", options.progress, program.times,
                                             [&] { return device.create_pipelines(modules, pipelines); }));
  for (const PipelineStatistics& statistics : device.statistics(*program.pipelines)) program.usages.push_back(statistics.usage);
  TUFF_TRY(leave_out(program.plan, refused, without_kernel));
  TUFF_ASSIGN(program.weights,
              timed_stage("weights", options.progress, program.times, [&] { return upload_weights(program.plan, device); }));
  return ok_status();
}

Result<std::shared_ptr<const Program>> load_program(const Bytes& bytes, const std::string& source, const Target& target,
                                                    uint32_t numerics_version, const DriverOptions& options) {
  TUFF_TRY(check_cancelled(options.workers));
  auto program = std::make_shared<Program>();
  program->target = target;
  const DeviceInfo* device = target.kind == TargetKind::kCpu ? nullptr : &target.info;
  Result<LoadedArtifact> loaded =
      timed_stage("artifact", options.progress, program->times, [&] { return load_artifact(bytes, device, numerics_version); });
  if (!loaded.ok()) return loaded.status().with_context(source);
  program->exact = loaded->exact;
  program->plan = std::move(loaded->plan);
  TUFF_TRY(finish_program(*program, loaded->modules, options));
  return std::shared_ptr<const Program>(program);
}

}  // namespace tuff
