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

}  // namespace

Status finish_program(Program& program, const CompiledKernels& modules, const DriverOptions& options) {
  if (program.target.kind != TargetKind::kDevice) return ok_status();
  Device& device = *program.target.device;
  TUFF_ASSIGN(program.pipelines, timed_stage("pipelines", options.progress, program.times, [&] {
                return device.create_pipelines(modules, pipeline_options(options, program.target.info, modules));
              }));
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
