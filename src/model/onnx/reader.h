// The bytes of an ONNX file to ModelProto. CORRUPT names the offset of the field that cannot be read.
#pragma once

#include <string>

#include "base/file.h"
#include "base/status.h"
#include "model/onnx/proto.h"

namespace tuff::onnx {

// `source` names the bytes in messages. The result points into them.
Result<ModelProto> read_model(const Bytes& bytes, const std::string& source);

// A tensor's elements from the typed fields (float_data and so on).
struct TypedData {
  std::vector<std::string_view> floats, doubles;  // little-endian, 4 or 8 bytes each
  std::vector<uint64_t> integers;                 // int32_data, int64_data and uint64_data, sign-extended
};
// element_limit bounds what is read; LIMIT beyond it.
Result<TypedData> read_typed_data(const TensorProto& tensor, uint64_t element_limit);

}  // namespace tuff::onnx
