// Profiles of sessions on a driver: a time for each kernel, and the same bytes as without.
#include <algorithm>
#include <array>

#include "counted_allocations.h"
#include "device_fixture.h"

namespace {

// y = (x w) w + s, next = y: two products of 8x8 by 8x8, the second of which the sum joins, and a copy.
const char kTwoProducts[] = R"(graph "products" {
  input %0 "x": f32[8, 8]
  input %1 "w": f32[8, 8]
  input %2 "s": f32[8, 8]
  %3: f32[8, 8] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from "MatMul_0"
  %4: f32[8, 8] = contract %3, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from "MatMul_1"
  %5: f32[8, 8] = map.add %4, %2 from "Add_2"
  output %5 "y"
  output %5 "next"
}
)";
constexpr uint32_t kKernelCount = 3;
constexpr uint64_t kProductFlops = 2 * 8 * 8 * 8;
constexpr uint64_t kMatrixBytes = 8 * 8 * 4;

struct Products : Fixture {
  std::vector<float> x = std::vector<float>(kCount), w = std::vector<float>(kCount), s = std::vector<float>(kCount);
  Products() : Fixture(kTwoProducts) {
    for (uint32_t i = 0; i < kCount; ++i) {
      x[i] = static_cast<float>(i % 7) - 3;
      w[i] = static_cast<float>(i * 5 % 11) / 16 - 0.3f;
      s[i] = static_cast<float>(i % 3);
    }
  }
  std::vector<float> run(tuff_session_t* session, bool with_state = false) {
    std::vector<float> y = all(0);
    tuff_tensor_desc_t in[3] = {host_tensor(x), host_tensor(w), TUFF_TENSOR_DESC_INIT};
    if (!with_state) in[2] = host_tensor(s);
    const tuff_tensor_desc_t out = host_tensor(y);
    REQUIRE(tuff_session_run(session, in, 3, &out, 1, nullptr) == TUFF_OK);
    return y;
  }
};

tuff_profile_t* profile_of(tuff_session_t* session, bool host_clock, uint32_t run_count = 5) {
  tuff_profile_desc_t desc = TUFF_PROFILE_DESC_INIT;
  desc.run_count = run_count;
  desc.warmup_count = 1;
  desc.host_clock = host_clock;
  tuff_profile_t* profile = nullptr;
  tuff_error_t* error = nullptr;
  const tuff_status_t made = tuff_session_profile(session, &desc, &profile, &error);
  REQUIRE_MESSAGE(made == TUFF_OK, message_of(error));
  return profile;
}

tuff_profile_info_t profile_info(const tuff_profile_t* profile) {
  tuff_profile_info_t info = TUFF_PROFILE_INFO_INIT;
  REQUIRE(tuff_profile_get_info(profile, &info, nullptr) == TUFF_OK);
  return info;
}

tuff_kernel_profile_t kernel_of(const tuff_profile_t* profile, uint32_t index) {
  tuff_kernel_profile_t kernel = TUFF_KERNEL_PROFILE_INIT;
  REQUIRE(tuff_profile_kernel(profile, index, &kernel, nullptr) == TUFF_OK);
  return kernel;
}

std::string text_of(const tuff_profile_t* profile, uint32_t index, tuff_kernel_text_t which) {
  uint64_t length = 0;
  REQUIRE(tuff_profile_kernel_text(profile, index, which, nullptr, 0, &length, nullptr) == TUFF_OK);
  std::string text(length + 1, '\0');
  REQUIRE(tuff_profile_kernel_text(profile, index, which, text.data(), text.size(), nullptr, nullptr) == TUFF_OK);
  text.pop_back();
  return text;
}

