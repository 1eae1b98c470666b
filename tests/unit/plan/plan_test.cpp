// Plans made for a described device: each barrier matters, each hazard has one, and the arena shares bytes only in time.
#include <doctest/doctest.h>

#include <random>

#include "plan/arena.h"
#include "plan/hazards.h"
#include "plan/in_place.h"
#include "unit/plan/plan_of.h"

namespace tuff {
namespace {

// Two convolutions into one concat, then a third; the second reads what the first made.
const std::string kConcat =
    "  input %0 \"x\": f32[1, 8, 12, 12]\n"
    "  %1: f32[8, 8, 1, 1] = constant random(seed=1, scale=0.5) from \"w\"\n"
    "  %2: f32[1, 8, 12, 12] = window.conv %0, %1 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "
    "\"a\"\n"
    "  %3: f32[1, 8, 12, 12] = window.conv %2, %1 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "
    "\"b\"\n"
    "  %4: f32[1, 16, 12, 12] = concat %2, %3 {axis=1} from \"c\"\n"
    "  %5: f32[8, 16, 1, 1] = constant random(seed=2, scale=0.5) from \"v\"\n"
    "  %6: f32[1, 8, 12, 12] = window.conv %4, %5 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1 order=serial} from "
    "\"d\"\n"
    "  output %6 \"y\"\n";
// A softmax, unfused: five kernels.
const std::string kSoftmax =
    "  input %0 \"x\": f32[64, 100]\n"
    "  %1: f32[64, 1] = reduce.max %0 {axes=[1]} from \"softmax\"\n"
    "  %2: f32[64, 100] = broadcast %1 from \"softmax\"\n"
    "  %3: f32[64, 100] = map.sub %0, %2 from \"softmax\"\n"
    "  %4: f32[64, 100] = map.exp %3 from \"softmax\"\n"
    "  %5: f32[64, 1] = reduce.sum %4 {axes=[1] order=tree} from \"softmax\"\n"
    "  %6: f32[64, 100] = broadcast %5 from \"softmax\"\n"
    "  %7: f32[64, 100] = map.div %4, %6 from \"softmax\"\n"
    "  output %7 \"y\"\n";
// Products in a row, long enough for the arena to use bytes again.
const std::string kProducts =
    "  input %0 \"x\": f32[32, 64]\n"
    "  %1: f32[64, 64] = constant random(seed=1, scale=0.5) from \"w\"\n"
    "  %2: f32[32, 64] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"a\"\n"
    "  %3: f32[32, 64] = contract %2, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"b\"\n"
    "  %4: f32[32, 64] = contract %3, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"c\"\n"
    "  %5: f32[32, 64] = contract %4, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"d\"\n"
    "  output %5 \"y\"\n";

// A window that steps over positions reads none of them; what something else reads, too, is read whole.
TEST_CASE("a kernel reads what its window's taps meet") {
  const DeviceInfo device;
  const std::string conv = R"(
    input %0 "x": f32[2, 8, 9, 10]
    %1: f32[4, 8, 1, 1] = constant random(seed=1, scale=0.5) from "w"
    %2: f32[2, 4, 5, 5] = window.conv %0, %1 {kernel=[1, 1] strides=[2, 2] dilations=[1, 1] groups=1 order=serial} from "c"
    output %2 "y"
  )";
  CHECK(plan_of(conv, device, true).kernels.back().bytes_read.is(4 * (2 * 8 * 5 * 5 + 4 * 8)));
  const std::string pool = R"(
    input %0 "x": f32[1, 4, 9, 10]
    %1: f32[1, 4, 3, 4] = window.max %0 {kernel=[2, 1] strides=[3, 3] dilations=[1, 1] groups=1} from "p"
    output %1 "y"
  )";
  CHECK(plan_of(pool, device, true).kernels.back().bytes_read.is(4 * 4 * 6 * 4));
  const std::string overlapping = R"(
    input %0 "x": f32[1, 4, 9, 10]
    %1: f32[1, 4, 4, 4] = window.max %0 {kernel=[3, 3] strides=[2, 2] dilations=[1, 1] groups=1} from "p"
    output %1 "y"
  )";
  CHECK(plan_of(overlapping, device, true).kernels.back().bytes_read.is(4 * 4 * 9 * 10));
  const std::string twice = R"(
    input %0 "x": f32[1, 4, 4, 4]
    %1: f32[1, 4, 4, 4] = window.max %0 {kernel=[1, 1] strides=[1, 1] dilations=[1, 1] groups=1} from "p"
    %2: f32[1, 4, 4, 4] = map.add %1, %0 from "a"
    output %2 "y"
  )";
  CHECK(plan_of(twice, device, true).kernels.back().bytes_read.is(4 * 4 * 4 * 4));
}

}  // namespace

