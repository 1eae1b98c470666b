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
  for (const auto& [kernel, figures] : learnt.compiled)
    entries.emplace_back("compiled \"" + kernel.first + "\" \"" + kernel.second + "\" ", text_of(figures));
  return entries;
}

}  // namespace

void KernelFigures::take_worse(const KernelFigures& other) {
  registers = std::max(registers, other.registers);
  spills = std::max(spills, other.spills);
  shared_bytes = std::max(shared_bytes, other.shared_bytes);
  if (occupancy < 0 || (other.occupancy >= 0 && other.occupancy < occupancy)) occupancy = other.occupancy;
}

std::string text_of(const KernelFigures& figures) {
  std::string text;
  auto add = [&](const char* name, int64_t figure) {
    if (figure >= 0) text += (text.empty() ? "" : " ") + std::string(name) + " " + std::to_string(figure);
  };
  add("registers", figures.registers);
  add("spills", figures.spills);
  add("occupancy", figures.occupancy);
  add("shared_bytes", figures.shared_bytes);
  return text;
}

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
