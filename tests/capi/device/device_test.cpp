// Sessions on a real driver, through a host that counts what Tuff asks of it: sharing, rings of buffers, runs in flight, state,
// cancel, and the host's own command buffers.
#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "counted_allocations.h"
#include "device_fixture.h"

namespace {

// y = x + s, s' = s + x: an accumulator.
const char kAccumulate[] = R"(graph "accumulate" {
  input %0 "x": f32[64]
  input %1 "s": f32[64]
  %2: f32[64] = map.add %0, %1 from "Add_0"
  output %2 "y"
  output %2 "next"
}
)";

tuff_tensor_desc_t vulkan_tensor(VkBuffer buffer) {
  tuff_tensor_desc_t t = TUFF_TENSOR_DESC_INIT;
  t.memory = TUFF_MEMORY_VULKAN;
  t.vk_buffer = reinterpret_cast<uint64_t>(buffer);
  t.size_bytes = kCount * sizeof(float);
  return t;
}
tuff_tensor_desc_t buffer_tensor(tuff_buffer_t* buffer) {
  tuff_tensor_desc_t t = TUFF_TENSOR_DESC_INIT;
  t.memory = TUFF_MEMORY_DEVICE;
  t.buffer = buffer;
  return t;
}

TEST_CASE("a prepared run allocates nothing, writes no descriptor, records nothing and submits once") {
  Fixture f(kShift);
  tuff_session_t* session = f.session(2);
  std::vector<float> x = all(1), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
  REQUIRE(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_OK);
  tuff_run_desc_t desc = run_desc(in, out);
  tuff_run_t* run = nullptr;
  REQUIRE(tuff_session_submit(session, &desc, &run, nullptr) == TUFF_OK);
  REQUIRE(tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_OK);
  tuff_run_release(run);

  const VulkanCounts before = f.host.counts();
  uint64_t allocations;
  bool ok = true;
  {
    CountedAllocations counted;
    for (int i = 0; i < 10; ++i) {
      ok = ok && tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_OK;
      ok = ok && tuff_session_submit(session, &desc, &run, nullptr) == TUFF_OK;
      ok = ok && tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_OK;
      tuff_run_release(run);
    }
    allocations = counted.count();
  }
  const VulkanCounts after = f.host.counts();
  CHECK(ok);
  CHECK(y == all(4));
  CHECK(allocations == 0);
  CHECK(after.submits == before.submits + 20);
  CHECK(after.allocations == before.allocations);
  CHECK(after.descriptor_writes == before.descriptor_writes);
  CHECK(after.recordings == before.recordings);
  CHECK(after.creations == before.creations);
}

TEST_CASE("eight sessions of one program hold one copy of its weights") {
  // 64 KiB of weights, each its own number, beside tensors of 256 bytes.
  constexpr int kRows = 256;
  std::string text = "graph \"product\" {\n  input %0 \"x\": f32[1, 64]\n  %1: f32[64, 256] = constant list(";
  for (uint32_t i = 0; i < kCount * kRows; ++i) text += (i ? ", " : "") + std::to_string(i % 1021);
  text +=
      ") from \"w\"\n  %2: f32[1, 256] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"MatMul_0\"\n  "
      "output %2 \"y\"\n}\n";
  Fixture f(text.c_str());
  tuff_program_info_t info = TUFF_PROGRAM_INFO_INIT;
  REQUIRE(tuff_program_get_info(f.program, &info, nullptr) == TUFF_OK);
  const uint64_t weight_bytes = uint64_t{kCount} * kRows * sizeof(float);
  REQUIRE(info.weight_bytes >= weight_bytes);
  CHECK(f.host.counts().allocated_bytes >= weight_bytes);
  for (int i = 0; i < 8; ++i) {
    const uint64_t before = f.host.counts().allocated_bytes;
    REQUIRE(tuff_session_prepare(f.session(), nullptr, 0, nullptr) == TUFF_OK);
    CHECK(f.host.counts().allocated_bytes > before);
    CHECK(f.host.counts().allocated_bytes - before < weight_bytes / 2);
  }
}

