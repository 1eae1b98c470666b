// Which of its schedules a kernel is made with: the one that the cost model predicts, or one that was observed to be faster.
// Private to src/kernel.
//
// A schedule is a few numbers, and its text says all of them. A text that was observed counts only where it reads back into
// numbers that print as that very text and fit the kernel and the device: a wrong text costs speed, never results.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/checked.h"
#include "device/observations.h"
#include "kernel/kernel.h"

namespace tuff {

// The whole numbers in a text, in order; digits beyond what a schedule may have make none of it.
std::vector<int64_t> numbers_in(std::string_view text);

// Workgroups that cover an extent, at its largest.
int64_t most_workgroups(const IntExpr& extent, int64_t tile);

// The schedule that is named for the key; null where none is, or nothing was observed.
const std::string* observed_schedule(const Observations* observations, const std::string& key);

// What the schedules of one kernel are.
template <class Tile>
struct ScheduleSpace {
  std::string key;
  std::function<std::string(const Tile&)> text;
  std::function<std::optional<Tile>(const std::string&)> read;  // whether it fits is not asked
  std::function<bool(const Tile&)> fits;
  std::function<std::vector<Tile>(const Tile&)> neighbours;  // one step away each, the most promising first; some may not fit
};

// The schedule to take, and what is to be said of it.
template <class Tile>
Tile choose_schedule(const ScheduleSpace<Tile>& space, const Tile& predicted, const Observations* observed,
                     KernelTuning& tuning) {
  tuning.key = space.key;
  Tile taken = predicted;
  if (const std::string* wanted = observed_schedule(observed, space.key)) {
    const std::optional<Tile> tile = space.read(*wanted);
    if (tile && space.text(*tile) == *wanted && (*wanted == space.text(predicted) || space.fits(*tile))) {
      taken = *tile;
      tuning.source = KernelTuning::Source::kObserved;
    } else {
      tuning.refuse(*wanted);
    }
  }
  const std::string own = space.text(taken);
  for (const Tile& tile : space.neighbours(taken)) {
    const std::string text = space.text(tile);
    if (text != own && space.fits(tile) &&
        std::find(tuning.alternatives.begin(), tuning.alternatives.end(), text) == tuning.alternatives.end())
      tuning.alternatives.push_back(text);
  }
  return taken;
}

}  // namespace tuff
