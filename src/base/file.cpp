#include "base/file.h"

#include <filesystem>

namespace tuff {
namespace {

// std::filesystem takes bytes in the system's own encoding; paths are UTF-8.
std::filesystem::path native(const std::string& path) { return std::u8string(path.begin(), path.end()); }

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  TUFF_ASSIGN(Bytes bytes, map_file(path));
  return std::string(reinterpret_cast<const char*>(bytes.data.data()), bytes.data.size());
}

Status write_text_file(const std::string& path, std::string_view text) {
  return write_file_atomic(path, {reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

Status make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(native(path), error);
  if (error) return io_error("Cannot create the folder '" + path + "': " + error.message() + ".");
  return ok_status();
}

bool path_exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(native(path), error);
}

std::string folder_of(const std::string& path) {
  const std::u8string folder = native(path).parent_path().u8string();
  return folder.empty() ? "." : std::string(folder.begin(), folder.end());
}

Bytes bytes_from_string(std::shared_ptr<const std::string> storage) {
  return {{reinterpret_cast<const std::byte*>(storage->data()), storage->size()}, storage};
}

}  // namespace tuff
