// The parts of ONNX's protobuf messages that an import needs, under the schema's own names.
//
// Invariant: every string_view points into the bytes that the reader was given; elements of tensors are not read yet.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tuff::onnx {

enum TensorType : int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBfloat16 = 16,
  kUint4 = 21,
  kInt4 = 22,
};

struct StringEntry {
  std::string_view key, value;
};

struct TensorProto {
  std::string_view name;
  int32_t data_type = kUndefined;
  std::vector<int64_t> dims;
  std::string_view message;  // the whole TensorProto: the typed fields are read from it when they are wanted
  std::string_view raw_data;
  bool has_raw_data = false;
  bool is_external = false;
  std::vector<StringEntry> external_data;
};

struct AttributeProto {
  enum Type : int32_t {
    kUndefinedAttribute = 0,
    kReal = 1,
    kInteger = 2,
    kText = 3,
    kTensor = 4,
    kGraph = 5,
    kReals = 6,
    kIntegers = 7,
    kTexts = 8,
  };
  std::string_view name;
  int32_t type = kUndefinedAttribute;
  float f = 0;
  int64_t i = 0;
  std::string_view s;
  std::vector<TensorProto> t;  // at most one
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string_view> strings;
};

struct NodeProto {
  std::string_view name, op_type, domain;
  std::vector<std::string_view> inputs, outputs;
  std::vector<AttributeProto> attributes;
};

struct Dimension {
  enum class Kind : uint8_t { kUnknown, kValue, kParam } kind = Kind::kUnknown;
  int64_t value = 0;
  std::string_view param;
};

struct ValueInfoProto {
  std::string_view name;
  bool is_tensor = false;
  int32_t elem_type = kUndefined;
  bool has_shape = false;
  std::vector<Dimension> dims;
};

struct GraphProto {
  std::string_view name;
  std::vector<NodeProto> nodes;
  std::vector<TensorProto> initializers;
  std::vector<std::string_view> sparse_initializers;  // their names
  std::vector<ValueInfoProto> inputs, outputs;
};

struct OperatorSet {
  std::string_view domain;
  int64_t version = 0;
};

struct FunctionProto {
  std::string_view name, domain;
};

struct ModelProto {
  int64_t ir_version = 0;
  std::string_view producer_name;
  bool has_graph = false;
  GraphProto graph;
  std::vector<OperatorSet> opset_imports;
  std::vector<FunctionProto> functions;
};

}  // namespace tuff::onnx
