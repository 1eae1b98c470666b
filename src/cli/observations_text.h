// The text of observations as the command writes it: what there was, with what was learnt put in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tuff::cli {

// Without their ends.
std::vector<std::string> lines_of(std::string_view text);

// What a driver says of a kernel: tuff_kernel_profile_t's figures; -1 where it does not.
struct KernelFigures {
  int64_t registers = -1, spills = -1, occupancy = -1, shared_bytes = -1;
  bool are_told() const { return std::max({registers, spills, occupancy, shared_bytes}) >= 0; }
  // Of the two kernels' that each figure is worse of.
  void take_worse(const KernelFigures& other);
};
// "registers 96 spills 0 occupancy 10"; what is not told is left out.
std::string text_of(const KernelFigures& figures);

using CompiledFigures = std::map<std::pair<std::string, std::string>, KernelFigures>;  // by kernel key and schedule

struct Learnt {
  std::map<std::string, int64_t> rates;
  std::map<std::string, std::string> schedules;  // by kernel key
  CompiledFigures compiled;
};

// `text` without its comments and without the lines about what was learnt anew, and a line for each of that. An entry takes a
// line in `text`, as in whatever this command wrote.
std::string with_learnt(std::string_view text, const Learnt& learnt);

}  // namespace tuff::cli
