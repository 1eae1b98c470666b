#include "base/file.h"

#include "base/native_path.h"

namespace tuff {

Result<std::string> read_text_file(const std::string& path) {
  TUFF_ASSIGN(Bytes bytes, map_file(path));
  return std::string(reinterpret_cast<const char*>(bytes.data.data()), bytes.data.size());
}

Status write_text_file(const std::string& path, std::string_view text) {
  return write_file_atomic(path, {reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

Status make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(native_path(path), error);
  if (error) return io_error("Cannot create the folder '" + path + "': " + error.message() + ".");
  return ok_status();
}

bool path_exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(native_path(path), error);
}

std::string folder_of(const std::string& path) {
  std::string folder = utf8_path(native_path(path).parent_path());
  return folder.empty() ? "." : folder;
}

Bytes bytes_from_string(std::shared_ptr<const std::string> storage) {
  return {{reinterpret_cast<const std::byte*>(storage->data()), storage->size()}, storage};
}

}  // namespace tuff
