#include "simplify/rewrite.h"

#include <algorithm>

namespace tuff {
namespace {

// A rule's result is asked about again; this many steps bound a pair of rules that undo each other.
constexpr int kMaxSteps = 64;

Graph empty_like(const Graph& src) {
  Graph dst;
  dst.name = src.name;
  dst.symbols = src.symbols;
  dst.data_sizes = src.data_sizes;
  return dst;
}

// By value: an output depends on it.
std::vector<bool> live_values(const Graph& graph) {
  std::vector<bool> live(graph.values.size(), false);
  for (ValueId out : graph.outputs) live[out.value] = true;
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    if (!live[graph.nodes[n].output.value]) continue;
    for (ValueId in : graph.nodes[n].inputs) live[in.value] = true;
  }
  return live;
}

bool depends_on_shapes(const Attrs& attrs, const Value& output) {
  if (const auto* d = std::get_if<DimensionAttrs>(&attrs)) return !d->value.is_constant();
  return !std::all_of(output.shape.begin(), output.shape.end(), [](const IntExpr& d) { return d.is_constant(); });
}

}  // namespace

Rewriter::Rewriter(const Graph& src, const SimplifyOptions& options)
    : src_(src),
      options_(options),
      builder_(empty_like(src)),
      dst_of_(src.values.size()),
      src_uses_(src.values.size(), 0),
      fold_bytes_left_(options.fold_total_limit_bytes) {
  for (const Node& node : src.nodes)
    for (ValueId in : node.inputs) ++src_uses_[in.value];
  for (ValueId out : src.outputs) ++src_uses_[out.value];
}

const Node* Rewriter::map_producer(ValueId v, MapOp op) const {
  const auto* map = producer_as<MapAttrs>(v);
  return map && map->op == op ? producer(v) : nullptr;
}

int64_t Rewriter::use_count(ValueId v) const {
  return mapped_uses_[v.value] >= 0 ? mapped_uses_[v.value] : emitted_uses_[v.value];
}

bool Rewriter::take_fold_bytes(ValueId v) {
  IntExpr bytes = product(shape(v)) * IntExpr(dtype_size_bytes(value(v).dtype));
  if (!bytes.is_constant() || bytes.constant() > std::min(options_.fold_limit_bytes, fold_bytes_left_)) return false;
  fold_bytes_left_ -= bytes.constant();
  return true;
}

void Rewriter::also_from(std::initializer_list<ValueId> values) {
  note_new_nodes();  // what was emitted before does not
  for (ValueId v : values)
    if (NodeId node = value(v).producer; node.valid()) also_from_.insert(also_from_.end() - refined_count_, node);
}

// Keeps the tables of dst as long as the graph.
void Rewriter::note_new_nodes() {
  const Graph& dst = builder_.graph();
  while (mapped_uses_.size() < dst.values.size()) {
    const Value& value = dst.values[mapped_uses_.size()];
    bool constant = false;
    if (value.producer.valid()) {
      const Node& node = dst.node(value.producer);
      constant = !depends_on_shapes(node.attrs, value) && !storage_.expands(node, value);
      for (ValueId in : node.inputs) {
        constant = constant && constant_[in.value];
        ++emitted_uses_[in.value];
      }
    }
    mapped_uses_.push_back(-1);
    emitted_uses_.push_back(0);
    constant_.push_back(constant);
  }
  sources_.resize(dst.nodes.size(), {also_from_, {}});
}

void Rewriter::map_value(ValueId src, ValueId dst) {
  dst_of_[src.value] = dst;
  mapped_uses_[dst.value] = std::max<int64_t>(mapped_uses_[dst.value], 0) + src_uses_[src.value];
  // Of two names for one value the earlier stays.
  if (value(dst).name.empty()) builder_.name_value(dst, src_.value(src).name);
}

