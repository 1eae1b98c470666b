// Where a model goes wrong: the first of its values that differs from the CPU reference's.
#pragma once

#include <map>

#include "cli/difference.h"
#include "cli/target_options.h"

namespace tuff::cli {

// A model's outputs by name, as the CPU reference computes them.
Result<std::map<std::string, HostTensor>> reference_outputs(const Model& model, const ProgramOptions& options,
                                                            std::vector<HostTensor>& inputs);

struct FirstBeyond {
  ModelValue value;
  Difference difference;
};

// Halves the model's named values, in their order, by computing one of them as the only output on the device and on the
// reference. Right where each value after the first wrong one is wrong, too; about log2(values) compilations. Empty where
// no named value is beyond the tolerance, as when the fault is in what follows the last of them.
Result<std::optional<FirstBeyond>> first_beyond(const Arguments& arguments, const Device& device, const ProgramOptions& options,
                                                std::vector<HostTensor>& inputs, const Tolerance& tolerance);

}  // namespace tuff::cli
