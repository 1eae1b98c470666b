// Zip archives as NumPy writes them: members stored or deflated, found through the central directory. Every offset and
// length in the bytes is checked, and each member's CRC.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <tuff/tuff.hpp>

namespace tuff::cli {

struct ZipMember {
  std::string name;
  std::vector<std::byte> content;
};

Result<std::vector<ZipMember>> read_zip(std::span<const std::byte> bytes, const std::string& name);

}  // namespace tuff::cli
