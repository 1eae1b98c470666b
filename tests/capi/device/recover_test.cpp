// A lost device and what comes after it; a forked child. FAULTS, rows 15 and 22.
#include <sys/wait.h>
#include <unistd.h>

#include "device_fixture.h"

namespace {

// y = x * s + 0.1, s' = y: state whose bits every run changes.
const char kFeedback[] = R"(graph "feedback" {
  input %0 "x": f32[64]
  input %1 "s": f32[64]
  %2: f32[64] = map.mul %0, %1 from "Mul_0"
  %3: f32[64] = constant splat(0.1) from "c"
  %4: f32[64] = map.add %2, %3 from "Add_1"
  output %4 "y"
  output %4 "next"
}
)";

std::vector<float> ramp() {
  std::vector<float> x(kCount);
  for (uint32_t i = 0; i < kCount; ++i) x[i] = 0.3f + static_cast<float>(i) / 77;
  return x;
}

// The host's device lent again, as if it were a new one, and a program of the model on it.
tuff_program_t* program_anew(const Fixture& f, tuff_model_t* model) {
  tuff_device_t* device = f.host.lend();
  tuff_program_t* program = nullptr;
  CHECK(tuff_program_create(device, model, nullptr, &program, nullptr) == TUFF_OK);
  tuff_device_release(device);
  return program;
}

tuff_status_t step(tuff_session_t* session, std::vector<float>& y) {
  std::vector<float> x = ramp();
  const tuff_tensor_desc_t in[2] = {host_tensor(x), TUFF_TENSOR_DESC_INIT};
  const tuff_tensor_desc_t out = host_tensor(y);
  return tuff_session_run(session, in, 2, &out, 1, nullptr);
}

TEST_CASE("wherever a device is lost, it stays lost, and after a recover runs give the same bits") {
  for (const char* call : {"vkQueueSubmit", "vkWaitForFences", "vkResetFences"}) {
    CAPTURE(call);
    Fixture f(kFeedback);
    tuff_session_t *session = f.session(), *second = f.session();
    for (tuff_session_t* s : {session, second}) REQUIRE(tuff_session_alias(s, 1, 1, nullptr) == TUFF_OK);
    std::vector<float> first = all(0), after_save = all(0), y = all(0);
    REQUIRE(step(second, y) == TUFF_OK);
    REQUIRE(step(session, first) == TUFF_OK);
    CHECK(y == first);
    uint64_t size = 0;
    REQUIRE(tuff_session_save_state(session, nullptr, 0, &size, nullptr) == TUFF_OK);
    std::vector<unsigned char> saved(size);
    REQUIRE(tuff_session_save_state(session, saved.data(), size, &size, nullptr) == TUFF_OK);
    REQUIRE(step(session, after_save) == TUFF_OK);
    CHECK(after_save != first);

    f.host.fail(call, 0, VK_ERROR_DEVICE_LOST);
    CHECK(step(session, y) == TUFF_DEVICE_LOST);
    f.host.stop_failing();
    for (int i = 0; i < 2; ++i) CHECK(step(session, y) == TUFF_DEVICE_LOST);
    CHECK(step(second, y) == TUFF_DEVICE_LOST);
    CHECK(tuff_session_save_state(session, saved.data(), 0, &size, nullptr) == TUFF_DEVICE_LOST);

    tuff_program_t* program = program_anew(f, f.model);
    for (tuff_session_t* s : {session, second}) {
      REQUIRE(tuff_session_recover(s, program, nullptr) == TUFF_OK);
      REQUIRE(step(s, y) == TUFF_OK);
      CHECK(y == first);  // state began from zeros
      REQUIRE(tuff_session_load_state(s, saved.data(), saved.size(), nullptr) == TUFF_OK);
      REQUIRE(step(s, y) == TUFF_OK);
      CHECK(y == after_save);
    }
    tuff_program_release(program);
  }
}

