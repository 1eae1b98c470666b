#include "model/onnx/operators.h"

#include <unordered_map>

namespace tuff::onnx {

const Operator* find_operator(std::string_view domain, std::string_view name) {
  using Table = std::unordered_map<std::string_view, std::vector<const Operator*>>;
  static const Table table = [] {
    Table t;
    for (auto family : {elementwise_operators(), activation_operators(), convolution_operators(), pooling_operators(),
                        matmul_operators(), normalization_operators(), reduction_operators(), shape_operators(),
                        view_operators(), index_operators(), resize_operators(), compaction_operators(),
                        quantization_operators(), quantized_product_operators(), attention_operators(),
                        contrib_attention_operators(), group_query_operators(), rotary_operators(), scatter_operators()})
      for (const Operator& op : family) t[op.name].push_back(&op);
    return t;
  }();
  if (domain == "ai.onnx") domain = "";
  auto found = table.find(name);
  if (found == table.end()) return nullptr;
  for (const Operator* op : found->second)
    if (op->domain == domain) return op;
  return nullptr;
}

bool is_elementwise(const Operator& op) {
  for (auto family : {elementwise_operators(), activation_operators()})
    for (const Operator& other : family)
      if (&other == &op) return true;
  return false;
}

}  // namespace tuff::onnx
