// The ops of the reference, one function a kind of node: arrays in, a new array (or a view of an input) out. Shapes and
// dtypes have been checked by infer() on the graph; `shape` is the output's with every symbol replaced.
#pragma once

#include "reference/array.h"

namespace tuff {

struct OpContext {
  Precision precision;
  const Memory& memory;
  int thread_count;
  // An expression's value under the symbols' values.
  std::function<Result<int64_t>(const IntExpr&)> value;
};

using Arrays = std::vector<Array>;

Result<Array> evaluate_map(const MapAttrs& attrs, const Arrays& inputs, Dtype from, Dtype to, const OpContext& context);
Result<Array> evaluate_cast(const Array& x, Dtype from, Dtype to, const OpContext& context);
Result<Array> evaluate_reduce(const ReduceAttrs& attrs, const Array& x, const Sizes& shape, const OpContext& context);
Result<Array> evaluate_contract(const ContractAttrs& attrs, const Arrays& inputs, const Sizes& shape, const OpContext& context);
Result<Array> evaluate_window(const WindowAttrs& attrs, const Arrays& inputs, const Sizes& shape, const OpContext& context);

Result<Array> evaluate_reshape(const Array& x, const Sizes& shape, const OpContext& context);
Result<Array> evaluate_transpose(const TransposeAttrs& attrs, const Array& x);
Result<Array> evaluate_slice(const SliceAttrs& attrs, const Array& x, const Sizes& shape, const OpContext& context);
Result<Array> evaluate_pad(const PadAttrs& attrs, const Array& x, Dtype dtype, const Sizes& shape, const OpContext& context);
Result<Array> evaluate_broadcast(const Array& x, const Sizes& shape);
Result<Array> evaluate_concat(const ConcatAttrs& attrs, const Arrays& inputs, const Sizes& shape, const OpContext& context);
Result<Array> evaluate_gather(const GatherAttrs& attrs, const Arrays& inputs, const Sizes& shape, const OpContext& context);
Result<Array> evaluate_iota(const IotaAttrs& attrs, const Sizes& shape, const OpContext& context);

}  // namespace tuff
