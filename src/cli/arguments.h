// The command line of one verb: options by name and what is left.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/verb.h"

namespace tuff::cli {

class Arguments {
 public:
  // Options may be written "--name value" or "--name=value", in any order; "--" ends them. The error is a sentence.
  static Result<Arguments> parse(const Verb& verb, std::span<char* const> words);

  bool has(std::string_view option) const { return values_.contains(option); }
  // The last value given; empty if there is none.
  std::string_view value(std::string_view option) const;
  const std::vector<std::string>& all(std::string_view option) const;
  const std::vector<std::string>& positional() const { return positional_; }
  // A whole number within bounds, or the error that says so.
  Result<int64_t> integer(std::string_view option, int64_t fallback, int64_t low, int64_t high) const;
  Result<double> real(std::string_view option, double fallback) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> positional_;
};

// An error of the command line, which exits with kExitUsage; see exit_for().
inline constexpr tuff_status_t kUsage = -1;
Error usage(std::string message);

// "name=rest" cut at the first '='; nothing without one.
std::optional<std::pair<std::string, std::string>> split_assignment(std::string_view text);
std::optional<int64_t> parse_integer(std::string_view text);
std::string help_text(const Verb& verb);

}  // namespace tuff::cli
