// A session over a device of the test's own, which copies and counts but computes nothing.
#include <doctest/doctest.h>

#include <cstring>

#include "session/session.h"
#include "unit/session/fake_device.h"

namespace tuff {
namespace {

// input x: f32[n, 2] -> output y of the same shape, no kernels: what the session does around them is what is tested.
std::shared_ptr<const Program> copy_program(std::shared_ptr<FakeDevice> device) {
  Result<Graph> graph = parse_graph(
      "graph \"g\" {\n  symbol n in 1..64 step 1\n  input %0 \"x\": f32[n, 2]\n"
      "  output %0 \"y\"\n}\n",
      "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  auto program = std::make_shared<Program>();
  program->target.kind = TargetKind::kDevice;
  program->target.info = device->info();
  program->target.device = device;
  program->plan.graph = std::move(graph).value();
  PlanValue value;
  value.value = program->plan.graph.inputs[0];
  value.buffer = BufferKind::kInput;
  value.size_bytes = IntExpr(8) * program->plan.graph.value(value.value).shape[0];
  program->plan.values.push_back(value);
  program->plan.orders.assign(program->plan.graph.values.size(), {0, 1});
  return program;
}

TensorView view_of(const std::vector<float>& data) {
  std::vector<int64_t> shape = {static_cast<int64_t>(data.size() / 2), 2};
  return {Dtype::kF32, shape, dense_byte_strides(Dtype::kF32, shape), reinterpret_cast<const std::byte*>(data.data())};
}

struct Fixture {
  std::shared_ptr<FakeDevice> device;
  std::unique_ptr<Session> session;

  explicit Fixture(bool unified, SessionOptions options = {}) : device(std::make_shared<FakeDevice>(unified)) {
    Result<std::unique_ptr<Session>> made = make_session(copy_program(device), options);
    REQUIRE(made.ok());
    session = std::move(made).value();
  }
};

TEST_CASE("runs of a prepared shape allocate, record and write descriptors never, and submit once") {
  for (bool unified : {false, true}) {
    CAPTURE(unified);
    Fixture f(unified);
    REQUIRE(f.session->prepare({{"n", 3}}).ok());
    DeviceCounters before = f.session->counters();
    std::vector<float> in = {1, 2, 3, 4, 5, 6}, out(6);
    for (int run = 0; run < 5; ++run) {
      REQUIRE(f.session->write_input(0, view_of(in)).ok());
      REQUIRE(f.session->submit().ok());
      Result<bool> ended = f.session->wait(UINT64_MAX);
      REQUIRE(ended.ok());
      CHECK(*ended);
    }
    DeviceCounters after = f.session->counters();
    CHECK(after.submits == before.submits + 5);
    CHECK(after.allocations == before.allocations);
    CHECK(after.recordings == before.recordings);
    CHECK(after.descriptor_writes == before.descriptor_writes);
  }
}

TEST_CASE("inputs reach the device's buffer, through staging where memory is not unified") {
  for (bool unified : {false, true}) {
    CAPTURE(unified);
    Fixture f(unified);
    REQUIRE(f.session->prepare({{"n", 2}}).ok());
    std::vector<float> in = {1, 2, 3, 4};
    REQUIRE(f.session->write_input(0, view_of(in)).ok());
    REQUIRE(f.session->submit().ok());
    REQUIRE(f.session->wait(UINT64_MAX).ok());
    REQUIRE(f.device->recorded.size() == 1);
    const RecordDesc& desc = f.device->recorded[0];
    CHECK(desc.copies_before.size() == (unified ? 0 : 1));
    CHECK(desc.copies_after.size() == (unified ? 0 : 1));
    CHECK(std::memcmp(static_cast<FakeBuffer&>(*desc.inputs[0]).bytes.data(), in.data(), 16) == 0);
  }
}

TEST_CASE("outputs are read back after a run, and not before one") {
  Fixture f(false);
  REQUIRE(f.session->prepare({{"n", 2}}).ok());
  std::vector<float> out(4);
  MutableTensorView view{Dtype::kF32, {2, 2}, {8, 4}, reinterpret_cast<std::byte*>(out.data())};
  CHECK(f.session->read_output(0, view).code() == Code::kInvalidArgument);
  REQUIRE(f.session->submit().ok());
  CHECK(f.session->read_output(0, view).code() == Code::kBusy);
  REQUIRE(f.session->wait(UINT64_MAX).ok());
  std::vector<float> made = {9, 8, 7, 6};
  const RecordDesc& desc = f.device->recorded[0];
  std::memcpy(desc.copies_after[0].dst->mapped(), made.data(), 16);
  REQUIRE(f.session->read_output(0, view).ok());
  CHECK(out == made);
}

TEST_CASE("the last prepared shapes are kept, the least recently used goes first") {
  SessionOptions options;
  options.prepared_shape_count = 2;
  Fixture f(true, options);
  REQUIRE(f.session->prepare({{"n", 1}}).ok());
  REQUIRE(f.session->prepare({{"n", 2}}).ok());
  REQUIRE(f.session->prepare({{"n", 1}}).ok());
  CHECK(f.device->recorded.size() == 2);
  REQUIRE(f.session->prepare({{"n", 3}}).ok());  // drops 2
  CHECK(f.device->recorded.size() == 3);
  REQUIRE(f.session->prepare({{"n", 1}}).ok());
  CHECK(f.device->recorded.size() == 3);
  REQUIRE(f.session->prepare({{"n", 2}}).ok());
  CHECK(f.device->recorded.size() == 4);
  CHECK(f.session->prepared()->inputs[0].shape == std::vector<int64_t>{2, 2});
}

TEST_CASE("a run in flight makes the session busy") {
  Fixture f(true);
  f.device->finishes = false;
  REQUIRE(f.session->prepare({{"n", 1}}).ok());
  REQUIRE(f.session->submit().ok());
  CHECK(f.session->submit().code() == Code::kBusy);
  std::vector<float> in = {1, 2};
  CHECK(f.session->write_input(0, view_of(in)).code() == Code::kBusy);
  CHECK(f.session->prepare({{"n", 2}}).code() == Code::kBusy);
  Result<bool> ended = f.session->wait(0);
  REQUIRE(ended.ok());
  CHECK_FALSE(*ended);
  f.device->finishes = true;
  ended = f.session->wait(0);
  REQUIRE(ended.ok());
  CHECK(*ended);
  CHECK(f.session->submit().ok());
  CHECK(f.session->wait(0).ok());
}

TEST_CASE("a failed allocation leaves the session usable") {
  for (int failing = 0; failing < 4; ++failing) {
    CAPTURE(failing);
    Fixture f(false);
    f.device->allocations_until_failure = failing;
    Status status = f.session->prepare({{"n", 2}});
    CHECK(status.code() == Code::kOutOfMemory);
    CHECK(f.session->prepared() == nullptr);
    f.device->allocations_until_failure = -1;
    CHECK(f.session->prepare({{"n", 2}}).ok());
    CHECK(f.session->submit().ok());
    CHECK(f.session->wait(UINT64_MAX).ok());
  }
}

TEST_CASE("a lost device is told, and the session can be let go") {
  Fixture f(true);
  REQUIRE(f.session->prepare({{"n", 1}}).ok());
  REQUIRE(f.session->submit().ok());
  f.device->lost = true;
  CHECK(f.session->wait(UINT64_MAX).status().code() == Code::kDeviceLost);
  std::vector<float> out(2);
  MutableTensorView view{Dtype::kF32, {1, 2}, {8, 4}, reinterpret_cast<std::byte*>(out.data())};
  CHECK(f.session->read_output(0, view).code() == Code::kInvalidArgument);
}

TEST_CASE("a shape beyond the session's memory limit is refused before anything is allocated") {
  SessionOptions options;
  options.memory_limit_bytes = 100;
  Fixture f(true, options);
  CHECK(f.session->prepare({{"n", 4}}).ok());
  uint64_t allocations = f.session->counters().allocations;
  CHECK(f.session->prepare({{"n", 64}}).code() == Code::kOutOfMemory);
  CHECK(f.session->counters().allocations == allocations);
}

TEST_CASE("tensors of another dtype or shape are refused with the input's name") {
  Fixture f(true);
  REQUIRE(f.session->prepare({{"n", 2}}).ok());
  std::vector<float> in = {1, 2, 3, 4};
  TensorView view = view_of(in);
  view.dtype = Dtype::kI32;
  Status status = f.session->write_input(0, view);
  CHECK(status.message() == "The input 'x' is f32, the tensor is i32.");
  view.dtype = Dtype::kF32;
  view.shape = {4, 1};
  CHECK(f.session->write_input(0, view).message() == "The input 'x' is [2, 2], the tensor is [4, 1].");
  CHECK(f.session->write_input(1, view).code() == Code::kInvalidArgument);
}

}  // namespace
}  // namespace tuff
