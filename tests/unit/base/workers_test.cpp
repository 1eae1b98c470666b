#include "base/workers.h"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace tuff {
namespace {

constexpr uint32_t kCount = 40;

// The calling thread forwards or backwards, or four threads.
std::vector<Workers> all_workers() {
  std::vector<Workers> all(3);
  all[1].parallel_for = [](uint32_t count, const std::function<void(uint32_t)>& body) {
    for (uint32_t i = count; i-- > 0;) body(i);
  };
  all[2].parallel_for = [](uint32_t count, const std::function<void(uint32_t)>& body) {
    std::atomic<uint32_t> next = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (uint32_t i = next++; i < count; i = next++) body(i);
      });
    for (std::thread& thread : threads) thread.join();
  };
  return all;
}

TEST_CASE("each piece is done once, and counted") {
  for (Workers& workers : all_workers()) {
    std::vector<std::atomic<int>> done(kCount);
    std::vector<uint32_t> heard;
    workers.progress = [&](uint32_t n, uint32_t total) {
      heard.push_back(n);
      if (total != kCount) heard.push_back(total);
    };
    CHECK(for_each(kCount, workers, [&](uint32_t i) {
            ++done[i];
            return ok_status();
          }).ok());
    for (const auto& n : done) CHECK(n == 1);
    REQUIRE(heard.size() == kCount);
    for (uint32_t i = 0; i < kCount; ++i) CHECK(heard[i] == i + 1);
    CHECK(for_each(0, workers, [](uint32_t) { return internal_error("never"); }).ok());
  }
}

TEST_CASE("the first failure by index comes back, whatever the order, and spares none of the pieces before it") {
  for (const Workers& workers : all_workers()) {
    std::mutex mutex;
    std::set<uint32_t> done;
    const Status status = for_each(kCount, workers, [&](uint32_t i) {
      std::lock_guard lock(mutex);
      done.insert(i);
      return i == 7 || i == 20 || i == 39 ? internal_error("piece " + std::to_string(i)) : ok_status();
    });
    CHECK(status.message() == "piece 7");
    for (uint32_t i = 0; i <= 7; ++i) CHECK(done.contains(i));
  }
}

TEST_CASE("once cancelled, no piece begins") {
  for (Workers& workers : all_workers()) {
    std::atomic<int> begun = 0;
    workers.cancelled = [&] { return begun >= 3; };
    CHECK(for_each(kCount, workers, [&](uint32_t) {
            ++begun;
            return ok_status();
          }).code() == Code::kCancelled);
    CHECK(begun >= 3);
    CHECK(begun <= 3 + 3);  // what other threads had asked for by then
  }
}

TEST_CASE("pieces that are left out are told; more than there are do no harm") {
  Workers workers;
  workers.parallel_for = [](uint32_t count, const std::function<void(uint32_t)>& body) {
    for (uint32_t i = 2; i < count + 5; ++i) body(i), body(i);
  };
  const Status status = for_each(kCount, workers, [](uint32_t) { return ok_status(); });
  CHECK(status.code() == Code::kInvalidArgument);
  CHECK(status.message() == "parallel_for called its task for 38 of 40 indices.");
}

}  // namespace
}  // namespace tuff
