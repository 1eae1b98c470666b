// Sessions with dynamic dimensions: runs of other sizes from one recording, with the bytes of sessions that were prepared for
// each of them.
#include <algorithm>

#include "counted_allocations.h"
#include "device_fixture.h"

namespace {

// What was there and what is new, one behind the other; a product and a sum over both; elements that share words; and what is
// left of a constant, which is less where there is more.
const char kAppend[] = R"(graph "append" {
  symbol new in 1..40 step 1
  symbol past in 0..300 step 1
  input %0 "past": f32[past, 6]
  input %1 "new": f32[new, 6]
  %2: f32[6, 16] = constant random(seed=1, scale=0.5) from "w"
  %3: f32[new, 6] = map.neg %1 from "Neg"
  %4: f32[new + past, 6] = concat %0, %3 {axis=0} from "Concat"
  %5: f32[new + past, 16] = contract %4, %2 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from "MatMul"
  %6: f32[new + past, 16] = map.exp %5 from "Exp"
  %7: f32[1, 16] = reduce.sum %6 {axes=[0] order=tree} from "Sum"
  %8: f16[new + past, 6] = map.cast %4 from "Cast"
  %9: f32[6, 301] = constant random(seed=2, scale=0.5) from "v"
  %10: f32[6, 301 - past] = slice %9 {starts=[0, past] steps=[1, 1]} from "Slice"
  %11: f32[6, 301 - past] = map.exp %10 from "Exp_1"
  output %4 "all"
  output %6 "y"
  output %7 "sum"
  output %8 "halves"
  output %11 "rest"
}
)";
constexpr uint32_t kOutputCount = 5;
constexpr int64_t kMostNew = 40, kMostPast = 300;

struct Sizes {
  int64_t past, added;
};
// None, one, primes, the largest, and small ones after them.
constexpr Sizes kSizes[] = {{0, 1}, {1, 1}, {2, 7}, {300, 40}, {0, 40}, {127, 13}, {128, 16}, {299, 1}, {0, 1}};

// Vectors of bytes for the largest sizes, made once.
struct Data {
  std::vector<float> past = std::vector<float>(kMostPast * 6), added = std::vector<float>(kMostNew * 6);
  std::vector<std::vector<unsigned char>> outputs{kOutputCount};
  int64_t past_shape[2], added_shape[2];
  tuff_tensor_desc_t in[2], out[kOutputCount];

  Data() {
    for (size_t i = 0; i < past.size(); ++i) past[i] = static_cast<float>(i % 23) / 8 - 1;
    for (size_t i = 0; i < added.size(); ++i) added[i] = static_cast<float>(i * 7 % 31) / 16 - 1;
    for (auto& bytes : outputs) bytes.resize((kMostPast + kMostNew) * 16 * sizeof(float));
  }
  void set(Sizes sizes) {
    past_shape[0] = sizes.past;
    added_shape[0] = sizes.added;
    past_shape[1] = added_shape[1] = 6;
    in[0] = host_tensor(past);
    in[1] = host_tensor(added);
    in[0].shape = past_shape;
    in[1].shape = added_shape;
    in[0].rank = in[1].rank = 2;
    for (uint32_t i = 0; i < kOutputCount; ++i) {
      std::fill(outputs[i].begin(), outputs[i].end(), static_cast<unsigned char>(0xa5));
      out[i] = TUFF_TENSOR_DESC_INIT;
      out[i].dtype = i == 3 ? TUFF_F16 : TUFF_F32;
      out[i].data = outputs[i].data();
      out[i].size_bytes = outputs[i].size();
    }
  }
};

struct Append : Fixture {
  tuff_program_t* exact = nullptr;  // whatever kernels sizes have, their bits are the same

  Append() : Fixture(kAppend) {
    tuff_program_desc_t desc = TUFF_PROGRAM_DESC_INIT;
    desc.exact = 1;
    tuff_error_t* error = nullptr;
    const tuff_status_t made = tuff_program_create(device, model, &desc, &exact, &error);
    REQUIRE_MESSAGE(made == TUFF_OK, message_of(error));
  }
  ~Append() { tuff_program_release(exact); }

