#include "cli/npy.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/process.h"
#include "cli/arguments.h"

namespace tuff::cli {
namespace {

Error damaged(const std::string& name, const std::string& what) {
  return {TUFF_CORRUPT, "'" + name + "' is no readable .npy file: " + what + "."};
}

struct DescrRow {
  const char* descr;
  tuff_dtype_t dtype;
};
constexpr DescrRow kDescrs[] = {{"<f4", TUFF_F32}, {"<f2", TUFF_F16}, {"<f8", TUFF_F64}, {"|i1", TUFF_I8},
                                {"<i2", TUFF_I16}, {"<i4", TUFF_I32}, {"<i8", TUFF_I64}, {"|u1", TUFF_U8},
                                {"<u2", TUFF_U16}, {"<u4", TUFF_U32}, {"<u8", TUFF_U64}, {"|b1", TUFF_BOOL}};

// The value of 'key' in the header's dictionary: a quoted string, a word or a tuple, as text.
std::string header_value(const std::string& header, const std::string& key) {
  size_t at = header.find("'" + key + "'");
  if (at == std::string::npos) return "";
  at = header.find(':', at);
  if (at == std::string::npos) return "";
  at = header.find_first_not_of(' ', at + 1);
  if (at == std::string::npos) return "";
  char first = header[at];
  if (first == '\'' || first == '"') return header.substr(at + 1, header.find(first, at + 1) - at - 1);
  if (first == '(') return header.substr(at + 1, header.find(')', at) - at - 1);
  return header.substr(at, header.find_first_of(",}", at) - at);
}

// Column-major elements to row-major.
std::vector<std::byte> row_major(const std::vector<std::byte>& src, const std::vector<int64_t>& shape, uint64_t size) {
  std::vector<std::byte> dst(src.size());
  std::vector<int64_t> index(shape.size(), 0);
  for (uint64_t to = 0; to < dst.size(); to += size) {
    uint64_t from = 0, stride = size;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      from += static_cast<uint64_t>(index[axis]) * stride;
      stride *= static_cast<uint64_t>(shape[axis]);
    }
    std::memcpy(dst.data() + to, src.data() + from, size);
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return dst;
}

}  // namespace

Result<HostTensor> parse_npy(std::span<const std::byte> bytes, const std::string& name) {
  static const char kMagic[] = "\x93NUMPY";
  if (bytes.size() < 10 || std::memcmp(bytes.data(), kMagic, 6) != 0) return damaged(name, "its first bytes are wrong");
  auto byte = [&](size_t i) { return static_cast<uint64_t>(bytes[i]); };
  bool long_header = byte(6) >= 2;
  size_t prefix = long_header ? 12 : 10;
  if (bytes.size() < prefix) return damaged(name, "it ends inside its header");
  uint64_t header_bytes = byte(8) | byte(9) << 8;
  if (long_header) header_bytes |= byte(10) << 16 | byte(11) << 24;
  if (header_bytes > bytes.size() - prefix) return damaged(name, "it ends inside its header");
  std::string header(reinterpret_cast<const char*>(bytes.data()) + prefix, header_bytes);

  HostTensor tensor;
  std::string descr = header_value(header, "descr");
  const DescrRow* row = nullptr;
  for (const DescrRow& r : kDescrs) {
    if (descr == r.descr) row = &r;
  }
  if (!row) return Error{TUFF_UNSUPPORTED, "'" + name + "' holds elements of kind '" + descr + "', which Tuff does not read."};
  tensor.dtype = row->dtype;
  std::string shape = header_value(header, "shape");
  for (size_t at = 0; at < shape.size();) {
    size_t end = std::min(shape.find(',', at), shape.size());
    std::string size = shape.substr(at, end - at);
    size.erase(0, size.find_first_not_of(' '));
    at = end + 1;
    if (size.empty()) continue;
    std::optional<int64_t> v = parse_integer(size);
    if (!v || *v < 0) return damaged(name, "its shape is (" + shape + ")");
    tensor.shape.push_back(*v);
  }
  Result<uint64_t> size = tensor_bytes(tensor.dtype, tensor.shape);
  if (!size) return size.error();
  std::span<const std::byte> data = bytes.subspan(prefix + header_bytes);
  if (data.size() < *size) {
    return damaged(name, "its shape needs " + std::to_string(*size) + " bytes, " + std::to_string(data.size()) + " are there");
  }
  tensor.bytes.assign(data.begin(), data.begin() + static_cast<ptrdiff_t>(*size));
  if (header_value(header, "fortran_order") == "True") {
    tensor.bytes = row_major(tensor.bytes, tensor.shape, dtype_size_bytes(tensor.dtype));
  }
  return tensor;
}

std::vector<std::byte> format_npy(const HostTensor& source) {
  HostTensor widened;
  const HostTensor* tensor = &source;
  if (source.dtype == TUFF_BF16) {
    widened.shape = source.shape;
    widened.bytes.resize(source.bytes.size() * 2);
    for (size_t i = 0; i < source.bytes.size() / 2; ++i) {
      float v = static_cast<float>(element(source, i));
      std::memcpy(widened.bytes.data() + 4 * i, &v, sizeof v);
    }
    tensor = &widened;
  }
  const char* descr = "";
  for (const DescrRow& r : kDescrs) {
    if (r.dtype == tensor->dtype) descr = r.descr;
  }
  std::string shape;
  for (int64_t size : tensor->shape) shape += std::to_string(size) + (tensor->shape.size() == 1 ? "," : ", ");
  if (tensor->shape.size() > 1) shape.resize(shape.size() - 2);
  std::string header = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');  // data starts at a multiple of 64
  header += '\n';
  std::vector<std::byte> out(10 + header.size() + tensor->bytes.size());
  const unsigned char prefix[10] = {0x93,
                                    'N',
                                    'U',
                                    'M',
                                    'P',
                                    'Y',
                                    1,
                                    0,
                                    static_cast<unsigned char>(header.size()),
                                    static_cast<unsigned char>(header.size() >> 8)};
  std::memcpy(out.data(), prefix, sizeof prefix);
  std::memcpy(out.data() + 10, header.data(), header.size());
  if (!tensor->bytes.empty()) std::memcpy(out.data() + 10 + header.size(), tensor->bytes.data(), tensor->bytes.size());
  return out;
}

Result<std::vector<std::byte>> read_file(const std::string& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(open_stream(path, "rb"), std::fclose);
  if (!file) return Error{TUFF_IO, "Cannot open '" + path + "': " + std::strerror(errno) + "."};
  std::vector<std::byte> bytes;
  std::byte block[1 << 16];
  while (size_t n = std::fread(block, 1, sizeof block, file.get())) bytes.insert(bytes.end(), block, block + n);
  if (std::ferror(file.get())) return Error{TUFF_IO, "Cannot read '" + path + "': " + std::strerror(errno) + "."};
  return bytes;
}

Status write_file(const std::string& path, std::span<const std::byte> bytes) {
  FILE* file = open_stream(path, "wb");
  bool ok = file && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  if (file) ok = std::fclose(file) == 0 && ok;
  if (!ok) return Error{TUFF_IO, "Cannot write '" + path + "': " + std::strerror(errno) + "."};
  return {};
}

}  // namespace tuff::cli