TEST_CASE("a ring of registered buffers is recorded once") {
  Fixture f(kShift);
  tuff_session_t* session = f.session(3);
  const uint32_t usage = tuff_vulkan_buffer_usage(f.device);
  tuff_buffer_t* inputs[3];
  VkBuffer outputs[3];
  for (int i = 0; i < 3; ++i) {
    REQUIRE(tuff_buffer_create(f.device, kCount * sizeof(float), &inputs[i], nullptr) == TUFF_OK);
    const std::vector<float> x = all(static_cast<float>(i));
    REQUIRE(tuff_buffer_write(inputs[i], 0, x.data(), x.size() * sizeof(float), nullptr) == TUFF_OK);
    outputs[i] = f.host.make_buffer(kCount * sizeof(float), usage);
    const tuff_tensor_desc_t in = buffer_tensor(inputs[i]), out = vulkan_tensor(outputs[i]);
    REQUIRE(tuff_session_register(session, &in, 1, &out, 1, nullptr) == TUFF_OK);
  }
  const VulkanCounts before = f.host.counts();
  for (int round = 0; round < 2; ++round) {
    tuff_run_t* runs[3];
    for (int i = 0; i < 3; ++i) {
      const tuff_tensor_desc_t in = buffer_tensor(inputs[i]), out = vulkan_tensor(outputs[i]);
      tuff_run_desc_t desc = run_desc(in, out);
      REQUIRE(tuff_session_submit(session, &desc, &runs[i], nullptr) == TUFF_OK);
    }
    tuff_run_t* fourth = nullptr;
    CHECK(tuff_session_submit(session, nullptr, &fourth, nullptr) == TUFF_BUSY);
    for (tuff_run_t* run : runs) {
      REQUIRE(tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_OK);
      tuff_run_release(run);
    }
  }
  const VulkanCounts after = f.host.counts();
  CHECK(after.submits == before.submits + 6);
  CHECK(after.recordings == before.recordings);
  CHECK(after.descriptor_writes == before.descriptor_writes);
  // Back through a second session, from the host's buffers to memory.
  tuff_session_t* reader = f.session();
  for (int i = 0; i < 3; ++i) {
    std::vector<float> y = all(0);
    const tuff_tensor_desc_t in = vulkan_tensor(outputs[i]), out = host_tensor(y);
    REQUIRE(tuff_session_run(reader, &in, 1, &out, 1, nullptr) == TUFF_OK);
    CHECK(y == all(static_cast<float>(i) + 6));
  }
  for (tuff_buffer_t* buffer : inputs) tuff_buffer_release(buffer);
  CHECK(tuff_session_unregister(session, nullptr) == TUFF_OK);
}

TEST_CASE("state stays from run to run; it is reset, saved and loaded") {
  Fixture f(kAccumulate);
  tuff_session_t* session = f.session();
  REQUIRE(tuff_session_alias(session, 1, 1, nullptr) == TUFF_OK);
  std::vector<float> x = all(1), y = all(0);
  const tuff_tensor_desc_t in[2] = {host_tensor(x), TUFF_TENSOR_DESC_INIT};
  const tuff_tensor_desc_t out = host_tensor(y);
  std::vector<unsigned char> saved;
  for (int i = 1; i <= 4; ++i) {
    REQUIRE(tuff_session_run(session, in, 2, &out, 1, nullptr) == TUFF_OK);
    CHECK(y == all(static_cast<float>(i)));
    if (i != 2) continue;
    uint64_t size = 0;
    REQUIRE(tuff_session_save_state(session, nullptr, 0, &size, nullptr) == TUFF_OK);
    saved.resize(size);
    REQUIRE(tuff_session_save_state(session, saved.data(), size, &size, nullptr) == TUFF_OK);
  }
  REQUIRE(tuff_session_load_state(session, saved.data(), saved.size(), nullptr) == TUFF_OK);
  REQUIRE(tuff_session_run(session, in, 2, &out, 1, nullptr) == TUFF_OK);
  CHECK(y == all(3));
  saved[saved.size() / 2] ^= 1;
  CHECK(tuff_session_load_state(session, saved.data(), saved.size(), nullptr) == TUFF_CORRUPT);
  REQUIRE(tuff_session_reset_state(session, nullptr) == TUFF_OK);
  REQUIRE(tuff_session_run(session, in, 2, &out, 1, nullptr) == TUFF_OK);
  CHECK(y == all(1));
}

