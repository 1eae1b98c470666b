// What fast mode may differ from the truth by, element by element. In: a graph and its inputs. Out: each output in
// doubles and a bound of |fast - truth| that follows from NUMERICS.md alone: gamma_K for sums, ops.def's ULPs for maps,
// one rounding for each value of a narrow dtype, and how each op passes on what its operands may be off by.
//
// Invariant: nothing here is tuned. Where a result hangs on a decision that rounding could tip (a comparison of equals,
// floor at an integer, a pole), or leaves the range of floats, the bound is infinite: that element is not compared.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "reference/tensor.h"

namespace tuff {

struct Bounded {
  Tensor truth;               // floats as f64
  std::vector<double> error;  // by element; for integers and bools 0 or infinity
};

// `winograd`: results of convolutions that were computed in Winograd's form.
Result<std::vector<Bounded>> evaluate_with_bounds(const Graph& graph, const std::vector<Tensor>& inputs,
                                                  const std::map<std::string, int64_t>& symbols,
                                                  const std::vector<ValueId>& winograd = {});

}  // namespace tuff