TEST_CASE("the verifier objects to each barrier that is dropped and to each that parts nothing") {
  DeviceInfo device;
  device.max_storage_buffers = 8;
  device.rates = default_rates(device);
  for (const auto& c : {std::pair{kConcat, true}, {kSoftmax, false}, {kProducts, true}}) {
    INFO(c.first);
    Plan plan = plan_of(c.first, device, c.second);
    auto bound = bind(plan, {}, device);
    REQUIRE_MESSAGE(bound.ok(), bound.status().message());
    Status valid = verify(plan, *bound, device);
    CHECK_MESSAGE(valid.ok(), valid.message());
    CHECK(bound->barrier_count >= 2);
    for (size_t d = 0; d < bound->dispatches.size(); ++d) {
      BoundPlan changed = *bound;
      CAPTURE(d);
      const bool had = changed.dispatches[d].barrier_before;
      changed.dispatches[d].barrier_before = !had;
      // Taking one away leaves a hazard; adding one parts nothing.
      CHECK(!verify(plan, changed, device).ok());
    }
  }
}

TEST_CASE("pieces of one concat are written without a barrier between them") {
  BoundRange whole{BufferKind::kArena, 0, 0, 1024, Access::kWrite, ValueId(3)};
  BoundRange other = whole;
  BoundDispatch first, second;
  first.ranges = {whole};
  second.ranges = {other};
  CHECK(!hazard_between(first, second));
  second.ranges[0].value = ValueId(4);
  CHECK(hazard_between(first, second));
  second.ranges[0].offset = 1024;
  CHECK(!hazard_between(first, second));
  second.ranges[0] = whole;
  second.ranges[0].access = Access::kRead;
  CHECK(hazard_between(first, second));
}

TEST_CASE("kernels whose workgroups share results have scratch of their own, and count in words of their own") {
  DeviceInfo device;
  device.max_storage_buffers = 8;
  device.rates = default_rates(device);
  Plan plan = plan_of(kProducts, device, true);
  for (Kernel& kernel : plan.kernels) kernel.partial_bytes = IntExpr(5000), kernel.counter_count = IntExpr(7);
  auto bound = bind(plan, {}, device);
  REQUIRE_MESSAGE(bound.ok(), bound.status().message());
  const Status valid = verify(plan, *bound, device);
  CHECK_MESSAGE(valid.ok(), valid.message());
  REQUIRE(bound->dispatches.size() >= 2);
  CHECK(bound->counter_bytes >= 28 * bound->dispatches.size());
  auto is_refused = [&](auto change) {
    BoundPlan changed = *bound;
    change(changed, changed.dispatches[1].ranges);
    return !verify(plan, changed, device).ok();
  };
  using Ranges = std::vector<BoundRange>;
  CHECK(!is_refused([](BoundPlan&, Ranges&) {}));
  CHECK(is_refused([](BoundPlan& b, Ranges& r) { r.back().offset = b.dispatches[0].ranges.back().offset; }));
  CHECK(is_refused([](BoundPlan&, Ranges& r) { r.pop_back(); }));
  CHECK(is_refused([](BoundPlan&, Ranges& r) { std::swap(r[r.size() - 1], r[r.size() - 2]); }));
  CHECK(is_refused([](BoundPlan&, Ranges& r) { r.back().access = Access::kRead; }));
  CHECK(is_refused([](BoundPlan& b, Ranges&) { b.counter_bytes -= 4; }));
  CHECK(is_refused([](BoundPlan&, Ranges& r) {
    for (const BoundRange& value : r)
      if (value.buffer == BufferKind::kArena && value.value.valid()) r[r.size() - 2].offset = value.offset;
  }));
}