// t = s + x, y = t * t; or t = (s with its halves exchanged) + x, which needs two buffers.
const char kUpdate[] = R"(graph "update" {
  input %0 "x": f32[64]
  input %1 "s": f32[64]
  %2: f32[64] = map.add %0, %1 from "Add_0"
  %3: f32[64] = map.mul %2, %2 from "Mul_0"
  output %3 "y"
  output %2 "t"
}
)";
const char kExchange[] = R"(graph "exchange" {
  input %0 "x": f32[64]
  input %1 "s": f32[64]
  %2: f32[32] = slice %1 {starts=[0] steps=[1]} from "Slice_0"
  %3: f32[32] = slice %1 {starts=[32] steps=[1]} from "Slice_1"
  %4: f32[64] = concat %3, %2 {axis=0} from "Concat_0"
  %5: f32[64] = map.add %4, %0 from "Add_0"
  %6: f32[64] = map.mul %5, %5 from "Mul_0"
  output %6 "y"
  output %5 "t"
}
)";

TEST_CASE("state that a run can update in place has one buffer, other state two, with the same results") {
  for (const char* text : {kUpdate, kExchange}) {
    CAPTURE(text);
    Fixture f(text);
    std::vector<float> x = all(0), y[2] = {all(0), all(0)};
    for (uint32_t i = 0; i < kCount; ++i) x[i] = static_cast<float>(i);
    uint64_t bytes[2];
    for (int run = 0; run < 4; ++run) {
      for (bool cancellable : {false, true}) {
        tuff_session_t* session = run == 0 ? f.session(1, cancellable) : f.sessions[cancellable];
        if (run == 0) REQUIRE(tuff_session_alias(session, 1, 1, nullptr) == TUFF_OK);
        const tuff_tensor_desc_t in[2] = {host_tensor(x), TUFF_TENSOR_DESC_INIT};
        const tuff_tensor_desc_t out = host_tensor(y[cancellable]);
        REQUIRE(tuff_session_run(session, in, 2, &out, 1, nullptr) == TUFF_OK);
        tuff_session_info_t info = TUFF_SESSION_INFO_INIT;
        REQUIRE(tuff_session_get_info(session, &info, nullptr) == TUFF_OK);
        bytes[cancellable] = info.state_bytes;
      }
      CHECK(y[0] == y[1]);
    }
    CHECK(y[0][1] == (text == kUpdate ? 16.0f : 68.0f * 68.0f));
    CHECK(bytes[0] == (text == kUpdate ? 1 : 2) * kCount * sizeof(float));
    CHECK(bytes[1] == 2 * kCount * sizeof(float));
  }
}

// y[r, c] = -x[r, c], of whose 8 columns the data say how many there are.
const char kSized[] = R"(graph "sized" {
  input %0 "x": f32[8, 8]
  input %1 "n": i32[]
  %2: f32[8, 8] = map.neg %0 from "Neg_0"
  %3: i32[] = map.abs %1 from "Abs_0"
  output %2 "y" axis 1 sized by "y.size"
  output %3 "y.size"
}
)";

