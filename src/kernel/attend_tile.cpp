// Chooses how many columns an invocation of attention holds, how many keys it takes at a time, and how many invocations and
// workgroups share a query's keys.
#include "kernel/attend_tile.h"

#include <algorithm>

#include "base/checked.h"
#include "device/rate_times.h"
#include "fusion/cost.h"
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

int64_t shared_bytes_of(const AttendTile& tile) {
  return int64_t{tile.splits / 2} * tile.lanes * (tile.columns * tile.width + 2) * 4 + (tile.workgroups > 1 ? 4 : 0);
}

IntExpr tile_count(const AttendTile& tile, const Contraction& c) {
  return c.batch * ceil_div(c.rows, IntExpr(int64_t{tile.lanes})) *
         ceil_div(floor_div(c.columns, IntExpr(tile.width)), IntExpr(tile.columns));
}

IntExpr partial_bytes(const AttendTile& tile, const Contraction& c) {
  return tile_count(tile, c) * IntExpr(int64_t{tile.workgroups} * tile.lanes * tile.floats_each() * 4);
}

std::string attend_text(const AttendTile& tile, bool exact) {
  return std::to_string(tile.lanes) + " queries, " + std::to_string(tile.columns * tile.width) + " columns each, " +
         std::to_string(tile.key_tile) + " keys at a time" +
         (tile.splits > 1 ? ", over " + std::to_string(tile.splits) + " invocations" : "") +
         (tile.workgroups > 1 ? " of " + std::to_string(tile.workgroups) + " workgroups" : "") + (exact ? ", two walks" : "");
}

