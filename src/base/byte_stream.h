// Little-endian numbers, texts and lists, written and read one by one; no struct is ever copied whole.
//
// Invariant of the reader: it never leaves its bytes. The first read that would is remembered, everything after it reads
// as zero, and status() says at which byte: so a parser need not test each field, only what it would loop or index by.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace tuff {

class ByteWriter {
 public:
  void u8(uint8_t v) { bytes_.push_back(std::byte{v}); }
  void u32(uint32_t v) { number(v, 4); }
  void u64(uint64_t v) { number(v, 8); }
  void i64(int64_t v) { u64(static_cast<uint64_t>(v)); }
  void text(std::string_view s) {
    u32(static_cast<uint32_t>(s.size()));
    raw(std::as_bytes(std::span(s.data(), s.size())));
  }
  void raw(std::span<const std::byte> data) { bytes_.insert(bytes_.end(), data.begin(), data.end()); }
  void align(size_t alignment) { bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment); }
  template <class List, class Item>
  void list(const List& items, Item write) {
    u32(static_cast<uint32_t>(items.size()));
    for (const auto& item : items) write(item);
  }

  size_t size() const { return bytes_.size(); }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  void number(uint64_t v, int size_bytes) {
    for (int i = 0; i < size_bytes; ++i) bytes_.push_back(static_cast<std::byte>(v >> (8 * i)));
  }
  std::vector<std::byte> bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  uint64_t u64() { return number(8); }
  int64_t i64() { return static_cast<int64_t>(u64()); }
  bool boolean() {
    uint8_t v = u8();
    if (v > 1) fail("a byte that should be 0 or 1 is " + std::to_string(v));
    return v == 1;
  }
  std::string_view text() {
    std::span<const std::byte> data = raw(u32());
    return {reinterpret_cast<const char*>(data.data()), data.size()};
  }
  // Empty where there are not so many left.
  std::span<const std::byte> raw(uint64_t size_bytes) {
    if (!holds(size_bytes)) return {};
    std::span<const std::byte> out = bytes_.subspan(position_, static_cast<size_t>(size_bytes));
    position_ += out.size();
    return out;
  }
  void align(size_t alignment) { raw((alignment - position_ % alignment) % alignment); }
  // The length of a list whose items take at least so many bytes each: never more than what is left could hold.
  uint32_t count(uint64_t least_item_bytes) {
    uint32_t n = u32();
    if (uint64_t{n} * least_item_bytes <= left()) return n;
    fail("a list says that it has " + std::to_string(n) + " items, which the bytes left cannot hold");
    return 0;
  }
  template <class Read>
  auto list(uint64_t least_item_bytes, Read read) {
    std::vector<decltype(read())> out;
    for (uint32_t i = count(least_item_bytes); i > 0 && ok(); --i) out.push_back(read());
    return out;
  }

  bool ok() const { return problem_.empty(); }
  size_t position() const { return position_; }
  uint64_t left() const { return bytes_.size() - position_; }
  // Keeps the first problem; `what` is a clause.
  void fail(std::string what) {
    if (ok()) problem_ = "At byte " + std::to_string(position_) + " " + std::move(what) + ".";
    position_ = bytes_.size();
  }
  Status status() const { return ok() ? ok_status() : corrupt(problem_); }

 private:
  bool holds(uint64_t size_bytes) {
    if (size_bytes <= left()) return true;
    fail(std::to_string(size_bytes) + " bytes are wanted where " + std::to_string(left()) + " are left");
    return false;
  }
  uint64_t number(size_t size_bytes) {
    std::span<const std::byte> data = raw(size_bytes);
    uint64_t v = 0;
    for (size_t i = data.size(); i-- > 0;) v = v << 8 | std::to_integer<uint64_t>(data[i]);
    return v;
  }

  std::span<const std::byte> bytes_;
  size_t position_ = 0;
  std::string problem_;
};

}  // namespace tuff
