// The text of observations as the command writes it: what there was, with some schedules put in.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tuff::cli {

using Schedules = std::map<std::string, std::string>;  // kernel key -> schedule

// Without their ends.
std::vector<std::string> lines_of(std::string_view text);

// `text` without its comments and without the lines of the schedules' keys, and a line for each schedule. An entry takes a line
// in `text`, as in whatever this command wrote.
std::string with_schedules(std::string_view text, const Schedules& schedules);

}  // namespace tuff::cli