namespace {

// Sums, scores and weights of the keys at hand, one step's operands, the rest.
int64_t registers_of(const AttendTile& tile) {
  return int64_t{tile.columns} * tile.width + 3 * tile.key_tile + (tile.key_tile + 1) * tile.steps + 24;
}

// The walk's time, were two workgroups a core needed for the device's rates; and where workgroups share keys, that of what they
// leave each other, and of waiting for the last of them, which is no more than a launch.
int64_t predicted_walk_ns(const AttendTile& tile, const KernelRequest& request, const Contraction& c, const Scores& scores) {
  const DeviceInfo& device = request.device;
  const int64_t pairs = typical(c.batch) * typical(c.rows) * typical(c.depth);
  const int64_t multiply_adds = pairs * (typical(c.columns) + typical(scores.depth));
  const int64_t bytes = typical_bytes(request.graph, scores.key_operand) +
                        typical_bytes(request.graph, request.graph.node(request.group.anchor).inputs[1]);
  const int64_t walk_ns = std::max(arithmetic_ns(multiply_adds, device), memory_ns(bytes, device));
  const int64_t wanted = 2 * device.rates.compute_units;
  const int64_t workgroups = std::clamp<int64_t>(typical(tile_count(tile, c)) * tile.workgroups, 1, wanted);
  const int64_t shared_ns =
      tile.workgroups == 1 ? 0 : device.rates.launch_ns + memory_ns(2 * typical(partial_bytes(tile, c)), device);
  return static_cast<int64_t>(static_cast<double>(walk_ns) * static_cast<double>(wanted) / static_cast<double>(workgroups)) +
         shared_ns;
}

bool grid_holds(const AttendTile& tile, const Contraction& c, const DeviceInfo& device) {
  return most_workgroups(c.batch, 1) <= device.max_workgroup_count[2] / int64_t{tile.workgroups};
}

// Where invocations that share keys leave cores idle, workgroups share them, too: as few keys an invocation at a time as that
// takes, and as few workgroups as the shortest time.
AttendTile split_over_workgroups(const AttendTile& whole, const KernelRequest& request, const Contraction& c,
                                 const Scores& scores) {
  const int64_t keys = typical(c.depth), wanted = 2 * request.device.rates.compute_units;
  AttendTile best = whole;
  int64_t best_ns = predicted_walk_ns(whole, request, c, scores);
  for (uint32_t workgroups = 2; workgroups <= whole.splits; workgroups *= 2) {
    AttendTile tile = whole;
    tile.workgroups = workgroups;
    auto has_keys = [&] { return keys >= int64_t{tile.workgroups} * tile.splits * tile.key_tile; };
    while (!has_keys() && tile.key_tile > 4) tile.key_tile /= 2;
    while (!has_keys() && tile.splits > workgroups) tile.splits /= 2;
    if (!has_keys() || !grid_holds(tile, c, request.device) || shared_bytes_of(tile) > request.device.max_shared_bytes) break;
    const int64_t ns = predicted_walk_ns(tile, request, c, scores);
    if (ns < best_ns) {
      best = tile;
      best_ns = ns;
    }
    if (typical(tile_count(tile, c)) * workgroups >= wanted) break;
  }
  return best;
}

AttendTile choose_tile(const KernelRequest& request, const Contraction& c, const Scores& scores) {
  const DeviceInfo& device = request.device;
  AttendTile tile;
  tile.width = vector_width(c.columns);
  tile.steps = divide_exact(scores.depth, IntExpr(4)) && !scores.depth.is(0) ? 4 : 1;
  const int64_t vectors = std::max<int64_t>(1, c.columns.constant() / tile.width);
  tile.columns = static_cast<int>(vectors);
  while (registers_of(tile) > device.rates.registers_per_lane && tile.key_tile > 4) tile.key_tile /= 2;
  while (registers_of(tile) > device.rates.registers_per_lane && tile.columns > 1) tile.columns = (tile.columns + 1) / 2;

  const int64_t rows = std::max<int64_t>(1, typical(c.rows)), keys = std::max<int64_t>(1, typical(c.depth));
  const int64_t invocations = std::min<int64_t>(64, device.max_workgroup_invocations);
  while (tile.lanes * 2 <= invocations && tile.lanes < rows) tile.lanes *= 2;
  if (request.exact) return tile;  // the sums keep their order
  auto workgroups = [&] {
    return ceil_div(rows, int64_t{tile.lanes}) * ceil_div(vectors, tile.columns) * std::max<int64_t>(1, typical(c.batch));
  };
  // Too few workgroups have fewer queries each, whose keys their invocations share.
  while (workgroups() < 2 * device.rates.compute_units && keys >= int64_t{2} * tile.splits * tile.key_tile) {
    if (tile.lanes * tile.splits * 2 > invocations) {
      if (tile.lanes == 1) break;
      tile.lanes /= 2;
    }
    AttendTile split = tile;
    split.splits *= 2;
    if (shared_bytes_of(split) > device.max_shared_bytes) break;
    tile = split;
  }
  return split_over_workgroups(tile, request, c, scores);
}

// `like`: what no schedule chooses is as there.
std::optional<AttendTile> read_attend_tile(const std::string& text, const AttendTile& like) {
  const std::vector<int64_t> n = numbers_in(text);
  if (n.size() < 3) return std::nullopt;
  AttendTile tile = like;
  tile.lanes = static_cast<uint32_t>(n[0]);
  tile.columns = static_cast<int>(n[1] / like.width);
  tile.key_tile = static_cast<int>(n[2]);
  tile.splits = n.size() > 3 ? static_cast<uint32_t>(n[3]) : 1;
  tile.workgroups = n.size() > 4 ? static_cast<uint32_t>(n[4]) : 1;
  return tile;
}

bool attend_fits(const AttendTile& tile, const AttendTile& predicted, const KernelRequest& request, const Contraction& c) {
  const DeviceInfo& device = request.device;
  const auto blocks = [&](const AttendTile& t) { return most_workgroups(c.rows, t.lanes); };
  const int64_t vectors = std::max<int64_t>(1, c.columns.constant() / predicted.width);
  return is_power_of_two(tile.lanes) && is_power_of_two(tile.splits) && (tile.splits == 1 || !request.exact) &&
         is_power_of_two(tile.workgroups) && tile.workgroups <= tile.splits && grid_holds(tile, c, device) &&
         is_power_of_two(tile.key_tile) && tile.key_tile >= 2 && tile.key_tile <= 16 && tile.columns >= 1 &&
         tile.columns <= vectors && tile.lanes <= device.max_workgroup_size[0] && tile.splits <= device.max_workgroup_size[1] &&
         int64_t{tile.lanes} * tile.splits <= device.max_workgroup_invocations &&
         shared_bytes_of(tile) <= device.max_shared_bytes && registers_of(tile) <= 2 * device.rates.registers_per_lane &&
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

AttendTile take_attend_tile(const KernelRequest& request, const Contraction& c, const Scores& scores, KernelTuning& tuning) {
  const AttendTile predicted = choose_tile(request, c, scores);
  ScheduleSpace<AttendTile> space;
  space.key = contraction_key(request, c, "attend");
  space.text = [&](const AttendTile& tile) { return attend_text(tile, request.exact); };
  space.read = [&](const std::string& text) { return read_attend_tile(text, predicted); };
  space.fits = [&](const AttendTile& tile) { return attend_fits(tile, predicted, request, c); };
  space.neighbours = attend_neighbours;
  space.registers = [](const AttendTile& tile) { return registers_of(tile); };
  return choose_schedule(space, predicted, request.observations, tuning);
}

}  // namespace tuff
