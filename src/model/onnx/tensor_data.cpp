#include "model/onnx/tensor_data.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/checked.h"
#include "model/onnx/reader.h"

namespace tuff::onnx {
namespace {

constexpr std::string_view kTypeNames[] = {
    "UNDEFINED", "FLOAT",        "UINT8",          "INT8",       "UINT16",         "INT16",  "INT32",     "INT64",
    "STRING",    "BOOL",         "FLOAT16",        "DOUBLE",     "UINT32",         "UINT64", "COMPLEX64", "COMPLEX128",
    "BFLOAT16",  "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4",  "INT4",      "FLOAT4E2M1"};

std::string label(const TensorProto& tensor) { return "The tensor '" + std::string(tensor.name) + "'"; }

// A decimal number of the external data entries.
std::optional<int64_t> parse_number(std::string_view text) {
  int64_t v = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || end != text.data() + text.size() || v < 0) return std::nullopt;
  return v;
}

}  // namespace

std::optional<Dtype> dtype_from_tensor_type(int32_t tensor_type) {
  switch (tensor_type) {
    case kFloat: return Dtype::kF32;
    case kUint8: return Dtype::kU8;
    case kInt8: return Dtype::kI8;
    case kUint16: return Dtype::kU16;
    case kInt16: return Dtype::kI16;
    case kInt32: return Dtype::kI32;
    case kInt64: return Dtype::kI64;
    case kBool: return Dtype::kBool;
    case kFloat16: return Dtype::kF16;
    case kDouble: return Dtype::kF64;
    case kUint32: return Dtype::kU32;
    case kUint64: return Dtype::kU64;
    case kBfloat16: return Dtype::kBf16;
    default: return std::nullopt;
  }
}

std::string tensor_type_name(int32_t tensor_type) {
  if (tensor_type >= 0 && tensor_type < static_cast<int32_t>(std::size(kTypeNames)))
    return std::string(kTypeNames[tensor_type]);
  return "number " + std::to_string(tensor_type);
}

Result<ValueType> tensor_type(const TensorProto& tensor) {
  auto dtype = dtype_from_tensor_type(tensor.data_type);
  if (is_four_bits(tensor.data_type)) dtype = tensor.data_type == kInt4 ? Dtype::kI8 : Dtype::kU8;
  if (!dtype)
    return unsupported(label(tensor) + " has the element type " + tensor_type_name(tensor.data_type) +
                       ", which is not supported.");
  if (tensor.dims.size() > kRankLimit)
    return limit_exceeded(label(tensor) + " has " + std::to_string(tensor.dims.size()) + " axes; the limit is " +
                          std::to_string(kRankLimit) + ".");
  ValueType type{*dtype, {}};
  for (int64_t d : tensor.dims)
    if (d < 0) return invalid_argument(label(tensor) + " has the negative size " + std::to_string(d) + ".");
  // A size of zero makes the product zero whatever the others are; each must fit by itself then.
  std::optional<int64_t> size_bytes = dtype_size_bytes(*dtype);
  for (int64_t d : tensor.dims) {
    if (size_bytes) size_bytes = checked_multiply(*size_bytes, std::max<int64_t>(d, 1));
    type.shape.push_back(IntExpr(d));
  }
  if (!size_bytes) return limit_exceeded(label(tensor) + " of shape " + dims_text(type.shape) + " has more than 2^63 bytes.");
  return type;
}

Status TensorLoader::reserve(int64_t size_bytes, const std::string& what) {
  if (size_bytes > left_bytes_)
    return limit_exceeded(what + " needs " + std::to_string(size_bytes) + " bytes, of which " + std::to_string(left_bytes_) +
                          " are left of the limit of " + std::to_string(options_.constant_limit_bytes) +
                          " for constants made while loading.");
  left_bytes_ -= size_bytes;
  return ok_status();
}

Result<ConstantAttrs> TensorLoader::load(const TensorProto& tensor) {
  TUFF_ASSIGN(ValueType type, tensor_type(tensor));
  if (is_four_bits(tensor.data_type))
    return unsupported(label(tensor) + " has elements of 4 bits, which are not supported here.");
  return load_elements(tensor, type);
}

Result<ConstantAttrs> TensorLoader::load_four_bits(const TensorProto& tensor) {
  TUFF_ASSIGN(ValueType type, tensor_type(tensor));
  type.shape = {ceil_div(product(type.shape), IntExpr(2))};
  return load_elements(tensor, type);
}

