// How a profile comes by the times of a session's dispatches.
#include "session/profile.h"

#include <doctest/doctest.h>

#include <functional>

#include "backend/null/null_device.h"
#include "session/session.h"
#include "unit/session/fake_device.h"

namespace tuff {
namespace {

using Samples = std::vector<uint64_t>;

TEST_CASE("medians are samples, sums are of one run each") {
  CHECK(median({}) == 0);
  CHECK(median({7}) == 7);
  CHECK(median({9, 1}) == 1);
  CHECK(median({5, 100, 1}) == 5);
  CHECK(median({4, 3, 2, 1}) == 2);
  Profile profile;
  profile.run_times_ns = {50, 60, 70};
  profile.steps.resize(2);
  profile.steps[0].times_ns = {1, 20, 3};
  profile.steps[1].times_ns = {10, 2, 30};
  CHECK(sums_ns(profile) == Samples{11, 22, 33});
}

// Input x: f32[n, 2], which is the output, too, and two kernels that bind nothing.
std::shared_ptr<Program> program_of_two(std::shared_ptr<Device> device) {
  Result<Graph> graph =
      parse_graph("graph \"g\" {\n  symbol n in 0..64 step 1\n  input %0 \"x\": f32[n, 2]\n  output %0 \"y\"\n}\n", "test");
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  auto program = std::make_shared<Program>();
  program->target = {TargetKind::kDevice, device->info(), device};
  Plan& plan = program->plan;
  plan.graph = std::move(graph).value();
  const IntExpr n = plan.graph.value(plan.graph.inputs[0]).shape[0];
  PlanValue value;
  value.value = plan.graph.inputs[0];
  value.buffer = BufferKind::kInput;
  value.size_bytes = IntExpr(8) * n;
  plan.values.push_back(value);
  plan.orders.assign(plan.graph.values.size(), {0, 1});
  for (uint32_t k : {0, 1}) {
    Kernel kernel;
    kernel.name = "k" + std::to_string(k);
    kernel.origins = {"node"};
    kernel.grid = {n, IntExpr(1), IntExpr(1)};
    kernel.bytes_read = IntExpr(100) * n;
    plan.kernels.push_back(kernel);
    Step step;
    step.variants.push_back({{}, KernelId(k)});
    step.origins = {"node"};
    plan.steps.push_back(step);
  }
  CompiledKernels kernels;
  kernels.kernels.resize(2);
  Result<std::shared_ptr<Pipelines>> pipelines = device->create_pipelines(kernels, {});
  REQUIRE(pipelines.ok());
  program->pipelines = *pipelines;
  return program;
}

std::unique_ptr<Session> session_of_two(std::shared_ptr<Device> device, int64_t n = 3) {
  Result<std::unique_ptr<Session>> made = make_session(program_of_two(device), {});
  REQUIRE(made.ok());
  CHECK((*made)->profile({}).status().code() == Code::kInvalidArgument);  // not prepared
  REQUIRE((*made)->prepare({{"n", n}}).ok());
  return std::move(made).value();
}

TEST_CASE("a device's timestamps are taken from recordings of the profile's own") {
  auto device = std::make_shared<FakeDevice>(true);
  std::unique_ptr<Session> session = session_of_two(device);
  device->times_ns = {30, 40};
  Result<Profile> profile = session->profile({.warmup_count = 2, .run_count = 3});
  REQUIRE_MESSAGE(profile.ok(), profile.status().message());
  CHECK_FALSE(profile->host_clock);
  CHECK(profile->run_times_ns.size() == 3);
  REQUIRE(profile->steps.size() == 2);
  CHECK(profile->steps[1].times_ns == Samples{40, 40, 40});
  CHECK(profile->steps[1].kernel == KernelId(1));
  CHECK(profile->steps[1].step == StepId(1));
  CHECK(profile->steps[1].work.bytes_read == 300);
  CHECK(session->counters().submits == 5);
  REQUIRE(device->recorded.size() == 2);
  CHECK_FALSE(device->recorded[0].timestamps);
  CHECK(device->recorded[1].timestamps);
  // The session's own recording goes on, untimed.
  for (int i = 0; i < 2; ++i) CHECK(run(*session).ok());
  CHECK(device->recorded.size() == 2);
  CHECK(session->dispatch_times_ns()->empty());
}

TEST_CASE("without timestamps each dispatch is a submit that the host times") {
  auto device = std::make_shared<FakeDevice>(false);
  std::unique_ptr<Session> session = session_of_two(device);
  for (bool asked : {false, true}) {
    CAPTURE(asked);
    if (asked) device->times_ns = {30, 40};
    const uint64_t before = session->counters().submits;
    Result<Profile> profile = session->profile({.warmup_count = 1, .run_count = 4, .host_clock = asked});
    REQUIRE_MESSAGE(profile.ok(), profile.status().message());
    CHECK(profile->host_clock);
    CHECK(profile->run_times_ns.size() == 4);
    for (const StepProfile& step : profile->steps) CHECK(step.times_ns.size() == 4);
    for (size_t i = 0; i < 4; ++i) CHECK(sums_ns(*profile)[i] <= profile->run_times_ns[i]);
    // Copies in, two dispatches, copies out; and a run that showed that there is no clock.
    CHECK(session->counters().submits - before == 5 * 4 + (asked ? 0 : 1));
  }
}

TEST_CASE("the null device, whose clock stands still or is not there, is profiled as well") {
  for (bool host_clock : {false, true}) {
    std::unique_ptr<Session> session = session_of_two(open_null_device({}));
    Result<Profile> profile = session->profile({.warmup_count = 0, .run_count = 2, .host_clock = host_clock});
    REQUIRE_MESSAGE(profile.ok(), profile.status().message());
    CHECK(profile->host_clock == host_clock);
    if (!host_clock) CHECK(sums_ns(*profile) == Samples{0, 0});
  }
}

TEST_CASE("what cannot be profiled is refused, and a failure leaves the session as it was") {
  auto device = std::make_shared<FakeDevice>(true);
  std::unique_ptr<Session> session = session_of_two(device);
  CHECK(session->profile({.run_count = 0}).status().code() == Code::kInvalidArgument);
  Result<RunId> id = session->submit({});
  REQUIRE(id.ok());
  CHECK(session->profile({}).status().code() == Code::kBusy);
  CHECK(*session->wait(*id, UINT64_MAX));
  session->release(*id);
  CHECK(session->profile({}).ok());
  device->lost = true;
  CHECK(session->profile({}).status().code() == Code::kDeviceLost);
  device->lost = false;
  CHECK(run(*session).ok());

  REQUIRE(session->prepare({{"n", 0}}).ok());  // no workgroups
  CHECK(session->profile({}).status().code() == Code::kUnsupported);
}

}  // namespace
}  // namespace tuff
