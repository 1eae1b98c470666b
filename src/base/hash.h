// A 128-bit content hash for cache keys and goldens (two independent FNV-1a-64 streams with a final mix). It guards
// against damage and mix-ups, not against an adversary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tuff {

struct Hash {
  uint64_t high = 0;
  uint64_t low = 0;
  friend bool operator==(const Hash&, const Hash&) = default;
  friend auto operator<=>(const Hash&, const Hash&) = default;
  std::string hex() const;  // 32 lower-case digits
};

class Hasher {
 public:
  Hasher& bytes(const void* data, size_t size_bytes);
  Hasher& text(std::string_view s) { return number(s.size()).bytes(s.data(), s.size()); }
  Hasher& number(uint64_t v) { return bytes(&v, sizeof v); }
  Hash finish() const;

 private:
  uint64_t a_ = 0xcbf29ce484222325ull;
  uint64_t b_ = 0x9ae16a3b2f90404full;
};

Hash hash_bytes(const void* data, size_t size_bytes);

}  // namespace tuff
