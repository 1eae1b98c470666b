// What tuning wrote is what a plan has: schedules by their keys, and rates; whatever a text says, a schedule that is taken fits
// the device.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compile/stages.h"
#include "unit/device_text.h"

namespace tuff {
namespace {

// A convolution, a product of few or many rows, and attention.
constexpr std::string_view kNetwork = R"(graph "g" {
  symbol n in 1..512 step 1
  input %0 "x": f32[1, 16, 14, 14]
  input %1 "rows": f32[n, 256]
  input %2 "w": f32[256, 64]
  input %3 "q": f32[4, n, 32]
  input %4 "k": f32[4, n, 32]
  input %5 "v": f32[4, n, 32]
  %6: f32[32, 16, 3, 3] = constant random(seed=1, scale=0.1) from "conv"
  %7: f32[1, 32, 12, 12] = window.conv %0, %6 {kernel=[3, 3] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "conv"
  %8: f32[n, 64] = contract %1, %2 {a=[0, 1] b=[1, 2] out=[0, 2]} from "product"
  %9: f32[4, n, n] = contract %3, %4 {a=[0, 1, 3] b=[0, 2, 3] out=[0, 1, 2]} from "scores"
  %10: f32[4, n, 1] = reduce.max %9 {axes=[2]} from "softmax"
  %11: f32[4, n, n] = broadcast %10 from "softmax"
  %12: f32[4, n, n] = map.sub %9, %11 from "softmax"
  %13: f32[4, n, n] = map.exp %12 from "softmax"
  %14: f32[4, n, 1] = reduce.sum %13 {axes=[2]} from "softmax"
  %15: f32[4, n, n] = broadcast %14 from "softmax"
  %16: f32[4, n, n] = map.div %13, %15 from "softmax"
  %17: f32[4, n, 32] = contract %16, %5 {a=[0, 1, 2] b=[0, 2, 4] out=[0, 1, 4]} from "weighted"
  output %7 "image"
  output %8 "product"
  output %17 "attended"
}
)";

Graph network() {
  auto parsed = parse_graph(std::string(kNetwork), "test");
  REQUIRE_MESSAGE(parsed.ok(), parsed.status().message());
  return std::move(*parsed);
}

Stages stages_with(const DeviceInfo& device, const Observations& observations, Stage last = Stage::kPlan, bool exact = false) {
  CompileOptions options;
  options.exact = exact;
  options.observations = observations;
  auto stages = run_stages(network(), device, options, last);
  REQUIRE_MESSAGE(stages.ok(), stages.status().message());
  return std::move(*stages);
}

std::map<std::string, const Kernel*> by_key(const Plan& plan) {
  std::map<std::string, const Kernel*> kernels;
  for (const Kernel& kernel : plan.kernels)
    if (!kernel.tuning.key.empty()) kernels[kernel.tuning.key] = &kernel;
  return kernels;
}

std::string text_of(const DeviceInfo& device, const Observations& observations, Stage stage) {
  CompileOptions options;
  options.observations = observations;
  auto text = print_stage(network(), device, options, {stage, TextFormat::kText, {}});
  REQUIRE_MESSAGE(text.ok(), text.status().message());
  return *text;
}

void check_fits(const Kernel& kernel, const DeviceInfo& device) {
  CAPTURE(kernel.name);
  CAPTURE(kernel.schedule);
  CHECK(kernel.shared_bytes <= device.max_shared_bytes);
  for (size_t axis = 0; axis < 3; ++axis) CHECK(kernel.workgroup[axis] <= device.max_workgroup_size[axis]);
  CHECK(int64_t{kernel.workgroup[0]} * kernel.workgroup[1] * kernel.workgroup[2] <= device.max_workgroup_invocations);
}

}  // namespace

