// State that grows with each run: the session knows how far it has got.
#include <algorithm>

#include "counted_allocations.h"
#include "device_fixture.h"

namespace {

// What was there and what is new, and a sum over both.
const char kGrow[] = R"(graph "grow" {
  symbol new in 1..5 step 1
  symbol past in 0..64 step 1
  input %0 "past": f32[2, past, 3]
  input %1 "x": f32[2, new, 3]
  %2: f32[2, new, 3] = map.neg %1 from "Neg"
  %3: f32[2, new + past, 3] = concat %0, %2 {axis=1} from "Concat"
  %4: f32[2, 1, 3] = reduce.sum %3 {axes=[1] order=serial} from "Sum"
  output %4 "sum"
  output %3 "next"
}
)";
// The same with its positions outermost: what was there stays where it is, in one buffer.
const char kGrowInPlace[] = R"(graph "grow" {
  symbol new in 1..5 step 1
  symbol past in 0..64 step 1
  input %0 "past": f32[past, 2, 3]
  input %1 "x": f32[new, 2, 3]
  %2: f32[new, 2, 3] = map.neg %1 from "Neg"
  %3: f32[new + past, 2, 3] = concat %0, %2 {axis=0} from "Concat"
  %4: f32[1, 2, 3] = reduce.sum %3 {axes=[0] order=serial} from "Sum"
  output %4 "sum"
  output %3 "next"
}
)";
constexpr int64_t kCapacity = 64;

std::vector<float> numbers(int64_t added, int64_t seed) {
  std::vector<float> x(static_cast<size_t>(2 * added * 3));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((static_cast<int64_t>(i) * 7 + seed * 5) % 17) / 4 - 2;
  return x;
}

struct Growing : Fixture {
  const bool in_place;
  explicit Growing(bool in_place) : Fixture(in_place ? kGrowInPlace : kGrow), in_place(in_place) {}
  tuff_session_t* session_with_state(int32_t cancellable) {
    const tuff_value_name_t names[] = {{TUFF_TEXT_END, "new"}, {TUFF_TEXT_END, "past"}};
    tuff_session_desc_t desc = TUFF_SESSION_DESC_INIT;
    desc.dynamic_dimensions = names;
    desc.dynamic_dimension_count = 2;
    desc.cancellable = cancellable;
    tuff_session_t* made = nullptr;
    REQUIRE(tuff_session_create(program, &desc, &made, nullptr) == TUFF_OK);
    sessions.push_back(made);
    tuff_error_t* error = nullptr;
    const tuff_status_t aliased = tuff_session_alias(made, 1, 0, &error);
    REQUIRE_MESSAGE(aliased == TUFF_OK, message_of(error));
    return made;
  }
};

// A run's tensors; the state's have no data and no shape.
struct Step {
  int64_t added, shape[3];
  std::vector<float> x, sum = std::vector<float>(6);
  tuff_tensor_desc_t in[2] = {TUFF_TENSOR_DESC_INIT, TUFF_TENSOR_DESC_INIT}, out = TUFF_TENSOR_DESC_INIT;
  Step(const Growing& f, int64_t added, int64_t seed)
      : added(added), shape{f.in_place ? added : 2, f.in_place ? 2 : added, 3}, x(numbers(added, seed)) {
    in[1] = host_tensor(x);
    in[1].shape = shape;
    in[1].rank = 3;
    out = host_tensor(sum);
  }
};

// What the host knows: how much was added, and the sums of it all. Numbers are quarters: exact in any order.
struct Totals {
  int64_t size = 0;
  std::vector<float> sum = std::vector<float>(6);
  const std::vector<float>& add(const Growing& f, const Step& step) {
    for (int64_t b = 0; b < 2; ++b)
      for (int64_t i = 0; i < step.added; ++i)
        for (int64_t c = 0; c < 3; ++c)
          sum[static_cast<size_t>(b * 3 + c)] -=
              step.x[static_cast<size_t>(f.in_place ? (i * 2 + b) * 3 + c : (b * step.added + i) * 3 + c)];
    size += step.added;
    return sum;
  }
};