TEST_CASE("bind refuses sizes outside their range and what the device cannot hold") {
  DeviceInfo device;
  device.rates = default_rates(device);
  const std::string body =
      "  symbol n in 1..1000000000 step 1\n"
      "  input %0 \"x\": f32[n]\n"
      "  %1: f32[n] = map.exp %0 from \"exp\"\n"
      "  output %1 \"y\"\n";
  Plan plan = plan_of(body, device, true);
  CHECK(bind(plan, {}, device).status().code() == Code::kInvalidArgument);
  CHECK(bind(plan, {{"n", 0}}, device).status().code() == Code::kInvalidArgument);
  CHECK(bind(plan, {{"n", 1000000000}}, device).status().code() == Code::kLimit);
  for (int64_t n : {1, 2, 3, 4, 63, 64, 257}) {
    auto bound = bind(plan, {{"n", n}}, device);
    REQUIRE(bound.ok());
    Status valid = verify(plan, *bound, device);
    CHECK_MESSAGE(valid.ok(), valid.message());
    // Four neighbours an invocation where four divide the size.
    CHECK((plan.steps[0].variants[0].kernel == bound->dispatches[0].kernel) == (n % 4 == 0));
  }
}

TEST_CASE("the arena never gives bytes to two values at once") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<ArenaValue> values(1 + random() % 40);
    uint64_t sum = 0;
    for (ArenaValue& v : values) {
      v.size_bytes = 1 + random() % 5000;
      v.first = random() % 30;
      v.last = v.first + random() % 10;
      sum += (v.size_bytes + 255) / 256 * 256;
    }
    const uint64_t arena = place_in_arena(values, 256);
    CHECK(arena <= sum);
    for (const ArenaValue& a : values) {
      CHECK(a.offset % 256 == 0);
      CHECK(a.offset + a.size_bytes <= arena);
      for (const ArenaValue& b : values) {
        bool together = &a != &b && a.first <= b.last && b.first <= a.last;
        if (together) CHECK((a.offset + a.size_bytes <= b.offset || b.offset + b.size_bytes <= a.offset));
      }
    }
  }
}

// Can output 0 be written over input 0, here and as the verifier sees it?
bool updates_in_place(const std::string& body, bool fuse_groups = true) {
  DeviceInfo device;
  device.max_storage_buffers = 8;
  device.rates = default_rates(device);
  const Plan plan = plan_of(body, device, fuse_groups);
  const bool can = can_be_in_place(plan, {0, 0});
  auto bound = bind(plan, {}, device, {{0, 0}});
  REQUIRE(bound.ok());
  CHECK(verify(plan, *bound, device).ok() == can);
  return can;
}

TEST_CASE("state is updated in place where each element is read before it is written") {
  const std::string inputs = "  input %0 \"s\": f32[8, 8]\n  input %1 \"x\": f32[8, 8]\n";
  CHECK(updates_in_place(inputs + "  %2: f32[8, 8] = map.add %0, %1 from \"Add\"\n  output %2 \"t\"\n"));
  // Another element of it is needed, too.
  CHECK_FALSE(updates_in_place(inputs + "  %2: f32[8, 8] = transpose %0 {perm=[1, 0]} from \"Transpose\"\n"
                                        "  %3: f32[8, 8] = map.add %0, %2 from \"Add\"\n  output %3 \"t\"\n"));
  // What reads all of it has run before, or has not.
  const std::string product = "  %2: f32[8, 8] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"MatMul\"\n";
  const std::string shift = "  %3: f32[8, 8] = contract %2, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"MatMul_1\"\n";
  CHECK(updates_in_place(inputs + product + shift + "  output %3 \"t\"\n"));
  CHECK_FALSE(updates_in_place(inputs + product + "  output %2 \"t\"\n"));
  CHECK_FALSE(updates_in_place(inputs + "  %2: f32[8, 8] = map.exp %1 from \"Exp\"\n" +
                               "  %3: f32[8, 8] = contract %0, %2 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from "
                               "\"MatMul\"\n  output %2 \"t\"\n  output %3 \"y\"\n"));
  // Elements that share a word belong to several invocations.
  CHECK_FALSE(updates_in_place(
      "  input %0 \"s\": u8[9]\n  input %1 \"x\": u8[9]\n  %2: u8[9] = map.add %0, %1 from \"Add\"\n  output %2 \"t\"\n"));
  // Of another shape, the input itself, and pieces of a concat that another kernel writes.
  CHECK_FALSE(updates_in_place("  input %0 \"s\": f32[8]\n  %1: f32[4, 2] = reshape %0 from \"Reshape\"\n  output %1 \"t\"\n"));
}

