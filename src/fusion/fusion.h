// Fusion: which nodes run in one kernel, which values are stored, and why. In: graph, layouts, device. Out: groups in
// execution order.
//
// How: every compute node starts alone. Anchors grow an epilogue (a map joins if each of its operands is in registers at
// the same point or can be loaded), rows grow into whole normalisations, then producers that are only maps are written
// into their readers (prologue). Nothing is matched by name: a merge is legal when a Point (point.h) of the merged
// kernel can be built. Views belong to no group; they vanish into loads and stores.
//
// Invariants (verify() checks them): every value that a kernel loads is stored by an earlier group, a constant or an
// input; every graph output is stored; the order has no cycle.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/index.h"
#include "device/device_info.h"
#include "device/observations.h"
#include "fusion/point.h"
#include "graph/graph.h"
#include "layout/storage.h"

namespace tuff {

using GroupId = Index<struct GroupTag>;

// kAttend: a contract whose first operand is made, key by key, from another contract (attention.cpp). kSeparable: a product
// whose first operand is made from a window that it has in shared memory (separable.cpp). kExpand: a window whose operand is
// made from a product that it has in shared memory or, row by row, in registers; a reduction over the image of what either
// makes; or both (expand.cpp, rolling_rows.cpp, combined_tiles.cpp).
enum class AnchorKind : uint8_t { kMap, kReduce, kContract, kWindow, kAttend, kSeparable, kExpand };

std::string_view kind_name(AnchorKind kind);  // "attend"

struct Group {
  AnchorKind kind = AnchorKind::kMap;
  NodeId anchor;                // whose output is the kernel's domain; of a copy: the first view that it materialises
  std::vector<NodeId> members;  // compute nodes, in node order, the anchor among them (a copy has none)
  std::vector<ValueId> stores;  // what the kernel writes; a view of a member's value where it is stored through views
  // Coordinates at which the kernel has each value, over the loop variables d0, d1, ... (domain axes; of a reduce: the
  // axes of its input) and, inside attention, `key`.
  std::map<uint32_t, Dims> coordinates;
  std::optional<MatrixShape> matrix;  // of a product: the matrices that it is computed in (matrix_units.cpp)
  bool winograd = false;              // of a convolution: in Winograd's form (winograd.h)
};

struct Decision {
  bool accepted = false;
  std::string rule;     // "epilogue", "prologue", "row", "concat in place", "limits", "cycle", ...
  std::string subject;  // the nodes it is about, as text
  std::string why;      // one sentence with numbers
  std::vector<NodeId> nodes;
};

struct Fusion {
  std::vector<Group> groups;          // in execution order
  std::vector<Placement> placements;  // by ValueId
  std::vector<bool> stored;           // by ValueId: has elements in memory
  std::vector<Decision> decisions;
  std::vector<Decision> matrix_decisions;    // accepted: on matrix units
  std::vector<Decision> winograd_decisions;  // accepted: in Winograd's form
};

struct FusionOptions {
  bool fuse = true;              // false: one kernel a compute node, the fallback that fused kernels are compared with
  bool exact = false;            // sums keep the graph's order
  std::vector<bool> apart = {};  // by NodeId: such a node stays alone, since a driver made no pipeline with it; empty: none
  bool matrix_units = false;     // kernels may be in cooperative matrices: their compiler knows these
};

Result<Fusion> fuse(const Graph& graph, const Layouts& layouts, const FusionOptions& options, const DeviceInfo& device,
                    const Observations& observations);

Status verify(const Fusion& fusion, const Graph& graph);
std::string print(const Fusion& fusion, const Graph& graph);
// Decisions as indented lines, "[rule] subject: why". Of those that differ in the numbers within their operators' names alone,
// as the layers of a network do, the first, and how many are like it.
std::string explain_decisions(const std::vector<Decision>& decisions);
// The answer of `tuff explain`: kernels with their operators, then each boundary and refusal with its rule and numbers.
std::string explain(const Fusion& fusion, const Graph& graph);
// By group: the decisions about its nodes, a line each.
std::vector<std::string> explain_groups(const Fusion& fusion);

// The scope in which the group's kernel computes; `inputs` are left for the skeleton to add.
PointScope group_scope(const Group& group, const Graph& graph, const Layouts& layouts, const Fusion& fusion);
// Loop variables for a shape: d0, d1, ...
Dims domain_variables(const Dims& shape);
// Of a group of kind kAttend: the product of queries and keys.
NodeId attention_scores(const Group& group, const Graph& graph);
bool is_compute(const Attrs& attrs);  // map, reduce, contract, window

}  // namespace tuff
