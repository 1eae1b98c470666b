// The stages between a Graph and verified modules, without a device object: what compile_model() and print_stage() share.
#pragma once

#include <chrono>

#include "compile/compile.h"
#include "fusion/fusion.h"
#include "layout/storage.h"

namespace tuff {

struct Stages {
  Graph simplified;  // moved into laid_out by the layout stage
  Graph laid_out;
  Layouts layouts;
  Fusion fusion;
  Plan plan;
  CompiledKernels modules;
  std::vector<StageTime> times;
};

// Runs them in order up to and including `last`; what comes after it stays empty.
Result<Stages> run_stages(const Graph& graph, const DeviceInfo& device, const CompileOptions& options, Stage last);

// Says a stage's name to whoever follows the progress, runs it and notes its time.
template <class Function>
auto timed_stage(const char* stage, const CompileOptions& options, std::vector<StageTime>& times, Function function) {
  if (options.progress) options.progress(stage);
  auto start = std::chrono::steady_clock::now();
  auto result = function();
  auto elapsed = std::chrono::steady_clock::now() - start;
  times.push_back({stage, std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count()});
  return result;
}

}  // namespace tuff