Result<ConstantAttrs> TensorLoader::load_elements(const TensorProto& tensor, const ValueType& type) {
  ConstantAttrs constant;
  constant.dtype = type.dtype;
  constant.shape = type.shape;
  int64_t count = product(type.shape).constant();
  int64_t size_bytes = count * dtype_size_bytes(type.dtype);
  if (tensor.is_external) {
    TUFF_ASSIGN(constant.data.bytes, external(tensor, size_bytes));
  } else if (tensor.has_raw_data) {
    constant.data.bytes = {{reinterpret_cast<const std::byte*>(tensor.raw_data.data()), tensor.raw_data.size()}, model_.owner};
    if (static_cast<int64_t>(tensor.raw_data.size()) != size_bytes)
      return corrupt(label(tensor) + " of type " + std::string(dtype_name(type.dtype)) + dims_text(type.shape) + " needs " +
                     std::to_string(size_bytes) + " bytes and has " + std::to_string(tensor.raw_data.size()) + ".");
  } else {
    TUFF_ASSIGN(constant.data.bytes, decode(tensor, type.dtype, count));
  }
  Bytes& bytes = constant.data.bytes;
  auto is_bool = [](std::byte b) { return b <= std::byte{1}; };
  if (type.dtype == Dtype::kBool && !std::all_of(bytes.data.begin(), bytes.data.end(), is_bool)) {
    TUFF_TRY(reserve(size_bytes, label(tensor)));
    auto storage = std::make_shared<std::string>(reinterpret_cast<const char*>(bytes.data.data()), bytes.data.size());
    for (char& c : *storage) c = c != 0;
    bytes = bytes_from_string(std::move(storage));
  }
  if (count == 1) {
    constant.data.kind = ConstantData::Kind::kSplat;
    std::memcpy(&constant.data.bits, bytes.data.data(), static_cast<size_t>(size_bytes));
    bytes = {};
  }
  return constant;
}

Result<Bytes> TensorLoader::external(const TensorProto& tensor, int64_t size_bytes) {
  std::string_view location;
  std::optional<int64_t> offset = 0, length;
  for (const StringEntry& entry : tensor.external_data) {
    if (entry.key == "location") location = entry.value;
    if (entry.key == "offset") offset = parse_number(entry.value);
    if (entry.key == "length" && !(length = parse_number(entry.value))) offset = std::nullopt;
  }
  if (!offset) return invalid_argument(label(tensor) + " has external data with an offset or a length that is not a number.");
  if (location.empty()) return invalid_argument(label(tensor) + " has external data without a location.");
  auto file = external_files_.find(location);
  if (file == external_files_.end()) {
    if (!options_.external_data && !folder_)
      return invalid_argument(label(tensor) + " lies in the file '" + std::string(location) +
                              "'; a model from memory needs a loader for such files.");
    auto bytes = options_.external_data ? options_.external_data(location) : map_contained_file(*folder_, location);
    if (!bytes.ok()) return bytes.status().with_context("The external data of '" + std::string(tensor.name) + "'");
    file = external_files_.emplace(std::string(location), std::move(bytes).value()).first;
  }
  int64_t file_size = static_cast<int64_t>(file->second.data.size());
  if (length && *length != size_bytes)
    return corrupt(label(tensor) + " needs " + std::to_string(size_bytes) + " bytes; its external data has " +
                   std::to_string(*length) + ".");
  if (*offset > file_size || size_bytes > file_size - *offset)
    return corrupt(label(tensor) + " lies at bytes " + std::to_string(*offset) + " and on of '" + std::string(location) +
                   "', needs " + std::to_string(size_bytes) + " bytes, and the file ends at " + std::to_string(file_size) +
                   ".");
  return Bytes{file->second.data.subspan(static_cast<size_t>(*offset), static_cast<size_t>(size_bytes)), file->second.owner};
}

Result<Bytes> TensorLoader::decode(const TensorProto& tensor, Dtype dtype, int64_t count) {
  TUFF_ASSIGN(TypedData data, read_typed_data(tensor, static_cast<uint64_t>(count)));
  bool is_float = dtype == Dtype::kF32, is_double = dtype == Dtype::kF64;
  size_t width = static_cast<size_t>(dtype_size_bytes(dtype));
  const auto& chunks = is_double ? data.doubles : data.floats;
  uint64_t have = data.integers.size();
  if (is_float || is_double) {
    have = 0;
    for (std::string_view chunk : chunks) have += chunk.size() / width;
    if (chunks.size() == 1 && have == static_cast<uint64_t>(count))
      return Bytes{{reinterpret_cast<const std::byte*>(chunks[0].data()), chunks[0].size()}, model_.owner};
  }
  if (have != static_cast<uint64_t>(count))
    return corrupt(label(tensor) + " should have " + std::to_string(count) + " elements and has " + std::to_string(have) + ".");
  TUFF_TRY(reserve(count * static_cast<int64_t>(width), label(tensor)));
  auto storage = std::make_shared<std::string>();
  storage->reserve(static_cast<size_t>(count) * width);
  if (is_float || is_double) {
    for (std::string_view chunk : chunks) storage->append(chunk);
  } else {
    for (uint64_t v : data.integers) storage->append(reinterpret_cast<const char*>(&v), width);
  }
  return bytes_from_string(std::move(storage));
}

}  // namespace tuff::onnx
