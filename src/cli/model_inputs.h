// The tensors that a run is fed: from files, or random ones from a seed.
#pragma once

#include "cli/arguments.h"
#include "cli/host_tensor.h"

namespace tuff::cli {

std::vector<Option> input_options();  // -i, --random-inputs

// One tensor an input of the model, in its order. -i NAME=FILE.npy names an input; -i FILE.npz brings those that it holds;
// -i FILE.npy (or .pb) is the input of that name, or the only one; -i FOLDER brings its input_0.pb and so on, in order. What is
// missing is random with --random-inputs (or always, if `random_by_default`), else an error that lists it. Random inputs need
// every dimension: from --dim, or from other inputs.
Result<std::vector<HostTensor>> read_inputs(const Arguments& arguments, const Model& model,
                                            const std::vector<SymbolValue>& dims, bool random_by_default);

// Uniform in [-1, 1), integers from 0 to 9, bools; the same for a seed on every machine.
void fill_random(HostTensor& tensor, uint64_t seed);

}  // namespace tuff::cli
