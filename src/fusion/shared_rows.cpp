// Products of the same rows whose results meet at one point are one kernel (the gate and the other half of a gated unit): each
// invocation sums both at its point and has both in registers there, so that neither is stored and the rows are read once.
#include <algorithm>

#include "fusion/cost.h"
#include "fusion/grow.h"

namespace tuff {
namespace {

// Do both products walk their operands and results in the same order, by whatever labels?
bool same_axes(const ContractAttrs& a, const ContractAttrs& b) {
  std::map<int, int> renamed, taken;
  auto renames = [&](const std::vector<int>& from, const std::vector<int>& to) {
    return std::equal(from.begin(), from.end(), to.begin(), to.end(), [&](int x, int y) {
      return renamed.try_emplace(x, y).first->second == y && taken.try_emplace(y, x).first->second == x;
    });
  };
  return renames(a.a, b.a) && renames(a.b, b.b) && renames(a.out, b.out) && a.order == b.order;
}

// More would leave each too few accumulators.
constexpr int kMaxProducts = 2;

}  // namespace

// The one value that the group's product gives to another product's kernel, and which; an invalid value where there is none.
std::pair<ValueId, uint32_t> Fuser::given_to_product(uint32_t group) const {
  const std::pair<ValueId, uint32_t> none = {ValueId(), 0};
  const Group& source = groups[group];
  if (source.members.empty() || source.kind != AnchorKind::kContract) return none;
  ValueId given;
  for (NodeId m : source.members) {
    const ValueId v = graph.node(m).output;
    if (!leaves(v, group)) continue;
    if (given.valid() || needed[v.value] || !stored_views(v).empty()) return none;
    given = v;
  }
  if (!given.valid()) return none;
  for (NodeId reader : readers(given))
    if (!std::holds_alternative<MapAttrs>(graph.node(reader).attrs)) return none;
  const std::set<uint32_t> into = reading_groups(given);
  if (into.size() != 1 || groups[*into.begin()].kind != AnchorKind::kContract) return none;
  return {given, *into.begin()};
}

bool Fuser::shares_rows(const Group& a, const Group& b) const {
  const Node &first = graph.node(a.anchor), &second = graph.node(b.anchor);
  const auto* one = std::get_if<ContractAttrs>(&first.attrs);
  const auto* other = std::get_if<ContractAttrs>(&second.attrs);
  const Value &left = graph.value(first.output), &right = graph.value(second.output);
  return one && other && first.inputs[0] == second.inputs[0] && same_axes(*one, *other) && left.shape == right.shape &&
         left.dtype == right.dtype && layouts.of(first.output).order == layouts.of(second.output).order;
}

void Fuser::join_products_of_shared_rows() {
  for (uint32_t g = 0; g < groups.size(); ++g) {
    const auto [value, into] = given_to_product(g);
    if (!value.valid() || !shares_rows(groups[g], groups[into])) continue;
    join_product(g, into, value);
  }
}

void Fuser::join_product(uint32_t from, uint32_t into, ValueId value) {
  const Group &source = groups[from], &target = groups[into];
  const std::vector<NodeId> nodes = {source.anchor, target.anchor};
  const std::string subject = label(source.anchor) + " into " + label(target.anchor);
  auto refuse = [&](std::string why) { decide(false, "shared rows", nodes, subject, std::move(why)); };
  if (stays_alone(source.anchor) || stays_alone(target.anchor)) return refuse(kNoPipeline);

  Group grown = target;
  add_members(grown, source);
  grown.coordinates.insert(source.coordinates.begin(), source.coordinates.end());
  const auto products = std::count_if(grown.members.begin(), grown.members.end(),
                                      [&](NodeId m) { return std::holds_alternative<ContractAttrs>(graph.node(m).attrs); });
  if (products > kMaxProducts)
    return refuse(std::to_string(products) + " products would leave each too few registers to sum in.");
  std::vector<ValueId> wanted;
  for (NodeId m : target.members)
    if (leaves(graph.node(m).output, into)) wanted.push_back(graph.node(m).output);
  if (const Status legal = check_points(grown, wanted); !legal.ok()) return refuse(legal.message());
  if (std::string why = why_too_large(grown); !why.empty()) return refuse(std::move(why));

  const int64_t saved_bytes = 2 * typical_bytes(graph, value) + typical_bytes(graph, graph.node(source.anchor).inputs[0]);
  decide(true, "shared rows", nodes, subject,
         "both are summed at one point; saves a launch and " + std::to_string(saved_bytes) + " bytes, about " +
             std::to_string(device.rates.launch_ns + memory_ns(saved_bytes, device)) + " ns.");
  GrownGroups all;
  all.emplace_back(into, std::move(grown));
  write_into(from, std::move(all));
}

}  // namespace tuff
