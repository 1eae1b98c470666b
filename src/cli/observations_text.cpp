#include "cli/observations_text.h"

#include <algorithm>

namespace tuff::cli {
namespace {

std::string beginning_of(const std::string& key) { return "schedule \"" + key + "\" "; }

bool is_replaced(std::string_view line, const Schedules& schedules) {
  for (const auto& [key, schedule] : schedules)
    if (line.starts_with(beginning_of(key))) return true;
  return false;
}

}  // namespace

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    lines.emplace_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(lines.back().size() + 1, text.size()));
  }
  return lines;
}

std::string with_schedules(std::string_view text, const Schedules& schedules) {
  std::string out;
  for (const std::string& line : lines_of(text))
    if (!line.empty() && !line.starts_with('#') && !is_replaced(line, schedules)) out += line + "\n";
  for (const auto& [key, schedule] : schedules) out += beginning_of(key) + "\"" + schedule + "\"\n";
  return out;
}

}  // namespace tuff::cli
