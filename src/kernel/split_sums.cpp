#include "kernel/split_sums.h"

#include <algorithm>

#include "base/checked.h"
#include "fusion/cost.h"

namespace tuff {
namespace {

// What parts leave is written and read; both together may be this share of what the kernel moves through memory without them.
constexpr int64_t kLeftShare = 16;

// Adds parts to tiles of one contraction, and keeps the fastest.
class Splitter {
 public:
  Splitter(const KernelRequest& request, const Contraction& c, bool gemv, const ContractTile& whole)
      : request_(request), c_(c), gemv_(gemv) {
    split_.tile = split_.whole = whole;
    split_.ns = split_.whole_ns = predicted_ns(whole, sum_parts(request, c, whole, gemv));
    split_.why_whole = why_whole(whole);
  }

  // Of all numbers of parts with which there are at least so many workgroups.
  void add(ContractTile tile, int64_t least_workgroups) {
    if (!split_.why_whole.empty()) return;
    const int64_t tiles = tile_count_of(tile), wanted = 2 * request_.device.rates.compute_units;
    for (tile.parts = 2; tiles * (tile.parts - 1) < wanted; ++tile.parts) {
      const SumParts parts = sum_parts(request_, c_, tile, gemv_);
      if (parts.count > parts.units) break;
      if (!parts.are_filled() || tiles * tile.parts < least_workgroups || !holds_parts(request_.device, c_, tile, parts, gemv_))
        continue;
      // gemv's parts have no more loads on their way than the whole has, and where a subgroup is not full, a core has fewer.
      if (gemv_ && tile.lanes_n * parts.units_each() < request_.device.subgroup_size) break;
      add(tile, parts);
    }
  }

  SumSplit finish() {
    if (split_.tile.parts > 1 || !split_.why_whole.empty()) return split_;
    split_.why_whole = "they take " + std::to_string(split_.whole_ns) + " ns";
    split_.leaves_much = heavy_ns_ < split_.whole_ns;
    if (split_.leaves_much)
      split_.why_whole += "; shared, " + std::to_string(heavy_ns_) + " ns, but the " + std::to_string(heavy_bytes_) +
                          " bytes that parts leave, written and read, are more than 1 in " + std::to_string(kLeftShare) +
                          " of the " + std::to_string(memory_bytes()) + " that it moves";
    else
      split_.why_whole += ", no longer than shared";
    return split_;
  }

 private:
  std::string why_whole(const ContractTile& whole) const {
    if (std::string why = why_no_parts(request_, c_, gemv_); !why.empty()) return why;
    if (whole.exchange) return "a workgroup is a subgroup, whose lanes pass on what they load";
    if (!request_.device.rates.shared_memory_on_chip) return "workgroups are threads of a few cores, and barriers cost them";
    return {};
  }

  void add(const ContractTile& tile, const SumParts& parts) {
    const int64_t ns = predicted_ns(tile, parts), left = typical(left_bytes(c_, parts, gemv_));
    const bool is_heavy = 2 * left > memory_bytes() / kLeftShare;
    if (is_heavy && ns < heavy_ns_) heavy_ns_ = ns, heavy_bytes_ = left;
    if (is_heavy || ns >= split_.ns) return;
    split_.tile = tile;
    split_.ns = ns;
  }

  int64_t tile_count_of(const ContractTile& tile) const {
    return std::max<int64_t>(1, gemv_ ? typical(tile_count(c_, tile, true)) : workgroups_of(request_, c_, tile));
  }

  int64_t memory_bytes() const {
    const Graph& graph = request_.graph;
    const Node& node = graph.node(request_.group.anchor);
    auto bytes_of = [&](const Node& product) {
      return typical_bytes(graph, product.inputs[1]) + typical_bytes(graph, product.output);
    };
    int64_t bytes = typical_bytes(graph, node.inputs[0]) + bytes_of(node);
    for (const auto& other : c_.others) bytes += bytes_of(graph.node(other.first));
    return bytes;
  }

