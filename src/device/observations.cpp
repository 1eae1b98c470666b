#include "device/observations.h"

#include "base/lexer.h"
#include "device/fields.h"

namespace tuff {
namespace {

struct NameFinder {
  std::string_view wanted;
  bool found = false;
  void integer(std::string_view name, int64_t, int64_t, int64_t) { found |= name == wanted; }
  void boolean(std::string_view, bool) {}  // no figure
};

bool is_rate(std::string_view name) {
  NameFinder finder{name};
  const DeviceRates rates;
  visit_rates(rates, finder);
  return finder.found;
}

}  // namespace

std::string print(const Observations& observations) {
  std::string text;
  for (const auto& [name, value] : observations.rates) text += "rate " + name + " " + std::to_string(value) + "\n";
  for (const auto& [key, schedule] : observations.schedules) text += "schedule " + quote(key) + " " + quote(schedule) + "\n";
  for (const std::string& key : observations.quarantined) text += "quarantine " + quote(key) + "\n";
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
      if (!is_rate(name)) return unknown;
      const Status not_positive = lexer.error("a positive rate was expected");
      TUFF_ASSIGN(const int64_t value, lexer.expect_integer());
      if (value <= 0) return not_positive;
      fresh = observations.rates.emplace(std::move(name), value).second;
    } else if (lexer.accept("schedule")) {
      TUFF_ASSIGN(std::string key, lexer.expect_string());
      TUFF_ASSIGN(std::string schedule, lexer.expect_string());
      fresh = observations.schedules.emplace(std::move(key), std::move(schedule)).second;
    } else if (lexer.accept("quarantine")) {
      TUFF_ASSIGN(std::string key, lexer.expect_string());
      fresh = observations.quarantined.insert(std::move(key)).second;
    } else {
      return lexer.error("rate, schedule or quarantine was expected");
    }
    if (!fresh) return lexer.error("the entry before this one occurs twice");
  }
  return observations;
}

Hash hash(const Observations& observations) {
  const std::string text = print(observations);
  return hash_bytes(text.data(), text.size());
}

}  // namespace tuff
