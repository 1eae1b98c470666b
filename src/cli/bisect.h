// Where a model goes wrong: its values one by one, against the CPU reference's bits or against their error bounds.
#pragma once

#include <map>
#include <optional>

#include "cli/bound.h"
#include "cli/difference.h"
#include "cli/target_options.h"

namespace tuff::cli {

// The outputs by name, as the CPU reference computes them: of the model, or of the artifact that the arguments name.
Result<std::map<std::string, HostTensor>> reference_outputs(const Arguments& arguments, const Model& model,
                                                            std::vector<HostTensor>& inputs);

struct FirstBeyond {
  ModelValue value;
  Difference difference;
};

// Halves the model's named values, in their order, by computing one of them as the only output on the device and on the
// reference. Right where each value after the first wrong one is wrong, too; about log2(values) compilations. Empty where
// no named value is beyond the tolerance, as when the fault is in what follows the last of them.
Result<std::optional<FirstBeyond>> first_beyond(const Arguments& arguments, const Device& device,
                                                std::vector<HostTensor>& inputs, const Tolerance& tolerance);

struct ValueShare {
  ModelValue value;
  BoundShare share;
};

struct BoundedValues {
  size_t count = 0;
  ValueShare worst;                        // the largest share
  std::optional<ValueShare> first_beyond;  // in the model's order
};

// Every named value as an output of one program, each against its bound, given the values before it. Empty where the model has
// no named value. What only goes wrong where such values are not stored is not seen.
Result<std::optional<BoundedValues>> bounded_values(const Arguments& arguments, const Device& device,
                                                    std::vector<HostTensor>& inputs);

struct Bisection {
  std::optional<FirstBeyond> first_beyond;
  std::optional<BoundedValues> values;
};

}  // namespace tuff::cli