  // Tiles of columns that a workgroup walks over.
  int64_t panels_each(const ContractTile& tile) const {
    if (tile.spread == 0) return 1;
    return ceil_div(typical(column_panels(c_, tile)), std::max<int64_t>(1, typical(column_workgroups(request_, c_, tile))));
  }

  // Each k takes a multiply-add an accumulator, a row's element and vectors of columns. Where there are parts, what they leave
  // is written and read, which the last waits for, no longer than for a launch, and then adds it up.
  int64_t predicted_ns(const ContractTile& tile, const SumParts& parts) const {
    const DeviceInfo& device = request_.device;
    const int64_t tiles = tile_count_of(tile), workgroups = tiles * parts.count;
    const int64_t rounds = std::min(parts.units_each() * parts.rounds, ceil_div(typical(c_.depth), int64_t{tile.k_step()}));
    const int64_t k = panels_each(tile) * rounds * typical(product(c_.taps)), vectors = int64_t{tile.columns} * tile.products;
    const int64_t step = tile.rows * vectors * tile.width + tile.rows + vectors * load_cost(device, tile.width);
    // gemv's other invocations have other k.
    const int64_t lanes = int64_t{tile.lanes_n} * (gemv_ ? 1 : tile.lanes_m),
                  rows = gemv_ ? 1 : int64_t{tile.rows} * tile.lanes_m;
    const int64_t columns = vectors * tile.width * tile.lanes_n;
    const int64_t statistics = row_statistic_count(request_) * workgroups * rows * typical(c_.depth);
    const int64_t operations = workgroups * lanes * k * tile.steps * step + statistics;
    const int64_t cache_bytes = 4 * (workgroups * k * tile.k_step() * (rows + columns) + statistics);
    const int64_t sum_ns = busy_ns(memory_bytes(), cache_bytes, operations, workgroups, device);
    if (parts.count == 1) return sum_ns;
    const int64_t added = tile.rows * vectors * tile.width * parts.left_count();
    return sum_ns + device.rates.launch_ns + memory_ns(2 * typical(left_bytes(c_, parts, gemv_)), device) +
           arithmetic_ns(std::max(tiles, 2 * device.rates.compute_units) * lanes * added, device);
  }

  const KernelRequest& request_;
  const Contraction& c_;
  bool gemv_;
  SumSplit split_;
  int64_t heavy_ns_ = INT64_MAX, heavy_bytes_ = 0;  // of the fastest of those that leave too much
};

}  // namespace

SumSplit split_sums(const KernelRequest& request, const Contraction& c, const TileRange& range) {
  const ContractTile whole = whole_tile(request, c, range);
  Splitter splitter(request, c, false, whole);
  const int64_t least = std::min<int64_t>(workgroups_of(request, c, whole), 2 * request.device.rates.compute_units);
  for (const ContractTile& tile : large_tiles(request, c, range)) splitter.add(tile, least);
  return splitter.finish();
}

uint32_t gemv_lanes(const KernelRequest& request, const ContractTile& tile, int64_t chunks) {
  const int64_t most = std::min<int64_t>(128, request.device.max_workgroup_invocations);
  uint32_t lanes = 1;
  while (lanes < ceil_div(chunks, int64_t{tile.parts}) && int64_t{lanes} * 2 * tile.lanes_n <= most) lanes *= 2;
  return lanes;
}

SumSplit split_gemv(const KernelRequest& request, const Contraction& c, const ContractTile& columns, int64_t chunks) {
  Contraction fewest = c;  // what there is least of to keep the device busy with
  fewest.rows = IntExpr(std::max<int64_t>(1, c.rows.interval().low));
  ContractTile whole = columns;
  whole.lanes_m = gemv_lanes(request, whole, chunks);
  Splitter splitter(request, fewest, true, whole);
  splitter.add(whole, 0);
  SumSplit split = splitter.finish();
  if (split.tile.parts > 1 && !holds_parts(request.device, c, split.tile, sum_parts(request, c, split.tile, true), true))
    split.tile = whole;
  split.tile.lanes_m = gemv_lanes(request, split.tile, chunks);
  return split;
}

}  // namespace tuff
