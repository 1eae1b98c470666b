// The reference: a slow, plain interpreter over Graph that every kernel is held against.
//
// In: a verified graph, input tensors, a value for each dimension symbol. Out: the outputs' tensors. Invariant: in
// kFloat each element's bits follow from the graph alone; no option, thread or shape of loops changes them.
//
// Arithmetic, by precision and dtype:
//   kTruth  every float value is a double, not rounded between nodes; casts to a float dtype keep the double. Sums run
//           in the same order as below.
//   kFloat  f32 as exact mode computes it (NUMERICS.md): maps by ops.def's `exact` column. f16 and bf16 are computed as
//           f32 and rounded to nearest even at each node. f64 natively, in plain doubles.
//   Integers are the same in both: two's complement, wrapping at their width. A division by zero gives 0. Casts from
//           floats truncate, saturate at the target's range and take NaN to 0; to bool, x != 0.
//
// Orders of sums (SumOrder; kUnset means serial for contract and window, tree for reduce):
//   contract, window.conv   operands pass tuff_flush_inner, then acc = acc + a*b from acc = 0 with plain + and *, in
//   the
//                           order of kernel axes then channel, or of the contracted labels in a's order (then those
//                           that only b has). chunked(L): each chunk so, from 0; then total = total + chunk, from 0.
//   reduce, tree            element i of the reduced axes (row-major) belongs to lane i mod 64. A lane starts at the
//                           identity (0, 1, -inf, +inf) and combines its elements in order with tuff_add, tuff_mul,
//                           tuff_max, tuff_min. Then lane l combines with lane l + 32 for l < 32, then 16, 8, 4, 2, 1.
//                           There are always 64 lanes: those beyond the elements hold the identity and take part.
//   reduce, serial          one lane.  chunked(L): chunks of L from the identity, combined in order.
//   window.sum, window.max  acc = tuff_add(acc, x), tuff_max(acc, x) over the kernel axes, outer to inner, from 0 or
//   -inf.
// Arg-reductions are the same in any order: NaN beats every number (argmax and argmin both find it), the two zeros are
// equal, and of equals the first index wins, or the last with select_last. Of no elements, the index is 0.
// Every NaN that is computed is canonical. Views, select and the outputs of views keep bits as they are.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "graph/graph.h"
#include "reference/tensor.h"

namespace tuff {

enum class Precision : uint8_t { kTruth, kFloat };

struct EvaluateOptions {
  Precision precision = Precision::kFloat;
  std::vector<ValueId> extra_values;              // returned after the outputs
  int64_t memory_limit_bytes = int64_t{8} << 30;  // of values alive at once
  int thread_count = 1;
};

// Outputs come in the order of graph.outputs, then the extra values: in kFloat with the graph's dtypes, in kTruth every
// float as f64. In kTruth an f64 input is taken where the graph says f32, f16 or bf16.
Result<std::vector<Tensor>> evaluate(const Graph& graph, const std::vector<Tensor>& inputs,
                                     const std::map<std::string, int64_t>& symbols, const EvaluateOptions& options = {});

// A graph without inputs or symbols, each output as elements in memory: what simplify calls to fold constants.
Result<std::vector<Bytes>> evaluate_closed(const Graph& graph);

}  // namespace tuff
