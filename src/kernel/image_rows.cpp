#include "kernel/image_rows.h"

#include <algorithm>
#include <map>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/product.h"
#include "kernel/contract_tile.h"
#include "kernel/schedule.h"

namespace tuff {
namespace {

// Steps that are written out, at most: more are code that no instruction cache holds.
constexpr int64_t kMostSteps = 48;
constexpr int64_t kMostChannels = 4;

// The convolution over b (rows of images), m (pixels of one), n, t0 .. (rows of the window) and k (the taps of such a row, and
// inside each the channels).
struct ImageRows {
  const Node& node;
  const WindowAttrs& window;
  Contraction c;
  int64_t channels = 1, taps = 1, stride = 1, dilation = 1;  // the latter three along the image's row

  int64_t steps() const { return taps * channels; }
  // Places along the image's row from the first that a tile's windows see to the last.
  int64_t span(int rows) const { return (rows - 1) * stride + (taps - 1) * dilation + 1; }
  int64_t place(int row, int64_t tap) const { return row * stride + tap * dilation; }
  // Of those, how many some window has a tap at.
  int64_t place_count(int rows) const {
    std::vector<bool> seen(static_cast<size_t>(span(rows)));
    for (int row = 0; row < rows; ++row)
      for (int64_t tap = 0; tap < taps; ++tap) seen[static_cast<size_t>(place(row, tap))] = true;
    return std::count(seen.begin(), seen.end(), true);
  }
  // Coordinates in the operand of a place seen from pixel m of a tile of so many rows.
  Dims at_place(int rows, const IntExpr& channel, const IntExpr& from_first) const {
    Dims at = c.a;
    at[1] = channel;
    at.back() = IntExpr::loop_variable("m", c.rows - IntExpr(rows - 1)) * IntExpr(stride) + from_first;
    return at;
  }
};

std::optional<ImageRows> image_rows_of(const KernelRequest& request) {
  const Graph& graph = request.graph;
  const Node& node = graph.node(request.group.anchor);
  const auto* window = std::get_if<WindowAttrs>(&node.attrs);
  if (!window || window->op != WindowOp::kConv || window->groups != 1 || window->kernel.back() == 1) return std::nullopt;
  if (register_of(graph.value(node.output).dtype) != Register::kFloat) return std::nullopt;
  const Dims& weights = graph.value(node.inputs[1]).shape;
  if (!weights[1].is_constant() || weights[1].constant() < 1 || weights[1].constant() > kMostChannels) return std::nullopt;

  ImageRows image{node, *window, {}};
  image.channels = weights[1].constant();
  image.taps = window->kernel.back();
  image.stride = window->strides.back();
  image.dilation = window->dilations.back();
  if (image.steps() > kMostSteps) return std::nullopt;
  const Dims& out = graph.value(node.output).shape;
  const size_t outer = window->kernel.size() - 1;  // the window's axes but the last
  Dims lines = {out[0]};
  for (size_t i = 0; i < outer; ++i) lines.push_back(out[2 + i]);
  Contraction& c = image.c;
  c.batch = product(lines);
  c.rows = out.back();
  c.columns = weights[0];
  c.depth = IntExpr(image.steps());
  const Dims line = delinearise(IntExpr::loop_variable("b", c.batch), lines);
  const IntExpr m = IntExpr::loop_variable("m", c.rows), n = IntExpr::loop_variable("n", c.columns),
                k = IntExpr::loop_variable("k", c.depth);
  c.a = {line[0], mod(k, IntExpr(image.channels))};
  c.b = {n, mod(k, IntExpr(image.channels))};
  c.output = {{"d0", line[0]}, {"d1", n}, {"d" + std::to_string(2 + outer), m}};
  for (size_t i = 0; i < outer; ++i) {
    const IntExpr tap = IntExpr::loop_variable("t" + std::to_string(i), IntExpr(window->kernel[i]));
    c.output["d" + std::to_string(2 + i)] = line[1 + i];
    c.taps.push_back(IntExpr(window->kernel[i]));
    c.a.push_back(line[1 + i] * IntExpr(window->strides[i]) + tap * IntExpr(window->dilations[i]));
    c.b.push_back(tap);
  }
  const IntExpr tap = floor_div(k, IntExpr(image.channels));
  c.a.push_back(m * IntExpr(image.stride) + tap * IntExpr(image.dilation));
  c.b.push_back(tap);
  c.multiply_adds = c.batch * c.rows * c.columns * c.depth * product(c.taps);
  return image;
}

// Accumulators, the elements under the windows, the weights of all steps, the rest: the compilers of GPUs load all that a row
// of the window takes before its first multiply-add (RADV and NAK within a tenth of this). llvmpipe's does not.
int64_t registers_of(const ImageRows& image, const ContractTile& tile) {
  const int64_t columns = int64_t{tile.columns} * tile.width, sums = tile.rows * columns;
  if (tile.exchange) return sums + columns + ceil_div(image.span(tile.rows) * image.channels, tile.lanes_n) + tile.rows + 24;
  return sums + image.place_count(tile.rows) * image.channels + image.steps() * columns + 24;
}

// Instructions of an invocation for one row of the window.
struct Costs {
  int64_t load, check, broadcast, multiply_add;  // a vector's load as an element's; a multiply-add a lane
};
// llvmpipe gathers lane by lane; elsewhere a load has its address and, where the image is padded, two selections.
Costs costs_on(const DeviceInfo& device) {
  if (!device.rates.loads_cost_lanes) return {4, 2, 1, 1};
  return {ExchangeCost::kLoad, 2, ExchangeCost::kBroadcast, ExchangeCost::kMultiplyAdd};
}

int64_t multiply_add_cost(const ImageRows& image, const ContractTile& tile, const Costs& costs) {
  return image.steps() * tile.columns * (costs.load + costs.multiply_add * tile.rows * tile.width);
}

int64_t general_cost(const ImageRows& image, const ContractTile& tile, const Costs& costs) {
  const int64_t loaded_rows = tile.exchange ? ceil_div(tile.rows, tile.lanes_n) : tile.rows;
  return multiply_add_cost(image, tile, costs) + loaded_rows * image.taps * (costs.load * image.channels + 2 * costs.check) +
         (tile.exchange ? tile.rows * image.steps() * costs.broadcast : 0) + image.taps * costs.check;
}

int64_t image_rows_cost(const ImageRows& image, const ContractTile& tile, const Costs& costs) {
  const int64_t places = tile.exchange ? image.span(tile.rows) : image.place_count(tile.rows);
  const int64_t elements = places * image.channels;
  return multiply_add_cost(image, tile, costs) +
         (tile.exchange ? ceil_div(elements, tile.lanes_n) * (costs.load + costs.check) + elements * costs.broadcast
                        : elements * costs.load + costs.check);
}

int64_t workgroups_of(const ImageRows& image, const ContractTile& tile) {
  const int64_t tiles = typical(image.c.batch) * ceil_div(std::max<int64_t>(1, typical(image.c.rows)), tile.rows);
  return ceil_div(tiles, tile.lanes_m) *
         ceil_div(std::max<int64_t>(1, typical(image.c.columns)), int64_t{tile.columns} * tile.width * tile.lanes_n);
}

// Of all results, pixels that are computed twice and columns that are none included, in instructions.
int64_t total_cost(const ImageRows& image, const ContractTile& tile, int64_t cost) {
  return workgroups_of(image, tile) * tile.lanes_m * tile.lanes_n * cost;
}

int64_t general_total(const ImageRows& image, const ContractTile& tile, int64_t cost) {
  const int64_t rows = typical(image.c.batch) * std::max<int64_t>(1, typical(image.c.rows));
  return ceil_div(rows, int64_t{tile.rows} * tile.lanes_m) *
         ceil_div(std::max<int64_t>(1, typical(image.c.columns)), int64_t{tile.columns} * tile.width * tile.lanes_n) *
         tile.lanes_m * tile.lanes_n * cost;
}

// A tile's rows lie in one row of the image, however narrow.
bool fits_image(const ImageRows& image, const ContractTile& tile) {
  return tile.rows >= 2 && tile.rows <= image.c.rows.interval().low && image.span(tile.rows) * image.channels <= 256;
}

std::string text_of(const ContractTile& tile) {
  return "rows of " + std::to_string(tile.rows) + " pixels x " + std::to_string(tile.columns * tile.width) + " of " +
         std::to_string(tile.width) + ", invocations " + std::to_string(tile.lanes_m) + "x" + std::to_string(tile.lanes_n) +
         (tile.exchange ? ", exchanged" : "");
}

std::optional<ContractTile> read_row_tile(const std::string& text, int steps) {
  std::optional<ContractTile> tile = read_extents(text);
  if (tile) tile->steps = steps;
  return tile;
}

// What every tile of this kernel has to keep to. Its steps are not chosen, and whether lanes exchange is as predicted.
bool fits(const KernelRequest& request, const ImageRows& image, const ContractTile& tile, const ContractTile& predicted) {
  const DeviceInfo& device = request.device;
  if (tile.steps != predicted.steps || !is_power_of_two(tile.rows) || tile.rows > 16 || tile.columns < 1 || tile.columns > 8 ||
      tile.width < 1 || vector_width(image.c.columns) % tile.width != 0 || !fits_image(image, tile))
    return false;
  if (tile.exchange != predicted.exchange || (tile.exchange && (tile.lanes_m != 1 || tile.lanes_n != predicted.lanes_n)))
    return false;
  const int64_t invocations = int64_t{tile.lanes_m} * tile.lanes_n;
  const IntExpr tiles = image.c.batch * ceil_div(image.c.rows, IntExpr(tile.rows));
  const IntExpr predicted_tiles = image.c.batch * ceil_div(image.c.rows, IntExpr(predicted.rows));
  return is_power_of_two(tile.lanes_m) && is_power_of_two(tile.lanes_n) && tile.lanes_n <= device.max_workgroup_size[0] &&
         tile.lanes_m <= device.max_workgroup_size[1] && invocations <= device.max_workgroup_invocations &&
         most_workgroups(tiles, tile.lanes_m) <=
             std::max(device.max_workgroup_count[0], most_workgroups(predicted_tiles, predicted.lanes_m)) &&
         registers_of(image, tile) <= 2 * device.rates.registers_per_lane;
}

ContractTile take_tile(const KernelRequest& request, const ImageRows& image, const ContractTile& predicted,
                       KernelTuning& tuning) {
  ScheduleSpace<ContractTile> space;
  space.key = contraction_key(request, image.c, "image_rows");
  space.text = text_of;
  space.read = [&](const std::string& text) { return read_row_tile(text, predicted.steps); };
  space.fits = [&](const ContractTile& tile) { return fits(request, image, tile, predicted); };
  space.neighbours = [&](const ContractTile& tile) { return neighbours_of(tile, request.device, false); };
  space.registers = [&](const ContractTile& tile) { return registers_of(image, tile); };
  return choose_schedule(space, predicted, request.observations, tuning);
}

// b and m, the first pixel of the invocation's tile.
void image_row_setup(const Contraction& c, const ContractTile& tile, Block& setup) {
  KernelWriter& writer = setup.writer();
  const IntExpr tiles = ceil_div(c.rows, IntExpr(tile.rows)), count = c.batch * tiles;
  const std::string number =
      "int(gl_WorkGroupID.x)" +
      (tile.lanes_m == 1 ? std::string() : " * " + std::to_string(tile.lanes_m) + " + int(gl_LocalInvocationID.y)");
  setup.line("int row_tile = " + number + ";");
  const bool whole_tiles = mod(count, IntExpr(tile.lanes_m)).is(0), whole_rows = mod(c.rows, IntExpr(tile.rows)).is(0);
  const std::string some = whole_tiles ? "row_tile" : "min(row_tile, " + writer.parameter(count) + " - 1)";
  if (!c.batch.is(1)) setup.line("int b = " + some + " / " + writer.parameter(tiles) + ";");
  setup.line("int first_m = " +
             (tiles.is(1)     ? "0"
              : c.batch.is(1) ? "(" + some + ") * " + std::to_string(tile.rows)
                              : "(" + some + " - b * " + writer.parameter(tiles) + ") * " + std::to_string(tile.rows)) +
             ";");
  setup.line("int m = " +
             (whole_rows ? "first_m" : "min(first_m, " + writer.parameter(c.rows) + " - " + std::to_string(tile.rows) + ")") +
             ";");
}

// The condition that the tile's pixel is its own to store; empty: always.
std::string is_own_pixel(const Contraction& c, const ContractTile& tile, KernelWriter& writer, int row) {
  const IntExpr count = c.batch * ceil_div(c.rows, IntExpr(tile.rows));
  std::string text = mod(c.rows, IntExpr(tile.rows)).is(0) ? "" : "m_" + std::to_string(row) + " >= first_m";
  if (!mod(count, IntExpr(tile.lanes_m)).is(0))
    text += (text.empty() ? "" : " && ") + std::string("row_tile < ") + writer.parameter(count);
  return text;
}

void bind_rows(const ImageRows& image, Emitter& emitter) {
  emitter.bind("b", "b", 0);
  emitter.bind("m", "m", 0);
  for (size_t i = 0; i < image.c.taps.size(); ++i) emitter.bind("t" + std::to_string(i), "t" + std::to_string(i), 2);
}

// Each element under the tile's windows as its own text, loaded where its channels' vector or it alone is first used.
struct OwnElements {
  const KernelRequest& request;
  const ImageRows& image;
  const ContractTile& tile;
  std::map<int64_t, std::vector<std::string>> channels_at = {};  // of a place

