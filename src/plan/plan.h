// Plan: which kernels run in which order, symbolic in the model's dimensions; BoundPlan: the same for one set of sizes,
// down to byte ranges. Backends read BoundPlans only.
//
// Invariants (verify() proves them): each hazard between two steps has a barrier between them and each barrier a hazard;
// bytes that a dispatch writes are disjoint from what it reads, or the same element; every range lies inside its buffer; no
// two dispatches count in one word.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "device/device_info.h"
#include "graph/graph.h"
#include "kernel/kernel.h"

namespace tuff {

using StepId = Index<struct StepTag>;

struct Variant {
  Guard guard;
  KernelId kernel;
};

struct Step {
  std::vector<Variant> variants;  // the first whose guard holds runs; the last has none
  std::vector<ValueId> reads, writes;
  std::vector<std::string> origins;
};

enum class BufferKind : uint8_t {
  kInput,
  kOutput,
  kWeights,
  kArena,
  kCounters  // of no value: counters of kernels, which a run begins with at zero
};

// Where a value lives. A value may be a box inside another one (a piece of a concat): then it has its owner's storage.
struct PlanValue {
  ValueId value;
  BufferKind buffer = BufferKind::kArena;
  uint32_t index = 0;          // kInput, kOutput: which
  uint64_t weight_offset = 0;  // kWeights
  ValueId owner;               // valid: lives inside the owner's storage
  IntExpr size_bytes;          // of its elements
};

// Where one weight comes from: the constant's elements, permuted to the storage order, at weight_offset; or their transform for
// Winograd's form, 4x4 elements for each 3x3 (fusion/winograd.h), in that order.
struct PlanWeight {
  ValueId value;
  uint64_t offset = 0, size_bytes = 0;
  bool winograd = false;
};

struct Plan {
  Graph graph;  // the one that values refer to, after simplify
  std::vector<Kernel> kernels;
  std::vector<Step> steps;
  std::vector<PlanValue> values;  // those that have storage
  std::vector<PlanWeight> weights;
  std::vector<std::vector<int>> orders;  // by ValueId: storage axis order, outermost first
  uint64_t weight_bytes = 0;
};

// The output has the memory of the input: state that a run updates, or makes longer.
struct InPlace {
  size_t output, input;
  bool grows = false;
};

struct BoundRange {
  BufferKind buffer;
  uint32_t index = 0;  // kInput, kOutput
  uint64_t offset = 0;
  uint64_t size_bytes = 0;  // never 0
  Access access = Access::kRead;
  ValueId value;  // invalid: scratch of the kernel, which it reads, too
};

struct BoundDispatch {
  KernelId kernel;
  StepId step;
  std::array<uint32_t, 3> grid;    // none is 0
  std::vector<BoundRange> ranges;  // by the kernel's bindings; then its scratch, if any: what workgroups leave, and counters
  uint64_t parameter_offset = 0;   // bytes into BoundPlan::parameters
  uint64_t parameter_bytes = 0;
  bool barrier_before = false;
};

struct BoundTensor {
  std::string name;
  Dtype dtype;
  std::vector<int64_t> shape;
  uint64_t storage_bytes = 0;  // range_bytes() of its elements
};

// A number of a bound plan that changes with its dynamic dimensions.
struct DynamicNumber {
  IntExpr value;  // in the dynamic dimensions alone
  size_t of = 0, at = 0;
};

// Dimensions whose sizes change from run to run without binding again. Everything else in a bound plan is as their largest
// sizes need it; these numbers are what a run of other sizes has to be told (rebind).
struct Dynamics {
  std::vector<Symbol> symbols;
  std::vector<DynamicNumber> grids;            // of a dispatch, at an axis
  std::vector<DynamicNumber> parameters;       // of a word of BoundPlan::parameters
  std::vector<DynamicNumber> inputs, outputs;  // of a tensor, at an axis
  std::vector<DynamicNumber> bytes;            // of a value that a dispatch binds, where some sizes would make them negative
};

struct BoundPlan {
  std::map<std::string, int64_t> symbols;  // dynamic dimensions at their largest
  std::vector<BoundDispatch> dispatches;   // those that compute nothing (a size is 0) at any size are left out
  std::vector<int32_t> parameters;         // all parameter blocks, each at its aligned offset
  std::vector<BoundTensor> inputs, outputs;
  std::vector<InPlace> in_place;  // such an output's ranges name the input
  uint64_t arena_bytes = 0;
  uint64_t counter_bytes = 0;  // whole words; 0 where no kernel counts
  uint64_t weight_bytes = 0;
  uint32_t barrier_count = 0;
  Dynamics dynamics;
};

// What of a bound plan is different in each run.
struct BoundSizes {
  std::vector<std::array<uint32_t, 3>> grids;  // by dispatch; an axis is 0 where it computes nothing
  std::vector<int32_t> parameters;
  std::vector<BoundTensor> inputs, outputs;
};

// What kernels are given for so many bytes of elements: whole words, since they read and write those, and vector 0 even of an
// empty value, since a checked load reads it where its test fails.
uint64_t range_bytes(int64_t element_bytes);

// Bytes of the transform of a constant of f32 [n, k, 3, 3]; 0 of other values.
IntExpr winograd_bytes(const Graph& graph, ValueId value);
// Is the value a weight of which the plan has the transform in memory?
bool lies_transformed(const Plan& plan, ValueId value);
// The results of the convolutions that the plan computes in Winograd's form.
std::vector<ValueId> winograd_results(const Plan& plan);

// The graph's symbols of these names, each once. INVALID_ARGUMENT for a name that it does not have, and for a symbol without
// an upper bound.
Result<std::vector<Symbol>> dynamic_symbols(const Graph& graph, const std::vector<std::string>& names);

// Pure. INVALID_ARGUMENT for sizes outside a symbol's range; LIMIT where a size passes a device limit. `in_place`: of each
// can_be_in_place(). `dynamic`: names of dimensions that `symbols` need not give: buffers and limits are those of their largest
// sizes, and of a step's variants the first that all sizes allow runs.
Result<BoundPlan> bind(const Plan& plan, const std::map<std::string, int64_t>& symbols, const DeviceInfo& device,
                       const std::vector<InPlace>& in_place = {}, const std::vector<std::string>& dynamic = {});

// As the plan is bound: for the largest sizes.
BoundSizes largest_sizes(const BoundPlan& bound);
// The same for the sizes that `symbols` give the dynamic dimensions. Pure, and allocates nothing: `sizes` was made by
// largest_sizes() of this plan. INVALID_ARGUMENT for sizes outside their range and LIMIT for numbers that do not fit, as of
// bind(); then `sizes` are of no use until they are bound again.
Status rebind(const BoundPlan& bound, const std::map<std::string, int64_t>& symbols, BoundSizes& sizes);
// The plan for these sizes and no others: what computes nothing is left out. Buffers and ranges stay as they are.
BoundPlan at_sizes(const BoundPlan& bound, const std::map<std::string, int64_t>& symbols, const BoundSizes& sizes);

Status verify(const Plan& plan);
Status verify(const Plan& plan, const BoundPlan& bound, const DeviceInfo& device);

std::string print(const Plan& plan);
// `bound`, where sizes are known: then with the work of each dispatch and the time that the cost model predicts (plan/work.h).
std::string print_json(const Plan& plan, const BoundPlan* bound, const DeviceInfo& device);
std::string print(const BoundPlan& bound);

}  // namespace tuff
