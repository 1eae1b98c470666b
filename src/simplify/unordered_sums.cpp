// Each sum gets its order, from shapes alone (NUMERICS.md, rule 1); an order that is already there stays.
//   window            serial
//   contract          serial where M > 1 always, else chunked(L): L the least multiple of 128 that makes at most 32
//   chunks
//                     of the greatest K, and serial again if that is one chunk (the same bits)
//   reduce            tree (sums and products; the others have no order)
// M counts the output's elements along labels that only a has; K the summed ones.
#include <algorithm>

#include "base/checked.h"
#include "simplify/rules.h"

namespace tuff {
namespace {

constexpr int64_t kChunkUnit = 128;
constexpr int64_t kMaxChunks = 32;
constexpr SumOrder kSerial{SumOrder::Kind::kSerial, 0};
constexpr SumOrder kTree{SumOrder::Kind::kTree, 0};

SumOrder contract_order(const ContractAttrs& attrs, const Dims& a, const Dims& b) {
  IntExpr rows(1), summed(1);
  for (size_t i = 0; i < a.size(); ++i) {
    if (!has_label(attrs.out, attrs.a[i]))
      summed *= a[i];
    else if (!has_label(attrs.b, attrs.a[i]))
      rows *= a[i];
  }
  for (size_t i = 0; i < b.size(); ++i)
    if (!has_label(attrs.out, attrs.b[i]) && !has_label(attrs.a, attrs.b[i])) summed *= b[i];
  if (rows.interval().low > 1) return kSerial;
  int64_t greatest = std::max<int64_t>(summed.interval().high, 1);
  int64_t length = ceil_div(ceil_div(greatest, kMaxChunks), kChunkUnit) * kChunkUnit;
  return length >= greatest ? kSerial : SumOrder{SumOrder::Kind::kChunked, length};
}

}  // namespace

Graph unordered_sums(Graph graph) {
  for (Node& node : graph.nodes) {
    auto set = [](SumOrder& order, SumOrder found) {
      if (order.kind == SumOrder::Kind::kUnset) order = found;
    };
    if (auto* window = std::get_if<WindowAttrs>(&node.attrs); window && window->op != WindowOp::kMax)
      set(window->order, kSerial);
    if (auto* reduce = std::get_if<ReduceAttrs>(&node.attrs);
        reduce && (reduce->op == ReduceOp::kSum || reduce->op == ReduceOp::kProduct))
      set(reduce->order, kTree);
    if (auto* contract = std::get_if<ContractAttrs>(&node.attrs))
      set(contract->order, contract_order(*contract, graph.value(node.inputs[0]).shape, graph.value(node.inputs[1]).shape));
  }
  return graph;
}

}  // namespace tuff
