// What is asked of finished kernels, by those who make none.
#include "kernel/kernel.h"

#include <algorithm>

namespace tuff {

bool parts_overlap(const KernelBinding& a, const KernelBinding& b) {
  auto holds = [](const std::vector<ValueId>& part, ValueId value) {
    return std::find(part.begin(), part.end(), value) != part.end();
  };
  for (const auto& x : a.parts)
    for (const auto& y : b.parts)
      if (holds(x, y.front()) || holds(y, x.front())) return true;
  return false;
}

std::vector<int> texel_words_of(const Kernel& kernel) {
  std::vector<int> words;
  for (const KernelBinding& b : kernel.bindings) words.push_back(b.texel_words);
  if (kernel.has_scratch()) words.resize(words.size() + 2, 0);
  return words;
}

std::string schedule_text(const Kernel& kernel) {
  const KernelTuning& tuning = kernel.tuning;
  std::string text = kernel.schedule;
  if (tuning.source == KernelTuning::Source::kObserved) text += ", tuned";
  if (tuning.source == KernelTuning::Source::kRefused)
    text += ", not the observed '" + tuning.refused + "', which does not fit";
  if (tuning.spilled.empty()) return text;
  const std::string spills = "spills " + std::to_string(tuning.spill_count) + " on this driver, observed";
  return tuning.spilled == kernel.schedule ? text + ", which " + spills + "; no smaller one fits that does not"
                                           : text + ", not the predicted '" + tuning.spilled + "', which " + spills;
}

}  // namespace tuff
