// Kernel: one compute shader and all that is needed to place it in a plan. Plain data; no device object.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/index.h"
#include "graph/graph.h"

namespace tuff {

using KernelId = Index<struct KernelTag>;

// A condition under which a kernel may run: every expression is a multiple of its divisor, and within the bounds.
struct Guard {
  struct Divides {
    IntExpr value;
    int64_t divisor;
  };
  struct AtMost {
    IntExpr value;
    int64_t limit;
  };
  std::vector<Divides> divides;
  std::vector<AtMost> at_most;
  bool always() const { return divides.empty() && at_most.empty(); }
};

enum class Access : uint8_t { kRead, kWrite };

// A buffer of the shader: descriptor set 0, binding 1 + its position. Binding 0 is the parameter block, a uniform buffer of
// ivec4, and exists only if there are parameters.
struct KernelBinding {
  ValueId value;  // of the graph that the kernel was made from; storage is layout's business
  Access access = Access::kRead;
  // 0: a storage buffer. 1, 2 or 4: a uniform texel buffer with so many words a texel, R32_UINT to R32G32B32A32_UINT, so that
  // no bits change; read only.
  int texel_words = 0;
  // What is accessed of it: the value itself, or values that lie inside it, each with those it lies in up to `value`.
  std::vector<std::vector<ValueId>> parts;
  // Of a constant: what lies in memory is not its 3x3 elements but their transform, 4x4 (fusion/winograd.h).
  bool winograd = false;
};

// May the two bindings of one value touch the same element? Pieces of a concat are apart; a piece and its whole are not.
bool parts_overlap(const KernelBinding& a, const KernelBinding& b);

// What tuning may choose for a kernel, and what came of it. Not kept in artifacts.
struct KernelTuning {
  enum class Source : uint8_t { kPredicted, kObserved, kRefused };
  std::string key;                        // in Observations::schedules; empty: the kernel has one schedule
  std::vector<std::string> alternatives;  // texts of the schedules next to the kernel's that fit it and the device
  Source source = Source::kPredicted;     // kRefused: predicted, as the observed one does not fit
  std::string refused;                    // that one
  std::string spilled;                    // the predicted one, where the driver was observed to spill its registers
  int64_t spill_count = 0;                // of them

  void refuse(std::string schedule) {
    source = Source::kRefused;
    refused = std::move(schedule);
  }
};

struct Kernel {
  std::string name;      // unique in its plan: "contract_conv1_relu"
  std::string skeleton;  // the row of templates.def
  std::string schedule;  // what the schedule chose, as text: "tile 8x8, workgroup 8x8, W 4"
  KernelTuning tuning;
  std::string source;  // complete GLSL
  std::array<uint32_t, 3> workgroup = {1, 1, 1};
  std::array<IntExpr, 3> grid;      // workgroups an axis; no axis above the device's limit
  std::vector<IntExpr> parameters;  // words of the parameter block, int32, in order
  std::vector<KernelBinding> bindings;
  int64_t shared_bytes = 0;
  // Where workgroups share a result: what each leaves for the last of them, and the words that count how many have, a word a
  // tile of results, all zero before the dispatch. Two storage buffers behind the bindings, in this order.
  IntExpr partial_bytes, counter_count;
  bool has_scratch() const { return !counter_count.is(0); }
  // Values of which an invocation reads only the elements that it writes, before it writes them: they may share their memory.
  struct InPlace {
    ValueId read, written;
    friend bool operator==(const InPlace&, const InPlace&) = default;
  };
  std::vector<InPlace> in_place;
  bool exact = false;  // every float instruction must be NoContraction
  bool needs_int64 = false, needs_float64 = false;
  IntExpr bytes_read, bytes_written;  // each value once
  IntExpr multiply_adds;
  std::vector<std::string> origins;  // model nodes
};

// Of each buffer of the shader from binding 1 on: KernelBinding::texel_words; 0 of scratch.
std::vector<int> texel_words_of(const Kernel& kernel);

// The schedule, and what observations had to do with it: "tile 8x8 of 4, ..., tuned".
std::string schedule_text(const Kernel& kernel);

}  // namespace tuff