  Status load(const std::vector<Block*>& blocks) {
    Emitter emitter(blocks);
    bind_rows(image, emitter);
    emitter.bind("k", "0", 0);
    const IntExpr channel = IntExpr::loop_variable("k", IntExpr(image.channels));
    for (int64_t tap = 0; tap < image.taps; ++tap)
      for (int row = 0; row < tile.rows; ++row) {
        const int64_t place = image.place(row, tap);
        if (channels_at.count(place)) continue;
        GroupScope group(request);
        PointBuilder builder(group.scope);
        TUFF_ASSIGN(int op, builder.element(image.node.inputs[0], image.at_place(tile.rows, channel, IntExpr(place))));
        std::vector<std::string> lanes = emitter.emit(builder.point(), op, "k", static_cast<int>(image.channels));
        for (std::string& lane : lanes)
          if (request.exact) lane = blocks.back()->temporary("float", "tuff_flush_inner(" + lane + ")");
        channels_at[place] = std::move(lanes);
      }
    return ok_status();
  }

  std::string at(int row, int step) const {
    return channels_at.at(image.place(row, step / image.channels))[static_cast<size_t>(step % image.channels)];
  }
};

// Each lane of the subgroup loads every lanes_n-th element of what lies under the windows.
struct ExchangedElements {
  const KernelRequest& request;
  const ImageRows& image;
  const ContractTile& tile;

