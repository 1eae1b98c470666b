// A verb's only positional argument, made ready to run: MODEL.onnx compiled for the device, or M.tuff, which was compiled
// ahead.
#pragma once

#include "cli/host_tensor.h"
#include "cli/target_options.h"

namespace tuff::cli {

// Whether the verb was given an artifact, by its name. Options that say how a model is read or compiled are usage errors then.
Result<bool> is_artifact(const Arguments& arguments);

struct MadeProgram {
  Model model;  // of an artifact: the graph that its program runs
  std::vector<HostTensor> inputs;
  std::vector<SymbolValue> dims;  // of --dim
  Device device;
  Program program;
  uint64_t make_ns = 0;  // of compiling or loading
};

// With the inputs that the arguments name; `random_by_default` as for read_inputs(), `kernel_statistics` as in DeviceOptions.
Result<MadeProgram> make_program(const Arguments& arguments, bool random_by_default, bool kernel_statistics = false);

// The program of the artifact that was given.
Result<Program> load_artifact(const Arguments& arguments, const Device& device);

}  // namespace tuff::cli
