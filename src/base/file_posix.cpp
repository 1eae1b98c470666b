#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace tuff {
namespace {

Status file_error(std::string_view verb, const std::string& path) {
  return io_error("Cannot " + std::string(verb) + " '" + path + "': " + std::strerror(errno) + ".");
}

Result<Bytes> map_and_close(int fd, const std::string& path, bool refuse_hard_links) {
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
  if (refuse_hard_links && info.st_nlink > 1) {
    ::close(fd);
    return invalid_argument("'" + path + "' has more than one hard link, so it may belong to another folder.");
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

}  // namespace

Result<Bytes> map_file(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return file_error("open", path);
  return map_and_close(fd, path, false);
}

Result<Bytes> map_contained_file(const std::string& folder, std::string_view relative_path) {
  std::string path = folder + "/" + std::string(relative_path);
  if (relative_path.empty() || relative_path.front() == '/' || relative_path.find('\0') != std::string_view::npos)
    return invalid_argument("The file name '" + std::string(relative_path) + "' is not a relative path.");
  // Folder by folder, so that what is checked is what is opened.
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return file_error("open the folder", folder);
  for (size_t begin = 0; begin <= relative_path.size();) {
    size_t end = std::min(relative_path.find('/', begin), relative_path.size());
    std::string part(relative_path.substr(begin, end - begin));
    bool last = end == relative_path.size();
    begin = end + 1;
    if (part == ".." || part.empty()) {
      ::close(fd);
      return invalid_argument("The file name '" + std::string(relative_path) + "' may not contain '..' or an empty part.");
    }
    int next = ::openat(fd, part.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (last ? O_NONBLOCK : O_DIRECTORY));
    int error = errno;
    struct stat link;
    bool is_link = next < 0 && ::fstatat(fd, part.c_str(), &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode);
    ::close(fd);
    errno = error;
    if (is_link) return invalid_argument("'" + path + "' is or lies behind a symbolic link, which is not followed.");
    if (next < 0) return file_error("open", path);
    fd = next;
  }
  return map_and_close(fd, path, true);
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
    if (n < 0)
      status = file_error("write", path);
    else
      written += static_cast<size_t>(n);
  }
  if (status.ok() && ::fchmod(fd, 0644) != 0) status = file_error("set the mode of", path);
  if (status.ok() && ::fsync(fd) != 0) status = file_error("flush", path);
  if (::close(fd) != 0 && status.ok()) status = file_error("close", path);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) status = file_error("rename to", path);
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

}  // namespace tuff
