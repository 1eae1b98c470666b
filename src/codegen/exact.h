// What exact mode needs of a module beyond its source. GLSL's `precise` does not reach into called functions, so the
// words themselves are decorated.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"

namespace tuff {

// Decorates every float arithmetic instruction NoContraction, once.
Result<std::vector<uint32_t>> decorate_no_contraction(std::vector<uint32_t> words);

}  // namespace tuff
