#include "cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace tuff::cli {
namespace {

const Option* find_option(const Verb& verb, std::string_view word) {
  for (const Option& option : verb.options) {
    if (word == option.name || (option.short_name && word == option.short_name)) return &option;
  }
  return nullptr;
}

}  // namespace

Error usage(std::string message) { return {kUsage, std::move(message)}; }

Result<Arguments> Arguments::parse(const Verb& verb, std::span<char* const> words) {
  Arguments arguments;
  bool options_ended = false;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (options_ended || word.size() < 2 || word[0] != '-') {
      arguments.positional_.emplace_back(word);
      continue;
    }
    if (word == "--") {
      options_ended = true;
      continue;
    }
    std::optional<std::string> value;
    std::string_view name = word;
    if (size_t equals = word.find('='); word.starts_with("--") && equals != std::string_view::npos) {
      name = word.substr(0, equals);
      value = std::string(word.substr(equals + 1));
    }
    const Option* option = find_option(verb, name);
    if (!option) {
      return usage("'" + std::string(name) + "' is no option of 'tuff " + verb.name + "'; see tuff " + verb.name + " --help.");
    }
    if (!option->value && value) return usage("'" + std::string(name) + "' takes no value.");
    if (option->value && !value) {
      if (i + 1 == words.size()) return usage("'" + std::string(name) + "' needs a value: " + option->value + ".");
      value = words[++i];
    }
    arguments.values_[option->name].push_back(value.value_or(""));
  }
  return arguments;
}

std::string_view Arguments::value(std::string_view option) const {
  auto it = values_.find(option);
  return it == values_.end() ? std::string_view() : std::string_view(it->second.back());
}

const std::vector<std::string>& Arguments::all(std::string_view option) const {
  static const std::vector<std::string> kNone;
  auto it = values_.find(option);
  return it == values_.end() ? kNone : it->second;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t v = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return v;
}

Result<int64_t> Arguments::integer(std::string_view option, int64_t fallback, int64_t low, int64_t high) const {
  if (!has(option)) return fallback;
  std::optional<int64_t> v = parse_integer(value(option));
  if (!v || *v < low || *v > high) {
    return usage("'" + std::string(option) + "' takes a whole number from " + std::to_string(low) + " to " +
                 std::to_string(high) + ", not '" + std::string(value(option)) + "'.");
  }
  return *v;
}

Result<double> Arguments::real(std::string_view option, double fallback) const {
  if (!has(option)) return fallback;
  std::string text(value(option));
  char* end = nullptr;
  double v = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(v >= 0)) {
    return usage("'" + std::string(option) + "' takes a number that is not negative, not '" + text + "'.");
  }
  return v;
}

std::optional<std::pair<std::string, std::string>> split_assignment(std::string_view text) {
  size_t at = text.find('=');
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  return std::pair(std::string(text.substr(0, at)), std::string(text.substr(at + 1)));
}

std::string help_text(const Verb& verb) {
  std::string out = std::string("tuff ") + verb.name + ": " + verb.summary + "\n\nUsage: tuff " + verb.name + " " + verb.usage +
                    "\n\nOptions:\n";
  for (const Option& option : verb.options) {
    std::string left = "  ";
    if (option.short_name) left += std::string(option.short_name) + ", ";
    left += option.name;
    if (option.value) left += std::string(" ") + option.value;
    left.resize(std::max<size_t>(left.size() + 2, 32), ' ');
    out += left + option.explanation + "\n";
  }
  return out + "\nExamples:\n" + verb.examples;
}

}  // namespace tuff::cli
