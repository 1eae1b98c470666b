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
constexpr int64_t kCapacity = 64;

std::vector<float> numbers(int64_t added, int64_t seed) {
  std::vector<float> x(static_cast<size_t>(2 * added * 3));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((static_cast<int64_t>(i) * 7 + seed * 5) % 17) / 4 - 2;
  return x;
}

struct Growing : Fixture {
  Growing() : Fixture(kGrow) {}
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
  int64_t shape[3];
  std::vector<float> x, sum = std::vector<float>(6);
  tuff_tensor_desc_t in[2] = {TUFF_TENSOR_DESC_INIT, TUFF_TENSOR_DESC_INIT}, out = TUFF_TENSOR_DESC_INIT;
  Step(int64_t added, int64_t seed) : shape{2, added, 3}, x(numbers(added, seed)) {
    in[1] = host_tensor(x);
    in[1].shape = shape;
    in[1].rank = 3;
    out = host_tensor(sum);
  }
};

// What the host knows: everything that was added, one after another, and the sums.
struct Reference {
  std::vector<float> rows[2];
  std::vector<float> add(const Step& step) {
    const size_t count = static_cast<size_t>(step.shape[1]) * 3;
    std::vector<float> sum(6);
    for (size_t b = 0; b < 2; ++b) {
      for (size_t i = 0; i < count; ++i) rows[b].push_back(-step.x[b * count + i]);
      for (size_t i = 0; i < rows[b].size(); ++i) sum[b * 3 + i % 3] += rows[b][i];  // quarters: exact in any order
    }
    return sum;
  }
  int64_t size() const { return static_cast<int64_t>(rows[0].size() / 3); }
};

int64_t size_of_state(tuff_session_t* session) {
  int64_t shape[3] = {};
  REQUIRE(tuff_session_tensor_shape(session, TUFF_INPUT, 0, shape, 3, nullptr, nullptr) == TUFF_OK);
  return shape[1];
}

tuff_status_t run(tuff_session_t* session, Step& step) { return tuff_session_run(session, step.in, 2, &step.out, 1, nullptr); }

TEST_CASE("state grows by what each run adds, from one recording, until it is full") {
  Growing f;
  for (const int32_t cancellable : {0, 1}) {
    CAPTURE(cancellable);
    tuff_session_t* session = f.session_with_state(cancellable);
    Reference reference;
    Step first(3, 0);
    REQUIRE(run(session, first) == TUFF_OK);
    CHECK(first.sum == reference.add(first));
    const VulkanCounts before = f.host.counts();
    constexpr int64_t kAdded[] = {1, 5, 1, 1, 2, 5, 1};
    int64_t runs = 0;
    for (; reference.size() + kAdded[runs % 7] <= kCapacity; ++runs) {
      CHECK(size_of_state(session) == reference.size());
      Step step(kAdded[runs % 7], runs);
      uint64_t allocations;
      tuff_status_t status;
      {
        CountedAllocations counted;
        status = run(session, step);
        allocations = counted.count();
      }
      REQUIRE(status == TUFF_OK);
      CHECK(allocations == 0);
      CHECK(step.sum == reference.add(step));
    }
    // More than there is room for changes nothing; what there is room for still goes in.
    for (const int64_t left = kCapacity - reference.size(); left < 5;) {
      Step too_many(left + 1, 1);
      tuff_error_t* error = nullptr;
      CHECK(tuff_session_run(session, too_many.in, 2, &too_many.out, 1, &error) == TUFF_LIMIT);
      CHECK(message_of(error).find("does not fit") != std::string::npos);
      CHECK(size_of_state(session) == reference.size());
      if (left == 0) break;
      Step last(left, 2);
      REQUIRE(run(session, last) == TUFF_OK);
      CHECK(last.sum == reference.add(last));
      break;
    }
    CHECK(size_of_state(session) == reference.size());
    const VulkanCounts after = f.host.counts();
    CHECK(runs > 20);
    CHECK(after.recordings == before.recordings);
    CHECK(after.allocations == before.allocations);
    CHECK(after.descriptor_writes == before.descriptor_writes);
    REQUIRE(tuff_session_reset_state(session, nullptr) == TUFF_OK);
    CHECK(size_of_state(session) == 0);
    Step again(3, 0);
    REQUIRE(run(session, again) == TUFF_OK);
    CHECK(again.sum == first.sum);
  }
}

TEST_CASE("state that grows is saved and loaded with its size, into another session, too") {
  Growing f;
  tuff_session_t *session = f.session_with_state(0), *other = f.session_with_state(0);
  Reference reference;
  std::vector<unsigned char> saved;
  std::vector<std::vector<float>> sums;
  for (int64_t i = 0; i < 6; ++i) {
    Step step(1 + i % 3, i);
    REQUIRE(run(session, step) == TUFF_OK);
    CHECK(step.sum == reference.add(step));
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
      Step step(1 + i % 3, i);
      REQUIRE(run(loaded, step) == TUFF_OK);
      CHECK(step.sum == sums[static_cast<size_t>(i - 3)]);
    }
  }
  // The hash does not match any more.
  saved[saved.size() - 1] ^= 1;
  CHECK(tuff_session_load_state(other, saved.data(), saved.size(), nullptr) == TUFF_CORRUPT);
}

TEST_CASE("a cancelled run and a profile leave the state as long as it was") {
  Growing f;
  tuff_session_t* session = f.session_with_state(1);
  Reference reference;
  for (int64_t i = 0; i < 8; ++i) {
    Step step(2, i);
    tuff_run_desc_t desc = run_desc(step.in[0], step.out);
    desc.input_count = 2;
    tuff_run_t* started = nullptr;
    REQUIRE(tuff_session_submit(session, &desc, &started, nullptr) == TUFF_OK);
    if (i % 2 == 0) REQUIRE(tuff_run_cancel(started, nullptr) == TUFF_OK);
    CHECK(tuff_run_wait(started, TUFF_WAIT_FOREVER, nullptr, nullptr) == (i % 2 == 0 ? TUFF_CANCELLED : TUFF_OK));
    tuff_run_release(started);
    if (i % 2 == 1) CHECK(step.sum == reference.add(step));
    CHECK(size_of_state(session) == reference.size());
    if (i % 4 != 3) continue;
    tuff_profile_t* profile = nullptr;
    REQUIRE(tuff_session_profile(session, nullptr, &profile, nullptr) == TUFF_OK);
    tuff_profile_release(profile);
    CHECK(size_of_state(session) == reference.size());
  }
}

TEST_CASE("inputs that are set are of the next run's sizes") {
  Growing f;
  tuff_session_t* session = f.session_with_state(0);
  const tuff_symbol_value_t one = {1, TUFF_TEXT_END, "new"};
  REQUIRE(tuff_session_prepare(session, &one, 1, nullptr) == TUFF_OK);
  Reference reference;
  for (int64_t i = 0; i < 5; ++i) {
    Step step(1, i);
    REQUIRE(tuff_session_set_input(session, 1, &step.in[1], nullptr) == TUFF_OK);
    REQUIRE(tuff_session_run(session, nullptr, 0, &step.out, 1, nullptr) == TUFF_OK);
    CHECK(step.sum == reference.add(step));
  }
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
