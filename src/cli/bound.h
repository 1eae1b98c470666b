// How much of its error bound a run used: tuff_program_error_bounds() of tensors that the command owns.
#pragma once

#include "cli/host_tensor.h"

namespace tuff::cli {

struct BoundShare {
  double share = 0;        // the largest |actual - truth| over the bound there
  uint64_t beyond = 0;     // elements beyond it
  uint64_t undecided = 0;  // elements for which nothing is promised
  uint64_t count = 0;
};

// Of each output of a run, in order.
Result<std::vector<BoundShare>> shares_of_bound(const Program& program, std::vector<HostTensor>& inputs,
                                                std::vector<NamedTensor>& outputs, const std::vector<SymbolValue>& dims);

// "0.12", or "no part" where nothing is promised of any element.
std::string share_text(const BoundShare& share);

}  // namespace tuff::cli
