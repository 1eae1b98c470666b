// A plan that is bound for the largest sizes and bound again for others says what a plan bound for those alone says.
#include <algorithm>

#include "unit/plan/plan_of.h"

namespace tuff {
namespace {

using Symbols = std::map<std::string, int64_t>;

DeviceInfo small_device() {
  DeviceInfo device;
  device.max_storage_buffers = 8;
  device.rates = default_rates(device);
  return device;
}

struct Case {
  std::string body;
  std::vector<std::string> dynamic;
  std::vector<Symbols> sizes;
};

// Maps, whose vector variant wants a multiple of 4, and a sum; nothing at all at size 0.
const Case kMaps = {
    "  symbol n in 0..300 step 1\n"
    "  input %0 \"x\": f32[3, n]\n"
    "  %1: f32[3, n] = map.exp %0 from \"Exp\"\n"
    "  %2: f32[3, 1] = reduce.sum %1 {axes=[1] order=tree} from \"Sum\"\n"
    "  output %1 \"y\"\n  output %2 \"s\"\n",
    {"n"},
    {{{"n", 300}}, {{"n", 0}}, {{"n", 1}}, {{"n", 4}}, {{"n", 131}}, {{"n", 257}}, {{"n", 300}}}};
// A product with few rows or many, the number of batches being settled when it is bound.
const Case kProduct = {
    "  symbol b in 1..8 step 1\n  symbol n in 1..130 step 1\n"
    "  input %0 \"x\": f32[b, n, 256]\n"
    "  %1: f32[256, 32] = constant random(seed=1, scale=0.5) from \"w\"\n"
    "  %2: f32[b, n, 32] = contract %0, %1 {a=[0, 1, 2] b=[2, 3] out=[0, 1, 3] order=chunked(128)} from \"MatMul\"\n"
    "  %3: f32[b, n, 32] = map.exp %2 from \"Exp\"\n"
    "  %4: f32[b, n, 1] = reduce.max %3 {axes=[2]} from \"Max\"\n"
    "  output %4 \"y\"\n",
    {"n"},
    {{{"b", 3}, {"n", 1}}, {{"b", 3}, {"n", 7}}, {{"b", 3}, {"n", 130}}, {{"b", 3}, {"n", 127}}}};
// What was there and what is new, one behind the other, and a product over both.
const Case kAppend = {
    "  symbol new in 1..16 step 1\n  symbol past in 0..100 step 1\n"
    "  input %0 \"k\": f32[2, past, 8]\n  input %1 \"x\": f32[2, new, 8]\n"
    "  %2: f32[2, new, 8] = map.neg %1 from \"Neg\"\n"
    "  %3: f32[2, new + past, 8] = concat %0, %2 {axis=1} from \"Concat\"\n"
    "  %4: f32[2, new, new + past] = contract %1, %3 {a=[0, 1, 2] b=[0, 3, 2] out=[0, 1, 3] order=serial} from \"MatMul\"\n"
    "  output %3 \"all\"\n  output %4 \"y\"\n",
    {"past", "new"},
    {{{"new", 16}, {"past", 100}},
     {{"new", 1}, {"past", 0}},
     {{"new", 5}, {"past", 0}},
     {{"new", 1}, {"past", 1}},
     {{"new", 1}, {"past", 97}},
     {{"new", 13}, {"past", 53}}}};
// Falls as n rises.
const Case kRest = {
    "  symbol n in 0..60 step 1\n"
    "  input %0 \"x\": f32[61, 5]\n  input %1 \"z\": f32[n]\n"
    "  %2: f32[61 - n, 5] = slice %0 {starts=[n, 0] steps=[1, 1]} from \"Slice\"\n"
    "  %3: f32[61 - n, 5] = map.exp %2 from \"Exp\"\n"
    "  output %3 \"y\"\n",
    {"n"},
    {{{"n", 60}}, {{"n", 0}}, {{"n", 1}}, {{"n", 31}}}};

std::vector<int32_t> parameters_of(const BoundDispatch& dispatch, const std::vector<int32_t>& words) {
  const auto first = words.begin() + static_cast<std::ptrdiff_t>(dispatch.parameter_offset / 4);
  return {first, first + static_cast<std::ptrdiff_t>(dispatch.parameter_bytes / 4)};
}

bool same_tensors(const std::vector<BoundTensor>& a, const std::vector<BoundTensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const BoundTensor& x, const BoundTensor& y) {
    return x.name == y.name && x.dtype == y.dtype && x.shape == y.shape && x.storage_bytes == y.storage_bytes;
  });
}