TEST_CASE("runs in flight when the device is lost answer so after a recover too, and do not stand in the way of new ones") {
  Fixture f(kShift);
  tuff_session_t* session = f.session(2);
  std::vector<float> x = all(1), lost = all(0), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out_lost = host_tensor(lost), out = host_tensor(y);
  tuff_run_desc_t desc = run_desc(in, out_lost);
  tuff_run_t* runs[3] = {};
  REQUIRE(tuff_session_submit(session, &desc, &runs[0], nullptr) == TUFF_OK);
  REQUIRE(tuff_session_submit(session, &desc, &runs[1], nullptr) == TUFF_OK);
  f.host.fail("vkWaitForFences", 0, VK_ERROR_DEVICE_LOST);
  CHECK(tuff_run_wait(runs[0], TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_DEVICE_LOST);
  f.host.stop_failing();
  tuff_program_t* program = program_anew(f, f.model);
  REQUIRE(tuff_session_recover(session, program, nullptr) == TUFF_OK);
  desc = run_desc(in, out);
  REQUIRE(tuff_session_submit(session, &desc, &runs[2], nullptr) == TUFF_OK);
  CHECK(tuff_run_wait(runs[0], TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_DEVICE_LOST);
  CHECK(tuff_run_wait(runs[1], TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_DEVICE_LOST);
  CHECK(tuff_run_wait(runs[2], TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_OK);
  CHECK(lost == all(0));
  CHECK(y == all(4));
  for (tuff_run_t* run : runs) tuff_run_release(run);
  tuff_program_release(program);
}

TEST_CASE("a recover that cannot be leaves the session as it was") {
  Fixture f(kShift);
  tuff_session_t* session = f.session();
  std::vector<float> x = all(1), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
  REQUIRE(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_OK);
  tuff_model_t* other = load(kFeedback);
  tuff_program_t *of_other = program_anew(f, other), *anew = program_anew(f, f.model);
  CHECK(tuff_session_recover(session, of_other, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_session_recover(session, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  CHECK(tuff_session_recover(nullptr, anew, nullptr) == TUFF_INVALID_ARGUMENT);
  f.host.fail("vkAllocateMemory", 0, VK_ERROR_OUT_OF_DEVICE_MEMORY, true);
  CHECK(tuff_session_recover(session, anew, nullptr) == TUFF_OUT_OF_MEMORY);
  f.host.stop_failing();
  y.assign(kCount, 0);
  REQUIRE(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_OK);
  CHECK(y == all(4));
  tuff_program_release(of_other);
  tuff_program_release(anew);
  tuff_model_release(other);
}

TEST_CASE("a forked child is told so by every call and reaches no driver; the parent goes on") {
  Fixture f(kShift);
  tuff_session_t* session = f.session();
  std::vector<float> x = all(1), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
  REQUIRE(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_OK);
  tuff_buffer_t* buffer = nullptr;
  REQUIRE(tuff_buffer_create(f.device, 256, &buffer, nullptr) == TUFF_OK);
  const VulkanCounts before = f.host.counts();
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    tuff_run_t* run = nullptr;
    tuff_program_t* program = nullptr;
    tuff_buffer_t* another = nullptr;
    int wrong = 0;
    wrong += tuff_session_run(session, &in, 1, &out, 1, nullptr) != TUFF_UNSUPPORTED;
    wrong += tuff_session_submit(session, nullptr, &run, nullptr) != TUFF_UNSUPPORTED;
    wrong += tuff_session_prepare(f.session(), nullptr, 0, nullptr) != TUFF_UNSUPPORTED;
    wrong += tuff_program_create(f.device, f.model, nullptr, &program, nullptr) != TUFF_UNSUPPORTED;
    wrong += tuff_buffer_create(f.device, 256, &another, nullptr) != TUFF_UNSUPPORTED;
    wrong += tuff_buffer_write(buffer, 0, x.data(), 256, nullptr) != TUFF_UNSUPPORTED;
    tuff_buffer_release(buffer);  // which is no call of the driver's either
    for (tuff_session_t* s : f.sessions) tuff_session_release(s);
    tuff_program_release(f.program);
    tuff_device_release(f.device);
    const VulkanCounts after = f.host.counts();
    wrong += after.submits != before.submits || after.creations != before.creations || after.allocations != before.allocations;
    _exit(wrong);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  y.assign(kCount, 0);
  REQUIRE(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_OK);
  CHECK(y == all(4));
  tuff_buffer_release(buffer);
}

}  // namespace
