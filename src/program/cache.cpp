#include "program/cache.h"

#include <cstring>

#include "base/file.h"

namespace tuff {
namespace {

constexpr char kMagic[8] = {'T', 'U', 'F', 'F', 'B', 'L', 'O', 'B'};
constexpr uint32_t kVersion = 1;
constexpr uint32_t kByteOrder = 0x01020304;

// What stands before the blob. The key is repeated, so that a renamed entry is not taken for another.
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

std::string entry_name(const Hash& key, std::string_view kind) { return key.hex() + "." + std::string(kind); }

class FolderStorage final : public CacheStorage {
 public:
  explicit FolderStorage(std::string folder) : folder_(std::move(folder)) {}

  Result<std::optional<std::vector<std::byte>>> load(const std::string& name) override {
    const std::string file = folder_ + "/" + name;
    if (!path_exists(file)) return std::optional<std::vector<std::byte>>();
    TUFF_ASSIGN(const Bytes bytes, map_file(file));
    // Copied before it is checked: another process may write to a mapped file after the check.
    return std::optional(std::vector<std::byte>(bytes.data.begin(), bytes.data.end()));
  }

  Status store(const std::string& name, std::span<const std::byte> bytes) override {
    TUFF_TRY(make_folders(folder_));
    return write_file_atomic(folder_ + "/" + name, bytes);
  }

 private:
  std::string folder_;
};

}  // namespace

std::unique_ptr<CacheStorage> folder_storage(std::string folder) { return std::make_unique<FolderStorage>(std::move(folder)); }

void Cache::warn_once(const std::string& message) {
  if (!warned_.exchange(true) && warn_) warn_(message);
}

std::optional<std::vector<std::byte>> Cache::load(const Hash& key, std::string_view kind) {
  const std::string name = entry_name(key, kind);
  Result<std::optional<std::vector<std::byte>>> content = storage_->load(name);
  if (!content.ok()) {
    warn_once("The cache cannot be read: " + content.status().message());
    return std::nullopt;
  }
  if (!content->has_value()) return std::nullopt;
  std::span<const std::byte> bytes = **content, blob;
  Header expected = {};
  if (bytes.size() >= sizeof(Header)) {
    blob = bytes.subspan(sizeof(Header));
    expected = header_of(key, blob);
  }
  if (bytes.size() < sizeof(Header) || std::memcmp(bytes.data(), &expected, sizeof(Header)) != 0) {
    warn_once("The cache's entry '" + name + "' is damaged or of another version; it is made again.");
    return std::nullopt;
  }
  return std::vector<std::byte>(blob.begin(), blob.end());
}

void Cache::store(const Hash& key, std::string_view kind, std::span<const std::byte> blob) {
  Header header = header_of(key, blob);
  std::vector<std::byte> content(sizeof(Header) + blob.size());
  std::memcpy(content.data(), &header, sizeof(Header));
  if (!blob.empty()) std::memcpy(content.data() + sizeof(Header), blob.data(), blob.size());
  Status status = storage_->store(entry_name(key, kind), content);
  if (!status.ok()) warn_once("The cache cannot be written: " + status.message());
}

}  // namespace tuff