Result<ValueId> Rewriter::rewrite_node(const Node& node, std::span<const RewriteRule> rules) {
  Node at_hand = node;
  for (ValueId& in : at_hand.inputs) in = dst_of_[in.value];
  const Value& output = src_.value(node.output);
  ValueId result;
  builder_.set_origins(node.origins);
  also_from_.clear();
  refined_count_ = 0;
  for (int step = 0; step < kMaxSteps; ++step) {
    ValueId next;
    const std::vector<NodeId> replaced = also_from_;
    for (RewriteRule rule : rules) {
      also_from_ = replaced;
      TUFF_ASSIGN(next, rule(*this, {at_hand.attrs, at_hand.inputs, output}));
      note_new_nodes();
      if (next.valid()) break;
    }
    if (!next.valid()) break;
    if (value(next).dtype != output.dtype || shape(next) != output.shape)
      return internal_error("A rewrite of '" + node.origins.front() + "' made " + dims_text(shape(next)) + " of " +
                            dims_text(output.shape) + ".");
    result = next;
    ++match_count_;
    // A value that was there before, or an input, needs no further rule.
    const Node* made = producer(next);
    if (!made || mapped_uses_[next.value] >= 0) break;
    at_hand = *made;
    also_from_ = {value(next).producer};  // comes after what its successors stand for besides
    refined_count_ = 1;
  }
  if (result.valid()) return result;
  also_from_.clear();
  return builder_.add(std::move(at_hand.attrs), std::move(at_hand.inputs));
}

// What a node replaced comes before its own names, what vanished into it after them.
std::vector<std::string> Rewriter::origins_of(NodeId root) const {
  OriginList origins;
  std::unordered_set<uint32_t> seen;
  struct Visit {
    NodeId node;
    size_t next = 0;
  };
  std::vector<Visit> path = {{root}};
  seen.insert(root.value);
  while (!path.empty()) {
    Visit& at = path.back();
    const Sources& from = sources_[at.node.value];
    if (at.next < from.replaced.size()) {
      NodeId replaced = from.replaced[at.next++];
      if (seen.insert(replaced.value).second) path.push_back({replaced});
      continue;
    }
    origins.add(builder_.graph().node(at.node).origins);
    for (NodeId n : from.vanished) origins.add(src_.node(n).origins);
    path.pop_back();
  }
  return origins.names();
}

Result<Graph> Rewriter::run(std::span<const RewriteRule> rules) {
  for (ValueId in : src_.inputs) {
    const Value& value = src_.value(in);
    ValueId dst = builder_.input(value.name, value.dtype, value.shape);
    note_new_nodes();
    map_value(in, dst);
  }
  for (size_t n = 0; n < src_.nodes.size(); ++n) {
    const Node& node = src_.nodes[n];
    TUFF_ASSIGN(ValueId dst, rewrite_node(node, rules));
    note_new_nodes();
    map_value(node.output, dst);
    // The node may have vanished into one that was there before: that one now stands for it.
    NodeId producer = value(dst).producer;
    if (producer.valid()) sources_[producer.value].vanished.push_back(NodeId(n));
  }
  for (size_t i = 0; i < src_.outputs.size(); ++i) builder_.output(dst_of_[src_.outputs[i].value], src_.output_names[i]);
  const std::vector<bool> live = live_values(builder_.graph());
  std::vector<std::vector<std::string>> origins(builder_.graph().nodes.size());
  for (size_t n = 0; n < origins.size(); ++n)
    if (live[builder_.graph().nodes[n].output.value]) origins[n] = origins_of(NodeId(n));
  Graph dst = std::move(builder_).finish();
  for (size_t n = 0; n < origins.size(); ++n) dst.nodes[n].origins = std::move(origins[n]);
  return prune_dead(std::move(dst));
}

Result<Graph> rewrite_nodes(const Graph& src, std::span<const RewriteRule> rules, const SimplifyOptions& options,
                            int64_t* match_count) {
  Rewriter rewriter(src, options);
  TUFF_ASSIGN(Graph dst, rewriter.run(rules));
  if (match_count) *match_count = rewriter.match_count();
  return dst;
}

Graph prune_dead(Graph graph) {
  std::vector<bool> live = live_values(graph);
  for (ValueId in : graph.inputs) live[in.value] = true;

  std::vector<ValueId> renumbered(graph.values.size());
  std::vector<Value> values;
  for (size_t v = 0; v < graph.values.size(); ++v) {
    if (!live[v]) continue;
    renumbered[v] = ValueId(values.size());
    values.push_back(std::move(graph.values[v]));
  }
  std::vector<Node> nodes;
  for (Node& node : graph.nodes) {
    if (!live[node.output.value]) continue;
    node.output = renumbered[node.output.value];
    for (ValueId& in : node.inputs) in = renumbered[in.value];
    values[node.output.value].producer = NodeId(nodes.size());
    nodes.push_back(std::move(node));
  }
  for (ValueId& in : graph.inputs) in = renumbered[in.value];
  for (ValueId& out : graph.outputs) out = renumbered[out.value];
  graph.values = std::move(values);
  graph.nodes = std::move(nodes);
  return graph;
}

}  // namespace tuff
