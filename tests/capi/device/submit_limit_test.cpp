// Runs that are split into submits, so that a driver's watchdog does not end them: the same bytes, whatever the limit. FAULTS,
// row 24.
#include "counted_allocations.h"
#include "device_fixture.h"

namespace {

constexpr int kProducts = 6;
constexpr uint64_t kOneEach = 1;  // ns: no dispatch takes less

// x multiplied by w again and again, a dispatch each; the next run's x is the last product plus this one's v.
std::string chain() {
  const std::string type = ": f32[8, 8]";
  std::string text =
      "graph \"chain\" {\n  input %0 \"v\"" + type + "\n  input %1 \"w\"" + type + "\n  input %2 \"s\"" + type + "\n";
  text += "  %3" + type + " = map.add %0, %2 from \"Add\"\n";
  int last = 3;
  for (int i = 0; i < kProducts; ++i, ++last)
    text += "  %" + std::to_string(last + 1) + type + " = contract %" + std::to_string(last) +
            ", %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"MatMul_" + std::to_string(i) + "\"\n";
  return text + "  output %" + std::to_string(last) + " \"y\"\n  output %" + std::to_string(last) + " \"next\"\n}\n";
}

struct Chain : Fixture {
  std::vector<float> v = std::vector<float>(kCount), w = std::vector<float>(kCount), s = std::vector<float>(kCount);
  Chain() : Fixture(chain().c_str()) {
    for (uint32_t i = 0; i < kCount; ++i) {
      v[i] = static_cast<float>(i % 7) - 3;
      w[i] = static_cast<float>(i * 5 % 11) / 16 - 0.3f;
      s[i] = static_cast<float>(i % 3);
    }
  }
  // In order; with state, the last has no data.
  std::vector<tuff_tensor_desc_t> inputs(bool with_state = false) {
    std::vector<tuff_tensor_desc_t> in = {host_tensor(v), host_tensor(w), TUFF_TENSOR_DESC_INIT};
    if (!with_state) in[2] = host_tensor(s);
    return in;
  }
};

tuff_session_info_t info_of(tuff_session_t* session) {
  tuff_session_info_t info = TUFF_SESSION_INFO_INIT;
  REQUIRE(tuff_session_get_info(session, &info, nullptr) == TUFF_OK);
  return info;
}

// Held against what the session said, and what the driver was given.
std::vector<float> run(Chain& f, tuff_session_t* session, bool with_state = false) {
  std::vector<float> y = all(0);
  const std::vector<tuff_tensor_desc_t> in = f.inputs(with_state);
  const tuff_tensor_desc_t out = host_tensor(y);
  REQUIRE(tuff_session_prepare(session, nullptr, 0, nullptr) == TUFF_OK);
  const uint32_t submit_count = info_of(session).submit_count;
  const uint64_t before = f.host.counts().submits;
  REQUIRE(tuff_session_run(session, in.data(), 3, &out, 1, nullptr) == TUFF_OK);
  CHECK(f.host.counts().submits - before == submit_count);
  return y;
}

// A limit for which the first run is several submits of several dispatches.
uint64_t limit_between(Chain& f, uint32_t dispatch_count) {
  for (uint64_t limit_ns = 1; limit_ns < uint64_t{1} << 60; limit_ns *= 2) {
    tuff_session_t* session = f.session(1, false, limit_ns);
    REQUIRE(tuff_session_prepare(session, nullptr, 0, nullptr) == TUFF_OK);
    const uint32_t count = info_of(session).submit_count;
    if (count > 1 && count < dispatch_count) return limit_ns;
  }
  FAIL("no limit gives several submits of several dispatches");
  return 0;
}

TEST_CASE("a run in one submit, in a submit a dispatch and in a few gives the same bytes") {
  Chain f;
  tuff_session_t* whole = f.session();
  const std::vector<float> y = run(f, whole);
  const uint32_t dispatch_count = info_of(whole).dispatch_count;
  CHECK(dispatch_count >= kProducts);
  CHECK(info_of(whole).submit_count == 1);

  tuff_session_t* one_each = f.session(1, false, kOneEach);
  tuff_session_t* few = f.session(1, false, limit_between(f, dispatch_count));
  tuff_session_t* within = f.session(1, false, uint64_t{1} << 62);
  for (int i = 0; i < 3; ++i) {
    CHECK(run(f, one_each) == y);
    CHECK(info_of(one_each).submit_count == dispatch_count);
    CHECK(run(f, few) == y);
    CHECK(run(f, within) == y);
    CHECK(info_of(within).submit_count == 1);
  }
}

TEST_CASE("from the third run on a split run allocates nothing, writes no descriptor and records nothing") {
  Chain f;
  tuff_session_t* session = f.session(1, false, kOneEach);
  std::vector<float> y = all(0);
  const std::vector<tuff_tensor_desc_t> in = f.inputs();
  const tuff_tensor_desc_t out = host_tensor(y);
  for (int i = 0; i < 2; ++i) REQUIRE(tuff_session_run(session, in.data(), 3, &out, 1, nullptr) == TUFF_OK);
  const VulkanCounts before = f.host.counts();
  uint64_t allocations;
  bool ok = true;
  {
    CountedAllocations counted;
    for (int i = 0; i < 10; ++i) ok = ok && tuff_session_run(session, in.data(), 3, &out, 1, nullptr) == TUFF_OK;
    allocations = counted.count();
  }
  const VulkanCounts after = f.host.counts();
  CHECK(ok);
  CHECK(allocations == 0);
  CHECK(after.submits == before.submits + 10 * info_of(session).submit_count);
  CHECK(after.allocations == before.allocations);
  CHECK(after.descriptor_writes == before.descriptor_writes);
  CHECK(after.recordings == before.recordings);
  CHECK(after.creations == before.creations);
}

TEST_CASE("state goes from one split run to the next as it does between whole ones") {
  Chain f;
  tuff_session_t* sessions[] = {f.session(), f.session(1, false, kOneEach), f.session(1, true, kOneEach)};
  for (tuff_session_t* session : sessions) REQUIRE(tuff_session_alias(session, 1, 2, nullptr) == TUFF_OK);
  std::vector<float> last;
  for (int i = 0; i < 5; ++i) {
    const std::vector<float> y = run(f, sessions[0], true);
    CHECK(run(f, sessions[1], true) == y);
    CHECK(run(f, sessions[2], true) == y);
    CHECK(y != last);
    last = y;
  }
}

TEST_CASE("split runs in flight at the same time keep apart") {
  Chain f;
  tuff_session_t *whole = f.session(), *session = f.session(2, false, kOneEach);
  for (int round = 0; round < 3; ++round) {
    std::vector<float> expected[2], y[2] = {all(0), all(0)};
    tuff_run_t* runs[2];
    for (int i = 0; i < 2; ++i) {
      f.v[0] = static_cast<float>(10 * round + i);
      expected[i] = run(f, whole);
      const std::vector<tuff_tensor_desc_t> in = f.inputs();
      const tuff_tensor_desc_t out = host_tensor(y[i]);
      tuff_run_desc_t desc = run_desc(in[0], out);
      desc.inputs = in.data();
      desc.input_count = 3;
      REQUIRE(tuff_session_submit(session, &desc, &runs[i], nullptr) == TUFF_OK);
    }
    for (int i = 0; i < 2; ++i) {
      REQUIRE(tuff_run_wait(runs[i], TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_OK);
      CHECK(y[i] == expected[i]);
      tuff_run_release(runs[i]);
    }
    CHECK(expected[0] != expected[1]);
  }
}

// The device is held at the first submit, or not, where the host has no semaphore to hold it.
TEST_CASE("the first submit waits, the last signals, and a cancel between them ends the run") {
  Chain f;
  const std::vector<float> expected = run(f, f.session());
  tuff_session_t* session = f.session(1, true, kOneEach);
  CHECK(run(f, session) == expected);
  VkSemaphore semaphore = f.host.has_timelines() ? f.host.make_timeline() : VK_NULL_HANDLE;
  uint64_t value = 0;
  for (bool cancelled : {false, true, false}) {
    CAPTURE(cancelled);
    std::vector<float> y = all(0);
    const std::vector<tuff_tensor_desc_t> in = f.inputs();
    const tuff_tensor_desc_t out = host_tensor(y);
    const tuff_semaphore_use_t wait = {reinterpret_cast<uint64_t>(semaphore), value + 1}, signal = {wait.handle, value + 2};
    tuff_run_desc_t desc = run_desc(in[0], out);
    desc.inputs = in.data();
    desc.input_count = 3;
    if (semaphore) {
      desc.wait_count = desc.signal_count = 1;
      desc.waits = &wait;
      desc.signals = &signal;
    }
    tuff_run_t* run = nullptr;
    const uint64_t before = f.host.counts().submits;
    REQUIRE(tuff_session_submit(session, &desc, &run, nullptr) == TUFF_OK);
    CHECK(f.host.counts().submits - before == info_of(session).submit_count);
    if (semaphore) {
      int32_t finished = 1;
      REQUIRE(tuff_run_wait(run, 20'000'000, &finished, nullptr) == TUFF_OK);
      CHECK(finished == 0);
      CHECK(f.host.timeline_value(semaphore) == value);
    }
    if (cancelled) REQUIRE(tuff_run_cancel(run, nullptr) == TUFF_OK);
    if (semaphore) f.host.signal(semaphore, value + 1);
    CHECK(tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr) == (cancelled ? TUFF_CANCELLED : TUFF_OK));
    CHECK(y == (cancelled ? all(0) : expected));
    if (semaphore) CHECK(f.host.reaches(semaphore, value + 2));
    value += 2;
    tuff_run_release(run);
  }
}

TEST_CASE("a submit that fails in the middle of a run is told, and the session goes on") {
  Chain f;
  const std::vector<float> expected = run(f, f.session());
  tuff_session_t* session = f.session(1, false, kOneEach);
  std::vector<float> y = all(0);
  const std::vector<tuff_tensor_desc_t> in = f.inputs();
  const tuff_tensor_desc_t out = host_tensor(y);
  REQUIRE(tuff_session_prepare(session, nullptr, 0, nullptr) == TUFF_OK);
  for (uint32_t n = 0; n < kProducts; ++n) {
    CAPTURE(n);
    f.host.fail("vkQueueSubmit", n, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    CHECK(tuff_session_run(session, in.data(), 3, &out, 1, nullptr) == TUFF_OUT_OF_MEMORY);
    f.host.stop_failing();
    CHECK(run(f, session) == expected);
  }
  f.host.fail("vkQueueSubmit", 2, VK_ERROR_DEVICE_LOST);
  CHECK(tuff_session_run(session, in.data(), 3, &out, 1, nullptr) == TUFF_DEVICE_LOST);
}

TEST_CASE("a session that records its commands once more keeps those that the host's command buffer names") {
  Chain f;
  tuff_session_t *whole = f.session(), *session = f.session(1, false, kOneEach);
  const std::vector<float> before = run(f, whole);
  std::vector<float> y = all(0);
  const tuff_tensor_desc_t out = host_tensor(y);
  const std::vector<tuff_tensor_desc_t> in = f.inputs();
  REQUIRE(tuff_session_prepare(session, nullptr, 0, nullptr) == TUFF_OK);
  const uint64_t recordings = f.host.counts().recordings;
  f.host.run([&](VkCommandBuffer commands) {
    const tuff_tensor_desc_t own[3] = {TUFF_TENSOR_DESC_INIT, TUFF_TENSOR_DESC_INIT, TUFF_TENSOR_DESC_INIT};
    tuff_record_desc_t desc = TUFF_RECORD_DESC_INIT;
    desc.inputs = desc.outputs = own;
    desc.input_count = 3;
    desc.output_count = 2;
    desc.command_buffer = commands;
    REQUIRE(tuff_session_record(session, &desc, nullptr, nullptr) == TUFF_OK);
    for (int i = 0; i < 2; ++i) CHECK(run(f, session) == before);
    CHECK(f.host.counts().recordings > recordings);
    f.v[0] += 1;
    REQUIRE(tuff_session_set_input(session, 0, &in[0], nullptr) == TUFF_OK);
  });
  REQUIRE(tuff_session_read_output(session, 0, &out, nullptr) == TUFF_OK);
  CHECK(y != before);
  CHECK(y == run(f, whole));
}

}  // namespace