TEST_CASE("an output whose size the data decide has that size when it is read, and all there can be in a run's desc") {
  Fixture f(kSized);
  tuff_session_t* session = f.session();
  std::vector<float> x = all(0), most = all(0);
  for (uint32_t i = 0; i < kCount; ++i) x[i] = static_cast<float>(i);
  int32_t n = 0, said = 0;
  tuff_tensor_desc_t in[2] = {host_tensor(x), TUFF_TENSOR_DESC_INIT}, out[2] = {host_tensor(most), TUFF_TENSOR_DESC_INIT};
  in[1].dtype = out[1].dtype = TUFF_I32;
  in[1].size_bytes = out[1].size_bytes = sizeof n;
  in[1].data = &n;
  out[1].data = &said;
  const int64_t square[2] = {8, 8};
  for (tuff_tensor_desc_t* t : {&in[0], &out[0]}) {
    t->shape = square;
    t->rank = 2;
  }
  CHECK(tuff_session_output_shape(session, 0, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);  // nothing has run
  for (int32_t count : {-3, 8, 0, 1}) {
    n = count;
    CAPTURE(count);
    REQUIRE(tuff_session_run(session, in, 2, out, 2, nullptr) == TUFF_OK);
    CHECK(said == std::abs(count));
    CHECK(most[63] == -63);
    int64_t sizes[2] = {};
    uint32_t rank = 0;
    REQUIRE(tuff_session_output_shape(session, 0, sizes, 2, &rank, nullptr) == TUFF_OK);
    CHECK(rank == 2);
    CHECK(sizes[0] == 8);
    REQUIRE(sizes[1] == said);
    // Without a shape, the desc takes the one that there is.
    std::vector<float> y(static_cast<size_t>(8 * said));
    tuff_tensor_desc_t desc = host_tensor(y);
    REQUIRE(tuff_session_read_output(session, 0, &desc, nullptr) == TUFF_OK);
    for (int32_t row = 0; row < 8; ++row)
      for (int32_t column = 0; column < said; ++column)
        CHECK(y[static_cast<size_t>(row * said + column)] == -static_cast<float>(8 * row + column));
    const int64_t other[2] = {8, 5};
    desc.shape = other;
    desc.rank = 2;
    CHECK(tuff_session_read_output(session, 0, &desc, nullptr) == TUFF_INVALID_ARGUMENT);
    CHECK(tuff_session_tensor_shape(session, TUFF_OUTPUT, 0, sizes, 2, &rank, nullptr) == TUFF_OK);
    CHECK(sizes[1] == 8);
  }
  // What a kernel got wrong is no size to copy by.
  n = 9;
  REQUIRE(tuff_session_run(session, in, 2, nullptr, 0, nullptr) == TUFF_OK);
  CHECK(tuff_session_output_shape(session, 0, nullptr, 0, nullptr, nullptr) == TUFF_INTERNAL);
  tuff_tensor_desc_t all_of_it = host_tensor(most);
  all_of_it.shape = square;
  all_of_it.rank = 2;
  CHECK(tuff_session_read_output(session, 0, &all_of_it, nullptr) == TUFF_INTERNAL);
}

TEST_CASE("a size in the host's own memory is the host's to read") {
  Fixture f(kSized);
  tuff_session_t* session = f.session();
  std::vector<float> x = all(1), y = all(0);
  int32_t n = 2;
  tuff_tensor_desc_t in[2] = {host_tensor(x), TUFF_TENSOR_DESC_INIT}, out[2] = {host_tensor(y), TUFF_TENSOR_DESC_INIT};
  const int64_t square[2] = {8, 8};
  in[0].shape = out[0].shape = square;
  in[0].rank = out[0].rank = 2;
  in[1].dtype = TUFF_I32;
  in[1].data = &n;
  in[1].size_bytes = sizeof n;
  tuff_buffer_t* count;
  REQUIRE(tuff_buffer_create(f.device, 16, &count, nullptr) == TUFF_OK);
  out[1] = buffer_tensor(count);
  out[1].dtype = TUFF_I32;
  REQUIRE(tuff_session_run(session, in, 2, out, 2, nullptr) == TUFF_OK);
  CHECK(y[63] == -1);
  CHECK(tuff_session_output_shape(session, 0, nullptr, 0, nullptr, nullptr) == TUFF_INVALID_ARGUMENT);
  int32_t said = 0;
  REQUIRE(tuff_buffer_read(count, 0, &said, sizeof said, nullptr) == TUFF_OK);
  CHECK(said == 2);
  tuff_buffer_release(count);
}

TEST_CASE("a run waits on the host's semaphore and signals it") {
  Fixture f(kShift);
  if (!f.host.has_timelines()) return;
  tuff_session_t* session = f.session();
  VkSemaphore semaphore = f.host.make_timeline();
  std::vector<float> x = all(1), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
  const tuff_semaphore_use_t wait = {reinterpret_cast<uint64_t>(semaphore), 1}, signal = {wait.handle, 2};
  tuff_run_desc_t desc = run_desc(in, out);
  desc.wait_count = desc.signal_count = 1;
  desc.waits = &wait;
  desc.signals = &signal;
  tuff_run_t* run = nullptr;
  REQUIRE(tuff_session_submit(session, &desc, &run, nullptr) == TUFF_OK);
  int32_t finished = 1;
  REQUIRE(tuff_run_wait(run, 20'000'000, &finished, nullptr) == TUFF_OK);
  CHECK(finished == 0);
  CHECK(f.host.timeline_value(semaphore) == 0);
  f.host.signal(semaphore, 1);
  REQUIRE(tuff_run_wait(run, TUFF_WAIT_FOREVER, &finished, nullptr) == TUFF_OK);
  CHECK(finished == 1);
  CHECK(y == all(4));
  CHECK(f.host.reaches(semaphore, 2));
  tuff_run_release(run);
}

TEST_CASE("a cancelled run ends as such, and the session goes on") {
  Fixture f(kShift);
  tuff_session_t* session = f.session(1, true);
  std::vector<float> x = all(1), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
  tuff_run_desc_t desc = run_desc(in, out);
  tuff_run_t* run = nullptr;
  REQUIRE(tuff_session_submit(session, &desc, &run, nullptr) == TUFF_OK);
  REQUIRE(tuff_run_cancel(run, nullptr) == TUFF_OK);
  CHECK(tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_CANCELLED);
  CHECK(y == all(0));
  tuff_run_release(run);
  REQUIRE(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_OK);
  CHECK(y == all(4));
}

TEST_CASE("the commands of a run go into the host's command buffer") {
  Fixture f(kShift);
  tuff_session_t* session = f.session();
  VkBuffer buffers[3];
  for (VkBuffer& buffer : buffers) buffer = f.host.make_buffer(kCount * sizeof(float), tuff_vulkan_buffer_usage(f.device));
  const tuff_tensor_desc_t first = vulkan_tensor(buffers[0]), second = vulkan_tensor(buffers[1]),
                           third = vulkan_tensor(buffers[2]);
  // Something to start from: 1 + 3 in the first buffer.
  std::vector<float> x = all(1), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
  REQUIRE(tuff_session_run(f.session(), &in, 1, &first, 1, nullptr) == TUFF_OK);
  const uint64_t submits = f.host.counts().submits;
  f.host.run([&](VkCommandBuffer commands) {
    for (auto [from, to] : {std::pair(&first, &second), std::pair(&second, &third)}) {
      tuff_record_desc_t desc = TUFF_RECORD_DESC_INIT;
      desc.inputs = from;
      desc.outputs = to;
      desc.input_count = desc.output_count = 1;
      desc.command_buffer = commands;
      tuff_record_info_t info = TUFF_RECORD_INFO_INIT;
      REQUIRE(tuff_session_record(session, &desc, &info, nullptr) == TUFF_OK);
      CHECK(info.clobbers == (TUFF_CLOBBERS_COMPUTE_PIPELINE | TUFF_CLOBBERS_COMPUTE_DESCRIPTOR_SET));
    }
  });
  CHECK(f.host.counts().submits == submits);  // the one was the host's
  REQUIRE(tuff_session_run(f.session(), &third, 1, &out, 1, nullptr) == TUFF_OK);
  CHECK(y == all(13));  // 1 + 4 * 3
}

TEST_CASE("recorded commands go through the session's own tensors where the host gives none, and no cancel reaches them") {
  Fixture f(kShift);
  tuff_session_t* session = f.session(1, true);
  std::vector<float> x = all(2), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
  REQUIRE(tuff_session_prepare(session, nullptr, 0, nullptr) == TUFF_OK);
  REQUIRE(tuff_session_set_input(session, 0, &in, nullptr) == TUFF_OK);
  f.host.run([&](VkCommandBuffer commands) {
    const tuff_tensor_desc_t own = TUFF_TENSOR_DESC_INIT;
    tuff_record_desc_t desc = TUFF_RECORD_DESC_INIT;
    desc.inputs = desc.outputs = &own;
    desc.input_count = desc.output_count = 1;
    desc.command_buffer = commands;
    REQUIRE(tuff_session_record(session, &desc, nullptr, nullptr) == TUFF_OK);
    tuff_run_t* run = nullptr;
    REQUIRE(tuff_session_submit(session, nullptr, &run, nullptr) == TUFF_OK);
    REQUIRE(tuff_run_cancel(run, nullptr) == TUFF_OK);
    CHECK(tuff_run_wait(run, TUFF_WAIT_FOREVER, nullptr, nullptr) == TUFF_CANCELLED);
    tuff_run_release(run);
    REQUIRE(tuff_session_record(session, &desc, nullptr, nullptr) == TUFF_OK);
  });
  REQUIRE(tuff_session_read_output(session, 0, &out, nullptr) == TUFF_OK);
  CHECK(y == all(5));
}

TEST_CASE("with nothing that it would like Tuff still runs") {
  VulkanHost host(TUFF_VULKAN_REQUIRED);
  tuff_device_t* device = host.lend();
  tuff_model_t* model = load(kShift);
  tuff_program_t* program = nullptr;
  tuff_session_t* session = nullptr;
  REQUIRE(tuff_program_create(device, model, nullptr, &program, nullptr) == TUFF_OK);
  REQUIRE(tuff_session_create(program, nullptr, &session, nullptr) == TUFF_OK);
  std::vector<float> x = all(1), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
  REQUIRE(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_OK);
  CHECK(y == all(4));
  tuff_session_release(session);
  tuff_program_release(program);
  tuff_model_release(model);
  tuff_device_release(device);
}

TEST_CASE("a gather out of range takes the nearest element, and reads nothing else") {
  Fixture f(R"(graph "gather" {
  input %0 "x": f32[64]
  input %1 "at": i32[64]
  %2: f32[64] = gather %0, %1 {axis=0} from "Gather_0"
  output %2 "y"
}
)");
  const int32_t far[] = {0,     -1,      63,         64,      -64,        -65,       65,       4096,
                         -4096, 1 << 20, -(1 << 20), 1 << 30, -(1 << 30), INT32_MAX, INT32_MIN};
  std::vector<float> x(kCount), y = all(0);
  std::vector<int32_t> at(kCount, 7);
  for (uint32_t i = 0; i < kCount; ++i) x[i] = static_cast<float>(i);
  std::copy(std::begin(far), std::end(far), at.begin());
  tuff_tensor_desc_t in[2] = {host_tensor(x), TUFF_TENSOR_DESC_INIT};
  in[1].dtype = TUFF_I32;
  in[1].data = at.data();
  in[1].size_bytes = at.size() * sizeof(int32_t);
  const tuff_tensor_desc_t out = host_tensor(y);
  REQUIRE(tuff_session_run(f.session(), in, 2, &out, 1, nullptr) == TUFF_OK);
  for (uint32_t i = 0; i < kCount; ++i) {
    const int64_t counted = at[i] < 0 ? int64_t{at[i]} + kCount : at[i];  // negative ones count from the end
    CHECK(y[i] == x[static_cast<size_t>(std::clamp<int64_t>(counted, 0, kCount - 1))]);
  }
}

