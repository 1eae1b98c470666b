// The text of observations as the command writes it: what there was, with what was learnt put in.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tuff::cli {

// Without their ends.
std::vector<std::string> lines_of(std::string_view text);

struct Learnt {
  std::map<std::string, int64_t> rates;
  std::map<std::string, std::string> schedules;  // by kernel key
};

// `text` without its comments and without the lines about what was learnt anew, and a line for each of that. An entry takes a
// line in `text`, as in whatever this command wrote.
std::string with_learnt(std::string_view text, const Learnt& learnt);

}  // namespace tuff::cli