// Of a step that runs at these sizes: the same numbers, unless these sizes alone allow another kernel.
bool same_dispatch(const BoundDispatch& a, const std::vector<int32_t>& a_words, const BoundDispatch& b,
                   const std::vector<int32_t>& b_words) {
  if (a.kernel != b.kernel) return b.kernel.value < a.kernel.value;
  return a.grid == b.grid && parameters_of(a, a_words) == parameters_of(b, b_words);
}

// Is `sizes` what `alone`, which is bound for these sizes, has?
bool agree(const BoundPlan& bound, const BoundSizes& sizes, const BoundPlan& alone) {
  if (!same_tensors(sizes.inputs, alone.inputs) || !same_tensors(sizes.outputs, alone.outputs)) return false;
  size_t next = 0;
  for (size_t d = 0; d < bound.dispatches.size(); ++d) {
    BoundDispatch dispatch = bound.dispatches[d];
    dispatch.grid = sizes.grids[d];
    const bool runs = std::find(dispatch.grid.begin(), dispatch.grid.end(), 0u) == dispatch.grid.end();
    if (runs != (next < alone.dispatches.size() && alone.dispatches[next].step == dispatch.step)) return false;
    if (runs && !same_dispatch(dispatch, sizes.parameters, alone.dispatches[next++], alone.parameters)) return false;
  }
  return next == alone.dispatches.size();
}

// For all of the case's sizes, one after another.
bool rebinds(const Case& c, const Plan& plan, const BoundPlan& bound, const DeviceInfo& device) {
  BoundSizes sizes = largest_sizes(bound);
  for (const Symbols& symbols : c.sizes) {
    auto alone = bind(plan, symbols, device);
    REQUIRE_MESSAGE(alone.ok(), alone.status().message());
    if (!rebind(bound, symbols, sizes).ok() || !agree(bound, sizes, *alone)) return false;
  }
  return true;
}

TEST_CASE("binding again gives the numbers that binding for these sizes alone gives") {
  const DeviceInfo device = small_device();
  for (const Case* c : {&kMaps, &kProduct, &kAppend, &kRest}) {
    for (const bool fuse_groups : {false, true}) {
      INFO(c->body);
      CAPTURE(fuse_groups);
      const Plan plan = plan_of(c->body, device, fuse_groups);
      auto bound = bind(plan, c->sizes.front(), device, {}, c->dynamic);
      REQUIRE_MESSAGE(bound.ok(), bound.status().message());
      const Status valid = verify(plan, *bound, device);
      CHECK_MESSAGE(valid.ok(), valid.message());
      CHECK(rebinds(*c, plan, *bound, device));

      // Each number that changes counts: with any of them left as it was, some size is wrong.
      auto without_one = [&](std::vector<DynamicNumber> Dynamics::*list) {
        REQUIRE(!(bound->dynamics.*list).empty());
        for (size_t i = 0; i < (bound->dynamics.*list).size(); ++i) {
          BoundPlan changed = *bound;
          (changed.dynamics.*list).erase((changed.dynamics.*list).begin() + static_cast<std::ptrdiff_t>(i));
          CAPTURE((bound->dynamics.*list)[i].value.text());
          CHECK_FALSE(rebinds(*c, plan, changed, device));
        }
      };
      without_one(&Dynamics::grids);
      without_one(&Dynamics::parameters);
      without_one(&Dynamics::inputs);
      if (!bound->dynamics.outputs.empty()) without_one(&Dynamics::outputs);
    }
  }
}

