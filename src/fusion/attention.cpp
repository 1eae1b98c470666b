// Attention as one group: a product of exp(t - max t) with t made from another product. The kernel walks over the keys
// once (attend.glsl) and stores neither t nor its exponentials. Nothing is matched by name: the group is legal when every
// value between the two products is read inside it alone, and what it needs can be computed at one query, one key.
#include <algorithm>

#include "fusion/attention_tile.h"
#include "fusion/cost.h"
#include "fusion/grow.h"

namespace tuff {
namespace {

const Node* map_behind(const Graph& graph, ValueId value, MapOp op) {
  const auto* map = graph.producer_as<MapAttrs>(value);
  return map && map->op == op ? graph.producer(value) : nullptr;
}

ValueId before_broadcasts(const Graph& graph, ValueId value) {
  while (graph.producer_as<BroadcastAttrs>(value)) value = graph.producer(value)->inputs[0];
  return value;
}

// The labels that are summed over.
std::vector<int> summed_labels(const ContractAttrs& product) {
  std::vector<int> summed;
  for (const auto* side : {&product.a, &product.b})
    for (int label : *side)
      if (!has_label(product.out, label) && !has_label(summed, label)) summed.push_back(label);
  return summed;
}

// The coordinates of a view's input at which the view shows what it has at `at`; nullopt where it is not one to one.
std::optional<Dims> pull_through_view(const Graph& graph, const Node& view, const Dims& at) {
  const Dims& from = graph.value(view.inputs[0]).shape;
  if (std::holds_alternative<ReshapeAttrs>(view.attrs)) return delinearise(linearise(at, graph.value(view.output).shape), from);
  if (const auto* transpose = std::get_if<TransposeAttrs>(&view.attrs)) {
    Dims out(at.size());
    for (size_t i = 0; i < at.size(); ++i) out[static_cast<size_t>(transpose->perm[i])] = at[i];
    return out;
  }
  return std::nullopt;
}

bool repeats_literal(const Graph& graph, ValueId value) {
  const Node* node = graph.producer(before_broadcasts(graph, value));
  return node && is_literal(node->attrs);
}

// Collects the group of an attention from its second product backwards.
struct AttentionFinder {
  const Graph& graph;
  NodeId product;  // exponentials times values
  std::vector<NodeId> members = {};
  std::map<uint32_t, Dims> coordinates = {};
  NodeId scores = {};  // queries times keys
  std::string refusal = {};

  bool take(ValueId value, const Dims& at) {
    members.push_back(graph.value(value).producer);
    coordinates[value.value] = at;
    return true;
  }

  // The nodes from t back to the first product; true if the value depends on it.
  bool collect_scores(ValueId value, const Dims& at) {
    const Node* node = graph.producer(value);
    if (!node || members.size() > kMaxMembers) return false;
    const NodeId id = graph.value(value).producer;
    if (std::find(members.begin(), members.end(), id) != members.end()) return true;
    if (std::holds_alternative<ContractAttrs>(node->attrs)) {
      if (scores.valid()) {
        refusal = "its scores come from two products.";
        return false;
      }
      scores = id;
      return take(value, at);
    }
    if (std::holds_alternative<MapAttrs>(node->attrs)) {
      bool depends = false;
      for (ValueId input : node->inputs) depends = collect_scores(input, at) || depends;
      return depends && take(value, at);
    }
    if (!is_view(node->attrs) || node->inputs.size() != 1) return false;
    auto before = pull_through_view(graph, *node, at);
    return before && collect_scores(node->inputs[0], *before);
  }

