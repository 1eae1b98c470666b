#include "device/observations.h"

#include <algorithm>

#include "base/lexer.h"
#include "device/fields.h"

namespace tuff {
namespace {

// The most that the rate of this name may be; 0 where there is none.
struct MostOfRate {
  std::string_view wanted;
  int64_t most = 0;
  void integer(std::string_view name, int64_t, int64_t, int64_t limit) { most = name == wanted ? limit : most; }
  void boolean(std::string_view, bool) {}  // no figure
};

int64_t most_of_rate(std::string_view name) {
  MostOfRate finder{name};
  const DeviceRates rates;
  visit_rates(rates, finder);
  return finder.most;
}

struct RateWriter {
  const std::map<std::string, int64_t>& measured;
  void integer(std::string_view name, int64_t& rate, int64_t least, int64_t most) const {
    if (const auto it = measured.find(std::string(name)); it != measured.end()) rate = std::clamp(it->second, least, most);
  }
  void boolean(std::string_view, bool) const {}
};

std::string text_of(const KernelUsage& usage) {
  std::string text;
  for (const UsageField& field : kUsageFields)
    if (const std::optional<int64_t>& figure = usage.*field.figure)
      text += " " + std::string(field.name) + " " + std::to_string(*figure);
  return text;
}

// Figures with their names, until something else comes.
Result<KernelUsage> parse_usage(Lexer& lexer) {
  constexpr int64_t kMost = int64_t{1} << 40;
  KernelUsage usage;
  while (lexer.peek().kind == TokenKind::kName) {
    const auto field = std::find_if(kUsageFields.begin(), kUsageFields.end(),
                                    [&](const UsageField& f) { return f.name == lexer.peek().text; });
    if (field == kUsageFields.end()) break;
    if (usage.*field->figure) return lexer.error("a figure that is not there yet was expected");
    lexer.take();
    const Status out_of_range = lexer.error("a figure from 0 to " + std::to_string(kMost) + " was expected");
    TUFF_ASSIGN(const int64_t value, lexer.expect_integer());
    if (value < 0 || value > kMost) return out_of_range;
    usage.*field->figure = value;
  }
  if (usage.empty()) return lexer.error("registers, spills, occupancy or shared_bytes was expected");
  return usage;
}

}  // namespace

int64_t Observations::spill_count(const std::string& key, const std::string& schedule) const {
  const auto found = compiled.find({key, schedule});
  return found == compiled.end() ? 0 : found->second.spill_count();
}

std::string print(const Observations& observations) {
  std::string text;
  for (const auto& [name, value] : observations.rates) text += "rate " + name + " " + std::to_string(value) + "\n";
  for (const auto& [key, schedule] : observations.schedules) text += "schedule " + quote(key) + " " + quote(schedule) + "\n";
  for (const std::string& key : observations.quarantined) text += "quarantine " + quote(key) + "\n";
  for (const auto& [kernel, usage] : observations.compiled)
    text += "compiled " + quote(kernel.first) + " " + quote(kernel.second) + text_of(usage) + "\n";
  return text;
}

Result<Observations> parse_observations(std::string_view text, const std::string& source_name) {
  Observations observations;
  Lexer lexer(text, source_name);
  while (!lexer.at_end()) {
    bool fresh = false;
    if (lexer.accept("rate")) {
      const Status unknown = lexer.error("a rate was expected");
      TUFF_ASSIGN(std::string name, lexer.expect_name());
      const int64_t most = most_of_rate(name);
      if (most == 0) return unknown;
      const Status out_of_range = lexer.error("a positive rate of at most " + std::to_string(most) + " was expected");
      TUFF_ASSIGN(const int64_t value, lexer.expect_integer());
      if (value <= 0 || value > most) return out_of_range;
      fresh = observations.rates.emplace(std::move(name), value).second;
    } else if (lexer.accept("schedule")) {
      TUFF_ASSIGN(std::string key, lexer.expect_string());
      TUFF_ASSIGN(std::string schedule, lexer.expect_string());
      fresh = observations.schedules.emplace(std::move(key), std::move(schedule)).second;
    } else if (lexer.accept("quarantine")) {
      TUFF_ASSIGN(std::string key, lexer.expect_string());
      fresh = observations.quarantined.insert(std::move(key)).second;
    } else if (lexer.accept("compiled")) {
      TUFF_ASSIGN(std::string key, lexer.expect_string());
      TUFF_ASSIGN(std::string schedule, lexer.expect_string());
      TUFF_ASSIGN(const KernelUsage usage, parse_usage(lexer));
      fresh = observations.compiled.emplace(std::pair(std::move(key), std::move(schedule)), usage).second;
    } else {
      return lexer.error("rate, schedule, quarantine or compiled was expected");
    }
    if (!fresh) return lexer.error("the entry before this one occurs twice");
  }
  return observations;
}

Hash hash(const Observations& observations) {
  const std::string text = print(observations);
  return hash_bytes(text.data(), text.size());
}

DeviceInfo with_rates(DeviceInfo device, const Observations& observations) {
  const RateWriter writer{observations.rates};
  visit_rates(device.rates, writer);
  return device;
}

}  // namespace tuff
