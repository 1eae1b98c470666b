#include "cli/threads.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace tuff::cli {

void parallel_for_threads(uint32_t count, tuff_task_callback_t task, void* task_data, void*) {
  std::atomic<uint32_t> next = 0;
  auto work = [&] {
    for (uint32_t i = next++; i < count; i = next++) task(i, task_data);
  };
  const uint32_t thread_count = std::min(count, std::max(std::thread::hardware_concurrency(), 1u));
  std::vector<std::thread> threads;
  try {
    threads.reserve(thread_count);
    for (uint32_t i = 1; i < thread_count; ++i) threads.emplace_back(work);
  } catch (const std::exception&) {
    // The system gives no more threads: those that are there do the work.
  }
  work();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace tuff::cli
