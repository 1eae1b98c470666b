// What can be made again, kept from one process to the next: in a folder, or wherever a host keeps bytes. In: blobs. Out: the
// same blobs, or nothing.
//
// Invariant: damage, another version, a full disk or a read-only folder cost speed only, and one warning.
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
#include "base/status.h"

namespace tuff {

// Where entries lie, by names that are file names everywhere. Any thread may call it.
class CacheStorage {
 public:
  virtual ~CacheStorage() = default;
  // nullopt where there is none of this name. Whatever is there may come back: the cache checks it.
  virtual Result<std::optional<std::vector<std::byte>>> load(const std::string& name) = 0;
  virtual Status store(const std::string& name, std::span<const std::byte> bytes) = 0;
};

// One file an entry. Files are written beside and renamed, so that readers and other processes see whole ones and need no
// lock. The folder is made when it is needed.
std::unique_ptr<CacheStorage> folder_storage(std::string folder);

class Cache {
 public:
  // warn is called at most once, on the thread that met the trouble; it may be null.
  Cache(std::unique_ptr<CacheStorage> storage, std::function<void(std::string_view message)> warn)
      : storage_(std::move(storage)), warn_(std::move(warn)) {}

  // kind names what the blob is ("spirv") and ends the entry's name.
  std::optional<std::vector<std::byte>> load(const Hash& key, std::string_view kind);
  void store(const Hash& key, std::string_view kind, std::span<const std::byte> blob);

 private:
  void warn_once(const std::string& message);

  std::unique_ptr<CacheStorage> storage_;
  std::function<void(std::string_view)> warn_;
  std::atomic<bool> warned_ = false;
};

}  // namespace tuff