  tuff_session_t* session_of(tuff_session_desc_t desc, bool is_dynamic) {
    const tuff_value_name_t names[] = {{TUFF_TEXT_END, "past"}, {3, "new"}};
    if (is_dynamic) {
      desc.dynamic_dimensions = names;
      desc.dynamic_dimension_count = 2;
    }
    tuff_session_t* made = nullptr;
    tuff_error_t* error = nullptr;
    const tuff_status_t status = tuff_session_create(exact, &desc, &made, &error);
    REQUIRE_MESSAGE(status == TUFF_OK, message_of(error));
    sessions.push_back(made);
    return made;
  }
  // By a session that is prepared for these sizes and no others.
  std::vector<std::vector<unsigned char>> expected(Sizes sizes) {
    tuff_session_t* alone = session_of(TUFF_SESSION_DESC_INIT, false);
    Data data;
    data.set(sizes);
    tuff_error_t* error = nullptr;
    const tuff_status_t ran = tuff_session_run(alone, data.in, 2, data.out, kOutputCount, &error);
    REQUIRE_MESSAGE(ran == TUFF_OK, message_of(error));
    return data.outputs;
  }
};

tuff_session_info_t session_info(tuff_session_t* session) {
  tuff_session_info_t info = TUFF_SESSION_INFO_INIT;
  REQUIRE(tuff_session_get_info(session, &info, nullptr) == TUFF_OK);
  return info;
}

TEST_CASE("runs of other sizes give what sessions prepared for each give, from one recording") {
  Append f;
  tuff_session_desc_t plain = TUFF_SESSION_DESC_INIT, split = plain, cancellable = plain, timed = plain;
  split.submit_time_limit_ns = 1;
  cancellable.cancellable = 1;
  timed.timestamps = 1;
  for (const tuff_session_desc_t& desc : {plain, split, cancellable, timed}) {
    CAPTURE(desc.submit_time_limit_ns);
    CAPTURE(desc.cancellable);
    const uint64_t recordings_before = f.host.counts().recordings;
    tuff_session_t* session = f.session_of(desc, true);
    const tuff_symbol_value_t first[2] = {{3, TUFF_TEXT_END, "new"}, {17, TUFF_TEXT_END, "past"}};
    REQUIRE(tuff_session_prepare(session, first, 2, nullptr) == TUFF_OK);
    CHECK(f.host.counts().recordings - recordings_before == session_info(session).submit_count);
    Data data;
    data.set({17, 3});
    REQUIRE(tuff_session_run(session, data.in, 2, data.out, kOutputCount, nullptr) == TUFF_OK);
    for (const Sizes sizes : kSizes) {
      CAPTURE(sizes.past);
      CAPTURE(sizes.added);
      const auto expected = f.expected(sizes);
      data.set(sizes);
      const VulkanCounts before = f.host.counts();
      const uint64_t recordings = session_info(session).device_recordings;
      uint64_t allocations;
      tuff_status_t status;
      {
        CountedAllocations counted;
        status = tuff_session_run(session, data.in, 2, data.out, kOutputCount, nullptr);
        allocations = counted.count();
      }
      const VulkanCounts after = f.host.counts();
      REQUIRE(status == TUFF_OK);
      for (uint32_t i = 0; i < kOutputCount; ++i) CHECK_MESSAGE(data.outputs[i] == expected[i], i);
      CHECK(allocations == 0);
      CHECK(session_info(session).device_recordings == recordings);
      CHECK(after.recordings == before.recordings);
      CHECK(after.allocations == before.allocations);
      CHECK(after.descriptor_writes == before.descriptor_writes);
      CHECK(after.creations == before.creations);
      CHECK(after.submits == before.submits + session_info(session).submit_count);
      int64_t shape[2] = {};
      REQUIRE(tuff_session_tensor_shape(session, TUFF_OUTPUT, 4, shape, 2, nullptr, nullptr) == TUFF_OK);
      CHECK(shape[1] == 301 - sizes.past);
      REQUIRE(tuff_session_output_shape(session, 0, shape, 2, nullptr, nullptr) == TUFF_OK);
      CHECK(shape[0] == sizes.past + sizes.added);
    }
  }
}

