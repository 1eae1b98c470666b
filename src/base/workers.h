// Workers: the threads that a caller lends to work in independent pieces, and what the caller hears of it. In: a count and a
// function of an index. Out: the first failure by index, whatever the threads and their order.
#pragma once

#include <cstdint>
#include <functional>

#include "base/status.h"

namespace tuff {

struct Workers {
  // Calls body(i) once for each i below count, in any order and on any threads, and returns when all have ended. Null: the
  // calling thread does it all.
  std::function<void(uint32_t count, const std::function<void(uint32_t)>& body)> parallel_for;
  // After each piece, never two at once; done grows from 1 to total. May be null.
  std::function<void(uint32_t done, uint32_t total)> progress;
  // Asked before each piece, from any of the threads; what is under way is finished. May be null.
  std::function<bool()> cancelled;
};

// CANCELLED where the caller has cancelled already: for work that may turn out to have no pieces.
Status check_cancelled(const Workers& workers);

// Does body(i) for each i below count. A failure spares the pieces after it, none before it. CANCELLED where the caller
// cancels, INVALID_ARGUMENT for a parallel_for that leaves pieces out.
Status for_each(uint32_t count, const Workers& workers, const std::function<Status(uint32_t)>& body);

}  // namespace tuff
