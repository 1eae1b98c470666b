#include "cli/host_tensor.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace tuff::cli {
namespace {

struct DtypeRow {
  const char* name;
  uint64_t size_bytes;
};
constexpr DtypeRow kDtypes[] = {{"f32", 4}, {"f16", 2}, {"bf16", 2}, {"f64", 8}, {"i8", 1},  {"i16", 2}, {"i32", 4},
                                {"i64", 8}, {"u8", 1},  {"u16", 2},  {"u32", 4}, {"u64", 8}, {"bool", 1}};

template <class T>
double read(const HostTensor& t, uint64_t index) {
  T v;
  std::memcpy(&v, t.bytes.data() + index * sizeof(T), sizeof v);
  return static_cast<double>(v);
}

double half(const HostTensor& t, uint64_t index) {
  uint16_t h;
  std::memcpy(&h, t.bytes.data() + index * 2, sizeof h);
  int exponent = (h >> 10) & 31, fraction = h & 1023;
  double magnitude = exponent == 31  ? (fraction ? NAN : INFINITY)
                     : exponent == 0 ? std::ldexp(fraction, -24)
                                     : std::ldexp(1024 + fraction, exponent - 25);
  return h & 0x8000 ? -magnitude : magnitude;
}

double bfloat(const HostTensor& t, uint64_t index) {
  uint16_t h;
  std::memcpy(&h, t.bytes.data() + index * 2, sizeof h);
  return std::bit_cast<float>(static_cast<uint32_t>(h) << 16);
}

}  // namespace

uint64_t dtype_size_bytes(tuff_dtype_t dtype) { return kDtypes[dtype].size_bytes; }
const char* dtype_name(tuff_dtype_t dtype) { return kDtypes[dtype].name; }

Result<uint64_t> tensor_bytes(tuff_dtype_t dtype, const std::vector<int64_t>& shape) {
  uint64_t bytes = dtype_size_bytes(dtype);
  for (int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes) || bytes > (uint64_t{1} << 40)) {
      return Error{TUFF_LIMIT, "A tensor of shape " + shape_text(shape) + " is too large."};
    }
  }
  return bytes;
}

double element(const HostTensor& tensor, uint64_t index) {
  switch (tensor.dtype) {
    case TUFF_F32: return read<float>(tensor, index);
    case TUFF_F16: return half(tensor, index);
    case TUFF_BF16: return bfloat(tensor, index);
    case TUFF_F64: return read<double>(tensor, index);
    case TUFF_I8: return read<int8_t>(tensor, index);
    case TUFF_I16: return read<int16_t>(tensor, index);
    case TUFF_I32: return read<int32_t>(tensor, index);
    case TUFF_I64: return read<int64_t>(tensor, index);
    case TUFF_U16: return read<uint16_t>(tensor, index);
    case TUFF_U32: return read<uint32_t>(tensor, index);
    case TUFF_U64: return read<uint64_t>(tensor, index);
    default: return read<uint8_t>(tensor, index);
  }
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

}  // namespace tuff::cli
