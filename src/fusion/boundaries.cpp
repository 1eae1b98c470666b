// Why what one kernel stores is read by another: of each pair of kernels for which no pass has said it, what it would cost to
// compute the value where it is read, beside what it costs to store it.
#include <algorithm>

#include "fusion/cost.h"
#include "fusion/grow.h"

namespace tuff {
namespace {

// How many terms the node sums for one element of its result; 1 for what does not sum.
int64_t summed_terms(const Graph& graph, const Node& node) {
  int64_t terms = 1;
  if (const auto* contract = std::get_if<ContractAttrs>(&node.attrs)) {
    const Dims& shape = graph.value(node.inputs[0]).shape;
    for (size_t i = 0; i < contract->a.size(); ++i)
      if (!has_label(contract->out, contract->a[i])) terms *= typical(shape[i]);
  } else if (const auto* window = std::get_if<WindowAttrs>(&node.attrs)) {
    for (int64_t taps : window->kernel) terms *= taps;
    if (window->op == WindowOp::kConv) terms *= typical(graph.value(node.inputs[1]).shape[1]);
  } else if (const auto* reduce = std::get_if<ReduceAttrs>(&node.attrs)) {
    for (int axis : reduce->axes) terms *= typical(graph.value(node.inputs[0]).shape[static_cast<size_t>(axis)]);
  }
  return std::max<int64_t>(1, terms);
}

}  // namespace

// Of the sums that one element of the group's results needs: where it walks over keys, a score for each of them.
int64_t Fuser::terms_of(const Group& group) const {
  int64_t most = 1, all = 1;
  for (NodeId m : group.members) {
    const int64_t terms = summed_terms(graph, graph.node(m));
    most = std::max(most, terms);
    if (m == group.anchor || (group.kind == AnchorKind::kAttend && m == attention_scores(group, graph))) all *= terms;
  }
  return std::max(most, all);
}

std::string Fuser::why_apart(const Group& from, const Group& to, ValueId value) const {
  const int64_t elements = typical(product(graph.value(value).shape)), terms = terms_of(from);
  const int64_t stored_ns = device.rates.launch_ns + memory_ns(2 * typical_bytes(graph, value), device);
  const std::string storing = "to write it once, read it once and launch a kernel takes " + std::to_string(stored_ns) + " ns.";
  if (terms == 1)
    return "its kernel has " + std::to_string(from.stores.size()) + " results and is not computed again where one is read; " +
           storing;
  const int64_t reads = std::max<int64_t>(1, element_reads(to, value));
  const int64_t again_ns = arithmetic_ns(elements * reads * terms, device);
  return "each of its " + std::to_string(elements) + " elements sums " + std::to_string(terms) + " terms and is read " +
         (reads == 1 ? "once" : std::to_string(reads) + " times") + ": to sum them where they are read would take " +
         std::to_string(again_ns) + " ns" + (again_ns < stored_ns ? ", but no kernel sums within another's loads; " : "; ") +
         storing;
}

void Fuser::explain_boundaries() {
  // Pairs of groups that a refusal names.
  std::set<std::pair<uint32_t, uint32_t>> explained;
  for (const Decision& d : decisions) {
    if (d.accepted) continue;
    std::set<uint32_t> named;
    for (NodeId n : d.nodes) named.insert(homes[n.value].begin(), homes[n.value].end());
    for (uint32_t a : named)
      for (uint32_t b : named) explained.emplace(a, b);
  }
  std::map<uint32_t, uint32_t> writers;  // by value
  for (uint32_t g = 0; g < groups.size(); ++g)
    for (ValueId v : groups[g].stores) writers[v.value] = g;
  for (uint32_t g = 0; g < groups.size(); ++g) {
    if (groups[g].stores.empty() || groups[g].members.empty()) continue;
    for (ValueId v : loads(groups[g])) {
      const auto writer = writers.find(v.value);
      if (writer == writers.end() || writer->second == g || groups[writer->second].members.empty()) continue;
      const Group& from = groups[writer->second];
      if (explained.count({writer->second, g})) continue;
      decide(false, "boundary", {from.anchor, groups[g].anchor}, label(from.anchor) + " into " + label(groups[g].anchor),
             why_apart(from, groups[g], v));
    }
  }
}

}  // namespace tuff