TEST_CASE("what a size alone runs is a plan of its own, and its ranges lie in the buffers of the largest") {
  const DeviceInfo device = small_device();
  for (const Case* c : {&kMaps, &kProduct, &kAppend, &kRest}) {
    INFO(c->body);
    const Plan plan = plan_of(c->body, device, false);
    auto bound = bind(plan, c->sizes.front(), device, {}, c->dynamic);
    REQUIRE(bound.ok());
    BoundSizes sizes = largest_sizes(*bound);
    for (const Symbols& symbols : c->sizes) {
      auto alone = bind(plan, symbols, device);
      REQUIRE(alone.ok());
      REQUIRE(rebind(*bound, symbols, sizes).ok());
      const BoundPlan of_size = at_sizes(*bound, symbols, sizes);
      const Status valid = verify(plan, of_size, device);
      CHECK_MESSAGE(valid.ok(), valid.message());
      REQUIRE(of_size.dispatches.size() == alone->dispatches.size());
      CHECK(of_size.symbols == symbols);
      for (size_t d = 0; d < of_size.dispatches.size(); ++d)
        for (size_t r = 0; r < of_size.dispatches[d].ranges.size(); ++r)
          if (of_size.dispatches[d].kernel == alone->dispatches[d].kernel)
            CHECK(of_size.dispatches[d].ranges[r].size_bytes >= alone->dispatches[d].ranges[r].size_bytes);
      CHECK(of_size.arena_bytes >= alone->arena_bytes);
    }
  }
}

TEST_CASE("a size that falls as the dimension rises has room for its largest") {
  const DeviceInfo device = small_device();
  const Plan plan = plan_of(kRest.body, device, true);
  auto bound = bind(plan, {}, device, {}, {"n"});
  REQUIRE(bound.ok());
  CHECK(bound->symbols.at("n") == 60);
  CHECK(bound->outputs[0].shape == std::vector<int64_t>{61, 5});
  CHECK(bound->outputs[0].storage_bytes == 61 * 5 * 4);
}

// The step's variant that is bound.
KernelId bound_kernel(const std::string& range, bool is_dynamic) {
  const DeviceInfo device = small_device();
  const Plan plan = plan_of(
      "  symbol n in " + range + "\n  input %0 \"x\": f32[n]\n" + "  %1: f32[n] = map.exp %0 from \"Exp\"\n  output %1 \"y\"\n",
      device, true);
  REQUIRE(plan.steps[0].variants.size() >= 1);
  auto bound = is_dynamic ? bind(plan, {}, device, {}, {"n"}) : bind(plan, {{"n", 64}}, device);
  REQUIRE(bound.ok());
  return KernelId(bound->dispatches[0].kernel.value - plan.steps[0].variants[0].kernel.value);
}