TEST_CASE("kernels around state in place are kept apart by barriers") {
  DeviceInfo device;
  device.max_storage_buffers = 8;
  device.rates = default_rates(device);
  // y reads s, t = exp(x) is written over it: no hazard but for that.
  const Plan plan = plan_of(
      "  input %0 \"s\": f32[8, 8]\n  input %1 \"x\": f32[8, 8]\n"
      "  %2: f32[8, 8] = contract %0, %1 {a=[0, 1] b=[1, 2] out=[0, 2] order=serial} from \"MatMul\"\n"
      "  %3: f32[8, 8] = map.exp %1 from \"Exp\"\n"
      "  output %3 \"t\"\n  output %2 \"y\"\n",
      device, false);
  REQUIRE(can_be_in_place(plan, {0, 0}));
  auto apart = bind(plan, {}, device);
  auto in_place = bind(plan, {}, device, {{0, 0}});
  REQUIRE((apart.ok() && in_place.ok()));
  CHECK(apart->barrier_count == 0);
  CHECK(in_place->barrier_count == 1);
  CHECK(verify(plan, *in_place, device).ok());
}

// What was there and what is new along the axis, and what reads both.
Plan growing_plan(const std::string& shape, int axis, bool fuse_groups, bool swapped = false) {
  DeviceInfo device;
  device.max_storage_buffers = 8;
  device.rates = default_rates(device);
  auto with = [&](const std::string& size) {
    std::string text = shape;
    return text.replace(text.find('n'), 1, size);
  };
  return plan_of("  symbol new in 1..4 step 1\n  symbol past in 0..32 step 1\n  input %0 \"s\": f32" + with("past") +
                     "\n  input %1 \"x\": f32" + with("new") + "\n  %2: f32" + with("new") + " = map.exp %1 from \"Exp\"\n" +
                     "  %3: f32" + with("new + past") + " = concat " + (swapped ? "%2, %0" : "%0, %2") +
                     " {axis=" + std::to_string(axis) + "} from \"Concat\"\n  %4: f32" + with("new + past") +
                     " = map.neg %3 from \"Neg\"\n  output %3 \"t\"\n  output %4 \"y\"\n",
                 device, fuse_groups);
}

TEST_CASE("state grows in place along its outermost axis, and what was there is not copied") {
  DeviceInfo device;
  device.max_storage_buffers = 8;
  device.rates = default_rates(device);
  const InPlace state{0, 0, true};
  for (const auto& c : {std::pair("[n, 2, 3]", 0), {"[1, n, 3]", 1}, {"[1, 1, n]", 2}}) {
    CAPTURE(c.first);
    const Plan plan = growing_plan(c.first, c.second, false);
    REQUIRE(can_be_in_place(plan, state));
    auto apart = bind(plan, {}, device, {}, {"new", "past"});
    auto in_place = bind(plan, {}, device, {state}, {"new", "past"});
    REQUIRE((apart.ok() && in_place.ok()));
    CHECK(in_place->dispatches.size() == apart->dispatches.size() - 1);
    const Status valid = verify(plan, *in_place, device);
    CHECK_MESSAGE(valid.ok(), valid.message());
    for (const BoundDispatch& dispatch : in_place->dispatches)
      for (const BoundRange& range : dispatch.ranges) CHECK_FALSE((range.buffer == BufferKind::kOutput && range.index == 0));
  }
  // Elsewhere each position of the axes before it moves; before what is new there must be nothing else.
  CHECK_FALSE(can_be_in_place(growing_plan("[2, n, 3]", 1, false), state));
  CHECK_FALSE(can_be_in_place(growing_plan("[n, 2, 3]", 0, false, true), state));
  auto forced = bind(growing_plan("[2, n, 3]", 1, false), {}, device, {state}, {"new", "past"});
  REQUIRE(forced.ok());
  CHECK_FALSE(verify(growing_plan("[2, n, 3]", 1, false), *forced, device).ok());
}

}  // namespace tuff
