// Files: the only place that asks the operating system for one. Paths are UTF-8 on every system.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace tuff {

// Bytes that stay where they are while anyone holds the pointer: a mapped file, a heap block, a caller's memory.
struct Bytes {
  std::span<const std::byte> data;
  std::shared_ptr<const void> owner;  // null: the caller guarantees the lifetime
};

// Maps a file read-only. An empty file gives an empty span.
Result<Bytes> map_file(const std::string& path);
// Maps a file that an untrusted file names, which must lie inside `folder`: INVALID_ARGUMENT for an absolute path, "..",
// a symbolic link anywhere below the folder, or a file with more than one hard link. Parts are divided by '/'; on Windows
// one with a character that means something else there is INVALID_ARGUMENT, too.
Result<Bytes> map_contained_file(const std::string& folder, std::string_view relative_path);
Result<std::string> read_text_file(const std::string& path);

// Writes to a unique temporary name in the same folder, flushes and renames, so that readers see the old file or the
// whole new one. Windows replaces no file that anyone has mapped: IO then.
Status write_file_atomic(const std::string& path, std::span<const std::byte> data);
Status write_text_file(const std::string& path, std::string_view text);
Status make_folders(const std::string& path);
bool path_exists(const std::string& path);
// What a path names, without its last part: "." where there is one part only.
std::string folder_of(const std::string& path);

Bytes bytes_from_string(std::shared_ptr<const std::string> storage);

}  // namespace tuff