TEST_CASE("each kernel has a time, what it moves and computes, and words; the run's bytes are the same") {
  for (bool host_clock : {false, true}) {
    CAPTURE(host_clock);
    Products f;
    tuff_session_t* session = f.session();
    const std::vector<float> expected = f.run(session);
    tuff_profile_t* profile = profile_of(session, host_clock);
    const tuff_profile_info_t info = profile_info(profile);
    REQUIRE(info.kernel_count == kKernelCount);
    CHECK(info.run_count == 5);
    CHECK(info.memory_bytes_per_second > 0);
    CHECK(info.flops_per_second > 0);
    tuff_device_info_t device = TUFF_DEVICE_INFO_INIT;
    REQUIRE(tuff_device_get_info(f.device, &device, nullptr) == TUFF_OK);
    CHECK((info.host_clock != 0) == (host_clock || !device.has_timestamps));

    std::vector<uint64_t> sums(info.run_count);
    for (uint32_t i = 0; i < info.kernel_count; ++i) {
      const tuff_kernel_profile_t kernel = kernel_of(profile, i);
      CHECK(kernel.step == i);
      CHECK(kernel.kernel == i);
      CHECK(0 < kernel.min_time_ns);
      CHECK(kernel.min_time_ns <= kernel.time_ns);
      CHECK(kernel.time_ns <= kernel.max_time_ns);
      CHECK(kernel.predicted_time_ns >= info.launch_time_ns);
      CHECK(kernel.bound == TUFF_BOUND_LAUNCH);  // of 1024 multiply-adds
      CHECK(kernel.flops == (i < 2 ? kProductFlops : 0));
      CHECK(kernel.bytes_read == std::array<uint64_t, 3>{2, 3, 1}[i] * kMatrixBytes);
      CHECK(kernel.bytes_written == kMatrixBytes);
      for (const int64_t figure : {kernel.registers, kernel.spills, kernel.occupancy, kernel.shared_bytes})
        CHECK(figure == -1);  // nobody asked
      std::vector<uint64_t> times(info.run_count);
      uint32_t count = 0;
      REQUIRE(tuff_profile_kernel_times(profile, i, times.data(), info.run_count, &count, nullptr) == TUFF_OK);
      CHECK(count == info.run_count);
      for (uint32_t r = 0; r < count; ++r) sums[r] += times[r];
    }
    std::sort(sums.begin(), sums.end());
    CHECK(info.kernels_time_ns == sums[2]);
    CHECK(info.kernels_time_ns <= info.run_time_ns);

    CHECK(text_of(profile, 0, TUFF_KERNEL_NODES) == "MatMul_0");
    CHECK(text_of(profile, 1, TUFF_KERNEL_NODES) == "MatMul_1, Add_2");
    CHECK(text_of(profile, 2, TUFF_KERNEL_NODES) == "Add_2");
    CHECK(text_of(profile, 0, TUFF_KERNEL_NAME) != text_of(profile, 1, TUFF_KERNEL_NAME));
    CHECK(text_of(profile, 1, TUFF_KERNEL_SOURCE).find("#version 450") == 0);
    CHECK(text_of(profile, 1, TUFF_KERNEL_DECISIONS).find("fused [epilogue] Add_2 (map.add) into MatMul_1 (contract): ") == 0);
    CHECK_FALSE(text_of(profile, 1, TUFF_KERNEL_SKELETON).empty());
    CHECK_FALSE(text_of(profile, 1, TUFF_KERNEL_SCHEDULE).empty());
    CHECK(text_of(profile, 1, TUFF_KERNEL_TUNING_KEY).find("contract f32 ") == 0);
    CHECK_FALSE(text_of(profile, 1, TUFF_KERNEL_ALTERNATIVES).empty());
    CHECK(text_of(profile, 2, TUFF_KERNEL_TUNING_KEY).empty());

    std::vector<float> y = all(0);
    const tuff_tensor_desc_t out = host_tensor(y);
    REQUIRE(tuff_session_read_output(session, 0, &out, nullptr) == TUFF_OK);
    CHECK(y == expected);
    tuff_profile_release(profile);
  }
}

TEST_CASE("what a profile has not is refused, and it outlives its session") {
  Products f;
  tuff_profile_t* profile = nullptr;
  {
    tuff_session_t* session = f.session();
    CHECK(tuff_session_profile(session, nullptr, &profile, nullptr) == TUFF_INVALID_ARGUMENT);  // not prepared
    REQUIRE(tuff_session_prepare(session, nullptr, 0, nullptr) == TUFF_OK);
    REQUIRE(tuff_session_profile(session, nullptr, &profile, nullptr) == TUFF_OK);
    tuff_session_release(session);
    f.sessions.clear();
  }
  CHECK(profile_info(profile).run_count == 1);
  tuff_kernel_profile_t kernel = TUFF_KERNEL_PROFILE_INIT;
  tuff_error_t* error = nullptr;
  CHECK(tuff_profile_kernel(profile, kKernelCount, &kernel, &error) == TUFF_INVALID_ARGUMENT);
  CHECK(message_of(error) == "There is no kernel 3 in a profile of 3.");
  CHECK(tuff_profile_kernel_text(profile, 0, 8, nullptr, 0, nullptr, &error) == TUFF_INVALID_ARGUMENT);
  CHECK(message_of(error) == "There is no text 8 of a kernel.");
  tuff_profile_retain(profile);
  tuff_profile_release(profile);
  CHECK(text_of(profile, 0, TUFF_KERNEL_NODES) == "MatMul_0");
  tuff_profile_release(profile);
}

