// f(constants) = a constant, where it is not larger than the limit.
//
// Not folded: broadcasts and iotas, which only repeat or count and cost nothing where they are read. A value that other
// nodes read is folded; what lies between constants and it goes with it. A result whose elements are all equal becomes
// a splat. Nor: what takes more memory than the integers that it is computed from (integer_storage.h), and slices of iotas.
#include <algorithm>
#include <cstring>

#include "simplify/integer_storage.h"
#include "simplify/rules.h"

namespace tuff {
namespace {

class Folder {
 public:
  Folder(const Graph& src, const SimplifyOptions& options)
      : src_(src),
        options_(options),
        constant_(src.values.size(), false),
        expands_(src.values.size(), false),
        folded_(src.values.size()) {}

  Result<Graph> run() {
    IntegerStorage storage;
    for (const Node& node : src_.nodes) {
      constant_[node.output.value] = is_constant(node);
      expands_[node.output.value] = storage.expands(node, src_.value(node.output));
    }
    choose_values();
    if (chosen_.empty()) return src_;
    TUFF_TRY(evaluate_chosen());
    Graph dst = src_;
    for (Node& node : dst.nodes) {
      std::optional<Node>& constant = folded_[node.output.value];
      if (constant) node = std::move(*constant);
    }
    return prune_dead(std::move(dst));
  }

 private:
  std::optional<int64_t> size_bytes(ValueId v) const {
    IntExpr bytes = product(src_.value(v).shape) * IntExpr(dtype_size_bytes(src_.value(v).dtype));
    return bytes.is_constant() ? std::optional(bytes.constant()) : std::nullopt;
  }

  // Its elements follow from constants, and evaluating it takes no more memory than the limit.
  bool is_constant(const Node& node) const {
    auto bytes = size_bytes(node.output);
    if (!bytes) return false;
    if (std::holds_alternative<ConstantAttrs>(node.attrs)) return true;
    bool from_constants = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId in) { return constant_[in.value]; });
    if (const auto* d = std::get_if<DimensionAttrs>(&node.attrs)) from_constants = d->value.is_constant();
    return from_constants && (*bytes <= options_.fold_limit_bytes || std::holds_alternative<BroadcastAttrs>(node.attrs));
  }

  bool stays(const Node& node) const {
    return std::holds_alternative<ConstantAttrs>(node.attrs) || std::holds_alternative<BroadcastAttrs>(node.attrs) ||
           std::holds_alternative<IotaAttrs>(node.attrs) || is_slice_of_iota(node) || expands_[node.output.value] ||
           !constant_[node.output.value];
  }

  bool is_slice_of_iota(const Node& node) const {
    return std::holds_alternative<SliceAttrs>(node.attrs) && src_.producer_as<IotaAttrs>(node.inputs[0]);
  }

  // What a node that stays reads, and what is an output, is evaluated, if it is neither a constant already nor one of
  // the nodes that stay.
  void choose_values() {
    std::vector<bool> seen(src_.values.size(), false);
    auto choose = [&](ValueId v) {
      const Node* node = src_.producer(v);
      if (!node || seen[v.value] || stays(*node)) return;
      seen[v.value] = true;
      int64_t bytes = *size_bytes(v);
      if (bytes > options_.fold_total_limit_bytes - total_bytes_) return;
      total_bytes_ += bytes;
      chosen_.push_back(v);
    };
    for (const Node& node : src_.nodes)
      if (stays(node))
        for (ValueId in : node.inputs) choose(in);
    for (ValueId out : src_.outputs) choose(out);
  }

  // The chosen values as the outputs of a graph without inputs.
  Status evaluate_chosen() {
    Graph closed;
    closed.name = src_.name;
    std::vector<ValueId> closed_of(src_.values.size());
    for (const Node& node : src_.nodes) {
      if (!constant_[node.output.value]) continue;
      Node copy = node;
      for (ValueId& in : copy.inputs) in = closed_of[in.value];
      copy.output = ValueId(closed.values.size());
      closed_of[node.output.value] = copy.output;
      Value value = src_.value(node.output);
      value.producer = NodeId(closed.nodes.size());
      closed.values.push_back(std::move(value));
      closed.nodes.push_back(std::move(copy));
    }
    for (ValueId v : chosen_) {
      closed.outputs.push_back(closed_of[v.value]);
      closed.output_names.push_back(std::to_string(v.value));
    }
    TUFF_ASSIGN(std::vector<Bytes> elements, options_.evaluate_constants(prune_dead(std::move(closed))));
    if (elements.size() != chosen_.size())
      return internal_error("The evaluation of constants returned another number of values.");
    for (size_t i = 0; i < chosen_.size(); ++i) folded_[chosen_[i].value] = constant_node(chosen_[i], std::move(elements[i]));
    return ok_status();
  }

  Node constant_node(ValueId v, Bytes elements) const {
    const Value& value = src_.value(v);
    ConstantAttrs attrs{value.dtype, value.shape, {}};
    size_t width = static_cast<size_t>(dtype_size_bytes(value.dtype));
    const std::byte* first = elements.data.data();
    // All equal: each element is the one before it.
    bool splat = elements.data.size() >= width && std::memcmp(first, first + width, elements.data.size() - width) == 0;
    if (splat) {
      attrs.data.kind = ConstantData::Kind::kSplat;
      std::memcpy(&attrs.data.bits, first, width);
    } else {
      attrs.data.bytes = std::move(elements);
    }
    return {std::move(attrs), {}, v, origins_of(v)};
  }

  // Of every node that the value is computed from, in order.
  std::vector<std::string> origins_of(ValueId v) const {
    std::vector<NodeId> nodes, pending = {src_.value(v).producer};
    std::vector<bool> seen(src_.nodes.size(), false);
    while (!pending.empty()) {
      NodeId id = pending.back();
      pending.pop_back();
      if (seen[id.value]) continue;
      seen[id.value] = true;
      nodes.push_back(id);
      for (ValueId in : src_.node(id).inputs) pending.push_back(src_.value(in).producer);
    }
    std::sort(nodes.begin(), nodes.end());
    OriginList origins;
    for (NodeId id : nodes) origins.add(src_.node(id).origins);
    return origins.names();
  }

  const Graph& src_;
  const SimplifyOptions& options_;
  std::vector<bool> constant_, expands_;     // by value
  std::vector<std::optional<Node>> folded_;  // by value
  std::vector<ValueId> chosen_;
  int64_t total_bytes_ = 0;
};

}  // namespace

Result<Graph> fold_constants(const Graph& src, const SimplifyOptions& options) {
  if (!options.evaluate_constants) return src;
  return Folder(src, options).run();
}

}  // namespace tuff
