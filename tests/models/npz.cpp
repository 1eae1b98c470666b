#include "npz.h"

#include <algorithm>

namespace tuff::test {
namespace {

struct Cursor {
  std::span<const std::byte> data;

  uint64_t number(size_t at, size_t size_bytes) const {
    uint64_t v = 0;
    if (at <= data.size() && size_bytes <= data.size() - at) std::memcpy(&v, data.data() + at, size_bytes);
    return v;
  }
  std::string text(size_t at, size_t size_bytes) const {
    if (at > data.size() || size_bytes > data.size() - at) return {};
    return std::string(reinterpret_cast<const char*>(data.data() + at), size_bytes);
  }
};

std::optional<Dtype> dtype_from_descr(std::string_view descr) {
  constexpr std::pair<std::string_view, Dtype> kNames[] = {{"<f4", Dtype::kF32}, {"<f2", Dtype::kF16}, {"<f8", Dtype::kF64},
                                                           {"|i1", Dtype::kI8},  {"<i2", Dtype::kI16}, {"<i4", Dtype::kI32},
                                                           {"<i8", Dtype::kI64}, {"|u1", Dtype::kU8},  {"<u2", Dtype::kU16},
                                                           {"<u4", Dtype::kU32}, {"<u8", Dtype::kU64}, {"|b1", Dtype::kBool}};
  for (const auto& [name, dtype] : kNames)
    if (name == descr) return dtype;
  return std::nullopt;
}

// "\x93NUMPY", version, header length, then a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
Result<Tensor> parse_npy(Cursor file) {
  size_t wide = file.number(6, 1) > 1 ? 4 : 2;
  size_t length = file.number(8, wide), begin = 8 + wide + length;
  std::string header = file.text(8 + wide, length);
  size_t descr = header.find("'descr': '"), shape = header.find("'shape': (");
  if (file.text(1, 5) != "NUMPY" || descr == std::string::npos || shape == std::string::npos)
    return corrupt("This is not a .npy file.");
  descr += 10;
  auto dtype = dtype_from_descr(header.substr(descr, header.find('\'', descr) - descr));
  if (!dtype || header.find("'fortran_order': False") == std::string::npos)
    return unsupported("The array is of a kind that is not read: " + header);
  Tensor t;
  t.dtype = *dtype;
  std::string sizes = header.substr(shape + 10, header.find(')', shape) - shape - 10);
  for (size_t at = 0; at < sizes.size();) {
    size_t comma = std::min(sizes.find(',', at), sizes.size());
    std::string digits = sizes.substr(at, comma - at);
    digits.erase(std::remove(digits.begin(), digits.end(), ' '), digits.end());
    if (!digits.empty()) t.shape.push_back(std::stoll(digits));
    at = comma + 1;
  }
  if (begin > file.data.size()) return corrupt("The .npy header is longer than the file.");
  t.bytes.assign(file.data.begin() + static_cast<ptrdiff_t>(begin), file.data.end());
  if (static_cast<int64_t>(t.bytes.size()) != t.element_count() * dtype_size_bytes(t.dtype))
    return corrupt("The .npy file has " + std::to_string(t.bytes.size()) + " bytes of elements.");
  return t;
}

}  // namespace

Result<std::map<std::string, Tensor>> read_npz(const std::string& path) {
  TUFF_ASSIGN(Bytes bytes, map_file(path));
  Cursor zip{bytes.data};
  constexpr size_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30;
  if (bytes.data.size() < kEndSize || zip.number(bytes.data.size() - kEndSize, 4) != 0x06054b50)
    return corrupt("'" + path + "' does not end as a zip archive does.");
  uint64_t count = zip.number(bytes.data.size() - kEndSize + 10, 2);
  size_t at = zip.number(bytes.data.size() - kEndSize + 16, 4);
  std::map<std::string, Tensor> arrays;
  for (uint64_t i = 0; i < count; ++i) {
    size_t name_length = zip.number(at + 28, 2), local = zip.number(at + 42, 4), size = zip.number(at + 24, 4);
    std::string name = zip.text(at + kEntrySize, name_length);
    if (zip.number(at, 4) != 0x02014b50 || zip.number(at + 10, 2) != 0)
      return unsupported("'" + path + "' has a member that is not merely stored.");
    size_t begin = local + kLocalSize + zip.number(local + 26, 2) + zip.number(local + 28, 2);
    if (begin > bytes.data.size() || size > bytes.data.size() - begin) return corrupt("'" + path + "' is cut off.");
    auto array = parse_npy({bytes.data.subspan(begin, size)});
    if (!array.ok()) return array.status().with_context("'" + path + "', " + name);
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays.emplace(std::move(name), std::move(*array));
    at += kEntrySize + name_length + zip.number(at + 30, 2) + zip.number(at + 32, 2);
  }
  return arrays;
}

}  // namespace tuff::test
