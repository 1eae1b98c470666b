// A folder of what can be made again: one file a key. In: blobs. Out: the same blobs, or nothing.
//
// Invariant: damage, another version, a full disk or a read-only folder cost speed only, and one warning. Files are
// written beside and renamed, so that readers and other processes see whole ones and need no lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace tuff {

class DiskCache {
 public:
  // warn is called at most once, on the thread that met the trouble; it may be null.
  DiskCache(std::string folder, std::function<void(std::string_view message)> warn)
      : folder_(std::move(folder)), warn_(std::move(warn)) {}

  // kind names what the blob is ("spirv") and is the file's extension.
  std::optional<std::vector<std::byte>> load(const Hash& key, std::string_view kind);
  void store(const Hash& key, std::string_view kind, std::span<const std::byte> blob);

 private:
  std::string path(const Hash& key, std::string_view kind) const;
  void warn_once(const std::string& message);

  std::string folder_;
  std::function<void(std::string_view)> warn_;
  std::atomic<bool> warned_ = false;
};

}  // namespace tuff
