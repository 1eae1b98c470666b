// A session over a device of the test's own, which copies and counts but computes nothing.
#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <functional>

#include "session/session.h"
#include "unit/session/fake_device.h"

namespace tuff {
namespace {

// input x: f32[n, 2] -> output y of the same shape, no kernels: what the session does around them is what is tested.
std::shared_ptr<Program> copy_program(std::shared_ptr<FakeDevice> device) {
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

  explicit Fixture(bool unified, SessionOptions options = {}, const std::function<void(Program&)>& change = {})
      : device(std::make_shared<FakeDevice>(unified)) {
    std::shared_ptr<Program> program = copy_program(device);
    if (change) change(*program);
    Result<std::unique_ptr<Session>> made = make_session(program, options);
    REQUIRE(made.ok());
    session = std::move(made).value();
  }
};

RunId submit(Fixture& f) {
  Result<RunId> id = f.session->submit({});
  REQUIRE_MESSAGE(id.ok(), id.status().message());
  return *id;
}

float first_float(Buffer& buffer) {
  float v;
  std::memcpy(&v, static_cast<FakeBuffer&>(buffer).bytes.data(), sizeof v);
  return v;
}

// A kernel of n workgroups, which binds nothing.
void add_dispatch(Program& program) {
  Kernel kernel;
  kernel.name = "k";
  kernel.origins = {"node"};
  kernel.grid = {program.plan.graph.value(program.plan.graph.inputs[0]).shape[0], IntExpr(1), IntExpr(1)};
  program.plan.kernels.push_back(kernel);
  Step step;
  step.variants.push_back({{}, KernelId(0)});
  step.origins = {"node"};
  program.plan.steps.push_back(step);
}

Graph constant_graph() {
  Result<Graph> graph = parse_graph("graph \"g\" {\n  input %0 \"x\": f32[2, 2]\n  output %0 \"y\"\n}\n", "test");
  REQUIRE(graph.ok());
  return std::move(graph).value();
}

TEST_CASE("runs of a prepared shape allocate, record and write descriptors never, and submit once") {
  for (bool unified : {false, true}) {
    CAPTURE(unified);
    Fixture f(unified);
    REQUIRE(f.session->prepare({{"n", 3}}).ok());
    DeviceCounters before = f.session->counters();
    std::vector<float> in = {1, 2, 3, 4, 5, 6}, out(6);
    for (int i = 0; i < 5; ++i) {
      REQUIRE(f.session->write_input(0, view_of(in)).ok());
      REQUIRE(run(*f.session).ok());
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
    REQUIRE(run(*f.session).ok());
    REQUIRE(f.device->recorded.size() == 1);
    const RecordDesc& desc = f.device->recorded[0];
    CHECK(desc.copies_before.size() == (unified ? 0 : 1));
    CHECK(desc.copies_after.size() == (unified ? 0 : 1));
    CHECK(floats_in(*desc.inputs[0].buffer, 4) == in);
  }
}

TEST_CASE("outputs are read back after a run, and not before one") {
  Fixture f(false);
  REQUIRE(f.session->prepare({{"n", 2}}).ok());
  std::vector<float> out(4);
  MutableTensorView view{Dtype::kF32, {2, 2}, {8, 4}, reinterpret_cast<std::byte*>(out.data())};
  CHECK(f.session->read_output(0, view).code() == Code::kInvalidArgument);
  const RunId id = submit(f);
  CHECK(f.session->read_output(0, view).code() == Code::kBusy);
  REQUIRE(f.session->wait(id, UINT64_MAX).ok());
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
  const RunId id = submit(f);
  CHECK(f.session->submit({}).status().code() == Code::kBusy);
  std::vector<float> in = {1, 2};
  CHECK(f.session->write_input(0, view_of(in)).code() == Code::kBusy);
  Result<bool> ended = f.session->wait(id, 0);
  REQUIRE(ended.ok());
  CHECK_FALSE(*ended);
  f.device->finishes = true;
  ended = f.session->wait(id, 0);
  REQUIRE(ended.ok());
  CHECK(*ended);
  CHECK(f.session->submit({}).status().code() == Code::kBusy);  // its outputs are still to be read
  f.session->release(id);
  CHECK(run(*f.session).ok());
}

TEST_CASE("another shape may be prepared while a run is in flight, but not in its place") {
  SessionOptions options;
  options.prepared_shape_count = 1;
  Fixture f(true, options);
  f.device->finishes = false;
  REQUIRE(f.session->prepare({{"n", 1}}).ok());
  const RunId id = submit(f);
  CHECK(f.session->prepare({{"n", 2}}).code() == Code::kBusy);
  f.session->release(id);
  CHECK(f.session->prepare({{"n", 2}}).code() == Code::kBusy);
  f.device->finishes = true;
  CHECK(f.session->prepare({{"n", 2}}).ok());
}

TEST_CASE("runs in flight have inputs and outputs of their own, and share the rest") {
  SessionOptions options;
  options.in_flight_count = 3;
  Fixture f(true, options);
  f.device->finishes = false;
  REQUIRE(f.session->prepare({{"n", 1}}).ok());
  REQUIRE(f.device->recorded.size() == 3);
  DeviceCounters before = f.session->counters();
  std::vector<RunId> runs;
  for (float x : {1.f, 2.f, 3.f}) {
    std::vector<float> in = {x, -x};
    TensorView view = view_of(in);
    RunDesc desc;
    desc.inputs = {&view, 1};
    Result<RunId> id = f.session->submit(desc);
    REQUIRE(id.ok());
    runs.push_back(*id);
  }
  CHECK(f.session->submit({}).status().code() == Code::kBusy);
  for (size_t i = 0; i < 3; ++i) CHECK(first_float(*f.device->recorded[i].inputs[0].buffer) == static_cast<float>(i + 1));
  f.device->finishes = true;
  for (RunId id : runs) {
    CHECK(f.session->wait(id, UINT64_MAX).ok());
    f.session->release(id);
  }
  // What was written last stays, in whichever slot the next run is.
  for (int i = 0; i < 3; ++i) {
    submit(f);
    CHECK(first_float(*f.device->recorded[static_cast<size_t>(i)].inputs[0].buffer) == 3);
  }
  CHECK(f.session->counters().recordings == before.recordings);
  CHECK(f.session->counters().allocations == before.allocations);
}

TEST_CASE("registered bindings are recorded once; others for a run each") {
  Fixture f(false);
  REQUIRE(f.session->choose_shape({{"n", 2}}).ok());
  CHECK(f.device->recorded.empty());
  IoBinding ring[2];
  for (IoBinding& binding : ring) {
    binding.inputs = {BufferSlice(std::make_shared<FakeBuffer>(1024, false), 512)};
    binding.outputs = {BufferSlice(std::make_shared<FakeBuffer>(64, false))};
    REQUIRE(f.session->record(&binding).ok());
  }
  CHECK(f.device->recorded.size() == 2);
  CHECK(f.device->recorded[1].copies_before.empty());
  CHECK(f.device->recorded[1].inputs[0] == ring[1].inputs[0]);
  for (int i = 0; i < 4; ++i) {
    RunDesc desc;
    desc.binding = &ring[i % 2];
    Result<RunId> id = f.session->submit(desc);
    REQUIRE(id.ok());
    REQUIRE(f.session->wait(*id, UINT64_MAX).ok());
    std::vector<float> out(4);
    MutableTensorView view{Dtype::kF32, {2, 2}, {8, 4}, reinterpret_cast<std::byte*>(out.data())};
    CHECK(f.session->read_output(*id, 0, view).code() == Code::kInvalidArgument);  // it is in the caller's buffer
    f.session->release(*id);
  }
  CHECK(f.device->recorded.size() == 2);
  CHECK(run(*f.session).ok());  // the session's own
  CHECK(f.device->recorded.size() == 3);
  IoBinding small = ring[0];
  small.inputs[0] = BufferSlice(std::make_shared<FakeBuffer>(15, false));
  CHECK(f.session->record(&small).code() == Code::kInvalidArgument);
  small.inputs[0] = BufferSlice(std::make_shared<FakeBuffer>(64, false), 4);
  CHECK(f.session->record(&small).message().find("needs a multiple of") != std::string::npos);
  REQUIRE(f.session->forget_bindings().ok());
  CHECK(f.session->record(&ring[0]).ok());
  CHECK(f.device->recorded.size() == 4);
}

TEST_CASE("a cancelled run ends as such, and its grids are zero until the next one") {
  SessionOptions options;
  options.cancellable = true;
  Fixture f(true, options, [](Program& program) { add_dispatch(program); });
  f.device->finishes = false;
  REQUIRE(f.session->prepare({{"n", 3}}).ok());
  Buffer& grids = *f.device->recorded[0].grids;
  auto words = [&] {
    std::array<uint32_t, 3> grid;
    std::memcpy(grid.data(), grids.mapped(), sizeof grid);
    return grid;
  };
  const std::array<uint32_t, 3> planned = {3, 1, 1}, none = {0, 0, 0};
  CHECK(words() == planned);
  const RunId id = submit(f);
  REQUIRE(f.session->cancel(id).ok());
  CHECK(words() == none);
  Result<bool> ended = f.session->wait(id, 0);
  REQUIRE(ended.ok());
  CHECK_FALSE(*ended);
  f.device->finishes = true;
  CHECK(f.session->wait(id, UINT64_MAX).status().code() == Code::kCancelled);
  f.session->release(id);
  CHECK(run(*f.session).ok());
  CHECK(words() == planned);
}

// Six dispatches of 1 us each, by the fake device's rates.
void add_six_dispatches(Program& program) {
  for (int i = 0; i < 6; ++i) add_dispatch(program);
  program.target.info.rates.launch_ns = 1000;
}

using Splits = std::vector<uint32_t>;
constexpr uint64_t kMillisecond = 1'000'000;

TEST_CASE("without a limit a run is one submit, however long it is") {
  Fixture f(true, {}, add_six_dispatches);
  REQUIRE(f.session->prepare({{"n", 3}}).ok());
  CHECK(f.session->prepared()->submit_count == 1);
  f.device->times_ns.assign(6, 1000 * kMillisecond);
  for (int i = 0; i < 3; ++i) CHECK(run(*f.session).ok());
  CHECK(f.session->counters().submits == 3);
  CHECK(f.device->recorded.size() == 1);
  CHECK(f.device->recorded[0].splits == Splits{});
  CHECK_FALSE(f.device->recorded[0].timestamps);
  CHECK(f.device->messages.empty());
}

TEST_CASE("a shape is split by predicted times, with a margin, until its first run has been timed") {
  SessionOptions options;
  options.submit_time_limit_ns = 32'000;
  Fixture f(true, options, add_six_dispatches);
  REQUIRE(f.session->prepare({{"n", 3}}).ok());
  REQUIRE(f.device->recorded.size() == 1);
  CHECK(f.device->recorded[0].splits == Splits{2, 4});  // 2 us, a sixteenth of the limit
  CHECK(f.device->recorded[0].timestamps);
  CHECK(f.session->prepared()->submit_count == 3);

  f.device->times_ns = {10'000, 10'000, 12'000, 1, 40'000'000, 5};
  CHECK(run(*f.session).ok());
  CHECK(f.session->counters().submits == 3);
  CHECK(f.session->prepared()->submit_count == 4);  // of the next run
  CHECK(f.device->messages ==
        std::vector<std::string>{"2 A run takes 40 ms on 'fake': it is 4 submits from now on, of at most 0 ms.",
                                 "1 The kernel 'k' takes 40 ms on 'fake', more than the 0 ms that a submit may take; it cannot "
                                 "be split."});
  // From here on nothing changes: the times of one run count.
  f.device->times_ns.assign(6, 1);
  for (int i = 0; i < 3; ++i) CHECK(run(*f.session).ok());
  REQUIRE(f.device->recorded.size() == 2);
  CHECK(f.device->recorded[1].splits == Splits{3, 4, 5});
  CHECK_FALSE(f.device->recorded[1].timestamps);
  CHECK(f.session->counters().submits == 3 + 3 * 4);
  CHECK(f.session->prepared()->submit_count == 4);
  CHECK(f.device->messages.size() == 2);
}

TEST_CASE("what is within the limit becomes one submit; a prepare before the second run records it ahead") {
  SessionOptions options;
  options.submit_time_limit_ns = 16'000;
  options.timestamps = true;
  Fixture f(true, options, add_six_dispatches);
  REQUIRE(f.session->prepare({{"n", 3}}).ok());
  CHECK(f.session->prepared()->submit_count == 6);
  f.device->times_ns.assign(6, 1000);
  CHECK(run(*f.session).ok());
  CHECK(f.session->prepared()->submit_count == 1);
  REQUIRE(f.session->prepare({{"n", 3}}).ok());
  CHECK(f.device->recorded.size() == 2);
  CHECK(run(*f.session).ok());
  REQUIRE(f.device->recorded.size() == 2);
  CHECK(f.device->recorded[1].timestamps);
  CHECK(f.session->counters().submits == 6 + 1);
}

TEST_CASE("a device without a clock keeps the predicted times") {
  SessionOptions options;
  options.submit_time_limit_ns = 32'000;
  Fixture f(true, options, add_six_dispatches);
  REQUIRE(f.session->prepare({{"n", 3}}).ok());
  for (int i = 0; i < 3; ++i) CHECK(run(*f.session).ok());
  CHECK(f.device->recorded.size() == 1);
  CHECK(f.session->prepared()->submit_count == 3);
}

TEST_CASE("runs in flight and registered buffers are each recorded once more, and a cancelled run is not timed") {
  SessionOptions options;
  options.submit_time_limit_ns = 16'000;
  options.in_flight_count = 2;
  Fixture f(true, options, add_six_dispatches);
  IoBinding bound;
  bound.inputs = {BufferSlice(std::make_shared<FakeBuffer>(64, false))};
  bound.outputs = {BufferSlice(std::make_shared<FakeBuffer>(64, false))};
  REQUIRE(f.session->prepare({{"n", 3}}).ok());
  REQUIRE(f.session->record(&bound).ok());
  CHECK(f.device->recorded.size() == 4);
  f.device->times_ns.assign(6, 8000);
  const RunId cancelled = submit(f);
  REQUIRE(f.session->cancel(cancelled).ok());
  CHECK(f.session->wait(cancelled, UINT64_MAX).status().code() == Code::kCancelled);
  CHECK(f.session->prepared()->submit_count == 6);
  f.session->release(cancelled);

  const RunId first = submit(f), second = submit(f);
  CHECK(f.session->wait(first, UINT64_MAX).ok());
  CHECK(f.session->prepared()->submit_count == 3);
  f.session->release(first);
  const RunId third = submit(f);  // while the second one has what was recorded first
  CHECK(f.device->recorded.size() == 6);
  for (RunId id : {second, third}) {
    CHECK(f.session->wait(id, UINT64_MAX).ok());
    f.session->release(id);
  }
  for (int i = 0; i < 2; ++i) {
    RunDesc desc;
    desc.binding = &bound;
    Result<RunId> id = f.session->submit(desc);
    REQUIRE(id.ok());
    CHECK(f.session->wait(*id, UINT64_MAX).ok());
    f.session->release(*id);
  }
  CHECK(f.device->recorded.size() == 8);
  CHECK(f.session->counters().submits == 3 * 6 + 3 * 3);
}

TEST_CASE("state goes from one of its two buffers to the other, and back") {
  Fixture f(true, {}, [](Program& program) { program.plan.graph = constant_graph(); });
  REQUIRE(f.session->alias(0, 0).ok());
  REQUIRE(f.session->prepare({}).ok());
  CHECK(f.session->alias(0, 0).code() == Code::kInvalidArgument);  // too late
  REQUIRE(f.device->recorded.size() == 2);
  const RecordDesc &first = f.device->recorded[0], &second = f.device->recorded[1];
  CHECK(first.inputs[0] == second.outputs[0]);
  CHECK(first.outputs[0] == second.inputs[0]);
  CHECK_FALSE(first.inputs[0] == first.outputs[0]);
  CHECK(first_float(*first.inputs[0].buffer) == 0);

  // A run is a write of its output buffer here.
  const float one = 1;
  std::memcpy(first.outputs[0].buffer->mapped(), &one, sizeof one);
  REQUIRE(run(*f.session).ok());
  Result<std::vector<std::byte>> saved = f.session->save_state();
  REQUIRE(saved.ok());
  const float two = 2;
  std::memcpy(second.outputs[0].buffer->mapped(), &two, sizeof two);
  REQUIRE(run(*f.session).ok());
  CHECK(first_float(*first.inputs[0].buffer) == 2);  // what the third run reads
  REQUIRE(f.session->load_state(*saved).ok());
  CHECK(first_float(*first.inputs[0].buffer) == 1);
  REQUIRE(f.session->reset_state().ok());
  CHECK(first_float(*first.inputs[0].buffer) == 0);

  // A cancelled run counts for nothing.
  const RunId id = submit(f);
  REQUIRE(f.session->cancel(id).ok());
  CHECK(f.session->wait(id, UINT64_MAX).status().code() == Code::kCancelled);
  f.session->release(id);
  REQUIRE(f.session->load_state(*saved).ok());
  CHECK(first_float(*first.inputs[0].buffer) == 1);

  std::vector<float> data(4);
  TensorView view = view_of(data);
  CHECK(f.session->write_input(0, view).code() == Code::kInvalidArgument);
  for (size_t cut = 0; cut < saved->size(); ++cut) {
    CAPTURE(cut);
    CHECK_FALSE(f.session->load_state(std::span(*saved).first(cut)).ok());
  }
  for (size_t at = 0; at < saved->size(); ++at) {
    std::vector<std::byte> flipped = *saved;
    flipped[at] ^= std::byte{1};
    CAPTURE(at);
    CHECK_FALSE(f.session->load_state(flipped).ok());
  }
  CHECK(first_float(*first.inputs[0].buffer) == 1);
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
    CHECK(run(*f.session).ok());
  }
}

TEST_CASE("a lost device is told, and the session can be let go") {
  Fixture f(true);
  REQUIRE(f.session->prepare({{"n", 1}}).ok());
  const RunId id = submit(f);
  f.device->lost = true;
  CHECK(f.session->wait(id, UINT64_MAX).status().code() == Code::kDeviceLost);
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
