#include "kernel/attend_tile.h"

#include <algorithm>

#include "base/checked.h"
#include "graph/builder.h"

namespace tuff {

Scores scores_of(const KernelRequest& request, const Substitution& variables) {
  const Graph& graph = request.graph;
  const Node& node = graph.node(attention_scores(request.group, graph));
  const auto& attrs = std::get<ContractAttrs>(node.attrs);
  const Dims at = replace_variables(request.group.coordinates.at(node.output.value), variables);
  std::map<int, IntExpr> of_label;
  for (size_t i = 0; i < attrs.out.size(); ++i) of_label[attrs.out[i]] = at[i];
  Scores scores;
  scores.depth = IntExpr(1);
  for (int side = 0; side < 2; ++side) {
    const auto& labels = side ? attrs.b : attrs.a;
    const ValueId operand = node.inputs[static_cast<size_t>(side)];
    for (size_t i = 0; i < labels.size(); ++i) {
      if (has_label(attrs.out, labels[i]) || of_label.count(labels[i])) continue;
      scores.depth = graph.value(operand).shape[i];
      of_label[labels[i]] = IntExpr::loop_variable("depth", scores.depth);
    }
  }
  for (int label : attrs.a) scores.query.push_back(of_label[label]);
  for (int label : attrs.b) scores.key.push_back(of_label[label]);
  scores.query_operand = node.inputs[0];
  scores.key_operand = node.inputs[1];
  // The operand that the keys are in is the second.
  bool key_in_first = false;
  for (const IntExpr& e : scores.query) e.visit_symbols([&](const Symbol& s) { key_in_first |= s.extent && s.name == "key"; });
  if (key_in_first) {
    std::swap(scores.query, scores.key);
    std::swap(scores.query_operand, scores.key_operand);
  }
  return scores;
}

std::string attend_text(const AttendTile& tile, bool exact) {
  return std::to_string(tile.lanes) + " queries, " + std::to_string(tile.columns * tile.width) + " columns each, " +
         std::to_string(tile.key_tile) + " keys at a time" +
         (tile.splits > 1 ? ", over " + std::to_string(tile.splits) + " invocations" : "") +
         (tile.workgroups > 1 ? " of " + std::to_string(tile.workgroups) + " workgroups" : "") + (exact ? ", two walks" : "") +
         (tile.exchange && tile.splits > 1 ? ", exchanged" : "") +
         (tile.stage == QueryStage::kShared      ? ", queries in shared memory"
          : tile.stage == QueryStage::kExchanged ? ", queries in lanes"
                                                 : "");
}

namespace {

// `like`: what no schedule chooses is as there.
std::optional<AttendTile> read_attend_tile(const std::string& text, const AttendTile& like, const AttentionShape& shape,
                                           const DeviceInfo& device) {
  const std::vector<int64_t> n = numbers_in(text);
  if (n.size() < 3) return std::nullopt;
  AttendTile tile = like;
  tile.lanes = static_cast<uint32_t>(n[0]);
  tile.columns = static_cast<int>(n[1] / like.width);
  tile.key_tile = static_cast<int>(n[2]);
  tile.splits = n.size() > 3 ? static_cast<uint32_t>(n[3]) : 1;
  tile.workgroups = n.size() > 4 ? static_cast<uint32_t>(n[4]) : 1;
  return derived(tile, shape, device);
}

bool attend_fits(const AttendTile& tile, const AttendTile& predicted, const KernelRequest& request,
                 const AttentionShape& shape) {
  const DeviceInfo& device = request.device;
  const auto blocks = [&](const AttendTile& t) { return most_workgroups(shape.rows, t.lanes); };
  const int64_t vectors = std::max<int64_t>(1, shape.columns.constant() / predicted.width);
  return is_power_of_two(tile.lanes) && is_power_of_two(tile.splits) && (tile.splits == 1 || !request.exact) &&
         is_power_of_two(tile.workgroups) && tile.workgroups <= tile.splits && grid_holds(tile, shape, device) &&
         is_power_of_two(tile.key_tile) && tile.key_tile >= 2 && tile.key_tile <= 16 && tile.columns >= 1 &&
         tile.columns <= vectors && tile.invocations() <= device.max_workgroup_size[0] &&
         tile.invocations() <= device.max_workgroup_invocations && shared_bytes_of(tile) <= device.max_shared_bytes &&
         registers_of(tile) <= 2 * device.rates.registers_per_lane &&
         blocks(tile) <= std::max(device.max_workgroup_count[0], blocks(predicted)) &&
         ceil_div(vectors, tile.columns) <= device.max_workgroup_count[1];
}

std::vector<AttendTile> attend_neighbours(const AttendTile& tile) {
  std::vector<AttendTile> all;
  auto add = [&](auto change) {
    all.push_back(tile);
    change(all.back());
  };
  using Tile = AttendTile;
  add([](Tile& t) { t.columns = (t.columns + 1) / 2; });
  add([](Tile& t) { t.columns *= 2; });
  add([](Tile& t) { t.key_tile *= 2; });
  add([](Tile& t) { t.key_tile /= 2; });
  add([](Tile& t) { t.lanes *= 2; });
  add([](Tile& t) { t.lanes /= 2; });
  add([](Tile& t) { t.splits *= 2; });
  add([](Tile& t) { t.splits /= 2; });
  add([](Tile& t) { t.lanes /= 2, t.splits *= 2; });
  add([](Tile& t) { t.lanes *= 2, t.splits /= 2; });
  if (tile.workgroups > 1) {  // where they pay at all
    add([](Tile& t) { t.workgroups *= 2; });
    add([](Tile& t) { t.workgroups /= 2; });
  }
  return all;
}

}  // namespace

AttendTile take_attend_tile(const KernelRequest& request, const Contraction& c, const AttentionShape& shape,
                            KernelTuning& tuning) {
  const DeviceInfo& device = request.device;
  const AttendTile predicted = choose_attend_tile(shape, device, request.exact);
  ScheduleSpace<AttendTile> space;
  space.key = contraction_key(request, c, "attend");
  space.text = [&](const AttendTile& tile) { return attend_text(tile, request.exact); };
  space.read = [&](const std::string& text) { return read_attend_tile(text, predicted, shape, device); };
  space.fits = [&](const AttendTile& tile) { return attend_fits(tile, predicted, request, shape); };
  space.neighbours = [&](const AttendTile& tile) {
    std::vector<AttendTile> all = attend_neighbours(tile);
    for (AttendTile& neighbour : all) neighbour = derived(neighbour, shape, device);
    return all;
  };
  space.registers = [](const AttendTile& tile) { return registers_of(tile); };
  return choose_schedule(space, predicted, request.observations, tuning);
}

}  // namespace tuff
