// Sessions with dynamic dimensions: what a run of other sizes is told, and what is left as it was.
#include <doctest/doctest.h>

#include <array>
#include <cstring>

#include "backend/null/null_device.h"
#include "session/session.h"
#include "unit/session/fake_device.h"

namespace tuff {
namespace {

// x: f32[n, 2], which is the output, too, and w: f32[m]; two kernels that bind nothing, of n workgroups and of n - 3. Their
// parameters are n, and 3 * n + m.
std::shared_ptr<Program> sized_program(const std::shared_ptr<Device>& device, TargetKind kind = TargetKind::kDevice) {
  Result<Graph> graph = parse_graph(
      "graph \"g\" {\n  symbol endless in 1..2147483648 step 1\n  symbol m in 1..9 step 1\n  symbol n in 0..64 step 1\n"
      "  input %0 \"x\": f32[n, 2]\n  input %1 \"w\": f32[m]\n  input %2 \"e\": f32[endless]\n  output %0 \"y\"\n}\n",
      "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  auto program = std::make_shared<Program>();
  program->target = {kind, device->info(), kind == TargetKind::kDevice ? device : nullptr};
  if (kind == TargetKind::kDevice) program->pipelines = *device->create_pipelines({std::vector<CompiledKernel>(2)}, {});
  Plan& plan = program->plan;
  plan.graph = std::move(graph).value();
  for (size_t i = 0; i < plan.graph.inputs.size(); ++i) {
    PlanValue value;
    value.value = plan.graph.inputs[i];
    value.buffer = BufferKind::kInput;
    value.index = static_cast<uint32_t>(i);
    value.size_bytes = IntExpr(4) * product(plan.graph.value(value.value).shape);
    plan.values.push_back(value);
    plan.orders.push_back({});
  }
  const IntExpr n = plan.graph.value(plan.graph.inputs[0]).shape[0], m = plan.graph.value(plan.graph.inputs[1]).shape[0];
  for (const auto& [grid, parameter] : {std::pair(n, n), std::pair(n - IntExpr(3), IntExpr(3) * n + m)}) {
    Kernel kernel;
    kernel.name = "k" + std::to_string(plan.kernels.size());
    kernel.origins = {"node"};
    kernel.grid = {grid, IntExpr(1), IntExpr(1)};
    kernel.parameters = {parameter};
    plan.steps.push_back({{{{}, KernelId(plan.kernels.size())}}, {}, {}, {"node"}});
    plan.kernels.push_back(std::move(kernel));
  }
  return program;
}

struct DynamicSession {
  std::shared_ptr<FakeDevice> device;
  std::shared_ptr<Program> program;
  std::unique_ptr<Session> session;

  explicit DynamicSession(bool unified, SessionOptions options = {}) : device(std::make_shared<FakeDevice>(unified)) {
    program = sized_program(device);
    options.dynamic_dimensions = {"n"};
    Result<std::unique_ptr<Session>> made = make_session(program, options);
    REQUIRE_MESSAGE(made.ok(), made.status().message());
    session = std::move(made).value();
  }
  Status prepare(int64_t n, int64_t m = 2) { return session->prepare({{"n", n}, {"m", m}, {"endless", 1}}); }
};

std::vector<std::byte>& bytes_of(const std::shared_ptr<Buffer>& buffer) { return static_cast<FakeBuffer&>(*buffer).bytes; }

// What the recording's kernels are told: the grids' first axes, and each dispatch's first parameter.
std::vector<uint32_t> told(const RecordDesc& desc) {
  std::vector<uint32_t> words;
  for (size_t d = 0; d < desc.plan->dispatches.size(); ++d) {
    uint32_t word;
    std::memcpy(&word, bytes_of(desc.grids).data() + d * kGridBytes, sizeof word);
    words.push_back(word);
    std::memcpy(&word, bytes_of(desc.parameters).data() + desc.plan->dispatches[d].parameter_offset, sizeof word);
    words.push_back(word);
  }
  return words;
}

TensorView pairs_view(const std::vector<float>& data) {
  std::vector<int64_t> shape = {static_cast<int64_t>(data.size() / 2), 2};
  return {Dtype::kF32, shape, dense_byte_strides(Dtype::kF32, shape), reinterpret_cast<const std::byte*>(data.data())};
}

RunId start(Session& session, const std::vector<float>& x) {
  std::vector<TensorView> views = {pairs_view(x), {}, {}};
  RunDesc desc;
  desc.inputs = views;
  Result<RunId> id = session.submit(desc);
  REQUIRE_MESSAGE(id.ok(), id.status().message());
  return *id;
}

void finish(Session& session, RunId id) {
  CHECK(session.wait(id, UINT64_MAX).ok());
  session.release(id);
}

using Words = std::vector<uint32_t>;

TEST_CASE("a run of other sizes is told them, and nothing is recorded, allocated or bound anew") {
  for (const bool unified : {false, true}) {
    CAPTURE(unified);
    DynamicSession f(unified);
    REQUIRE(f.prepare(5).ok());
    REQUIRE(f.device->recorded.size() == 1);
    const RecordDesc desc = f.device->recorded[0];
    CHECK(desc.inputs[0].buffer->size_bytes() == 64 * 8);
    const DeviceCounters before = f.session->counters();
    for (const int64_t n : {5, 64, 0, 1, 3, 4, 61}) {
      CAPTURE(n);
      REQUIRE(f.prepare(n).ok());
      const PreparedInfo& info = *f.session->prepared();
      CHECK(info.symbols.at("n") == n);
      CHECK(info.inputs[0].shape == std::vector<int64_t>{n, 2});
      CHECK(info.outputs[0].shape == std::vector<int64_t>{n, 2});
      CHECK(info.dispatch_count == 2);
      const std::vector<float> x(static_cast<size_t>(2 * n), static_cast<float>(n));
      finish(*f.session, start(*f.session, x));
      CHECK(told(desc) == Words{static_cast<uint32_t>(n), static_cast<uint32_t>(n),
                                static_cast<uint32_t>(std::max<int64_t>(0, n - 3)), static_cast<uint32_t>(3 * n + 2)});
      CHECK(floats_in(*desc.inputs[0].buffer, x.size()) == x);
    }
    const DeviceCounters after = f.session->counters();
    CHECK(after.recordings == before.recordings);
    CHECK(after.allocations == before.allocations);
    CHECK(after.descriptor_writes == before.descriptor_writes);
    CHECK(after.submits == before.submits + 7);
    CHECK(f.prepare(65).code() == Code::kInvalidArgument);
    CHECK(f.session->prepared()->symbols.at("n") == 61);
    // Another size of a dimension that is not dynamic is another shape.
    REQUIRE(f.prepare(61, 3).ok());
    CHECK(f.device->recorded.size() == 2);
    CHECK(run(*f.session).ok());
    CHECK(told(f.device->recorded[1])[3] == 3 * 61 + 3);
    REQUIRE(f.prepare(7).ok());
    CHECK(f.device->recorded.size() == 2);
  }
}

TEST_CASE("a hundred sizes are one recording and its descriptor writes") {
  const std::shared_ptr<Device> device = open_null_device({});
  SessionOptions options;
  options.dynamic_dimensions = {"n"};
  Result<std::unique_ptr<Session>> session = make_session(sized_program(device), options);
  REQUIRE(session.ok());
  DeviceCounters before;
  for (int64_t i = 0; i < 100; ++i) {
    REQUIRE((*session)->prepare({{"n", i * 29 % 65}, {"m", 2}, {"endless", 1}}).ok());
    if (i == 0) before = device->counters();
    REQUIRE(run(**session).ok());
  }
  const DeviceCounters after = device->counters();
  CHECK(before.recordings == 1);
  CHECK(before.descriptor_writes == 2);
  CHECK(after.recordings == 1);
  CHECK(after.descriptor_writes == 2);
  CHECK(after.allocations == before.allocations);
  CHECK(after.pipelines == before.pipelines);
  CHECK(after.submits == 100);
}

TEST_CASE("the inputs' shapes choose the sizes of a kept shape") {
  DynamicSession f(true);
  REQUIRE(f.prepare(5).ok());
  std::vector<float> x(14), w(2), e(1);
  auto view = [](const std::vector<float>& data) {
    const auto size = static_cast<int64_t>(data.size());
    return TensorView{Dtype::kF32, {size}, {4}, reinterpret_cast<const std::byte*>(data.data())};
  };
  std::vector<TensorView> views = {pairs_view(x), view(w), view(e)};
  CHECK(f.session->choose_kept_shape(views));
  CHECK(f.session->prepared()->symbols.at("n") == 7);
  w.resize(3);
  views[1] = view(w);
  CHECK_FALSE(f.session->choose_kept_shape(views));
  w.resize(2);
  x.resize(2 * 65);
  views = {pairs_view(x), view(w), view(e)};
  CHECK_FALSE(f.session->choose_kept_shape(views));
  views[0].shape = {5, 3};
  CHECK_FALSE(f.session->choose_kept_shape(views));
  CHECK(f.session->prepared()->symbols.at("n") == 7);
}

TEST_CASE("runs in flight at the same time have sizes of their own") {
  SessionOptions options;
  options.in_flight_count = 2;
  DynamicSession f(false, options);
  f.device->finishes = false;
  REQUIRE(f.prepare(2).ok());
  REQUIRE(f.device->recorded.size() == 2);
  const RunId two = start(*f.session, std::vector<float>(4, 2));
  REQUIRE(f.prepare(6).ok());
  const RunId six = start(*f.session, std::vector<float>(12, 6));
  REQUIRE(f.prepare(9).ok());
  CHECK(told(f.device->recorded[0]) == Words{2, 2, 0, 8});
  CHECK(told(f.device->recorded[1]) == Words{6, 6, 3, 20});
  f.device->finishes = true;
  for (const auto& [id, n] : {std::pair(two, 2), {six, 6}}) {
    CHECK(f.session->wait(id, UINT64_MAX).ok());
    std::vector<float> y(static_cast<size_t>(2 * n));
    CHECK(f.session->read_output(id, 0, {Dtype::kF32, {n, 2}, {8, 4}, reinterpret_cast<std::byte*>(y.data())}).ok());
    CHECK(f.session->read_output(id, 0, {Dtype::kF32, {9, 2}, {8, 4}, reinterpret_cast<std::byte*>(y.data())}).code() ==
          Code::kInvalidArgument);
    CHECK(*f.session->output_shape(0) == std::vector<int64_t>{n, 2});
    f.session->release(id);
  }
}

TEST_CASE("an input stays while its own shape does; written for other sizes it is asked for again") {
  DynamicSession f(false);
  std::shared_ptr<Program> cpu = sized_program(f.device, TargetKind::kCpu);
  SessionOptions options;
  options.dynamic_dimensions = {"n"};
  Result<std::unique_ptr<Session>> reference = make_session(cpu, options);
  REQUIRE(reference.ok());
  for (Session* session : {f.session.get(), reference->get()}) {
    REQUIRE(session->prepare({{"n", 2}, {"m", 2}, {"endless", 1}}).ok());
    const std::vector<float> x = {1, 2, 3, 4}, w = {5, 6};
    REQUIRE(session->write_input(0, pairs_view(x)).ok());
    REQUIRE(session->write_input(1, {Dtype::kF32, {2}, {4}, reinterpret_cast<const std::byte*>(w.data())}).ok());
    REQUIRE(run(*session).ok());
    REQUIRE(session->prepare({{"n", 3}, {"m", 2}, {"endless", 1}}).ok());
    CHECK(run(*session).message() == "The input 'x' was written last as [2, 2]; it is [3, 2] now and has to be written again.");
    REQUIRE(session->prepare({{"n", 0}, {"m", 2}, {"endless", 1}}).ok());
    CHECK(run(*session).ok());  // there is nothing to write
    REQUIRE(session->prepare({{"n", 2}, {"m", 2}, {"endless", 1}}).ok());
    CHECK(run(*session).ok());
    std::vector<float> y(4);
    CHECK(session->read_output(0, {Dtype::kF32, {2, 2}, {8, 4}, reinterpret_cast<std::byte*>(y.data())}).ok());
    if (session != f.session.get()) CHECK(y == x);
  }
  CHECK(floats_in(*f.device->recorded[0].inputs[1].buffer, 2) == std::vector<float>{5, 6});
}

TEST_CASE("device memory of the caller's has room for the largest sizes") {
  DynamicSession f(true);
  REQUIRE(f.session->choose_shape({{"n", 2}, {"m", 2}, {"endless", 1}}).ok());
  IoBinding binding;
  binding.inputs = {BufferSlice(std::make_shared<FakeBuffer>(64 * 8, false)), {}, {}};
  binding.outputs = {BufferSlice(std::make_shared<FakeBuffer>(64 * 8 - 4, false))};
  CHECK(f.session->record(&binding).code() == Code::kInvalidArgument);
  REQUIRE(f.session->choose_shape({{"n", 2}, {"m", 2}, {"endless", 1}}).ok());
  binding.outputs[0] = BufferSlice(std::make_shared<FakeBuffer>(64 * 8, false));
  CHECK(f.session->record(&binding).ok());
}

TEST_CASE("a cancel clears the grids of sessions that were made for it alone") {
  for (const bool cancellable : {false, true}) {
    SessionOptions options;
    options.cancellable = cancellable;
    DynamicSession f(true, options);
    f.device->finishes = false;
    REQUIRE(f.prepare(5).ok());
    const RunId id = start(*f.session, std::vector<float>(10));
    REQUIRE(f.session->cancel(id).ok());
    CHECK((told(f.device->recorded[0])[0] == 0) == cancellable);
    f.device->finishes = true;
    CHECK(f.session->wait(id, UINT64_MAX).status().code() == Code::kCancelled);
    f.session->release(id);
    CHECK(run(*f.session).ok());
    CHECK(told(f.device->recorded[0]) == Words{5, 5, 2, 17});
  }
}

TEST_CASE("limited submits stay split by what is predicted for the largest sizes") {
  SessionOptions options;
  options.submit_time_limit_ns = 16'000;
  DynamicSession f(true, options);
  f.program->target.info.rates.launch_ns = 1000;
  REQUIRE(f.prepare(0).ok());
  CHECK(f.session->prepared()->submit_count == 2);
  f.device->times_ns = {1, 1};
  for (const int64_t n : {0, 64}) {
    REQUIRE(f.prepare(n).ok());
    finish(*f.session, start(*f.session, std::vector<float>(static_cast<size_t>(2 * n))));
  }
  CHECK(f.device->recorded.size() == 1);
  CHECK_FALSE(f.device->recorded[0].timestamps);
  CHECK(f.session->prepared()->submit_count == 2);
}

TEST_CASE("a profile is of the current sizes") {
  SessionOptions options;
  options.submit_time_limit_ns = 16'000;
  DynamicSession f(true, options);
  f.program->target.info.rates.launch_ns = 1000;
  for (Kernel& kernel : f.program->plan.kernels) kernel.bytes_read = IntExpr(8) * kernel.grid[0];
  REQUIRE(f.prepare(10).ok());
  f.device->times_ns = {7, 8};
  Result<Profile> profile = f.session->profile({0, 1, false});
  REQUIRE_MESSAGE(profile.ok(), profile.status().message());
  REQUIRE(profile->steps.size() == 2);
  CHECK(profile->steps[1].work.bytes_read == 8 * 7);
  CHECK(f.device->recorded.back().splits == std::vector<uint32_t>{1});
  CHECK(f.device->recorded.back().grids == nullptr);
  REQUIRE(f.prepare(2).ok());
  f.device->times_ns = {7};
  profile = f.session->profile({0, 1, false});
  REQUIRE_MESSAGE(profile.ok(), profile.status().message());
  REQUIRE(profile->steps.size() == 1);
  CHECK(profile->steps[0].work.bytes_read == 8 * 2);
  CHECK(f.device->recorded.back().splits.empty());
  REQUIRE(f.prepare(0).ok());
  CHECK(f.session->profile({0, 1, false}).status().code() == Code::kUnsupported);
}

TEST_CASE("what cannot be dynamic is refused, and so are commands in a host's command buffer") {
  auto device = std::make_shared<FakeDevice>(true);
  for (const TargetKind kind : {TargetKind::kDevice, TargetKind::kCpu}) {
    SessionOptions options;
    options.dynamic_dimensions = {"k"};
    CHECK(make_session(sized_program(device, kind), options).status().message() == "The model has no dimension 'k'.");
    options.dynamic_dimensions = {"n", "endless"};
    CHECK(make_session(sized_program(device, kind), options).status().code() == Code::kInvalidArgument);
  }
  DynamicSession f(true);
  REQUIRE(f.prepare(3).ok());
  CHECK(f.session->record_into(1, nullptr).code() == Code::kUnsupported);
  CHECK(f.device->recorded.size() == 1);
}

TEST_CASE("memory is that of the largest sizes, and is refused before anything is allocated") {
  SessionOptions options;
  options.memory_limit_bytes = 64 * 8;
  DynamicSession f(true, options);
  CHECK(f.prepare(1).code() == Code::kOutOfMemory);
  CHECK(f.session->counters().allocations == 0);
  for (const uint32_t in_flight_count : {1u, 2u}) {
    options.memory_limit_bytes = 0;
    options.in_flight_count = in_flight_count;
    DynamicSession g(false, options);
    REQUIRE(g.prepare(1).ok());
    // Two parameter blocks, each at an aligned offset; three inputs and the output; all on both sides. Grids on one.
    const BoundPlan& bound = *g.session->bound_plan();
    const uint64_t staged = bound.parameters.size() * 4 + 64 * 8 + 16 + 16 + 64 * 8;
    CHECK(g.session->prepared()->buffer_bytes == in_flight_count * (2 * staged + 2 * kGridBytes));
  }
}

}  // namespace
}  // namespace tuff
