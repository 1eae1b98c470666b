#include "base/file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tuff {
namespace {

Status file_error(std::string_view verb, const std::string& path) {
  return io_error("Cannot " + std::string(verb) + " '" + path + "': " + std::strerror(errno) + ".");
}

}  // namespace

Result<Bytes> map_file(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return file_error("open", path);
  struct stat info;
  if (::fstat(fd, &info) != 0) {
    Status failed = file_error("read the size of", path);
    ::close(fd);
    return failed;
  }
  if (!S_ISREG(info.st_mode)) {
    ::close(fd);
    return io_error("'" + path + "' is not a regular file.");
  }
  size_t size = static_cast<size_t>(info.st_size);
  if (size == 0) {
    ::close(fd);
    return Bytes{};
  }
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  Status failed = address == MAP_FAILED ? file_error("map", path) : Status();
  ::close(fd);
  if (!failed.ok()) return failed;
  Bytes bytes;
  bytes.data = {static_cast<const std::byte*>(address), size};
  bytes.owner = std::shared_ptr<const void>(address, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
  return bytes;
}

Result<std::string> read_text_file(const std::string& path) {
  TUFF_ASSIGN(Bytes bytes, map_file(path));
  return std::string(reinterpret_cast<const char*>(bytes.data.data()), bytes.data.size());
}

Status write_file_atomic(const std::string& path, std::span<const std::byte> data) {
  std::string temporary = path + ".XXXXXX";
  int fd = ::mkstemp(temporary.data());
  if (fd < 0) return file_error("create a temporary file beside", path);
  Status status;
  size_t written = 0;
  while (status.ok() && written < data.size()) {
    ssize_t n = ::write(fd, data.data() + written, data.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) status = file_error("write", path);
    else written += static_cast<size_t>(n);
  }
  if (status.ok() && ::fchmod(fd, 0644) != 0) status = file_error("set the mode of", path);
  if (status.ok() && ::fsync(fd) != 0) status = file_error("flush", path);
  if (::close(fd) != 0 && status.ok()) status = file_error("close", path);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) status = file_error("rename to", path);
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

Status write_text_file(const std::string& path, std::string_view text) {
  return write_file_atomic(path, {reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

Status make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return io_error("Cannot create the folder '" + path + "': " + error.message() + ".");
  return ok_status();
}

Bytes bytes_from_string(std::shared_ptr<const std::string> storage) {
  return {{reinterpret_cast<const std::byte*>(storage->data()), storage->size()}, storage};
}

}  // namespace tuff
