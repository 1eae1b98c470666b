// The stages between a Graph and verified modules, without a device object: what compile_model() and print_stage() share.
#pragma once

#include "compile/compile.h"
#include "fusion/fusion.h"
#include "layout/storage.h"

namespace tuff {

struct Stages {
  Graph simplified;                  // moved into laid_out by the layout stage
  std::vector<std::string> lowered;  // values that have another dtype than in the model, a line each
  Graph laid_out;
  Layouts layouts;
  Fusion fusion;
  Plan plan;
  CompiledKernels modules;
  std::vector<StageTime> times;
};

// Runs them in order up to and including `last`; what comes after it stays empty. `apart`: FusionOptions'.
Result<Stages> run_stages(const Graph& graph, const DeviceInfo& device, const CompileOptions& options, Stage last,
                          const std::vector<bool>& apart = {});

}  // namespace tuff
