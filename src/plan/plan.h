// Plan: which kernels run in which order, symbolic in the model's dimensions; BoundPlan: the same for one set of sizes,
// down to byte ranges. Backends read BoundPlans only.
//
// Invariants (verify() proves them): each hazard between two steps has a barrier between them and each barrier a hazard;
// bytes that a dispatch writes are disjoint from what it reads, or the same element; every range lies inside its buffer.
#pragma once

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

enum class BufferKind : uint8_t { kInput, kOutput, kWeights, kArena };

// Where a value lives. A value may be a box inside another one (a piece of a concat): then it has its owner's storage.
struct PlanValue {
  ValueId value;
  BufferKind buffer = BufferKind::kArena;
  uint32_t index = 0;          // kInput, kOutput: which
  uint64_t weight_offset = 0;  // kWeights
  ValueId owner;               // valid: lives inside the owner's storage
  IntExpr size_bytes;          // of its elements
};

// Where one weight comes from: the constant's elements, permuted to the storage order, at weight_offset.
struct PlanWeight {
  ValueId value;
  uint64_t offset = 0, size_bytes = 0;
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

// The output has the memory of the input: state that a run updates.
struct InPlace {
  size_t output, input;
};

struct BoundRange {
  BufferKind buffer;
  uint32_t index = 0;  // kInput, kOutput
  uint64_t offset = 0;
  uint64_t size_bytes = 0;  // never 0
  Access access = Access::kRead;
  ValueId value;
};

struct BoundDispatch {
  KernelId kernel;
  StepId step;
  std::array<uint32_t, 3> grid;    // none is 0
  std::vector<BoundRange> ranges;  // by the kernel's bindings
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

struct BoundPlan {
  std::map<std::string, int64_t> symbols;
  std::vector<BoundDispatch> dispatches;  // empty ones (a size is 0) are left out
  std::vector<int32_t> parameters;        // all parameter blocks, each at its aligned offset
  std::vector<BoundTensor> inputs, outputs;
  std::vector<InPlace> in_place;  // such an output's ranges name the input
  uint64_t arena_bytes = 0;
  uint64_t weight_bytes = 0;
  uint32_t barrier_count = 0;
};

// What kernels are given for so many bytes of elements: whole words, since they read and write those, and vector 0 even of an
// empty value, since a checked load reads it where its test fails.
uint64_t range_bytes(int64_t element_bytes);

// Pure. INVALID_ARGUMENT for sizes outside a symbol's range; LIMIT where a size passes a device limit. `in_place`: of each
// can_be_in_place().
Result<BoundPlan> bind(const Plan& plan, const std::map<std::string, int64_t>& symbols, const DeviceInfo& device,
                       const std::vector<InPlace>& in_place = {});

Status verify(const Plan& plan);
Status verify(const Plan& plan, const BoundPlan& bound, const DeviceInfo& device);

std::string print(const Plan& plan);
// `bound`, where sizes are known: then with the work of each dispatch and the time that the cost model predicts (plan/work.h).
std::string print_json(const Plan& plan, const BoundPlan* bound, const DeviceInfo& device);
std::string print(const BoundPlan& bound);

}  // namespace tuff
