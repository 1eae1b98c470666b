#include "cli/tensor_file.h"

#include "base/native_path.h"
#include "cli/arguments.h"
#include "cli/npy.h"
#include "cli/tensor_proto.h"
#include "cli/zip.h"

namespace tuff::cli {
namespace {

bool is_folder(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_directory(native_path(path), none);
}

std::string stem(const std::string& path) { return utf8_path(native_path(path).stem()); }

Result<NamedTensor> read_tensor_proto(const std::string& path) {
  Result<std::vector<std::byte>> bytes = read_file(path);
  if (!bytes) return bytes.error();
  Result<NamedTensor> tensor = parse_tensor_proto(*bytes, path);
  if (tensor && tensor->name.empty()) tensor->name = stem(path);
  return tensor;
}

// The model's order names the files' tensors; the names that they hold are often another exporter's.
Result<std::vector<NamedTensor>> read_folder(const std::string& path, const std::string& prefix,
                                             std::span<const std::string> names) {
  std::vector<NamedTensor> tensors;
  for (;;) {
    const std::string file = path + "/" + prefix + "_" + std::to_string(tensors.size()) + ".pb";
    std::error_code none;
    if (!tensors.empty() && !std::filesystem::exists(native_path(file), none)) return tensors;
    if (tensors.size() == names.size()) {
      return usage("There is no " + prefix + " for '" + file + "'; the model has " + std::to_string(names.size()) + ".");
    }
    Result<NamedTensor> tensor = read_tensor_proto(file);
    if (!tensor) return tensor.error();
    tensor->name = names[tensors.size()];
    tensors.push_back(std::move(*tensor));
  }
}

}  // namespace

bool holds_many(const std::string& path) { return path.ends_with(".npz") || is_folder(path); }

Result<std::vector<NamedTensor>> read_tensor_file(const std::string& path, const std::string& prefix,
                                                  std::span<const std::string> names) {
  if (is_folder(path)) return read_folder(path, prefix, names);
  std::vector<NamedTensor> tensors;
  if (path.ends_with(".pb")) {
    Result<NamedTensor> tensor = read_tensor_proto(path);
    if (!tensor) return tensor.error();
    tensors.push_back(std::move(*tensor));
    return tensors;
  }
  Result<std::vector<std::byte>> bytes = read_file(path);
  if (!bytes) return bytes.error();
  if (!path.ends_with(".npz")) {
    Result<HostTensor> tensor = parse_npy(*bytes, path);
    if (!tensor) return tensor.error();
    tensors.push_back({stem(path), std::move(*tensor)});
    return tensors;
  }
  Result<std::vector<ZipMember>> members = read_zip(*bytes, path);
  if (!members) return members.error();
  for (ZipMember& member : *members) {
    Result<HostTensor> tensor = parse_npy(member.content, path + ":" + member.name);
    if (!tensor) return tensor.error();
    std::string name = member.name.ends_with(".npy") ? member.name.substr(0, member.name.size() - 4) : member.name;
    tensors.push_back({std::move(name), std::move(*tensor)});
  }
  return tensors;
}

}  // namespace tuff::cli