TEST_CASE("kernels of products and of attention say which schedules are next to theirs") {
  const Stages stages = stages_with(device_text("rx_6900"), {});
  std::vector<std::string> skeletons;
  for (const auto& [key, kernel] : by_key(stages.plan)) {
    skeletons.push_back(kernel->skeleton);
    CHECK(key.find(kernel->skeleton + " f32 ") == 0);
    CHECK(!kernel->tuning.alternatives.empty());
    CHECK(kernel->tuning.source == KernelTuning::Source::kPredicted);
    CHECK(schedule_text(*kernel) == kernel->schedule);
    const auto& texts = kernel->tuning.alternatives;
    CHECK(std::find(texts.begin(), texts.end(), kernel->schedule) == texts.end());
  }
  CHECK(skeletons == std::vector<std::string>{"attend", "contract", "contract", "gemv"});
}

TEST_CASE("an observed schedule is taken, and the same text gives the same plan") {
  for (const char* name : {"rx_6900", "lavapipe_8", "adreno_740", "raspberry_pi_5"}) {
    CAPTURE(name);
    const DeviceInfo device = device_text(name);
    const Stages predicted = stages_with(device, {});
    Observations observed;
    for (const auto& [key, kernel] : by_key(predicted.plan)) {
      REQUIRE(!kernel->tuning.alternatives.empty());
      observed.schedules[key] = kernel->tuning.alternatives.back();
    }
    auto read = parse_observations(print(observed), "test");
    REQUIRE(read.ok());
    const Stages tuned = stages_with(device, *read);
    const std::map<std::string, const Kernel*> kernels = by_key(tuned.plan);
    CHECK(kernels.size() == observed.schedules.size());
    for (const auto& [key, schedule] : observed.schedules) {
      REQUIRE(kernels.count(key));
      const Kernel& kernel = *kernels.at(key);
      CHECK(kernel.schedule == schedule);
      CHECK(kernel.tuning.source == KernelTuning::Source::kObserved);
      CHECK(schedule_text(kernel) == schedule + ", tuned");
      check_fits(kernel, device);
    }
    CHECK(print(tuned.plan) == print(stages_with(device, observed).plan));
    CHECK(text_of(device, observed, Stage::kKernels) == text_of(device, *read, Stage::kKernels));
    CHECK(text_of(device, observed, Stage::kKernels) != text_of(device, {}, Stage::kKernels));
  }
}

// Tuning goes from schedule to schedule: wherever that leads, each fits, and those that are tried here compile.
TEST_CASE("every schedule that is offered compiles and fits the device") {
  for (const char* name : {"rx_6900", "lavapipe_8"})
    for (const bool exact : {false, true}) {
      CAPTURE(name);
      const DeviceInfo device = device_text(name);
      Observations observed;
      for (size_t step = 0; step < 24; ++step) {
        const Stages stages = stages_with(device, observed, step % 8 == 3 ? Stage::kSpirv : Stage::kPlan, exact);
        for (const auto& [key, kernel] : by_key(stages.plan)) {
          check_fits(*kernel, device);
          CHECK(kernel->tuning.source == (step ? KernelTuning::Source::kObserved : KernelTuning::Source::kPredicted));
          const auto& texts = kernel->tuning.alternatives;
          REQUIRE(!texts.empty());
          observed.schedules[key] = texts[step * 7 % texts.size()];
        }
      }
    }
}

