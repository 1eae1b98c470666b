#include "cli/observations_text.h"

#include <algorithm>
#include <utility>

namespace tuff::cli {
namespace {

// How a line begins, and the rest of it.
using LearntLine = std::pair<std::string, std::string>;

std::vector<LearntLine> entries_of(const Learnt& learnt) {
  std::vector<LearntLine> entries;
  for (const auto& [name, rate] : learnt.rates) entries.emplace_back("rate " + name + " ", std::to_string(rate));
  for (const auto& [key, schedule] : learnt.schedules)
    entries.emplace_back("schedule \"" + key + "\" ", "\"" + schedule + "\"");
  return entries;
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

std::string with_learnt(std::string_view text, const Learnt& learnt) {
  const std::vector<LearntLine> entries = entries_of(learnt);
  std::string out;
  for (const std::string& line : lines_of(text)) {
    const bool learnt_anew =
        std::any_of(entries.begin(), entries.end(), [&](const LearntLine& entry) { return line.starts_with(entry.first); });
    if (!line.empty() && !line.starts_with('#') && !learnt_anew) out += line + "\n";
  }
  for (const LearntLine& entry : entries) out += entry.first + entry.second + "\n";
  return out;
}

}  // namespace tuff::cli
