// Two nodes with equal attributes and equal inputs are one: y = f(x), z = f(x) => z = y. Operands of commutative maps
// count as equal in either order.
#include <algorithm>
#include <bit>
#include <map>
#include <unordered_map>

#include "simplify/rules.h"

namespace tuff {
namespace {

// Constants above this are equal only if they are the same bytes in memory.
constexpr size_t kComparedBytes = 1 << 16;

// Attributes and output type as text, equal exactly where they are.
class Key {
 public:
  Key(const Node& node, const Value& output, std::vector<ValueId> inputs) {
    text_ = std::string(attrs_name(node.attrs)) + std::string(dtype_name(output.dtype)) + dims_text(output.shape);
    std::visit([this](const auto& a) { add(a); }, node.attrs);
    const auto* map = std::get_if<MapAttrs>(&node.attrs);
    if (map && is_commutative(map->op)) std::sort(inputs.begin(), inputs.end());
    for (ValueId in : inputs) number(in.value);
  }
  std::string text() && { return std::move(text_); }

 private:
  static bool is_commutative(MapOp op) {
    switch (op) {
      case MapOp::add:
      case MapOp::mul:
      case MapOp::max:
      case MapOp::min:
      case MapOp::equal:
      case MapOp::logical_and:
      case MapOp::logical_or:
      case MapOp::logical_xor:
      case MapOp::bit_and:
      case MapOp::bit_or:
      case MapOp::bit_xor: return true;
      default: return false;
    }
  }

  void number(int64_t n) { text_ += ' ' + std::to_string(n); }
  template <class T>
  void list(const std::vector<T>& items) {
    text_ += " [";
    for (T item : items) number(item);
    text_ += ']';
  }
  void dims(const Dims& d) { text_ += ' ' + dims_text(d); }
  void order(const SumOrder& o) {
    number(static_cast<int64_t>(o.kind));
    number(o.chunk_length);
  }

  // What the op's name and the output's type do not say.
  void add(const MapAttrs&) {}
  void add(const ReduceAttrs& a) { list(a.axes), number(a.select_last), order(a.order); }
  void add(const ContractAttrs& a) { list(a.a), list(a.b), list(a.out), order(a.order); }
  void add(const WindowAttrs& a) { list(a.kernel), list(a.strides), list(a.dilations), number(a.groups), order(a.order); }
  void add(const ReshapeAttrs&) {}
  void add(const TransposeAttrs& a) { list(a.perm); }
  void add(const SliceAttrs& a) { dims(a.starts), list(a.steps); }
  void add(const PadAttrs& a) {
    number(static_cast<int64_t>(a.mode));
    dims(a.low), dims(a.high), list(a.interior), number(static_cast<int64_t>(a.fill_bits));
  }
  void add(const BroadcastAttrs&) {}
  void add(const ConcatAttrs& a) { number(a.axis); }
  void add(const GatherAttrs& a) { number(a.axis); }
  void add(const IotaAttrs& a) { number(a.axis); }
  void add(const DimensionAttrs& a) { text_ += a.value.text(); }
  void add(const ConstantAttrs& a) {
    number(static_cast<int64_t>(a.data.kind));
    number(static_cast<int64_t>(a.data.bits));
    number(std::bit_cast<int64_t>(a.data.scale));
    std::span<const std::byte> bytes = a.data.bytes.data;
    if (bytes.size() <= kComparedBytes)
      text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    else
      number(reinterpret_cast<intptr_t>(bytes.data()));
  }

  std::string text_;
};

}  // namespace

Result<Graph> equal_nodes(const Graph& src, const SimplifyOptions&) {
  Graph dst = src;
  std::unordered_map<std::string, NodeId> first;
  std::map<NodeId, OriginList> joined;  // of nodes that others became
  std::vector<ValueId> same_as(src.values.size());
  for (size_t v = 0; v < same_as.size(); ++v) same_as[v] = ValueId(v);
  for (size_t n = 0; n < dst.nodes.size(); ++n) {
    Node& node = dst.nodes[n];
    for (ValueId& in : node.inputs) in = same_as[in.value];
    auto [known, is_new] = first.try_emplace(Key(node, dst.value(node.output), node.inputs).text(), NodeId(n));
    if (is_new) continue;
    Node& original = dst.node(known->second);
    same_as[node.output.value] = original.output;
    auto [origins, is_first] = joined.try_emplace(known->second);
    if (is_first) origins->second.add(original.origins);
    origins->second.add(node.origins);
    Value& kept = dst.value(original.output);
    if (kept.name.empty()) kept.name = dst.value(node.output).name;
  }
  for (const auto& [node, origins] : joined) dst.node(node).origins = origins.names();
  for (ValueId& out : dst.outputs) out = same_as[out.value];
  return prune_dead(std::move(dst));
}

}  // namespace tuff