TEST_CASE("a variant runs only if its guard holds for all sizes of the dynamic dimensions") {
  CHECK(bound_kernel("4..64 step 1", false) == KernelId(0));
  CHECK(bound_kernel("4..64 step 1", true) == KernelId(1));
  CHECK(bound_kernel("4..64 step 4", true) == KernelId(0));
  const DeviceInfo device = small_device();
  auto rows = [&](int64_t most) {
    const Plan plan =
        plan_of("  symbol m in 1..100 step 1\n  symbol n in 1.." + std::to_string(most) + " step 1\n" +
                    "  input %0 \"x\": f32[m, 256]\n  input %1 \"z\": f32[n, 256]\n"
                    "  %2: f32[256, 32] = constant random(seed=1, scale=0.5) from \"w\"\n"
                    "  %3: f32[m, 32] = contract %0, %2 {a=[0, 1] b=[1, 2] out=[0, 2] order=chunked(128)} from \"MatMul\"\n"
                    "  %4: f32[n, 32] = contract %1, %2 {a=[0, 1] b=[1, 2] out=[0, 2] order=chunked(128)} from \"MatMul_1\"\n"
                    "  output %3 \"y\"\n  output %4 \"w\"\n",
                device, true);
    auto bound = bind(plan, {{"m", 1}}, device, {}, {"n"});
    REQUIRE(bound.ok());
    std::vector<bool> is_first;
    for (const BoundDispatch& d : bound->dispatches)
      is_first.push_back(d.kernel == plan.steps[d.step.value].variants[0].kernel);
    return is_first;
  };
  CHECK(rows(100) == std::vector<bool>{true, false});
  CHECK(rows(1) == std::vector<bool>{true, true});
}

TEST_CASE("dynamic dimensions have names that the model has, and upper bounds; their sizes stay in range") {
  DeviceInfo device = small_device();
  const Plan plan = plan_of(
      "  symbol m in 1..2147483648 step 1\n  symbol n in 4..400 step 4\n"
      "  input %0 \"x\": f32[m, n]\n  %1: f32[m, n] = map.exp %0 from \"Exp\"\n  output %1 \"y\"\n",
      device, true);
  CHECK(bind(plan, {{"m", 1}}, device, {}, {"k"}).status().message() == "The model has no dimension 'k'.");
  CHECK(bind(plan, {{"n", 4}}, device, {}, {"m"}).status().code() == Code::kInvalidArgument);
  CHECK(bind(plan, {}, device, {}, {"n"}).status().message() == "No size was given for the dimension 'm'.");
  auto bound = bind(plan, {{"m", 3}}, device, {}, {"n", "n"});
  REQUIRE(bound.ok());
  REQUIRE(bound->dynamics.symbols.size() == 1);
  BoundSizes sizes = largest_sizes(*bound);
  CHECK(rebind(*bound, {{"m", 3}, {"n", 8}}, sizes).ok());
  CHECK(rebind(*bound, {{"m", 3}}, sizes).code() == Code::kInvalidArgument);
  for (const int64_t n : {0, 6, 404}) CHECK(rebind(*bound, {{"m", 3}, {"n", n}}, sizes).code() == Code::kInvalidArgument);
  // Buffers and grids are those of the largest sizes, whatever runs.
  device.max_storage_buffer_bytes = 4 * 3 * 399;
  CHECK(bind(plan, {{"m", 3}}, device, {}, {"n"}).status().code() == Code::kLimit);
  CHECK(bind(plan, {{"m", 3}, {"n", 396}}, device).ok());
}

TEST_CASE("the verifier objects to a grid that grows beyond what was bound, and to numbers without a place") {
  const DeviceInfo device = small_device();
  const Plan plan = plan_of(kMaps.body, device, true);
  auto bound = bind(plan, {}, device, {}, {"n"});
  REQUIRE(bound.ok());
  REQUIRE(!bound->dynamics.grids.empty());
  auto broken = [&](auto change) {
    BoundPlan changed = *bound;
    change(changed);
    return !verify(plan, changed, device).ok();
  };
  CHECK(broken([](BoundPlan& b) { b.dynamics.grids[0].value = b.dynamics.grids[0].value + IntExpr(1); }));
  CHECK(broken([](BoundPlan& b) { b.dynamics.grids[0].of = b.dispatches.size(); }));
  CHECK(broken([](BoundPlan& b) { b.dynamics.parameters[0].of = b.parameters.size(); }));
  CHECK(broken([](BoundPlan& b) { b.dynamics.inputs[0].at = 2; }));
  CHECK(broken([](BoundPlan& b) { b.dynamics.outputs[0].value += IntExpr(1); }));
}

}  // namespace
}  // namespace tuff
