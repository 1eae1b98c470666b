// Goldens: texts that a stage printed once, read by a person and kept in tests/golden.
//
// golden::check("folder/name", text) compares text with tests/golden/folder/name.txt and fails the test with the first
// differing lines. TUFF_UPDATE_GOLDENS=1 (tests/run --update-goldens) writes the file instead. A missing golden fails.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace golden {

inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The first place where the texts differ, as in a unified diff: the lines before it, then '-' expected and '+' found.
inline std::string difference(std::string_view expected, std::string_view found) {
  constexpr size_t kBefore = 2, kShown = 8;
  std::vector<std::string_view> old_lines = lines_of(expected), new_lines = lines_of(found);
  size_t first = 0;
  while (first < old_lines.size() && first < new_lines.size() && old_lines[first] == new_lines[first]) ++first;
  size_t old_end = old_lines.size(), new_end = new_lines.size();
  while (old_end > first && new_end > first && old_lines[old_end - 1] == new_lines[new_end - 1]) --old_end, --new_end;
  if (first == old_end && first == new_end) return "the texts differ only in how they end";

  std::string out = "@@ line " + std::to_string(first + 1) + " @@\n";
  for (size_t i = first < kBefore ? 0 : first - kBefore; i < first; ++i) out += "  " + std::string(old_lines[i]) + "\n";
  auto show = [&](const std::vector<std::string_view>& lines, size_t end, const char* sign) {
    for (size_t i = first; i < end && i < first + kShown; ++i) out += sign + std::string(lines[i]) + "\n";
    if (end > first + kShown) out += sign + std::string("... ") + std::to_string(end - first - kShown) + " more lines\n";
  };
  show(old_lines, old_end, "- ");
  show(new_lines, new_end, "+ ");
  return out;
}

// Whether goldens are written instead of compared.
inline bool& updating() {
  static const char* update = std::getenv("TUFF_UPDATE_GOLDENS");
  static bool yes = update && std::string_view(update) == "1";
  return yes;
}

inline void check(const std::string& name, std::string_view text) {
  const std::string path = std::string(TUFF_TEST_ROOT) + "/golden/" + name + ".txt";
  if (updating()) {
    tuff::Status written = tuff::make_folders(path.substr(0, path.rfind('/')));
    if (written.ok()) written = tuff::write_text_file(path, text);
    CHECK_MESSAGE(written.ok(), written.message());
    return;
  }
  tuff::Result<std::string> expected = tuff::read_text_file(path);
  if (!expected.ok()) {
    FAIL_CHECK("golden " << name << ": " << expected.status().message() << " TUFF_UPDATE_GOLDENS=1 writes it.");
    return;
  }
  if (*expected != text) FAIL_CHECK("golden " << name << " differs:\n" << difference(*expected, text));
}

}  // namespace golden
