#include "program/disk_cache.h"

#include <cstring>

#include "base/file.h"

namespace tuff {
namespace {

constexpr char kMagic[8] = {'T', 'U', 'F', 'F', 'B', 'L', 'O', 'B'};
constexpr uint32_t kVersion = 1;
constexpr uint32_t kByteOrder = 0x01020304;

// What stands before the blob. The key is repeated, so that a renamed file is not taken for another.
struct Header {
  char magic[8];
  uint32_t version;
  uint32_t byte_order;
  uint64_t key_high, key_low;
  uint64_t size_bytes;
  uint64_t hash_high, hash_low;
};
static_assert(sizeof(Header) == 56);

Header header_of(const Hash& key, std::span<const std::byte> blob) {
  Hash content = hash_bytes(blob.data(), blob.size());
  Header header = {{}, kVersion, kByteOrder, key.high, key.low, blob.size(), content.high, content.low};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  return header;
}

}  // namespace

std::string DiskCache::path(const Hash& key, std::string_view kind) const {
  return folder_ + "/" + key.hex() + "." + std::string(kind);
}

void DiskCache::warn_once(const std::string& message) {
  if (!warned_.exchange(true) && warn_) warn_(message);
}

std::optional<std::vector<std::byte>> DiskCache::load(const Hash& key, std::string_view kind) {
  std::string file = path(key, kind);
  if (!path_exists(file)) return std::nullopt;
  Result<Bytes> bytes = map_file(file);
  if (!bytes.ok()) {
    warn_once("The cache cannot be read: " + bytes.status().message());
    return std::nullopt;
  }
  // Copied before it is checked: another process may write to a mapped file after the check.
  std::vector<std::byte> content(bytes->data.begin(), bytes->data.end());
  std::span<const std::byte> blob = content;
  Header expected = {};
  if (content.size() >= sizeof(Header)) {
    blob = blob.subspan(sizeof(Header));
    expected = header_of(key, blob);
  }
  if (content.size() < sizeof(Header) || std::memcmp(content.data(), &expected, sizeof(Header)) != 0) {
    warn_once("The cache file '" + file + "' is damaged or of another version; it is made again.");
    return std::nullopt;
  }
  return std::vector<std::byte>(blob.begin(), blob.end());
}

void DiskCache::store(const Hash& key, std::string_view kind, std::span<const std::byte> blob) {
  Header header = header_of(key, blob);
  std::vector<std::byte> content(sizeof(Header) + blob.size());
  std::memcpy(content.data(), &header, sizeof(Header));
  if (!blob.empty()) std::memcpy(content.data() + sizeof(Header), blob.data(), blob.size());
  Status status = make_folders(folder_);
  if (status.ok()) status = write_file_atomic(path(key, kind), content);
  if (!status.ok()) warn_once("The cache cannot be written: " + status.message());
}

}  // namespace tuff
