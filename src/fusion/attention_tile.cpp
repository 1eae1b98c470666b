#include "fusion/attention_tile.h"

#include <algorithm>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/product.h"
#include "graph/builder.h"

namespace tuff {
namespace {

constexpr int64_t kMostInvocations = 64;  // a workgroup
// Of shared memory, so that no core holds fewer workgroups for it.
constexpr int64_t kMostStagedBytes = 4096;
constexpr int64_t kMostOwnVectors = 8;

bool uses_key(const IntExpr& e) {
  bool uses = false;
  e.visit_symbols([&](const Symbol& s) { uses |= s.extent && s.name == "key"; });
  return uses;
}

// Does a map of the group make the value, or what it is a view of? One that only changes the dtype does not: it costs no more
// than a load.
bool is_computed(const Graph& graph, const Group& group, ValueId value) {
  std::vector<ValueId> work = {value};
  while (!work.empty()) {
    const ValueId v = work.back();
    work.pop_back();
    const Node* maker = graph.producer(v);
    if (!maker) continue;
    const bool joined = std::binary_search(group.members.begin(), group.members.end(), graph.value(v).producer);
    const auto* map = std::get_if<MapAttrs>(&maker->attrs);
    if (joined && map && map->op != MapOp::cast) return true;
    if (joined && map) work.push_back(maker->inputs[0]);
    if (is_view(maker->attrs)) work.insert(work.end(), maker->inputs.begin(), maker->inputs.end());
  }
  return false;
}

int64_t pair_bytes_of(const AttendTile& tile) {
  return tile.exchange ? 0 : int64_t{tile.splits / 2} * tile.lanes * (tile.columns * tile.width + 2) * 4;
}

int64_t typical_vectors(const AttendTile& tile, const AttentionShape& shape) {
  return std::max<int64_t>(1, shape.columns.constant() / tile.width);
}

// Invocations of a subgroup, which cost the same whether they are idle or not.
int64_t full_subgroup(const DeviceInfo& device) {
  return std::min({device.subgroup_size, kMostInvocations, device.max_workgroup_invocations});
}

// The walk's time, were two workgroups a core needed for the device's rates; and where workgroups share keys, that of what they
// leave each other, and of waiting for the last of them, which is no more than a launch.
int64_t predicted_walk_ns(const AttendTile& tile, const AttentionShape& shape, const DeviceInfo& device) {
  const int64_t pairs = typical(shape.batch) * typical(shape.rows) * typical(shape.keys);
  const int64_t multiply_adds = pairs * (typical(shape.columns) + typical(shape.depth));
  const int64_t walk_ns = std::max(arithmetic_ns(multiply_adds, device), memory_ns(shape.operand_bytes, device));
  const int64_t wanted = 2 * device.rates.compute_units;
  const int64_t workgroups = std::clamp<int64_t>(typical(tile_count(tile, shape)) * tile.workgroups, 1, wanted);
  const int64_t shared_ns =
      tile.workgroups == 1 ? 0 : device.rates.launch_ns + memory_ns(2 * typical(partial_bytes(tile, shape)), device);
  return static_cast<int64_t>(static_cast<double>(walk_ns) * static_cast<double>(wanted) / static_cast<double>(workgroups)) +
         shared_ns;
}

// Idle lanes of a subgroup take keys, too: fewer at a time, where there are no more.
AttendTile fill_subgroup(const AttendTile& whole, int64_t keys, const DeviceInfo& device) {
  AttendTile tile = whole;
  while (tile.invocations() * 2 <= full_subgroup(device)) {
    AttendTile split = tile;
    split.splits *= 2;
    auto has_keys = [&] { return keys >= int64_t{split.splits} * split.key_tile; };
    while (!has_keys() && split.key_tile > 4) split.key_tile /= 2;
    if (!has_keys() || pair_bytes_of(split) > device.max_shared_bytes) break;
    tile = split;
  }
  return tile;
}

// Where invocations that share keys leave cores idle, workgroups share them, too: as few keys an invocation at a time as that
// takes, and as few workgroups as the shortest time.
AttendTile split_over_workgroups(const AttendTile& whole, const AttentionShape& shape, const DeviceInfo& device) {
  const int64_t keys = typical(shape.keys), wanted = 2 * device.rates.compute_units;
  AttendTile best = whole;
  int64_t best_ns = predicted_walk_ns(whole, shape, device);
  for (uint32_t workgroups = 2; workgroups <= whole.splits; workgroups *= 2) {
    AttendTile tile = whole;
    tile.workgroups = workgroups;
    auto has_keys = [&] { return keys >= int64_t{tile.workgroups} * tile.splits * tile.key_tile; };
    while (!has_keys() && tile.key_tile > 4) tile.key_tile /= 2;
    while (!has_keys() && tile.splits > workgroups) tile.splits /= 2;
    if (!has_keys() || !grid_holds(tile, shape, device) || pair_bytes_of(tile) > device.max_shared_bytes) break;
    const int64_t ns = predicted_walk_ns(tile, shape, device);
    if (ns < best_ns) {
      best = tile;
      best_ns = ns;
    }
    if (typical(tile_count(tile, shape)) * workgroups >= wanted) break;
  }
  return best;
}

// Is the workgroup exactly one subgroup, of a device whose lanes pay for each load?
bool is_exchange(const AttendTile& tile, const DeviceInfo& device) {
  return exchanges_loads(device) && device.subgroup_shuffle && tile.invocations() == device.subgroup_size;
}

}  // namespace

AttentionShape attention_shape(const Graph& graph, const Group& group) {
  const Node& outer = graph.node(group.anchor);
  const Node& scores = graph.node(attention_scores(group, graph));
  const auto& attrs = std::get<ContractAttrs>(scores.attrs);
  const ProductExtents extents = *product_extents(graph, group.anchor);
  AttentionShape shape;
  shape.batch = extents.batch, shape.rows = extents.rows, shape.columns = extents.columns, shape.keys = extents.depth;
  shape.depth = IntExpr(1);
  const Dims& at = group.coordinates.at(scores.output.value);
  size_t key_side = 1;
  for (size_t i = 0; i < attrs.out.size(); ++i)
    if (uses_key(at[i]) && !has_label(attrs.b, attrs.out[i])) key_side = 0;
  shape.query = scores.inputs[1 - key_side];
  shape.operand_bytes = typical_bytes(graph, scores.inputs[key_side]) + typical_bytes(graph, outer.inputs[1]);
  for (size_t i = 0; i < attrs.a.size(); ++i)
    if (!has_label(attrs.out, attrs.a[i])) shape.depth *= graph.value(scores.inputs[0]).shape[i];
  shape.query_is_computed = is_computed(graph, group, shape.query);
  return shape;
}

AttendTile derived(AttendTile tile, const AttentionShape& shape, const DeviceInfo& device) {
  const bool is_subgroup = is_exchange(tile, device);
  tile.exchange = is_subgroup && tile.splits > 1;
  tile.stage = QueryStage::kNone;
  tile.query_vectors = tile.own_vectors = 0;
  if (!shape.query_is_computed || !shape.depth.is_constant() || shape.depth.is(0) || tile.invocations() == 0) return tile;
  const int64_t vectors = tile.lanes * (shape.depth.constant() / tile.steps), bytes = vectors * tile.steps * 4;
  const int64_t own = ceil_div(vectors, tile.invocations());
  if (is_subgroup && own <= kMostOwnVectors) {
    tile.exchange = true;
    tile.stage = QueryStage::kExchanged;
    tile.own_vectors = static_cast<int>(own);
  } else if (device.rates.shared_memory_on_chip && bytes <= kMostStagedBytes &&
             pair_bytes_of(tile) + bytes + 4 <= device.max_shared_bytes) {
    tile.stage = QueryStage::kShared;
  }
  if (tile.stage != QueryStage::kNone) tile.query_vectors = vectors;
  return tile;
}

int64_t registers_of(const AttendTile& tile) {
  return int64_t{tile.columns} * tile.width + 3 * tile.key_tile + (tile.key_tile + 1 + tile.own_vectors) * tile.steps + 24;
}

int64_t shared_bytes_of(const AttendTile& tile) {
  return pair_bytes_of(tile) + (tile.stage == QueryStage::kShared ? tile.query_vectors * tile.steps * 4 : 0) +
         (tile.workgroups > 1 ? 4 : 0);
}

IntExpr tile_count(const AttendTile& tile, const AttentionShape& shape) {
  return shape.batch * ceil_div(shape.rows, IntExpr(int64_t{tile.lanes})) *
         ceil_div(floor_div(shape.columns, IntExpr(tile.width)), IntExpr(tile.columns));
}

IntExpr partial_bytes(const AttendTile& tile, const AttentionShape& shape) {
  return tile_count(tile, shape) * IntExpr(int64_t{tile.workgroups} * tile.lanes * tile.floats_each() * 4);
}

bool grid_holds(const AttendTile& tile, const AttentionShape& shape, const DeviceInfo& device) {
  return shape.batch.interval().high <= device.max_workgroup_count[2] / int64_t{tile.workgroups};
}

int64_t query_reads(const AttendTile& tile, const AttentionShape& shape) {
  constexpr int64_t kKeysAtOnce = 8;  // for which a query is loaded once
  if (tile.stage == QueryStage::kNone) return std::max<int64_t>(1, typical(shape.keys) / kKeysAtOnce);
  return ceil_div(typical_vectors(tile, shape), tile.columns) * tile.workgroups;
}

AttendTile choose_attend_tile(const AttentionShape& shape, const DeviceInfo& device, bool exact) {
  AttendTile tile;
  tile.width = vector_width(shape.columns);
  tile.steps = divide_exact(shape.depth, IntExpr(4)) && !shape.depth.is(0) ? 4 : 1;
  const int64_t vectors = typical_vectors(tile, shape);
  tile.columns = static_cast<int>(vectors);
  while (registers_of(tile) > device.rates.registers_per_lane && tile.key_tile > 4) tile.key_tile /= 2;
  while (registers_of(tile) > device.rates.registers_per_lane && tile.columns > 1) tile.columns = (tile.columns + 1) / 2;

  const int64_t rows = std::max<int64_t>(1, typical(shape.rows)), keys = std::max<int64_t>(1, typical(shape.keys));
  const int64_t invocations = std::min(kMostInvocations, device.max_workgroup_invocations);
  // Beyond a subgroup they meet at barriers.
  const int64_t sharing = device.rates.shared_memory_on_chip ? invocations : full_subgroup(device);
  while (tile.lanes * 2 <= invocations && tile.lanes < rows) tile.lanes *= 2;
  if (exact) return derived(tile, shape, device);  // the sums keep their order
  auto workgroups = [&] {
    return ceil_div(rows, int64_t{tile.lanes}) * ceil_div(vectors, tile.columns) * std::max<int64_t>(1, typical(shape.batch));
  };
  // Too few workgroups have fewer queries each, whose keys their invocations share.
  while (workgroups() < 2 * device.rates.compute_units && keys >= int64_t{2} * tile.splits * tile.key_tile) {
    if (tile.invocations() * 2 > sharing) {
      if (tile.lanes == 1) break;
      tile.lanes /= 2;
      if (tile.invocations() * 2 > sharing) continue;
    }
    AttendTile split = tile;
    split.splits *= 2;
    if (pair_bytes_of(split) > device.max_shared_bytes) break;
    tile = split;
  }
  tile = fill_subgroup(tile, keys, device);
  return derived(split_over_workgroups(tile, shape, device), shape, device);
}

}  // namespace tuff
