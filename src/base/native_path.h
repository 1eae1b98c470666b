// Paths for std::filesystem, which takes bytes in the system's own encoding. Needs no status.h, so that the command, whose
// Result is tuff.hpp's, can use it.
#pragma once

#include <filesystem>
#include <string>

namespace tuff {

inline std::filesystem::path native_path(const std::string& utf8) { return std::u8string(utf8.begin(), utf8.end()); }

inline std::string utf8_path(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

}  // namespace tuff
