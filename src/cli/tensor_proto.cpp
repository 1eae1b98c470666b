#include "cli/tensor_proto.h"

#include <bit>
#include <cstring>
#include <optional>

namespace tuff::cli {
namespace {

constexpr uint32_t kMaxRank = 64;

// Numbers of TensorProto's fields, and of its data types, are onnx.proto's.
enum Field : uint64_t {
  kDims = 1,
  kDataType = 2,
  kSegment = 3,
  kFloatData = 4,
  kInt32Data = 5,
  kInt64Data = 7,
  kName = 8,
  kRawData = 9,
  kDoubleData = 10,
  kUint64Data = 11,
  kExternalData = 13,
  kDataLocation = 14,
};

enum Wire : uint64_t { kVarint = 0, kEightBytes = 1, kLength = 2, kFourBytes = 5 };

struct TypeRow {
  uint64_t onnx;
  tuff_dtype_t dtype;
  Field field;  // where elements stand that are not raw
};

constexpr TypeRow kTypes[] = {
    {1, TUFF_F32, kFloatData},   {2, TUFF_U8, kInt32Data},    {3, TUFF_I8, kInt32Data},    {4, TUFF_U16, kInt32Data},
    {5, TUFF_I16, kInt32Data},   {6, TUFF_I32, kInt32Data},   {7, TUFF_I64, kInt64Data},   {9, TUFF_BOOL, kInt32Data},
    {10, TUFF_F16, kInt32Data},  {11, TUFF_F64, kDoubleData}, {12, TUFF_U32, kUint64Data}, {13, TUFF_U64, kUint64Data},
    {16, TUFF_BF16, kInt32Data},
};

// The message from its start to its end; a read past the end gives 0 and is remembered.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool at_end() const { return !sound_ || at_ == bytes_.size(); }
  bool sound() const { return sound_; }
  size_t offset() const { return at_; }

  uint64_t varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) break;
      const uint64_t byte = static_cast<uint64_t>(bytes_[at_++]);
      v |= (byte & 0x7f) << shift;
      if (byte < 0x80) return v;
    }
    sound_ = false;
    return 0;
  }
  std::span<const std::byte> take(uint64_t size) {
    if (size > bytes_.size() - at_) {
      sound_ = false;
      return {};
    }
    std::span<const std::byte> part = bytes_.subspan(at_, static_cast<size_t>(size));
    at_ += static_cast<size_t>(size);
    return part;
  }

 private:
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  bool sound_ = true;
};

struct Message {
  std::vector<int64_t> dims;
  uint64_t data_type = 0;
  std::string name;
  std::optional<std::span<const std::byte>> raw;
  std::vector<std::byte> elements;  // of data that is not raw, in the dtype
  bool elsewhere = false;           // segments, external data
};

// The low bytes of a number, which is how onnx.proto keeps small integers and halves in larger ones.
void append(std::vector<std::byte>& out, uint64_t v, uint64_t size_bytes) {
  for (uint64_t i = 0; i < size_bytes; ++i) out.push_back(static_cast<std::byte>(v >> (8 * i)));
}

// One field's numbers, packed or alone.
template <class Take>
void read_numbers(Reader& in, uint64_t wire, Take take) {
  if (wire != kLength) return take(in);
  Reader packed(in.take(in.varint()));
  while (!packed.at_end()) take(packed);
  if (!packed.sound()) in.take(UINT64_MAX);  // its fault is the message's
}

void skip(Reader& in, uint64_t wire) {
  switch (wire) {
    case kVarint: in.varint(); return;
    case kEightBytes: in.take(8); return;
    case kLength: in.take(in.varint()); return;
    case kFourBytes: in.take(4); return;
    default: in.take(UINT64_MAX);
  }
}

const TypeRow* row_of(uint64_t data_type) {
  for (const TypeRow& row : kTypes) {
    if (row.onnx == data_type) return &row;
  }
  return nullptr;
}

// All but the elements that are not raw: their size hangs on data_type, which may stand behind them.
Message read_message(Reader& in) {
  Message message;
  while (!in.at_end()) {
    const uint64_t tag = in.varint(), field = tag >> 3, wire = tag & 7;
    if (field == kDims && (wire == kVarint || wire == kLength)) {
      read_numbers(in, wire, [&](Reader& from) { message.dims.push_back(std::bit_cast<int64_t>(from.varint())); });
    } else if (field == kDataType && wire == kVarint) {
      message.data_type = in.varint();
    } else if (field == kName && wire == kLength) {
      std::span<const std::byte> name = in.take(in.varint());
      message.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
    } else if (field == kRawData && wire == kLength) {
      message.raw = in.take(in.varint());
    } else {
      message.elsewhere |= field == kSegment || field == kExternalData;
      if (field == kDataLocation && wire == kVarint)
        message.elsewhere |= in.varint() != 0;
      else
        skip(in, wire);
    }
  }
  return message;
}

void read_elements(Reader& in, const TypeRow& row, Message& message) {
  const uint64_t size_bytes = dtype_size_bytes(row.dtype);
  const bool fixed = row.field == kFloatData || row.field == kDoubleData;
  const uint64_t alone = !fixed ? kVarint : row.field == kFloatData ? kFourBytes : kEightBytes;
  while (!in.at_end()) {
    const uint64_t tag = in.varint(), field = tag >> 3, wire = tag & 7;
    if (field != row.field || (wire != kLength && wire != alone)) {
      skip(in, wire);
      continue;
    }
    read_numbers(in, wire, [&](Reader& from) {
      if (!fixed) return append(message.elements, from.varint(), size_bytes);
      std::span<const std::byte> element = from.take(size_bytes);
      message.elements.insert(message.elements.end(), element.begin(), element.end());
    });
  }
}

}  // namespace

Result<NamedTensor> parse_tensor_proto(std::span<const std::byte> bytes, const std::string& file) {
  auto damaged = [&](const std::string& what) {
    return Error{TUFF_CORRUPT, "'" + file + "' is no readable TensorProto: " + what + "."};
  };
  Reader in(bytes);
  Message message = read_message(in);
  if (!in.sound()) {
    return damaged("what is at byte " + std::to_string(in.offset()) + " goes beyond its " + std::to_string(bytes.size()) +
                   " bytes or is no field");
  }
  if (message.elsewhere) return Error{TUFF_UNSUPPORTED, "The elements of '" + file + "' lie in another file or in segments."};
  const TypeRow* row = row_of(message.data_type);
  if (!row) {
    return Error{TUFF_UNSUPPORTED,
                 "'" + file + "' holds ONNX's data type " + std::to_string(message.data_type) + ", which is not read."};
  }
  if (message.dims.size() > kMaxRank)
    return damaged("it has " + std::to_string(message.dims.size()) + " dimensions of at most " + std::to_string(kMaxRank));
  Result<uint64_t> size = tensor_bytes(row->dtype, message.dims);
  if (!size) return damaged(size.error().message);
  if (message.raw) {
    message.elements.assign(message.raw->begin(), message.raw->end());
  } else {
    Reader again(bytes);
    read_elements(again, *row, message);
    if (!again.sound()) return damaged("its elements end too early");
  }
  if (message.elements.size() != *size) {
    return damaged("it holds " + std::to_string(message.elements.size()) + " bytes of elements, and its shape " +
                   shape_text(message.dims) + " needs " + std::to_string(*size));
  }
  return NamedTensor{std::move(message.name), HostTensor{row->dtype, std::move(message.dims), std::move(message.elements)}};
}

}  // namespace tuff::cli