TEST_CASE("a session that was profiled runs as before: one submit, nothing recorded, nothing allocated") {
  Products f;
  tuff_session_t* session = f.session();
  const std::vector<float> expected = f.run(session);
  for (bool host_clock : {false, true}) tuff_profile_release(profile_of(session, host_clock));
  CHECK(f.run(session) == expected);  // the validation layer remembers what its first submit after a change needs
  std::vector<float> y = all(0);
  const tuff_tensor_desc_t in[3] = {host_tensor(f.x), host_tensor(f.w), host_tensor(f.s)}, out = host_tensor(y);
  const VulkanCounts before = f.host.counts();
  bool ok = true;
  uint64_t allocations;
  {
    CountedAllocations counted;
    for (int i = 0; i < 10; ++i) ok = ok && tuff_session_run(session, in, 3, &out, 1, nullptr) == TUFF_OK;
    allocations = counted.count();
  }
  const VulkanCounts after = f.host.counts();
  CHECK(ok);
  CHECK(y == expected);
  CHECK(allocations == 0);
  CHECK(after.submits == before.submits + 10);
  CHECK(after.recordings == before.recordings);
  CHECK(after.allocations == before.allocations);
  CHECK(after.descriptor_writes == before.descriptor_writes);
  CHECK(after.creations == before.creations);
}

TEST_CASE("a profile leaves state as it was, in one buffer and in two") {
  for (bool cancellable : {false, true}) {
    Products f;
    tuff_session_t *profiled = f.session(1, cancellable), *plain = f.session(1, cancellable);
    for (tuff_session_t* session : {profiled, plain}) REQUIRE(tuff_session_alias(session, 1, 2, nullptr) == TUFF_OK);
    std::vector<float> last;
    for (int i = 0; i < 4; ++i) {
      const std::vector<float> y = f.run(plain, true);
      CHECK(f.run(profiled, true) == y);
      CHECK(y != last);
      last = y;
      tuff_profile_release(profile_of(profiled, i % 2 == 1));
    }
  }
}

TEST_CASE("a session of limited submits is profiled in as many; one with a run in flight is busy") {
  Products f;
  tuff_session_t* limited = f.session(1, false, 1);
  REQUIRE(tuff_session_prepare(limited, nullptr, 0, nullptr) == TUFF_OK);
  const uint64_t before = f.host.counts().submits;
  tuff_profile_release(profile_of(limited, false, 3));
  CHECK(f.host.counts().submits - before == (1 + 3) * kKernelCount);

  tuff_session_t* session = f.session(2);
  const std::vector<float> expected = f.run(session);
  std::vector<float> y = all(0);
  const tuff_tensor_desc_t in[3] = {host_tensor(f.x), host_tensor(f.w), host_tensor(f.s)}, out = host_tensor(y);
  tuff_run_desc_t desc = run_desc(in[0], out);
  desc.inputs = in;
  desc.input_count = 3;
  if (!f.host.has_timelines()) return;
  const VkSemaphore semaphore = f.host.make_timeline();
  const tuff_semaphore_use_t wait = {reinterpret_cast<uint64_t>(semaphore), 1};
  desc.wait_count = 1;
  desc.waits = &wait;
  tuff_run_t* run = nullptr;
  REQUIRE(tuff_session_submit(session, &desc, &run, nullptr) == TUFF_OK);
  tuff_profile_t* profile = nullptr;
  CHECK(tuff_session_profile(session, nullptr, &profile, nullptr) == TUFF_BUSY);
  CHECK(profile == nullptr);
  f.host.signal(semaphore, 1);
  CHECK(tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_OK);
  CHECK(y == expected);
  tuff_run_release(run);
  tuff_profile_release(profile_of(session, false));
}

TEST_CASE("a profile that fails is told, and the session goes on") {
  Products f;
  tuff_session_t* session = f.session();
  const std::vector<float> expected = f.run(session);
  tuff_profile_desc_t desc = TUFF_PROFILE_DESC_INIT;
  desc.run_count = 3;
  for (const char* call : {"vkCreateQueryPool", "vkBeginCommandBuffer", "vkQueueSubmit"}) {
    CAPTURE(call);
    f.host.fail(call, 0, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    tuff_profile_t* profile = nullptr;
    CHECK(tuff_session_profile(session, &desc, &profile, nullptr) == TUFF_OUT_OF_MEMORY);
    CHECK(profile == nullptr);
    f.host.stop_failing();
    CHECK(f.run(session) == expected);
  }
}

}  // namespace
