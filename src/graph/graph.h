// Graph: a model as a few kinds of primitive ops. It knows no file format and no device.
//
// Invariants (verify() checks them): nodes are in topological order; each value has one producer or is an input; shapes
// and dtypes are what infer() says; each node names the model's nodes that it came from. All operands of a map have the
// output's shape: broadcasting is an explicit view. Views (reshape, transpose, slice, pad, broadcast, concat, gather)
// only say where an element comes from.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/file.h"
#include "base/index.h"
#include "base/status.h"
#include "graph/dtype.h"
#include "graph/int_expr.h"
#include "graph/ops.h"

namespace tuff {

using ValueId = Index<struct ValueTag>;
using NodeId = Index<struct NodeTag>;

// The order of a sum (NUMERICS.md). It is part of the graph: every device and the reference follow it in exact mode.
//   serial      one accumulator along the contracted axes, in the order that the attributes list them
//   chunked(L)  serial inside chunks of L, chunks added in order
//   tree        64 virtual lanes (element i belongs to lane i mod 64, serial inside), then a binary tree: lane l += lane
//               l + 32, then 16, 8, 4, 2, 1
struct SumOrder {
  enum class Kind : uint8_t { kUnset, kSerial, kChunked, kTree } kind = Kind::kUnset;
  int64_t chunk_length = 0;  // kChunked
  friend bool operator==(const SumOrder&, const SumOrder&) = default;
};

struct ConstantData {
  enum class Kind : uint8_t { kBytes, kSplat, kRandom } kind = Kind::kBytes;
  Bytes bytes;        // kBytes: row-major elements as in memory, dtype_size_bytes each
  uint64_t bits = 0;  // kSplat: every element, in the low bytes. kRandom: the seed (see constant_bytes)
  double scale = 1;   // kRandom: uniform in [-scale, scale)
};

struct MapAttrs {
  MapOp op;
  Dtype dtype = Dtype::kF32;  // cast: the target; otherwise ignored
};

enum class ReduceOp : uint8_t { kSum, kProduct, kMax, kMin, kArgMax, kArgMin, kAny, kAll };
// Reduces the axes to size 1 (a reshape drops them). kArgMax and kArgMin: one axis, output i64, the first index where
// equal unless select_last. kAny and kAll: on bools.
struct ReduceAttrs {
  ReduceOp op;
  std::vector<int> axes;  // ascending
  bool select_last = false;
  SumOrder order;
};

// Batched product over labelled axes, as in einsum: out = sum over labels that only the inputs have. Labels are small
// integers; each label of out occurs in a or in b; a label has one size. Contracted labels are summed in a's order.
struct ContractAttrs {
  std::vector<int> a, b, out;
  SumOrder order;
};
bool has_label(const std::vector<int>& labels, int label);

enum class WindowOp : uint8_t { kConv, kSum, kMax };
// Sliding window without padding (pad is a view before it). x: [n, c, spatial...].
//   kConv  inputs x, w: [m, c/groups, kernel...]; out [n, m, out spatial...]; summed over kernel axes, then c/groups
//   kSum, kMax  input x; kernel from the attributes; out [n, c, out spatial...]
// out spatial = floor((in - dilation*(kernel - 1) - 1) / stride) + 1.
struct WindowAttrs {
  WindowOp op;
  std::vector<int64_t> kernel, strides, dilations;
  int64_t groups = 1;
  SumOrder order;

