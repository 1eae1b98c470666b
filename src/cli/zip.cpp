#include "cli/zip.h"

#include <algorithm>

#include <zlib.h>

namespace tuff::cli {
namespace {

constexpr uint64_t kMaxMemberBytes = uint64_t{1} << 34;

// Little-endian numbers at checked places; reading outside gives 0 and is remembered.
class ZipReader {
 public:
  explicit ZipReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  uint64_t number(uint64_t at, int size) {
    if (at > bytes_.size() || bytes_.size() - at < static_cast<uint64_t>(size)) {
      inside_ = false;
      return 0;
    }
    uint64_t v = 0;
    for (int i = 0; i < size; ++i) v |= static_cast<uint64_t>(bytes_[at + static_cast<uint64_t>(i)]) << (8 * i);
    return v;
  }
  std::span<const std::byte> range(uint64_t at, uint64_t size) {
    if (at > bytes_.size() || bytes_.size() - at < size) {
      inside_ = false;
      return {};
    }
    return bytes_.subspan(at, size);
  }
  bool inside() const { return inside_; }

 private:
  std::span<const std::byte> bytes_;
  bool inside_ = true;
};

Error damaged_zip(const std::string& name, const std::string& what) {
  return {TUFF_CORRUPT, "'" + name + "' is no readable .npz file: " + what + "."};
}

struct Entry {
  std::string name;
  uint64_t method = 0, crc = 0, stored_bytes = 0, bytes = 0, offset = 0;
};

// Sizes and the offset that do not fit into 32 bits stand in the extra field with id 1, in this order.
void read_zip64(ZipReader& in, uint64_t extra, uint64_t extra_bytes, Entry& entry) {
  for (uint64_t at = extra; at + 4 <= extra + extra_bytes;) {
    uint64_t id = in.number(at, 2), size = in.number(at + 2, 2);
    at += 4;
    if (id == 1) {
      uint64_t field = at;
      for (uint64_t* value : {&entry.bytes, &entry.stored_bytes, &entry.offset}) {
        if (*value != 0xffffffffu || field + 8 > at + size) continue;
        *value = in.number(field, 8);
        field += 8;
      }
    }
    at += size;
  }
}

Result<std::vector<std::byte>> inflate_member(std::span<const std::byte> stored, uint64_t size, const std::string& name) {
  std::vector<std::byte> out(size);
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return Error{TUFF_OUT_OF_MEMORY, "No memory to inflate '" + name + "'."};
  int result = Z_OK;
  uint64_t read = 0, written = 0;
  while (result == Z_OK) {
    uint64_t in = std::min<uint64_t>(stored.size() - read, 1u << 30), to = std::min<uint64_t>(size - written, 1u << 30);
    std::byte none;  // zlib wants a pointer even for no bytes
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stored.data() + read));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(out.empty() ? &none : out.data() + written);
    stream.avail_out = static_cast<uInt>(to);
    result = inflate(&stream, Z_NO_FLUSH);
    uint64_t taken = in - stream.avail_in, made = to - stream.avail_out;
    read += taken;
    written += made;
    if (result == Z_OK && taken == 0 && made == 0) break;  // no progress: more input or room would be needed
  }
  inflateEnd(&stream);
  if (result != Z_STREAM_END || written != size) return damaged_zip(name, "a member does not inflate to its size");
  return out;
}

Result<ZipMember> read_member(ZipReader& in, const Entry& entry, const std::string& name) {
  if (in.number(entry.offset, 4) != 0x04034b50u) return damaged_zip(name, "'" + entry.name + "' has no local header");
  uint64_t data = entry.offset + 30 + in.number(entry.offset + 26, 2) + in.number(entry.offset + 28, 2);
  std::span<const std::byte> stored = in.range(data, entry.stored_bytes);
  if (!in.inside()) return damaged_zip(name, "'" + entry.name + "' lies outside the file");
  if (entry.bytes > kMaxMemberBytes) return Error{TUFF_LIMIT, "'" + entry.name + "' of '" + name + "' is larger than 16 GiB."};
  ZipMember member;
  member.name = entry.name;
  if (entry.method == 0) {
    if (entry.stored_bytes != entry.bytes) return damaged_zip(name, "'" + entry.name + "' has two sizes");
    member.content.assign(stored.begin(), stored.end());
  } else if (entry.method == 8) {
    // No deflated byte stands for more than 1032: a size beyond that is a lie, and refused before it is allocated.
    if (entry.bytes / 1032 > entry.stored_bytes) return damaged_zip(name, "'" + entry.name + "' cannot be that large");
    Result<std::vector<std::byte>> content = inflate_member(stored, entry.bytes, name);
    if (!content) return content.error();
    member.content = std::move(*content);
  } else {
    return Error{TUFF_UNSUPPORTED, "'" + entry.name + "' of '" + name + "' is compressed by method " +
                                       std::to_string(entry.method) + "; stored and deflated are read."};
  }
  uLong crc = crc32_z(crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(member.content.data()), member.content.size());
  if (member.content.empty()) crc = crc32(0, nullptr, 0);
  if (crc != entry.crc) return damaged_zip(name, "the checksum of '" + entry.name + "' is wrong");
  return member;
}

}  // namespace

Result<std::vector<ZipMember>> read_zip(std::span<const std::byte> bytes, const std::string& name) {
  ZipReader in(bytes);
  // The end record is the last 22 bytes, before a comment of at most 65,535.
  uint64_t end = UINT64_MAX;
  for (uint64_t back = 22; back <= std::min<uint64_t>(bytes.size(), 22 + 65535); ++back) {
    if (in.number(bytes.size() - back, 4) != 0x06054b50u) continue;
    end = bytes.size() - back;
    break;
  }
  if (end == UINT64_MAX) return damaged_zip(name, "it has no directory");
  uint64_t count = in.number(end + 10, 2), at = in.number(end + 16, 4);
  std::vector<ZipMember> members;
  for (uint64_t i = 0; i < count; ++i) {
    if (in.number(at, 4) != 0x02014b50u) return damaged_zip(name, "its directory is cut");
    Entry entry;
    entry.method = in.number(at + 10, 2);
    entry.crc = in.number(at + 16, 4);
    entry.stored_bytes = in.number(at + 20, 4);
    entry.bytes = in.number(at + 24, 4);
    uint64_t name_bytes = in.number(at + 28, 2), extra_bytes = in.number(at + 30, 2), comment_bytes = in.number(at + 32, 2);
    entry.offset = in.number(at + 42, 4);
    std::span<const std::byte> text = in.range(at + 46, name_bytes);
    entry.name.assign(reinterpret_cast<const char*>(text.data()), text.size());
    read_zip64(in, at + 46 + name_bytes, extra_bytes, entry);
    if (!in.inside()) return damaged_zip(name, "its directory is cut");
    at += 46 + name_bytes + extra_bytes + comment_bytes;
    Result<ZipMember> member = read_member(in, entry, name);
    if (!member) return member.error();
    members.push_back(std::move(*member));
  }
  return members;
}

}  // namespace tuff::cli
