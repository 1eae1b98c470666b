// e = exp(t - max of t along an axis): what a softmax divides by its sum, and attention, which has that maximum only at its
// end, does not store.
#pragma once

#include "graph/graph.h"

namespace tuff {

inline bool is_softmax_exponential(const Graph& graph, ValueId e) {
  auto maker = [&](ValueId v, MapOp op) -> const Node* {
    const auto* map = graph.producer_as<MapAttrs>(v);
    return map && map->op == op ? graph.producer(v) : nullptr;
  };
  const Node* exponential = maker(e, MapOp::exp);
  const Node* shifted = exponential ? maker(exponential->inputs[0], MapOp::sub) : nullptr;
  if (!shifted) return false;
  ValueId top = shifted->inputs[1];
  while (graph.producer_as<BroadcastAttrs>(top)) top = graph.producer(top)->inputs[0];
  const auto* greatest = graph.producer_as<ReduceAttrs>(top);
  return greatest && greatest->op == ReduceOp::kMax && graph.producer(top)->inputs[0] == shifted->inputs[0];
}

}  // namespace tuff