  int64_t tap_count() const;  // of one channel
  bool is_plain_3x3() const;  // a convolution of 3x3 neighbouring elements over all channels
};

struct ReshapeAttrs {
  Dims shape;
};
struct TransposeAttrs {
  std::vector<int> perm;
};                   // out axis i is in axis perm[i]
struct SliceAttrs {  // out[i] = in[start + step*i]; step may be negative
  Dims starts;
  std::vector<int64_t> steps;
  Dims shape;
};
enum class PadMode : uint8_t { kConstant, kEdge, kReflect, kWrap };
struct PadAttrs {  // low and high are not negative (a slice crops); interior zeros lie between neighbours (kConstant only)
  PadMode mode = PadMode::kConstant;
  Dims low, high;
  std::vector<int64_t> interior;
  uint64_t fill_bits = 0;  // kConstant: an element in the low bytes
};
struct BroadcastAttrs {
  Dims shape;
};  // same rank; axes of size 1 repeat
struct ConcatAttrs {
  int axis;
};
// out = data[..axis] x indices.shape x data[axis+1..]; indices i32 or i64; a negative index counts from the end, one out
// of range is clamped into it.
struct GatherAttrs {
  int axis;
};
struct IotaAttrs {
  Dtype dtype;
  Dims shape;
  int axis;
};  // out[..., i, ...] = i along the axis
struct DimensionAttrs {
  Dtype dtype;
  IntExpr value;
};  // a scalar (rank 0) known once shapes are
struct ConstantAttrs {
  Dtype dtype;
  Dims shape;
  ConstantData data;
};  // shape without symbols

using Attrs = std::variant<MapAttrs, ReduceAttrs, ContractAttrs, WindowAttrs, ReshapeAttrs, TransposeAttrs, SliceAttrs,
                           PadAttrs, BroadcastAttrs, ConcatAttrs, GatherAttrs, IotaAttrs, DimensionAttrs, ConstantAttrs>;

struct Value {
  std::string name;  // as in the model where it has one; may be empty
  Dtype dtype = Dtype::kF32;
  Dims shape;
  NodeId producer;  // invalid: a graph input
};

struct Node {
  Attrs attrs;
  std::vector<ValueId> inputs;
  ValueId output;
  std::vector<std::string> origins;  // names of the model's nodes, never empty
};

// The data decide how long an output is along an axis: as long as another output's number (an i32 of rank 0) says, at most as
// its shape has it. What lies beyond is undefined.
struct DataSize {
  size_t output;
  int axis;
  size_t count;  // of the outputs
};

struct Graph {
  std::string name;
  std::vector<Symbol> symbols;  // the dimension symbols, sorted by name
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<std::string> output_names;  // one a graph output; an input may be an output
  std::vector<DataSize> data_sizes;       // at most one an output

  const Value& value(ValueId id) const { return values[id.value]; }
  Value& value(ValueId id) { return values[id.value]; }
  const Node& node(NodeId id) const { return nodes[id.value]; }
  Node& node(NodeId id) { return nodes[id.value]; }
  // The node that makes the value, or null for an input.
  const Node* producer(ValueId id) const {
    NodeId n = value(id).producer;
    return n.valid() ? &nodes[n.value] : nullptr;
  }
  template <class T>
  const T* producer_as(ValueId id) const {
    const Node* n = producer(id);
    return n ? std::get_if<T>(&n->attrs) : nullptr;
  }
};

bool is_view(const Attrs& attrs);                 // reshape to gather
std::string_view attrs_name(const Attrs& attrs);  // "map.add", "window.conv", "reshape"
std::string label(const Node& node);              // with its operator in the model: "/layer.0/MatMul (contract)"

// The readers of each value, in node order; a node that reads a value twice is listed once.
std::vector<std::vector<NodeId>> value_users(const Graph& graph);

// Shape and dtype of a node's output from its attributes and inputs; INVALID_ARGUMENT says what does not fit.
struct ValueType {
  Dtype dtype;
  Dims shape;
};
Result<ValueType> infer(const Attrs& attrs, const std::vector<ValueType>& inputs);

Status verify(const Graph& graph);

struct GraphPrintOptions {
  bool full_constants = false;  // also the bytes of large constants, so that parse() gives the same graph back
};
std::string print(const Graph& graph, const GraphPrintOptions& options = {});
Result<Graph> parse_graph(std::string_view text, const std::string& source_name);

// Elements of a constant as bytes: the file's, or the splat or random ones written out. LIMIT above 2^31 bytes.
Result<Bytes> constant_bytes(const ConstantAttrs& constant);

}  // namespace tuff