int64_t size_of_state(const Growing& f, tuff_session_t* session) {
  int64_t shape[3] = {};
  REQUIRE(tuff_session_tensor_shape(session, TUFF_INPUT, 0, shape, 3, nullptr, nullptr) == TUFF_OK);
  return shape[f.in_place ? 0 : 1];
}

tuff_status_t run(tuff_session_t* session, Step& step) { return tuff_session_run(session, step.in, 2, &step.out, 1, nullptr); }

TEST_CASE("state grows by what each run adds, from one recording, until it is full") {
  for (const bool in_place : {false, true}) {
    CAPTURE(in_place);
    Growing f(in_place);
    for (const int32_t cancellable : {0, 1}) {
      CAPTURE(cancellable);
      tuff_session_t* session = f.session_with_state(cancellable);
      Totals totals;
      Step first(f, 3, 0);
      REQUIRE(run(session, first) == TUFF_OK);
      CHECK(first.sum == totals.add(f, first));
      const VulkanCounts before = f.host.counts();
      constexpr int64_t kAdded[] = {1, 5, 1, 1, 2, 5, 1};
      int64_t runs = 0;
      for (; totals.size + kAdded[runs % 7] <= kCapacity; ++runs) {
        CHECK(size_of_state(f, session) == totals.size);
        Step step(f, kAdded[runs % 7], runs);
        uint64_t allocations;
        tuff_status_t status;
        {
          CountedAllocations counted;
          status = run(session, step);
          allocations = counted.count();
        }
        REQUIRE(status == TUFF_OK);
        CHECK(allocations == 0);
        CHECK(step.sum == totals.add(f, step));
      }
      // More than there is room for changes nothing; what there is room for still goes in.
      for (const int64_t left = kCapacity - totals.size; left < 5;) {
        Step too_many(f, left + 1, 1);
        tuff_error_t* error = nullptr;
        CHECK(tuff_session_run(session, too_many.in, 2, &too_many.out, 1, &error) == TUFF_LIMIT);
        CHECK(message_of(error).find("does not fit") != std::string::npos);
        CHECK(size_of_state(f, session) == totals.size);
        if (left == 0) break;
        Step last(f, left, 2);
        REQUIRE(run(session, last) == TUFF_OK);
        CHECK(last.sum == totals.add(f, last));
        break;
      }
      CHECK(size_of_state(f, session) == totals.size);
      const VulkanCounts after = f.host.counts();
      CHECK(runs > 20);
      tuff_session_info_t info = TUFF_SESSION_INFO_INIT;
      REQUIRE(tuff_session_get_info(session, &info, nullptr) == TUFF_OK);
      CHECK(info.state_bytes == (in_place ? 1 : 2) * (kCapacity + 5) * 6 * sizeof(float));
      CHECK(after.recordings == before.recordings);
      CHECK(after.allocations == before.allocations);
      CHECK(after.descriptor_writes == before.descriptor_writes);
      REQUIRE(tuff_session_reset_state(session, nullptr) == TUFF_OK);
      CHECK(size_of_state(f, session) == 0);
      Step again(f, 3, 0);
      REQUIRE(run(session, again) == TUFF_OK);
      CHECK(again.sum == first.sum);
    }
  }
}

