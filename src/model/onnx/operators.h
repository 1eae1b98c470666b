// The ONNX operators that Tuff imports: one row each, in the file of its family. To add one that existing primitives can
// express, write its function and its row there.
#pragma once

#include <span>
#include <string_view>

#include "model/onnx/node_import.h"

namespace tuff::onnx {

inline constexpr int kVariadic = 1 << 20;

struct Operator {
  std::string_view name;
  int first_opset;  // below it the operator does not exist, or means something else
  int min_inputs, max_inputs;
  Status (*import)(NodeImport& node);
  std::string_view domain = "";
};

std::span<const Operator> elementwise_operators();
std::span<const Operator> activation_operators();
std::span<const Operator> convolution_operators();
std::span<const Operator> pooling_operators();
std::span<const Operator> matmul_operators();
std::span<const Operator> normalization_operators();
std::span<const Operator> reduction_operators();
std::span<const Operator> shape_operators();
std::span<const Operator> view_operators();
std::span<const Operator> index_operators();
std::span<const Operator> resize_operators();
std::span<const Operator> compaction_operators();
std::span<const Operator> quantization_operators();
std::span<const Operator> quantized_product_operators();
std::span<const Operator> attention_operators();
std::span<const Operator> contrib_attention_operators();
std::span<const Operator> group_query_operators();
std::span<const Operator> rotary_operators();
std::span<const Operator> scatter_operators();

// Is each element of the outputs made of the inputs' elements at the same place?
bool is_elementwise(const Operator& op);

// Null if Tuff does not import it.
const Operator* find_operator(std::string_view domain, std::string_view name);

inline constexpr int64_t kOldestOpset = 1;
inline constexpr int64_t kNewestOpset = 25;

}  // namespace tuff::onnx