TEST_CASE("a schedule that does not fit is refused with a word") {
  const DeviceInfo device = device_text("rx_6900");
  const Stages predicted = stages_with(device, {});
  const std::map<std::string, const Kernel*> kernels = by_key(predicted.plan);
  for (const char* wrong : {
           "",
           "fast",
           "tile 8x8",
           "tile 8x8 of 4, invocations 0x16, 4 k a step",
           "tile 8x8 of 0, invocations 4x16, 4 k a step",
           "tile 7x8 of 4, invocations 4x16, 4 k a step",
           "tile 8x8 of 4, invocations 4x16, 3 k a step",
           "tile 8x8 of 4, invocations 64x64, 4 k a step",
           "tile 8x8 of 8, invocations 4x16, 4 k a step",
           "tile 16x32 of 4, invocations 4x16, 4 k a step",
           "tile 8x8 of 4, invocations 1x64, 4 k a step, exchanged",
           "tile 08x8 of 4, invocations 4x16, 4 k a step",
           "tile 8x8 of 4, invocations 4x16, 4 k a step, tuned",
           "tile 1048576x1048576 of 1, invocations 1048576x1048576, 4 k a step",
           "tile 99999999999999999999x8 of 4, invocations 4x16, 4 k a step",
           "2 chunks of 128 over 3 invocations",
           "2 chunks of 128 over 1048576 invocations",
           "3 chunks of 128 over 2 invocations",
           "64 queries, 32 columns each, 0 keys at a time",
           "0 queries, 32 columns each, 8 keys at a time",
           "64 queries, 32 columns each, 8 keys at a time, over 1024 invocations",
           "64 queries, 64 columns each, 8 keys at a time",
           "64 queries, 32 columns each, 8 keys at a time, two walks",
       }) {
    CAPTURE(wrong);
    Observations observed;
    for (const auto& [key, kernel] : kernels) observed.schedules[key] = wrong;
    const Stages stages = stages_with(device, observed);
    for (const auto& [key, kernel] : by_key(stages.plan)) {
      CHECK(kernel->schedule == kernels.at(key)->schedule);
      CHECK(kernel->source == kernels.at(key)->source);
      CHECK(kernel->tuning.source == KernelTuning::Source::kRefused);
      CHECK(schedule_text(*kernel).find(", not the observed '" + std::string(wrong) + "', which does not fit") !=
            std::string::npos);
    }
  }
}

// What takes a product's or attention's registers gets smaller; nothing of a product of few rows does.
TEST_CASE("a predicted schedule that spills gives way to a smaller one, by the text alone") {
  for (const char* name : {"rx_6900", "lavapipe_8", "adreno_740", "raspberry_pi_5"}) {
    CAPTURE(name);
    const DeviceInfo device = device_text(name);
    const Stages predicted = stages_with(device, {});
    Observations observed;
    for (const auto& [key, kernel] : by_key(predicted.plan)) observed.compiled[{key, kernel->schedule}].spills = 12;
    auto read = parse_observations(print(observed), "test");
    REQUIRE(read.ok());
    const Stages smaller = stages_with(device, *read, Stage::kSpirv);
    size_t changed = 0;
    for (const auto& [key, kernel] : by_key(smaller.plan)) {
      const std::string was = by_key(predicted.plan).at(key)->schedule;
      CHECK(kernel->tuning.source == KernelTuning::Source::kPredicted);
      CHECK(kernel->tuning.spilled == was);
      check_fits(*kernel, device);
      if (kernel->schedule == was) {
        CHECK(schedule_text(*kernel).find(", which spills 12 on this driver, observed; no smaller") != std::string::npos);
        continue;
      }
      ++changed;
      CHECK(kernel->skeleton != "gemv");
      CHECK(kernel->tuning.alternatives.front() == was);
      CHECK(schedule_text(*kernel) ==
            kernel->schedule + ", not the predicted '" + was + "', which spills 12 on this driver, observed");
    }
    CHECK(changed != 0);
    CHECK(print(smaller.plan) == print(stages_with(device, observed).plan));
    // The device's other facts do not matter: one that reports nothing plans the same by the same text.
    DeviceInfo other = device;
    other.pipeline_executable_properties = !device.pipeline_executable_properties;
    other.driver_version += " of another day";
    CHECK(text_of(other, observed, Stage::kKernels) == text_of(device, *read, Stage::kKernels));
  }
}

