// How many invocations and workgroups share the chunks of a sum of few rows (gemv.glsl).
#include "base/checked.h"
#include "kernel/schedule.h"
#include "kernel/split_sums.h"

namespace tuff {

std::string gemv_text(const ContractTile& tile, int64_t chunks, int64_t chunk_length) {
  return std::to_string(chunks) + " chunks of " + std::to_string(chunk_length) + " over " + std::to_string(tile.lanes_m) +
         " invocations" + (tile.parts > 1 ? " of each of " + std::to_string(tile.parts) + " workgroups" : "");
}

ContractTile take_gemv_tile(const KernelRequest& request, const Contraction& c, const ContractTile& columns, int64_t chunks,
                            KernelTuning& tuning) {
  const DeviceInfo& device = request.device;
  const bool with_parts = why_no_parts(request, c, true).empty();
  const SumSplit split = split_gemv(request, c, columns, chunks);
  const ContractTile &predicted = split.tile, &whole = split.whole;
  ScheduleSpace<ContractTile> space;
  space.key = contraction_key(request, c, "gemv");
  space.text = [&](const ContractTile& tile) { return gemv_text(tile, chunks, c.chunk_length); };
  space.read = [&](const std::string& text) -> std::optional<ContractTile> {
    const std::vector<int64_t> n = numbers_in(text);
    if (n.size() != 3 && n.size() != 4) return std::nullopt;
    ContractTile tile = columns;
    tile.lanes_m = static_cast<uint32_t>(n[2]);
    if (n.size() == 4) tile.parts = static_cast<uint32_t>(n[3]);
    return tile;
  };
  space.fits = [&](const ContractTile& tile) {
    if (tile.parts == 0) return false;
    const SumParts parts = sum_parts(request, c, tile, true);
    if (tile.parts != 1 && !(with_parts && parts.are_filled() && holds_parts(device, c, tile, parts, true))) return false;
    return is_power_of_two(tile.lanes_m) && tile.lanes_m < 2 * ceil_div(chunks, int64_t{tile.parts}) &&
           tile.lanes_m <= device.max_workgroup_size[1] &&
           int64_t{tile.lanes_m} * tile.lanes_n <= device.max_workgroup_invocations &&
           (tile.lanes_m <= whole.lanes_m || row_statistic_count(request) == 0);  // which take shared memory an invocation
  };
  space.neighbours = [&](const ContractTile& tile) {
    std::vector<ContractTile> all(2, tile);
    all[0].lanes_m *= 2, all[1].lanes_m /= 2;
    if (with_parts && (predicted.parts > 1 || device.rates.shared_memory_on_chip)) {
      for (uint32_t parts : {tile.parts * 2, tile.parts / 2, tile.parts + 1, tile.parts - 1}) {
        all.push_back(tile);
        all.back().parts = parts;
        if (parts != 0) all.back().lanes_m = gemv_lanes(request, all.back(), chunks);
      }
    }
    return all;
  };
  space.registers = [](const ContractTile&) { return int64_t{0}; };  // the same for any number of invocations
  return choose_schedule(space, predicted, request.observations, tuning);
}

}  // namespace tuff
