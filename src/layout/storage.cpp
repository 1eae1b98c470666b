#include "layout/storage.h"

#include <numeric>

namespace tuff {

std::vector<int> row_major_order(size_t rank) {
  std::vector<int> order(rank);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Dims storage_strides(const Dims& shape, const StorageFormat& format) {
  Dims strides(shape.size());
  IntExpr stride(1);
  for (size_t i = format.order.size(); i-- > 0;) {
    size_t axis = static_cast<size_t>(format.order[i]);
    strides[axis] = stride;
    stride = stride * shape[axis];
  }
  return strides;
}

std::string print(const Layouts& layouts, const Graph& graph) {
  std::string out;
  for (size_t v = 0; v < graph.values.size(); ++v) {
    const auto& order = layouts.formats[v].order;
    if (order == row_major_order(order.size())) continue;
    out += "%" + std::to_string(v) + " " + dims_text(graph.values[v].shape) + " order [";
    for (size_t i = 0; i < order.size(); ++i) out += (i ? ", " : "") + std::to_string(order[i]);
    out += "]\n";
  }
  return out;
}

}  // namespace tuff
