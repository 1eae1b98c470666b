// TensorProto to a constant of the graph: its type, and where its elements lie.
//
// Invariant: raw data and packed float and double data stay where they are in the file; whatever has to be decoded counts
// against the limit that the options set. External files are read only from inside the model's folder.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "graph/graph.h"
#include "model/model.h"
#include "model/onnx/proto.h"

namespace tuff::onnx {

// More axes than any model has; every loop over a shape is short.
inline constexpr size_t kRankLimit = 32;

std::optional<Dtype> dtype_from_tensor_type(int32_t tensor_type);
// Elements of 4 bits, two a byte: 8-bit integers of their sign once they are read.
inline bool is_four_bits(int32_t tensor_type) { return tensor_type == kUint4 || tensor_type == kInt4; }
std::string tensor_type_name(int32_t tensor_type);

// Checks the element type (UNSUPPORTED), the dims (INVALID_ARGUMENT) and their product (LIMIT).
Result<ValueType> tensor_type(const TensorProto& tensor);

class TensorLoader {
 public:
  // `folder`: where external data may lie; nullopt for a model from memory.
  TensorLoader(Bytes model, std::optional<std::string> folder, const LoadOptions& options)
      : model_(std::move(model)), folder_(std::move(folder)), options_(options), left_bytes_(options.constant_limit_bytes) {}

  Result<ConstantAttrs> load(const TensorProto& tensor);
  // The bytes of elements of 4 bits, of rank 1.
  Result<ConstantAttrs> load_four_bits(const TensorProto& tensor);
  // Takes bytes from the limit on constants; LIMIT when too few are left.
  Status reserve(int64_t size_bytes, const std::string& what);

 private:
  Result<ConstantAttrs> load_elements(const TensorProto& tensor, const ValueType& type);
  Result<Bytes> external(const TensorProto& tensor, int64_t size_bytes);
  Result<Bytes> decode(const TensorProto& tensor, Dtype dtype, int64_t count);

  Bytes model_;
  std::optional<std::string> folder_;
  const LoadOptions& options_;
  int64_t left_bytes_;
  std::map<std::string, Bytes, std::less<>> external_files_;
};

}  // namespace tuff::onnx
