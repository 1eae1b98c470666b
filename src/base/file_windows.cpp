#include "base/wide.h"  // before other headers of Windows

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/process.h"

namespace tuff {
namespace {

Status file_error(std::string_view verb, const std::string& path) {
  return io_error("Cannot " + std::string(verb) + " '" + path + "': " + system_message(GetLastError()) + ".");
}

// A handle that is closed when it goes; invalid where opening failed.
class Handle {
 public:
  explicit Handle(HANDLE handle) : handle_(handle) {}
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, INVALID_HANDLE_VALUE)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() { close(); }
  bool valid() const { return handle_ != INVALID_HANDLE_VALUE && handle_ != nullptr; }
  HANDLE get() const { return handle_; }
  bool close() {
    HANDLE handle = std::exchange(handle_, INVALID_HANDLE_VALUE);
    return handle == INVALID_HANDLE_VALUE || handle == nullptr || CloseHandle(handle) != 0;
  }

 private:
  HANDLE handle_;
};

Handle open_existing(const std::string& path, DWORD sharing, DWORD flags) {
  // Folders open with the backup flag only.
  return Handle(CreateFileW(to_wide(path).c_str(), GENERIC_READ, sharing, nullptr, OPEN_EXISTING,
                            flags | FILE_FLAG_BACKUP_SEMANTICS, nullptr));
}

Result<Bytes> map_open_file(const Handle& file, const std::string& path, bool refuse_hard_links) {
  BY_HANDLE_FILE_INFORMATION info;
  // Names as NUL and COM1 are devices in every folder.
  if (GetFileType(file.get()) != FILE_TYPE_DISK) return io_error("'" + path + "' is not a regular file.");
  if (GetFileInformationByHandle(file.get(), &info) == 0) return file_error("read the size of", path);
  if (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) return io_error("'" + path + "' is not a regular file.");
  if (refuse_hard_links && info.nNumberOfLinks > 1)
    return invalid_argument("'" + path + "' has more than one hard link, so it may belong to another folder.");
  const uint64_t size = uint64_t{info.nFileSizeHigh} << 32 | info.nFileSizeLow;
  if (size == 0) return Bytes{};
  // The view keeps the mapping, and the mapping the file.
  const Handle mapping(CreateFileMappingW(file.get(), nullptr, PAGE_READONLY, 0, 0, nullptr));
  if (!mapping.valid()) return file_error("map", path);
  const void* address = MapViewOfFile(mapping.get(), FILE_MAP_READ, 0, 0, 0);
  if (address == nullptr) return file_error("map", path);
  Bytes bytes;
  bytes.data = {static_cast<const std::byte*>(address), static_cast<size_t>(size)};
  bytes.owner = std::shared_ptr<const void>(address, [](const void* p) { UnmapViewOfFile(p); });
  return bytes;
}

// Whether Windows takes a part of a path for exactly the name that it is: no stream, no other separator, nothing that is
// cut off at its end.
bool is_plain(std::string_view part) {
  if (part == ".") return true;
  return part.find_first_of("\\:*?\"<>|") == std::string_view::npos && part.back() != '.' && part.back() != ' ' &&
         std::none_of(part.begin(), part.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

Result<Bytes> map_file(const std::string& path) {
  const Handle file = open_existing(path, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, 0);
  if (!file.valid()) return file_error("open", path);
  return map_open_file(file, path, false);
}

Result<Bytes> map_contained_file(const std::string& folder, std::string_view relative_path) {
  std::string path = folder;
  const bool has_drive = relative_path.size() > 1 && relative_path[1] == ':';
  if (relative_path.empty() || relative_path.front() == '/' || relative_path.front() == '\\' || has_drive)
    return invalid_argument("The file name '" + std::string(relative_path) + "' is not a relative path.");
  // Folder by folder. None is shared for deletion, so that nobody can put another in its place while its handle is open:
  // what is checked is what is opened.
  std::vector<Handle> opened;
  for (size_t begin = 0; begin <= relative_path.size();) {
    const size_t end = std::min(relative_path.find('/', begin), relative_path.size());
    const std::string_view part = relative_path.substr(begin, end - begin);
    const bool last = end == relative_path.size();
    begin = end + 1;
    if (part == ".." || part.empty())
      return invalid_argument("The file name '" + std::string(relative_path) + "' may not contain '..' or an empty part.");
    if (!is_plain(part))
      return invalid_argument("The file name '" + std::string(relative_path) +
                              "' has a part that Windows takes for another name.");
    path += "/" + std::string(part);
    Handle next = open_existing(path, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_FLAG_OPEN_REPARSE_POINT);
    if (!next.valid()) return file_error("open", path);
    BY_HANDLE_FILE_INFORMATION info = {};
    if (GetFileType(next.get()) == FILE_TYPE_DISK && GetFileInformationByHandle(next.get(), &info) == 0)
      return file_error("read the attributes of", path);
    if (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
      return invalid_argument("'" + path + "' is or lies behind a symbolic link, which is not followed.");
    if (!last && !(info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)) return io_error("'" + path + "' is not a folder.");
    opened.push_back(std::move(next));
  }
  return map_open_file(opened.back(), path, true);
}

Status write_file_atomic(const std::string& path, std::span<const std::byte> data) {
  static std::atomic<uint32_t> count = 0;
  // The time sets it apart from what a process of the same number left.
  const std::string temporary =
      path + "." + std::to_string(process_id()) + "-" + std::to_string(GetTickCount64()) + "-" + std::to_string(count++);
  Handle file(CreateFileW(to_wide(temporary).c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file.valid()) return file_error("create a temporary file beside", path);
  Status status;
  size_t written = 0;
  while (status.ok() && written < data.size()) {
    const DWORD count_bytes = static_cast<DWORD>(std::min<size_t>(data.size() - written, 1u << 30));
    DWORD done = 0;
    if (WriteFile(file.get(), data.data() + written, count_bytes, &done, nullptr) == 0) status = file_error("write", path);
    written += done;
  }
  if (status.ok() && FlushFileBuffers(file.get()) == 0) status = file_error("flush", path);
  if (!file.close() && status.ok()) status = file_error("close", path);
  if (status.ok() &&
      MoveFileExW(to_wide(temporary).c_str(), to_wide(path).c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) == 0)
    status = file_error("rename to", path);
  if (!status.ok()) DeleteFileW(to_wide(temporary).c_str());
  return status;
}

}  // namespace tuff