  // False where there is no attention; with a refusal where there is one that cannot be a group.
  bool find(const std::vector<std::vector<NodeId>>& users) {
    const Node& outer = graph.node(product);
    const auto& attrs = std::get<ContractAttrs>(outer.attrs);
    const ValueId e = outer.inputs[0];
    const Node* exponential = map_behind(graph, e, MapOp::exp);
    const Node* shifted = exponential ? map_behind(graph, exponential->inputs[0], MapOp::sub) : nullptr;
    if (!shifted) return false;
    const ValueId t = shifted->inputs[0], top = before_broadcasts(graph, shifted->inputs[1]);
    const auto* greatest = graph.producer_as<ReduceAttrs>(top);
    if (!greatest || greatest->op != ReduceOp::kMax || greatest->axes.size() != 1 || graph.producer(top)->inputs[0] != t)
      return false;
    const size_t key_axis = static_cast<size_t>(greatest->axes[0]);
    const std::vector<int> summed = summed_labels(attrs);
    if (summed != std::vector<int>{attrs.a[key_axis]}) return false;

    // One query and one key: the result's own variables, and `key`.
    const Dims domain = domain_variables(graph.value(outer.output).shape);
    Dims at;
    for (size_t i = 0; i < attrs.a.size(); ++i) {
      if (i == key_axis) {
        at.push_back(IntExpr::loop_variable("key", graph.value(e).shape[i]));
        continue;
      }
      const auto out = std::find(attrs.out.begin(), attrs.out.end(), attrs.a[i]);
      at.push_back(domain[static_cast<size_t>(out - attrs.out.begin())]);
    }
    Dims row = at;
    row[key_axis] = IntExpr(0);
    if (!collect_scores(t, at) || !scores.valid()) return false;
    take(exponential->inputs[0], at);
    take(e, at);
    take(top, row);
    coordinates[outer.output.value] = domain;
    members.push_back(product);
    // The sum of the exponentials, as a product of its own.
    for (NodeId user : users[e.value]) {
      const auto* sum = std::get_if<ContractAttrs>(&graph.node(user).attrs);
      if (!sum || user == product || graph.node(user).inputs[0] != e || !repeats_literal(graph, graph.node(user).inputs[1]))
        continue;
      Dims sum_at;
      for (int label : sum->out) {
        const auto axis = std::find(sum->a.begin(), sum->a.end(), label);
        if (axis == sum->a.end()) return false;
        sum_at.push_back(at[static_cast<size_t>(axis - sum->a.begin())]);
      }
      if (sum->order != attrs.order || summed_labels(*sum) != std::vector<int>{sum->a[key_axis]}) return false;
      take(graph.node(user).output, sum_at);
    }
    std::sort(members.begin(), members.end());
    return true;
  }
};

}  // namespace

std::string Fuser::why_no_attention(const Group& group, NodeId scores) const {
  const Node& outer = graph.node(group.anchor);
  const auto& inner = std::get<ContractAttrs>(graph.node(scores).attrs);
  for (NodeId m : group.members) {
    const Node& node = graph.node(m);
    if (stays_alone(m)) return kNoPipeline;
    if (graph.value(node.output).dtype != Dtype::kF32 && !std::holds_alternative<MapAttrs>(node.attrs))
      return label(m) + " is not computed in f32.";
    const bool leaves_through = m == group.anchor || (std::holds_alternative<ContractAttrs>(node.attrs) && m != scores);
    if (leaves_through) continue;
    if (needed[node.output.value] || !stored_views(node.output).empty()) return label(m) + " is wanted in memory.";
    for (NodeId reader : readers(node.output))
      if (!std::binary_search(group.members.begin(), group.members.end(), reader))
        return label(reader) + " reads " + label(m) + ", too.";
  }
  if (summed_labels(inner).size() != 1) return "the scores are summed over several axes.";
  IntExpr columns(1);
  const auto& attrs = std::get<ContractAttrs>(outer.attrs);
  for (size_t i = 0; i < attrs.out.size(); ++i)
    if (!has_label(attrs.a, attrs.out[i])) columns *= graph.value(outer.output).shape[i];
  if (!columns.is_constant() || columns.constant() < 1)
    return "a query's result has " + columns.text() + " elements, a number that is not known ahead.";
  if (inner.order.kind == SumOrder::Kind::kChunked) return "the scores are summed in chunks.";
  return why_too_large(group);
}

NodeId attention_scores(const Group& group, const Graph& graph) {
  for (NodeId m : group.members)
    if (std::holds_alternative<ContractAttrs>(graph.node(m).attrs) && m != group.anchor &&
        !repeats_literal(graph, graph.node(m).inputs[1]))
      return m;
  return {};
}

int64_t Fuser::attention_reads(const Group& group, ValueId value) const {
  const Node& outer = graph.node(group.anchor);
  const Node& scores = graph.node(attention_scores(group, graph));
  // Is the value behind the operand, as far as the kernel computes it?
  auto reaches = [&](ValueId operand) {
    std::set<uint32_t> seen;
    std::vector<ValueId> work = {operand};
    while (!work.empty()) {
      const ValueId v = work.back();
      work.pop_back();
      if (v == value) return true;
      const Node* node = graph.producer(v);
      if (!node || !seen.insert(v.value).second) continue;
      const bool member = std::binary_search(group.members.begin(), group.members.end(), graph.value(v).producer);
      if (is_view(node->attrs) || (member && std::holds_alternative<MapAttrs>(node->attrs)))
        work.insert(work.end(), node->inputs.begin(), node->inputs.end());
    }
    return false;
  };
  auto count = [&](ValueId v) { return std::max<int64_t>(1, typical(product(graph.value(v).shape))); };
  const int64_t pairs = count(outer.inputs[0]);
  const int64_t queries =
      std::max<int64_t>(1, pairs / std::max<int64_t>(1, typical(graph.value(outer.inputs[0]).shape.back())));
  AttentionShape shape = attention_shape(graph, group);
  shape.query_is_computed = true;  // were the value made here
  if (reaches(shape.query)) return count(shape.query) * query_reads(choose_attend_tile(shape, device, exact), shape);
  if (reaches(scores.inputs[0]) || reaches(scores.inputs[1])) return pairs * std::max<int64_t>(1, count(shape.query) / queries);
  if (reaches(outer.inputs[1])) return pairs * std::max<int64_t>(1, count(outer.output) / queries);
  return pairs;
}

void Fuser::join_attention() {
  for (uint32_t g = 0; g < groups.size(); ++g) {
    if (groups[g].kind != AnchorKind::kContract || groups[g].members.size() != 1) continue;
    AttentionFinder finder{graph, groups[g].anchor};
    if (!finder.find(users)) continue;
    Group group;
    group.kind = AnchorKind::kAttend;
    group.anchor = groups[g].anchor;
    group.members = finder.members;
    group.coordinates = finder.coordinates;
    const std::string subject = label(finder.scores) + " into " + label(group.anchor);
    const std::vector<NodeId> both = {finder.scores, group.anchor};
    std::string refusal = finder.refusal.empty() ? why_no_attention(group, finder.scores) : finder.refusal;
    const Node& outer = graph.node(group.anchor);
    if (refusal.empty()) {
      const Status legal = check_points(group, {outer.inputs[0]});
      if (!legal.ok()) refusal = legal.message();
    }
    if (!refusal.empty()) {
      decide(false, "attention", both, subject, refusal);
      continue;
    }
    const int64_t saved_bytes = 6 * typical_bytes(graph, outer.inputs[0]);
    decide(true, "attention", both, subject,
           "a walk over the keys: neither scores nor their exponentials are stored, which saves 3 launches and " +
               std::to_string(saved_bytes) + " bytes, about " +
               std::to_string(3 * device.rates.launch_ns + memory_ns(saved_bytes, device)) + " ns.");
    for (NodeId m : group.members) {
      groups[home(m)].members.clear();
      homes[m.value] = {g};
    }
    groups[g] = std::move(group);
  }
}

}  // namespace tuff
