// A Point: the scalar expression for one element of a value at given coordinates, with every view and map between it and
// memory written into it. Views vanish here: a reshape, transpose, slice, pad, broadcast, concat or gather only changes
// the coordinates at which the next value is asked for.
//
// Invariant: ops are in SSA form (arguments precede their users) and hash-consed, so that equal subexpressions are one op.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "layout/storage.h"

namespace tuff {

// 0 <= value < extent.
struct RangeCheck {
  IntExpr value, extent;
  friend bool operator==(const RangeCheck&, const RangeCheck&) = default;
};

struct PointOp {
  enum class Kind : uint8_t {
    kLiteral,      // bits
    kIndex,        // the integer `index`, as dtype
    kLoad,         // element `index` of the storage of `value` if all checks hold, else bits
    kMap,          // op over args
    kGuard,        // args[0] if all checks hold, else args[1]
    kGatherIndex,  // args[0] as an int: a negative one counts from `index`, then clamped to [0, index - 1]
    kInput,        // the scope's input number `input`: an accumulator, a row statistic
  };
  explicit PointOp(Kind k) : kind(k) {}

  Kind kind;
  Dtype dtype = Dtype::kF32;
  MapOp op = MapOp::cast;
  std::vector<int> args;
  uint64_t bits = 0;
  IntExpr index;
  ValueId value;
  int input = 0;
  std::vector<RangeCheck> checks;

  friend bool operator==(const PointOp& a, const PointOp& b);
};

struct Point {
  std::vector<PointOp> ops;
};

// Which ops the result of `root` needs, itself among them.
std::vector<bool> ops_needed(const Point& point, int root);

// An op's result used as a coordinate appears in expressions as this symbol.
std::string point_symbol(int op);

// Where a value's elements are: in the storage of `owner`, at its own coordinate plus an offset on one axis.
struct Placement {
  ValueId owner;  // itself if it stands alone
  int axis = 0;
  IntExpr offset;
};

// What a Point may see. `members` are the nodes that are computed inside the kernel; `inputs` are values that the
// skeleton supplies at one point only.
struct PointScope {
  const Graph* graph = nullptr;
  const Layouts* layouts = nullptr;
  const std::vector<Placement>* placements = nullptr;  // null: every value stands alone
  // May the value be read from memory? Null: any value that a compute node makes may be.
  const std::vector<bool>* stored = nullptr;
  std::vector<bool> members;  // by NodeId
  struct Input {
    Dims coordinates;
    int index;
  };
  std::map<uint32_t, Input> inputs;  // by ValueId
};

class PointBuilder {
 public:
  explicit PointBuilder(const PointScope& scope) : scope_(scope) {}

  // The op that gives value[coordinates]. INVALID_ARGUMENT says which value is read at a point that the scope does not
  // have; LIMIT if views and maps nest more than kMaxDepth deep.
  Result<int> element(ValueId value, const Dims& coordinates);
  Point& point() { return point_; }

  static constexpr int kMaxDepth = 200;

 private:
  Result<int> evaluate(ValueId value, const Dims& coordinates);
  Result<int> view(const Node& node, const Dims& coordinates);
  int add(PointOp op);
  Result<int> guarded(const std::vector<RangeCheck>& checks, ValueId value, const Dims& coordinates, Dtype dtype,
                      uint64_t otherwise);

  // An element that has been asked for, under these checks.
  struct Known {
    Dims coordinates;
    std::vector<RangeCheck> checks;
    int op;
  };

  const PointScope& scope_;
  Point point_;
  std::map<uint32_t, std::vector<Known>> known_;  // by ValueId: what a map reads twice is walked once
  std::vector<RangeCheck> checks_;                // that hold where the next op is used
  int depth_ = 0;
};

// The address, in elements, of value[coordinates] in its storage.
IntExpr storage_address(const PointScope& scope, ValueId value, const Dims& coordinates);

// The coordinates of the view's output that the element at `coordinates` of its input number `input` becomes; nullopt if
// the view drops or repeats elements (then it cannot be folded into a store). A concat is not one of these: fuse.cpp
// places its pieces.
std::optional<Dims> push_through_view(const Graph& graph, const Node& view, const Dims& coordinates);

// Is it a constant of equal elements, which kernels hold as a literal?
bool is_literal(const Attrs& attrs);
// Does every kernel that reads such a value make it itself, from nothing in memory? Literals, indices and sizes.
bool needs_no_memory(const Attrs& attrs);

// Row-major: coordinates to a linear index and back.
IntExpr linearise(const Dims& coordinates, const Dims& shape);
Dims delinearise(const IntExpr& index, const Dims& shape);

std::string print(const Point& point);

}  // namespace tuff