TEST_CASE("a device that is lost is told by every call, and lets itself be released") {
  Fixture f(kShift);
  tuff_session_t* session = f.session();
  std::vector<float> x = all(1), y = all(0);
  const tuff_tensor_desc_t in = host_tensor(x), out = host_tensor(y);
  REQUIRE(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_OK);
  f.host.fail("vkQueueSubmit", 0, VK_ERROR_DEVICE_LOST);
  CHECK(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_DEVICE_LOST);
  CHECK(tuff_session_run(session, &in, 1, &out, 1, nullptr) == TUFF_DEVICE_LOST);
}

TEST_CASE("whichever call of the driver's fails, a prepare says so, and a later one succeeds") {
  for (const char* call :
       {"vkAllocateMemory", "vkCreateBuffer", "vkBindBufferMemory", "vkCreateDescriptorPool", "vkAllocateDescriptorSets",
        "vkCreateCommandPool", "vkAllocateCommandBuffers", "vkCreateFence", "vkBeginCommandBuffer", "vkEndCommandBuffer"}) {
    CAPTURE(call);
    Fixture f(kShift);
    tuff_session_t* session = f.session();
    f.host.fail(call, 0, VK_ERROR_OUT_OF_DEVICE_MEMORY, true);
    CHECK(tuff_session_prepare(session, nullptr, 0, nullptr) == TUFF_OUT_OF_MEMORY);
    f.host.stop_failing();
    CHECK(tuff_session_prepare(session, nullptr, 0, nullptr) == TUFF_OK);
  }
}

}  // namespace