TEST_CASE("state that grows is saved and loaded with its size, into another session, too") {
  for (const bool in_place : {false, true}) {
    CAPTURE(in_place);
    Growing f(in_place);
    tuff_session_t *session = f.session_with_state(0), *other = f.session_with_state(0);
    Totals totals;
    std::vector<unsigned char> saved;
    std::vector<std::vector<float>> sums;
    for (int64_t i = 0; i < 6; ++i) {
      Step step(f, 1 + i % 3, i);
      REQUIRE(run(session, step) == TUFF_OK);
      CHECK(step.sum == totals.add(f, step));
      if (i > 2) sums.push_back(step.sum);
      if (i != 2) continue;
      uint64_t size = 0;
      REQUIRE(tuff_session_save_state(session, nullptr, 0, &size, nullptr) == TUFF_OK);
      saved.resize(size);
      REQUIRE(tuff_session_save_state(session, saved.data(), size, &size, nullptr) == TUFF_OK);
    }
    for (tuff_session_t* loaded : {session, other}) {
      REQUIRE(tuff_session_load_state(loaded, saved.data(), saved.size(), nullptr) == TUFF_OK);
      for (int64_t i = 3; i < 6; ++i) {
        Step step(f, 1 + i % 3, i);
        REQUIRE(run(loaded, step) == TUFF_OK);
        CHECK(step.sum == sums[static_cast<size_t>(i - 3)]);
      }
    }
    // The hash does not match any more.
    saved[saved.size() - 1] ^= 1;
    CHECK(tuff_session_load_state(other, saved.data(), saved.size(), nullptr) == TUFF_CORRUPT);
  }
}

TEST_CASE("a cancelled run and a profile leave the state as long as it was") {
  for (const bool in_place : {false, true}) {
    CAPTURE(in_place);
    Growing f(in_place);
    tuff_session_t* session = f.session_with_state(1);
    Totals totals;
    for (int64_t i = 0; i < 8; ++i) {
      Step step(f, 2, i);
      tuff_run_desc_t desc = run_desc(step.in[0], step.out);
      desc.input_count = 2;
      tuff_run_t* started = nullptr;
      REQUIRE(tuff_session_submit(session, &desc, &started, nullptr) == TUFF_OK);
      if (i % 2 == 0) REQUIRE(tuff_run_cancel(started, nullptr) == TUFF_OK);
      CHECK(tuff_run_wait(started, TUFF_WAIT_FOREVER, nullptr, nullptr) == (i % 2 == 0 ? TUFF_CANCELLED : TUFF_OK));
      tuff_run_release(started);
      if (i % 2 == 1) CHECK(step.sum == totals.add(f, step));
      CHECK(size_of_state(f, session) == totals.size);
      if (i % 4 != 3) continue;
      tuff_profile_t* profile = nullptr;
      REQUIRE(tuff_session_profile(session, nullptr, &profile, nullptr) == TUFF_OK);
      tuff_profile_release(profile);
      CHECK(size_of_state(f, session) == totals.size);
    }
  }
}

TEST_CASE("inputs that are set are of the next run's sizes") {
  for (const bool in_place : {false, true}) {
    CAPTURE(in_place);
    Growing f(in_place);
    tuff_session_t* session = f.session_with_state(0);
    const tuff_symbol_value_t one = {1, TUFF_TEXT_END, "new"};
    REQUIRE(tuff_session_prepare(session, &one, 1, nullptr) == TUFF_OK);
    Totals totals;
    for (int64_t i = 0; i < 5; ++i) {
      Step step(f, 1, i);
      REQUIRE(tuff_session_set_input(session, 1, &step.in[1], nullptr) == TUFF_OK);
      REQUIRE(tuff_session_run(session, nullptr, 0, &step.out, 1, nullptr) == TUFF_OK);
      CHECK(step.sum == totals.add(f, step));
    }
  }
}

// Three bytes a position: what is new begins inside a word of what was there.
const char kBytes[] = R"(graph "bytes" {
  symbol new in 1..5 step 1
  symbol past in 0..64 step 1
  input %0 "past": u8[past, 3]
  input %1 "x": u8[new, 3]
  %2: u8[new, 3] = map.add %1, %1 from "Add"
  %3: u8[new + past, 3] = concat %0, %2 {axis=0} from "Concat"
  %4: f32[new + past, 3] = map.cast %3 from "Cast"
  output %4 "all"
  output %3 "next"
}
)";

