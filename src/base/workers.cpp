#include "base/workers.h"

#include <mutex>
#include <vector>

namespace tuff {

Status check_cancelled(const Workers& workers) {
  const bool is_cancelled = workers.cancelled && workers.cancelled();
  return is_cancelled ? Status(Code::kCancelled, "The work was cancelled by its caller.") : ok_status();
}

Status for_each(uint32_t count, const Workers& workers, const std::function<Status(uint32_t)>& body) {
  std::mutex mutex;  // of all that follows
  std::vector<bool> begun(count, false);
  uint32_t done = 0, first_failed = count;
  Status failure;
  auto begin = [&](uint32_t i) {
    std::lock_guard lock(mutex);
    if (i > first_failed || i >= count || begun[i]) return false;
    begun[i] = true;
    return true;
  };
  auto piece = [&](uint32_t i) {
    if (!begin(i)) return;
    Status status = check_cancelled(workers);
    if (status.ok()) status = body(i);
    std::lock_guard lock(mutex);
    if (status.ok()) {
      ++done;
      if (workers.progress) workers.progress(done, count);
    } else if (i < first_failed) {
      first_failed = i;
      failure = std::move(status);
    }
  };
  if (workers.parallel_for) {
    workers.parallel_for(count, piece);
  } else {
    for (uint32_t i = 0; i < count; ++i) piece(i);
  }
  if (!failure.ok() || done == count) return failure;
  return invalid_argument("parallel_for called its task for " + std::to_string(done) + " of " + std::to_string(count) +
                          " indices.");
}

}  // namespace tuff
