#include "base/hash.h"

namespace tuff {
namespace {

uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ull;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace

std::string Hash::hex() const {
  static const char kDigits[] = "0123456789abcdef";
  std::string out(32, '0');
  for (int i = 0; i < 16; ++i) {
    out[i] = kDigits[(high >> (60 - 4 * i)) & 15];
    out[16 + i] = kDigits[(low >> (60 - 4 * i)) & 15];
  }
  return out;
}

Hasher& Hasher::bytes(const void* data, size_t size_bytes) {
  const auto* p = static_cast<const unsigned char*>(data);
  size_t i = 0;
  // Eight bytes a step: weights of hundreds of megabytes are hashed at load.
  for (; i + 8 <= size_bytes; i += 8) {
    uint64_t word;
    std::memcpy(&word, p + i, 8);
    a_ = (a_ ^ word) * 0x100000001b3ull;
    a_ ^= a_ >> 29;
    b_ = (b_ + word) * 0x9e3779b97f4a7c15ull;
    b_ ^= b_ >> 32;
  }
  for (; i < size_bytes; ++i) {
    a_ = (a_ ^ p[i]) * 0x100000001b3ull;
    b_ = (b_ + p[i]) * 0x9e3779b97f4a7c15ull;
    b_ ^= b_ >> 32;
  }
  return *this;
}

Hash Hasher::finish() const { return {mix(a_ + b_), mix(b_ ^ 0x5851f42d4c957f2dull)}; }

Hash hash_bytes(const void* data, size_t size_bytes) { return Hasher().bytes(data, size_bytes).finish(); }

}  // namespace tuff