TEST_CASE("what is new leaves the bytes before it in its word as they are") {
  Fixture f(kBytes);
  const tuff_value_name_t names[] = {{TUFF_TEXT_END, "new"}, {TUFF_TEXT_END, "past"}};
  tuff_session_desc_t desc = TUFF_SESSION_DESC_INIT;
  desc.dynamic_dimensions = names;
  desc.dynamic_dimension_count = 2;
  tuff_session_t* session = nullptr;
  REQUIRE(tuff_session_create(f.program, &desc, &session, nullptr) == TUFF_OK);
  f.sessions.push_back(session);
  REQUIRE(tuff_session_alias(session, 1, 0, nullptr) == TUFF_OK);
  std::vector<float> expected;
  for (int64_t i = 0; expected.size() < 150; ++i) {
    std::vector<unsigned char> x(static_cast<size_t>(3 * (1 + i % 4)));
    for (size_t k = 0; k < x.size(); ++k)
      expected.push_back(static_cast<float>(2 * (x[k] = static_cast<unsigned char>(i * 5 + static_cast<int64_t>(k) + 1))));
    const int64_t shape[2] = {1 + i % 4, 3};
    tuff_tensor_desc_t in[2] = {TUFF_TENSOR_DESC_INIT, TUFF_TENSOR_DESC_INIT};
    in[0].dtype = in[1].dtype = TUFF_U8;
    in[1].data = x.data();
    in[1].size_bytes = x.size();
    in[1].shape = shape;
    in[1].rank = 2;
    std::vector<float> all(expected.size());
    const tuff_tensor_desc_t out = host_tensor(all);
    tuff_error_t* error = nullptr;
    const tuff_status_t ran = tuff_session_run(session, in, 2, &out, 1, &error);
    REQUIRE_MESSAGE(ran == TUFF_OK, message_of(error));
    for (float& v : expected) v = static_cast<float>(static_cast<int>(v) % 256);
    CHECK(all == expected);
  }
  tuff_session_info_t info = TUFF_SESSION_INFO_INIT;
  REQUIRE(tuff_session_get_info(session, &info, nullptr) == TUFF_OK);
  CHECK(info.state_bytes == (69 * 3 + 3) / 4 * 4);  // one buffer
}

TEST_CASE("what does not grow along one dynamic dimension is no state that grows") {
  const char* const texts[] = {
      // Not by a dynamic dimension; along two axes; not at all by some sizes.
      "graph \"g\" {\n  symbol past in 0..8 step 1\n  input %0 \"s\": f32[2]\n"
      "  %1: f32[3] = constant splat(1) from \"c\"\n  output %1 \"t\"\n}\n",
      "graph \"g\" {\n  symbol past in 0..8 step 1\n  input %0 \"s\": f32[past, 2]\n"
      "  %1: f32[3, 3] = constant splat(1) from \"c\"\n  output %1 \"t\"\n}\n",
      "graph \"g\" {\n  symbol past in 0..8 step 1\n  input %0 \"s\": f32[past]\n"
      "  %1: f32[3] = constant splat(1) from \"c\"\n  output %1 \"t\"\n}\n",
  };
  for (const char* text : texts) {
    CAPTURE(text);
    Fixture f(text);
    const tuff_value_name_t past = {TUFF_TEXT_END, "past"};
    tuff_session_desc_t desc = TUFF_SESSION_DESC_INIT;
    desc.dynamic_dimensions = &past;
    desc.dynamic_dimension_count = 1;
    tuff_session_t* session = nullptr;
    REQUIRE(tuff_session_create(f.program, &desc, &session, nullptr) == TUFF_OK);
    f.sessions.push_back(session);
    CHECK(tuff_session_alias(session, 0, 0, nullptr) == TUFF_INVALID_ARGUMENT);
  }
  Fixture f(kGrow);  // whose session has no dynamic dimensions
  CHECK(tuff_session_alias(f.session(), 1, 0, nullptr) == TUFF_INVALID_ARGUMENT);
}

}  // namespace
