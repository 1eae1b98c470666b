// A host of compiles for tests: it lends threads, keeps cache entries in a map, counts, and cancels.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <tuff/tuff.h>

// The threads of a compile: `thread_count` of them take pieces from the front; 0: the calling thread, from the back.
struct Lent {
  uint32_t thread_count = 0;
  std::atomic<uint32_t> pieces = 0;

  static void run(uint32_t count, tuff_task_callback_t task, void* task_data, void* user_data) {
    Lent& lent = *static_cast<Lent*>(user_data);
    lent.pieces += count;
    if (lent.thread_count == 0) {
      for (uint32_t i = count; i-- > 0;) task(i, task_data);
      return;
    }
    std::atomic<uint32_t> next = 0;
    std::vector<std::thread> threads;
    for (uint32_t t = 0; t < lent.thread_count; ++t)
      threads.emplace_back([&] {
        for (uint32_t i = next++; i < count; i = next++) task(i, task_data);
      });
    for (std::thread& thread : threads) thread.join();
  }
};

// Callbacks come one at a time, so that it needs no lock.
struct Kept {
  std::map<std::string, std::string> entries;
  int loads = 0, stores = 0;

  static void load(const char* key, uint64_t length, tuff_cache_give_callback_t give, void* give_data, void* user_data) {
    Kept& kept = *static_cast<Kept*>(user_data);
    ++kept.loads;
    auto found = kept.entries.find(std::string(key, length));
    if (found != kept.entries.end()) give(found->second.data(), found->second.size(), give_data);
  }
  static void store(const char* key, uint64_t length, const void* data, uint64_t size_bytes, void* user_data) {
    Kept& kept = *static_cast<Kept*>(user_data);
    ++kept.stores;
    kept.entries[std::string(key, length)] = std::string(static_cast<const char*>(data), size_bytes);
  }
};

// Hears of progress; cancels once `cancel_after` kernels of the stage are done.
struct Watcher {
  std::vector<std::string> stages;
  std::vector<std::pair<uint32_t, uint32_t>> kernels;  // of all stages, (done, total)
  std::string cancel_in;
  uint32_t cancel_after = 0;
  tuff_cancel_token_t* token = nullptr;

  static void stage(const char* name, uint64_t length, void* user_data) {
    static_cast<Watcher*>(user_data)->stages.emplace_back(name, length);
  }
  static void kernel(uint32_t done, uint32_t total, void* user_data) {
    Watcher& w = *static_cast<Watcher*>(user_data);
    w.kernels.emplace_back(done, total);
    if (w.token && w.stages.back() == w.cancel_in && done == w.cancel_after) tuff_cancel_token_cancel(w.token);
  }
};

inline void lend(tuff_program_desc_t& desc, Lent& lent) {
  desc.parallel_for = Lent::run;
  desc.parallel_for_user_data = &lent;
}
inline void keep(tuff_program_desc_t& desc, Kept& kept) {
  desc.cache_load = Kept::load;
  desc.cache_store = Kept::store;
  desc.cache_user_data = &kept;
}
inline void watch(tuff_program_desc_t& desc, Watcher& watcher) {
  desc.progress = Watcher::stage;
  desc.kernel_progress = Watcher::kernel;
  desc.progress_user_data = &watcher;
  desc.cancel_token = watcher.token;
}