TEST_CASE("runs in flight at the same time have sizes of their own, on the device, too") {
  Append f;
  tuff_session_desc_t desc = TUFF_SESSION_DESC_INIT;
  desc.in_flight_count = 3;
  tuff_session_t* session = f.session_of(desc, true);
  for (const int round : {0, 1}) {
    CAPTURE(round);
    Data data[3];
    tuff_run_t* runs[3];
    for (size_t i = 0; i < 3; ++i) {
      data[i].set(kSizes[static_cast<size_t>(round) + 3 * i]);
      tuff_run_desc_t run = run_desc(data[i].in[0], data[i].out[0]);
      run.input_count = 2;
      run.output_count = kOutputCount;
      REQUIRE(tuff_session_submit(session, &run, &runs[i], nullptr) == TUFF_OK);
    }
    for (size_t i : {size_t{1}, size_t{0}, size_t{2}}) {
      REQUIRE(tuff_run_wait(runs[i], TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_OK);
      CHECK(data[i].outputs == f.expected(kSizes[static_cast<size_t>(round) + 3 * i]));
      tuff_run_release(runs[i]);
    }
  }
}

TEST_CASE("tensors in device memory have room for the largest sizes, and are recorded once") {
  Append f;
  tuff_session_t* session = f.session_of(TUFF_SESSION_DESC_INIT, true);
  Data data;
  data.set(kSizes[2]);
  tuff_buffer_t *past = nullptr, *small = nullptr;
  REQUIRE(tuff_buffer_create(f.device, kMostPast * 6 * sizeof(float), &past, nullptr) == TUFF_OK);
  REQUIRE(tuff_buffer_create(f.device, 2 * 6 * sizeof(float), &small, nullptr) == TUFF_OK);
  auto in_device = [&](tuff_buffer_t* buffer) {
    data.in[0].memory = TUFF_MEMORY_DEVICE;
    data.in[0].buffer = buffer;
    data.in[0].data = nullptr;
  };
  in_device(small);
  tuff_error_t* error = nullptr;
  CHECK(tuff_session_register(session, data.in, 2, nullptr, 0, &error) == TUFF_INVALID_ARGUMENT);
  CHECK(message_of(error) == "Tensor 'past' needs 7200 bytes at 0 of a buffer of 48.");
  in_device(past);
  REQUIRE(tuff_session_register(session, data.in, 2, nullptr, 0, nullptr) == TUFF_OK);
  REQUIRE(tuff_buffer_write(past, 0, data.past.data(), data.past.size() * sizeof(float), nullptr) == TUFF_OK);
  for (const Sizes sizes : kSizes) {
    data.set(sizes);
    in_device(past);
    const uint64_t recordings = f.host.counts().recordings;
    REQUIRE(tuff_session_run(session, data.in, 2, data.out, kOutputCount, nullptr) == TUFF_OK);
    CHECK(f.host.counts().recordings == recordings);
    CHECK(data.outputs == f.expected(sizes));
  }
  tuff_buffer_release(past);
  tuff_buffer_release(small);
}

TEST_CASE("a cancelled run leaves the next one, of other sizes, as it is") {
  Append f;
  tuff_session_desc_t desc = TUFF_SESSION_DESC_INIT;
  desc.cancellable = 1;
  tuff_session_t* session = f.session_of(desc, true);
  for (const Sizes sizes : {kSizes[3], kSizes[1], kSizes[5]}) {
    Data data;
    data.set(sizes);
    tuff_run_desc_t run_of = run_desc(data.in[0], data.out[0]);
    run_of.input_count = 2;
    tuff_run_t* run = nullptr;
    REQUIRE(tuff_session_submit(session, &run_of, &run, nullptr) == TUFF_OK);
    REQUIRE(tuff_run_cancel(run, nullptr) == TUFF_OK);
    CHECK(tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_CANCELLED);
    tuff_run_release(run);
    REQUIRE(tuff_session_run(session, data.in, 2, data.out, kOutputCount, nullptr) == TUFF_OK);
    CHECK(data.outputs == f.expected(sizes));
  }
}

TEST_CASE("inputs may be set, and outputs read, for the sizes that were prepared last") {
  Append f;
  tuff_session_t* session = f.session_of(TUFF_SESSION_DESC_INIT, true);
  for (const Sizes sizes : {kSizes[5], kSizes[2]}) {
    const tuff_symbol_value_t values[2] = {{sizes.added, TUFF_TEXT_END, "new"}, {sizes.past, TUFF_TEXT_END, "past"}};
    REQUIRE(tuff_session_prepare(session, values, 2, nullptr) == TUFF_OK);
    Data data;
    data.set(sizes);
    if (sizes.past == kSizes[2].past)
      CHECK(tuff_session_run(session, nullptr, 0, nullptr, 0, nullptr) == TUFF_INVALID_ARGUMENT);
    for (uint32_t i = 0; i < 2; ++i) REQUIRE(tuff_session_set_input(session, i, &data.in[i], nullptr) == TUFF_OK);
    REQUIRE(tuff_session_run(session, nullptr, 0, nullptr, 0, nullptr) == TUFF_OK);
    for (uint32_t i = 0; i < kOutputCount; ++i) REQUIRE(tuff_session_read_output(session, i, &data.out[i], nullptr) == TUFF_OK);
    CHECK(data.outputs == f.expected(sizes));
  }
}

struct Work {
  uint32_t kernel_count;
  uint64_t bytes_written, flops;
  friend bool operator==(const Work&, const Work&) = default;
};
Work profiled_work(tuff_session_t* session, int32_t host_clock) {
  tuff_profile_desc_t desc = TUFF_PROFILE_DESC_INIT;
  desc.host_clock = host_clock;
  tuff_profile_t* profile = nullptr;
  tuff_error_t* error = nullptr;
  const tuff_status_t profiled = tuff_session_profile(session, &desc, &profile, &error);
  REQUIRE_MESSAGE(profiled == TUFF_OK, message_of(error));
  tuff_profile_info_t info = TUFF_PROFILE_INFO_INIT;
  REQUIRE(tuff_profile_get_info(profile, &info, nullptr) == TUFF_OK);
  Work work{info.kernel_count, 0, 0};
  for (uint32_t i = 0; i < info.kernel_count; ++i) {
    tuff_kernel_profile_t kernel = TUFF_KERNEL_PROFILE_INIT;
    REQUIRE(tuff_profile_kernel(profile, i, &kernel, nullptr) == TUFF_OK);
    work.bytes_written += kernel.bytes_written;
    work.flops += kernel.flops;
  }
  tuff_profile_release(profile);
  return work;
}

TEST_CASE("a profile is of the sizes of the last run, and leaves the next one as it is") {
  Append f;
  tuff_session_t* session = f.session_of(TUFF_SESSION_DESC_INIT, true);
  for (const Sizes sizes : {kSizes[3], kSizes[0], kSizes[5]}) {
    Data data;
    data.set(sizes);
    const auto expected = f.expected(sizes);
    tuff_session_t* alone = f.sessions.back();
    REQUIRE(tuff_session_run(session, data.in, 2, nullptr, 0, nullptr) == TUFF_OK);
    for (const int32_t host_clock : {0, 1}) {
      CHECK(profiled_work(session, host_clock) == profiled_work(alone, host_clock));
      data.set(sizes);
      for (uint32_t i = 0; i < kOutputCount; ++i)
        REQUIRE(tuff_session_read_output(session, i, &data.out[i], nullptr) == TUFF_OK);
      CHECK(data.outputs == expected);
    }
    data.set(sizes);
    REQUIRE(tuff_session_run(session, data.in, 2, data.out, kOutputCount, nullptr) == TUFF_OK);
    CHECK(data.outputs == expected);
  }
}

TEST_CASE("what cannot be dynamic is refused with a sentence") {
  Append f;
  tuff_session_desc_t desc = TUFF_SESSION_DESC_INIT;
  desc.dynamic_dimension_count = 1;
  tuff_session_t* made = nullptr;
  CHECK(tuff_session_create(f.exact, &desc, &made, nullptr) == TUFF_INVALID_ARGUMENT);
  const tuff_value_name_t unknown = {TUFF_TEXT_END, "old"};
  desc.dynamic_dimensions = &unknown;
  tuff_error_t* error = nullptr;
  CHECK(tuff_session_create(f.exact, &desc, &made, &error) == TUFF_INVALID_ARGUMENT);
  CHECK(message_of(error) == "The model has no dimension 'old'.");
  CHECK(made == nullptr);

  tuff_session_t* session = f.session_of(TUFF_SESSION_DESC_INIT, true);
  Data data;
  data.set({301, 1});
  CHECK(tuff_session_run(session, data.in, 2, nullptr, 0, nullptr) == TUFF_INVALID_ARGUMENT);
  data.set(kSizes[2]);
  REQUIRE(tuff_session_run(session, data.in, 2, data.out, kOutputCount, nullptr) == TUFF_OK);
  f.host.run([&](VkCommandBuffer commands) {
    data.in[0].data = data.in[1].data = nullptr;
    data.in[0].size_bytes = data.in[1].size_bytes = 0;
    tuff_record_desc_t record = TUFF_RECORD_DESC_INIT;
    record.inputs = data.in;
    record.input_count = 2;
    record.command_buffer = commands;
    CHECK(tuff_session_record(session, &record, nullptr, &error) == TUFF_UNSUPPORTED);
    CHECK(message_of(error).find("dynamic dimensions") != std::string::npos);
  });
}

}  // namespace
