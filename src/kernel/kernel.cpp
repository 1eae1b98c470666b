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
  switch (kernel.tuning.source) {
    case KernelTuning::Source::kPredicted: break;
    case KernelTuning::Source::kObserved: return kernel.schedule + ", tuned";
    case KernelTuning::Source::kRefused:
      return kernel.schedule + ", not the observed '" + kernel.tuning.refused + "', which does not fit";
  }
  return kernel.schedule;
}

}  // namespace tuff
