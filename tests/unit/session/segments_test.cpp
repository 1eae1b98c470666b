// Which dispatches share a submit, and how long they are thought to take.
#include "session/segments.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

namespace tuff {
namespace {

using Splits = std::vector<uint32_t>;
using Times = std::vector<uint64_t>;

TEST_CASE("segments are as long as the limit allows, and no longer") {
  CHECK(split({}, 10) == Splits{});
  CHECK(split(Times{7}, 10) == Splits{});
  CHECK(split(Times{3, 3, 3}, 10) == Splits{});
  CHECK(split(Times{3, 4, 3}, 10) == Splits{});  // the limit itself is allowed
  CHECK(split(Times{3, 4, 4}, 10) == Splits{2});
  CHECK(split(Times{5, 5, 5, 5, 5}, 10) == Splits{2, 4});
  CHECK(split(Times{1, 1, 1}, 1) == Splits{1, 2});
  CHECK(split(Times{0, 0, 1, 0, 0}, 1) == Splits{});
}

TEST_CASE("a dispatch longer than the limit is a segment of its own") {
  CHECK(split(Times{99}, 10) == Splits{});
  CHECK(split(Times{99, 1, 1}, 10) == Splits{1});
  CHECK(split(Times{1, 1, 99}, 10) == Splits{2});
  CHECK(split(Times{1, 99, 1}, 10) == Splits{1, 2});
  CHECK(split(Times{99, 99}, 10) == Splits{1});
}

TEST_CASE("times whose sum passes 64 bits are split all the same") {
  CHECK(split(Times{UINT64_MAX, UINT64_MAX, 1}, UINT64_MAX) == Splits{1, 2});
  CHECK(split(Times{UINT64_MAX - 1, 1, 1}, UINT64_MAX) == Splits{2});
}

TEST_CASE("each segment is within the limit, and takes what the next one begins with no more") {
  uint64_t state = 1;
  auto random = [&](uint64_t below) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % below;
  };
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    Times times(random(40));
    for (uint64_t& time : times) time = random(12);
    const uint64_t limit = 1 + random(30);
    Splits bounds = split(times, limit);
    bounds.insert(bounds.begin(), 0);
    bounds.push_back(static_cast<uint32_t>(times.size()));
    for (size_t s = 0; s + 1 < bounds.size(); ++s) {
      const auto first = times.begin() + bounds[s], end = times.begin() + bounds[s + 1];
      const uint64_t sum = std::accumulate(first, end, uint64_t{0});
      const bool is_alone = std::count_if(first, end, [](uint64_t time) { return time > 0; }) == 1;
      CHECK((sum <= limit || is_alone));
      if (end != times.end()) CHECK(sum + *end > limit);
    }
  }
}

TEST_CASE("a predicted time is the launch and the longer of memory and arithmetic, at the sizes that are bound") {
  Symbol n;
  n.name = "n";
  Plan plan;
  plan.kernels.resize(2);
  plan.kernels[0].multiply_adds = IntExpr::symbol(n) * IntExpr(1000);
  plan.kernels[1].bytes_read = IntExpr(30'000);
  plan.kernels[1].bytes_written = IntExpr(10'000);
  BoundPlan bound;
  bound.symbols = {{"n", 30}};
  for (uint32_t kernel : {0, 1}) {
    BoundDispatch dispatch;
    dispatch.kernel = KernelId(kernel);
    bound.dispatches.push_back(dispatch);
  }
  DeviceInfo device;
  device.rates.launch_ns = 7;
  device.rates.dram_bytes_per_us = 10'000;
  device.rates.fma_per_us = 1000;
  CHECK(predicted_times_ns(plan, bound, device) == Times{30'007, 4007});
  bound.symbols["n"] = INT64_MAX;  // what no number holds takes for ever
  CHECK(predicted_times_ns(plan, bound, device)[0] >= INT64_MAX);
}

}  // namespace
}  // namespace tuff