TEST_CASE("what is known not to spill, or to be faster, stays") {
  const DeviceInfo device = device_text("rx_6900");
  const Stages predicted = stages_with(device, {});
  Observations fits, faster, elsewhere;
  for (const auto& [key, kernel] : by_key(predicted.plan)) {
    fits.compiled[{key, kernel->schedule}].spills = 0;
    fits.compiled[{key, kernel->schedule}].registers = 250;
    for (const std::string& other : kernel->tuning.alternatives) fits.compiled[{key, other}].spills = 4;
    faster.compiled[{key, kernel->schedule}].spills = 12;
    faster.schedules[key] = kernel->schedule;
    elsewhere.compiled[{key + " of another network", kernel->schedule}].spills = 12;
  }
  CHECK(print(stages_with(device, fits).plan) == print(predicted.plan));
  CHECK(print(stages_with(device, elsewhere).plan) == print(predicted.plan));
  const Stages timed = stages_with(device, faster);
  for (const auto& [key, kernel] : by_key(timed.plan)) {
    CHECK(kernel->schedule == by_key(predicted.plan).at(key)->schedule);
    CHECK(schedule_text(*kernel) == kernel->schedule + ", tuned");
  }
}

// As tuning does: whatever is planned turns out to spill, until nothing smaller is left.
TEST_CASE("where the smaller ones spill, too, smaller ones yet are taken, and in the end the predicted one") {
  const DeviceInfo device = device_text("rx_6900");
  const Stages predicted = stages_with(device, {});
  Observations observed;
  size_t steps = 0;
  for (bool is_news = true; is_news; ++steps) {
    REQUIRE(steps < 200);
    is_news = false;
    const Stages stages = stages_with(device, observed);
    for (const auto& [key, kernel] : by_key(stages.plan)) {
      check_fits(*kernel, device);
      std::optional<int64_t>& spills = observed.compiled[{key, kernel->schedule}].spills;
      if (!spills) is_news = true;
      spills = 1;
    }
  }
  CHECK(steps > 4);
  const Stages last = stages_with(device, observed);
  for (const auto& [key, kernel] : by_key(last.plan)) CHECK(kernel->schedule == by_key(predicted.plan).at(key)->schedule);
  const std::string text = text_of(device, observed, Stage::kExplain);
  CHECK(text.find("  [spills] attend_") != std::string::npos);
  CHECK(text.find("which spills 1 on this driver, observed; no smaller one fits that does not\n") != std::string::npos);
}

TEST_CASE("what came of the schedules is explained") {
  const DeviceInfo device = device_text("rx_6900");
  const Stages predicted = stages_with(device, {});
  CHECK(text_of(device, {}, Stage::kExplain).find("observed") == std::string::npos);
  Observations observed;
  observed.schedules["contract f32 of another network"] = "tile 1x1";
  bool first = true;
  for (const auto& [key, kernel] : by_key(predicted.plan)) {
    observed.schedules[key] = first ? "nonsense" : kernel->tuning.alternatives.front();
    first = false;
  }
  const std::string text = text_of(device, observed, Stage::kExplain);
  CHECK(text.find("\nSchedules that were observed:\n") != std::string::npos);
  CHECK(text.find("  [refused] attend_") != std::string::npos);
  CHECK(text.find("not the observed 'nonsense', which does not fit") != std::string::npos);
  CHECK(text.find("  [tuned] contract_conv (contract f32 ") != std::string::npos);
  CHECK(text.find("  1 of 5 are of kernels that there are not here\n") != std::string::npos);
  Observations spilled;
  for (const auto& [key, kernel] : by_key(predicted.plan)) spilled.compiled[{key, kernel->schedule}].spills = 7;
  CHECK(text_of(device, spilled, Stage::kExplain).find("  [smaller] contract_conv (contract f32 ") != std::string::npos);
  CHECK(text_of(device, spilled, Stage::kExplain).find("which spills 7 on this driver, observed\n") != std::string::npos);
}

TEST_CASE("the stages plan at the rates that were measured") {
  DeviceInfo device = device_text("rx_6900");
  Observations observed;
  observed.rates = {{"compute_units", 2}, {"registers_per_lane", 64}};
  const std::string measured = print(stages_with(device, observed).plan);
  CHECK(measured != print(stages_with(device, {}).plan));
  device.rates.compute_units = 2;
  device.rates.registers_per_lane = 64;
  CHECK(measured == print(stages_with(device, {}).plan));
}

}  // namespace tuff
