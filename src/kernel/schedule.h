// Which of its schedules a kernel is made with: the one that the cost model predicts, or one that was observed to be faster;
// or, where the driver was observed to spill the predicted one's registers, the next that takes fewer. Private to src/kernel.
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
  std::function<int64_t(const Tile&)> registers;             // as the cost model estimates them
};

// The most promising schedule with fewer registers than `spilled` that is not known to spill, too. Whatever is learnt of others
// does not change it.
template <class Tile>
std::optional<Tile> choose_smaller(const ScheduleSpace<Tile>& space, const Tile& spilled, const Observations& observed) {
  std::optional<Tile> from = spilled;
  while (from) {
    std::optional<Tile> next;
    for (const Tile& tile : space.neighbours(*from)) {
      if (space.registers(tile) >= space.registers(*from) || !space.fits(tile)) continue;
      if (observed.spill_count(space.key, space.text(tile)) == 0) return tile;
      if (!next) next = tile;
    }
    from = next;
  }
  return std::nullopt;
}

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
  const std::string predicted_text = space.text(predicted);
  if (const int64_t spills = observed ? observed->spill_count(space.key, predicted_text) : 0;
      spills != 0 && tuning.source != KernelTuning::Source::kObserved) {
    const std::optional<Tile> smaller = choose_smaller(space, predicted, *observed);
    tuning.spilled = predicted_text;
    tuning.spill_count = spills;
    if (smaller) {
      taken = *smaller;
      tuning.alternatives.push_back(predicted_text);  // which may be faster all the same
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