  int64_t span() const { return image.span(tile.rows); }

  Status load(const std::vector<Block*>& blocks) const {
    const int64_t count = span() * image.channels, lanes = tile.lanes_n;
    const IntExpr element = IntExpr::loop_variable("e", IntExpr(count));
    GroupScope group(request);
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(int op, builder.element(image.node.inputs[0], image.at_place(tile.rows, floor_div(element, IntExpr(span())),
                                                                             mod(element, IntExpr(span())))));
    for (int64_t i = 0; i * lanes < count; ++i) {
      const std::string name = "e_" + std::to_string(i), at = std::to_string(i * lanes) + " + int(gl_SubgroupInvocationID)";
      blocks[0]->line("int " + name + " = " +
                      ((i + 1) * lanes <= count ? at : "min(" + at + ", " + std::to_string(count - 1) + ")") + ";");
      Emitter emitter(blocks);
      bind_rows(image, emitter);
      emitter.bind("e", name, 0);
      const std::string loaded = emitter.emit(builder.point(), op, "", 1)[0];
      blocks.back()->line("float a_lane_" + std::to_string(i) + " = " +
                          (request.exact ? "tuff_flush_inner(" + loaded + ")" : loaded) + ";");
    }
    return ok_status();
  }

  std::string at(Block& step, int row, int step_number) const {
    const int64_t element = step_number % image.channels * span() + image.place(row, step_number / image.channels);
    return step.temporary("float", "subgroupBroadcast(a_lane_" + std::to_string(element / tile.lanes_n) + ", " +
                                       std::to_string(element % tile.lanes_n) + "u)");
  }
};

// The cheapest tile that keeps the device's cores busy and takes at most so many registers.
std::optional<ContractTile> cheapest(const KernelRequest& request, const ImageRows& image, const ContractTile& general,
                                     int64_t most_registers, const Costs& costs) {
  const DeviceInfo& device = request.device;
  const int width = vector_width(image.c.columns);
  const int64_t vectors = std::max<int64_t>(1, typical(image.c.columns) / width);
  const int64_t invocations = std::min<int64_t>(64, device.max_workgroup_invocations);
  std::optional<ContractTile> best;
  int64_t best_cost = 0;
  for (auto [rows, columns] : std::initializer_list<std::pair<int, int>>{{8, 2}, {4, 2}, {8, 1}, {4, 1}, {2, 1}}) {
    ContractTile tile = general;
    tile.rows = rows;
    if (!general.exchange) {
      tile.columns = columns;
      tile.width = width;
      uint32_t lanes = 1;
      while (lanes * 2 <= std::min<int64_t>({16, invocations, ceil_div(vectors, columns)})) lanes *= 2;
      tile.lanes_n = lanes;
      tile.lanes_m = static_cast<uint32_t>(invocations) / lanes;
    }
    tile.steps = static_cast<int>(image.steps());
    if (!fits_image(image, tile) || registers_of(image, tile) > most_registers) continue;
    if (columns > vectors && !general.exchange) continue;
    if (workgroups_of(image, tile) < 2 * device.rates.compute_units) continue;
    const int64_t cost = total_cost(image, tile, image_rows_cost(image, tile, costs));
    if (best && cost >= best_cost) continue;
    best = tile;
    best_cost = cost;
  }
  return best;
}

}  // namespace

ImageRowsChoice choose_image_rows(const KernelRequest& request, const ContractTile& general) {
  const std::optional<ImageRows> image = image_rows_of(request);
  if (!image) return {};
  const Costs costs = costs_on(request.device);
  // What loads save, fewer subgroups at a time would lose: they hide less of what the loads that are left take.
  const int64_t most_registers = std::min(registers_of(general), request.device.rates.registers_per_lane);
  const std::optional<ContractTile> tile = cheapest(request, *image, general, most_registers, costs);
  if (!tile)
    return {std::nullopt, "no tile of an image's row fits its width, the device's cores and " + std::to_string(most_registers) +
                              " registers, no more than as any contraction."};
  const int64_t own = total_cost(*image, *tile, image_rows_cost(*image, *tile, costs));
  const int64_t other = general_total(*image, general, general_cost(*image, general, costs));
  const int64_t elements = image->place_count(tile->rows) * image->channels;
  const std::string figures = text_of(*tile) + " load " + std::to_string(elements) + " elements for the " +
                              std::to_string(tile->rows * image->steps()) + " that a row of their windows reads, " +
                              std::to_string(own) + " instructions a row of the window; as any contraction " +
                              std::to_string(other) + ".";
  if (own >= other) return {std::nullopt, figures};
  return {tile, figures};
}

Result<Kernel> make_image_rows(const KernelRequest& request, const ContractTile& predicted) {
  const std::optional<ImageRows> image = image_rows_of(request);
  if (!image) return internal_error("The convolution has no rows of images.");
  KernelTuning tuning;
  const ContractTile tile = take_tile(request, *image, predicted, tuning);
  const Contraction& c = image->c;
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  OwnElements own{request, *image, tile};
  const ExchangedElements exchanged{request, *image, tile};
  SharedElements shared;
  shared.setup = [&](Block& setup) { image_row_setup(c, tile, setup); };
  shared.is_own = [&](int row) { return is_own_pixel(c, tile, writer, row); };
  shared.load = [&](const std::vector<Block*>& blocks) { return tile.exchange ? exchanged.load(blocks) : own.load(blocks); };
  shared.at = [&](Block& step, int row, int number) {
    return tile.exchange ? exchanged.at(step, row, number) : own.at(row, number);
  };
  TUFF_ASSIGN(ContractSlots filled, fill_contract(request, c, tile, false, writer, {}, nullptr, &shared));
  const IntExpr tiles = c.batch * ceil_div(c.rows, IntExpr(tile.rows));
  const IntExpr column_tile(tile.columns * static_cast<int64_t>(tile.lanes_n) * tile.width);
  TUFF_ASSIGN(
      Kernel kernel,
      finish_kernel(request, writer, "image_rows", std::move(filled.slots), {tile.lanes_n, tile.lanes_m, 1},
                    {ceil_div(tiles, IntExpr(tile.lanes_m)), ceil_div(c.columns, column_tile), IntExpr(1)}, text_of(tile)));
  kernel.tuning = std::move(tuning);
  kernel.multiply_adds = c.multiply_adds;
  return kernel;
}

}  // namespace tuff
