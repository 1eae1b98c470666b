// Arithmetic and views on elements that are known while importing (SymbolicTensor): what models do around Shape.
#pragma once

#include <optional>
#include <vector>

#include "model/onnx/attributes.h"
#include "model/onnx/symbolic_tensor.h"

namespace tuff::onnx {

struct FoldCall {
  std::string_view op_type;
  int64_t opset;
  Attributes attributes;
  std::vector<const SymbolicTensor*> inputs;  // null: left out
  size_t output_count;
};

bool can_fold(std::string_view op_type);
// The outputs, or nullopt where they cannot be said; the node is then imported as any other.
std::optional<std::vector<SymbolicTensor>> fold(FoldCall& call);

}  // namespace tuff::onnx
