// The last arrow before a session: plan and modules to a Program, by what only a driver can do. The compiler and whoever
// loads an artifact both end here.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "base/file.h"
#include "base/workers.h"
#include "program/cache.h"
#include "session/program.h"

namespace tuff {

// Said before each stage; may be null.
using StageProgress = std::function<void(std::string_view stage)>;

// Says a stage's name to whoever follows the progress, runs it and notes its time.
template <class Function>
auto timed_stage(const char* stage, const StageProgress& progress, std::vector<StageTime>& times, Function function) {
  if (progress) progress(stage);
  auto start = std::chrono::steady_clock::now();
  auto result = function();
  auto elapsed = std::chrono::steady_clock::now() - start;
  times.push_back({stage, std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count()});
  return result;
}

struct DriverOptions {
  std::shared_ptr<Cache> cache;  // of the driver's blobs; may be null
  StageProgress progress;
  Workers workers = {};  // a piece a pipeline
};

// Pipelines and weights, for a program whose target and plan are set; nothing for targets other than devices. A variant of
// which the driver makes no pipeline leaves the plan, if a later one of its step takes its place. Else the status says so, and
// `without_kernel`, which may be null, gets all such steps.
Status finish_program(Program& program, const CompiledKernels& modules, const DriverOptions& options,
                      std::vector<StepId>* without_kernel = nullptr);

// An artifact's bytes to a program on the target: `source` stands for them in messages. The program keeps the owner of the
// bytes. For a description it has no pipelines. UNSUPPORTED for versions of other libraries, and where no plan in it fits the
// device.
Result<std::shared_ptr<const Program>> load_program(const Bytes& bytes, const std::string& source, const Target& target,
                                                    uint32_t numerics_version, const DriverOptions& options);

}  // namespace tuff
