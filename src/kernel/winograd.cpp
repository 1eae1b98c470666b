// 3x3 convolutions in Winograd's form, which fusion has chosen (fusion/winograd.h): winograd.glsl's slots.
#include "fusion/winograd.h"

#include <algorithm>

#include "base/checked.h"
#include "kernel/contraction.h"
#include "kernel/schedule.h"

namespace tuff {
namespace {

std::string winograd_text(const WinogradTile& tile) {
  return "tile " + std::to_string(tile.rows) + "x" + std::to_string(tile.columns * tile.width) + " of " +
         std::to_string(tile.width) + ", " + std::to_string(tile.lanes) + " lanes, " + std::to_string(tile.steps) + " k a step";
}

std::optional<WinogradTile> read_winograd(const std::string& text) {
  const std::vector<int64_t> n = numbers_in(text);
  if (n.size() != 5 || n[2] == 0) return std::nullopt;
  WinogradTile tile;
  tile.rows = static_cast<int>(n[0]);
  tile.columns = static_cast<int>(n[1] / n[2]);
  tile.width = static_cast<int>(n[2]);
  tile.lanes = n[3];
  tile.steps = static_cast<int>(n[4]);
  return tile;
}

WinogradTile take_winograd(const KernelRequest& request, const WinogradExtents& extents, const Contraction& c,
                           KernelTuning& tuning) {
  const WinogradTile predicted = choose_winograd_tile(extents, request.device);
  const int width = vector_width(extents.columns), steps = depth_steps(extents.depth);
  ScheduleSpace<WinogradTile> space;
  space.key = contraction_key(request, c, "winograd");
  space.text = winograd_text;
  space.read = read_winograd;
  space.fits = [=, &request](const WinogradTile& tile) {
    return is_power_of_two(tile.rows) && tile.rows <= 16 && tile.columns >= 1 && tile.columns <= 8 && tile.width >= 1 &&
           width % tile.width == 0 && tile.steps >= 1 && steps % tile.steps == 0 &&
           tile.lanes == request.device.subgroup_size && registers_of(tile) <= 2 * request.device.rates.registers_per_lane;
  };
  space.neighbours = [](const WinogradTile& tile) {
    std::vector<WinogradTile> all;
    auto add = [&](auto change) {
      all.push_back(tile);
      change(all.back());
    };
    using Tile = WinogradTile;
    add([](Tile& t) { t.rows *= 2; });
    add([](Tile& t) { t.rows /= 2; });
    add([](Tile& t) { t.columns += 1; });
    add([](Tile& t) { t.columns -= 1; });
    add([](Tile& t) { t.width /= 2, t.columns *= 2; });
    add([](Tile& t) { t.width *= 2, t.columns /= 2; });
    add([](Tile& t) { t.width /= 2; });
    add([](Tile& t) { t.width *= 2; });
    return all;
  };
  space.registers = [](const WinogradTile& tile) { return registers_of(tile); };
  return choose_schedule(space, predicted, request.observations, tuning);
}

// Places of an invocation's tiles and columns, and of the two rows and columns of d that `t` combines.
struct WinogradFill {
  const KernelRequest& request;
  const WinogradExtents& extents;
  const WinogradTile& tile;
  KernelWriter& writer;
  GroupScope& group;
  Dims place = {};  // image, row and column of tile m
  std::string vector = {};
  Block setup = Block(writer, nullptr), rows = Block(writer, &setup), tap = Block(writer, &rows), inner = Block(writer, &tap);

  const Node& convolution() const { return request.graph.node(request.group.anchor); }
  bool whole_rows() const { return mod(extents.tiles(), IntExpr(tile.rows)).is(0); }
  bool whole_columns() const {
    return mod(floor_div(extents.columns, IntExpr(tile.width)), IntExpr(tile.columns * tile.lanes)).is(0);
  }
  static std::string name(const char* what, int i) { return what + std::to_string(i); }

  void places() {
    const IntExpr tiles = extents.tiles();
    place = delinearise(IntExpr::loop_variable("m", tiles), {extents.images, extents.tile_rows, extents.tile_columns});
    vector = type_name(writer.dialect(), Register::kFloat, tile.width);
    const std::string row_count = writer.parameter(tiles);
    const std::string vectors = writer.parameter(floor_div(extents.columns, IntExpr(tile.width)));
    // Beyond the end an invocation repeats the last one and does not store.
    auto row = [&](const std::string& variable, const std::string& at) {
      setup.line("int " + variable + " = " + (whole_rows() ? at : "min(" + at + ", " + row_count + " - 1)") + ";");
    };
    setup.line("int m = int(gl_WorkGroupID.x) * " + std::to_string(tile.rows) + ";");
    for (int i = 0; i < tile.rows; ++i) row(name("m_", i), name("m + ", i));
    for (int i = 0; i < tile.rows; i += rows_at_once())
      row(name("m_lane_", i), name("m + ", i) + " + int(gl_SubgroupInvocationID) % " + std::to_string(rows_at_once()));
    setup.line("int n = int(gl_WorkGroupID.y) * " + std::to_string(tile.columns * tile.lanes) +
               " + int(gl_LocalInvocationID.x);");
    for (int j = 0; j < tile.columns; ++j) {
      const std::string at = "n + " + std::to_string(j * tile.lanes);
      setup.line("int " + name("n_", j) + " = " + (whole_columns() ? at : "min(" + at + ", " + vectors + " - 1)") + ";");
    }
  }
  int rows_at_once() const { return std::min(tile.rows, static_cast<int>(tile.lanes)); }

  // Elements behind the end of the image belong to results that are not stored: any in their place will do.
  IntExpr element_at(const IntExpr& tile_at, const char* offset, size_t axis) const {
    const IntExpr at = IntExpr(2) * tile_at + IntExpr::loop_variable(offset, IntExpr(4));
    const Dims& shape = request.graph.value(convolution().inputs[0]).shape;
    const IntExpr& results = request.graph.value(convolution().output).shape[axis];
    return mod(results, IntExpr(2)).is(0) ? at : minimum(at, shape[axis] - IntExpr(1));
  }

  Status load_rows() {
    Emitter emitter({&setup, &rows, &tap, &inner});
    for (const char* offset : {"row_a", "row_b", "column_a", "column_b"}) emitter.bind(offset, offset, 2);
    emitter.bind("k", "k", 3);
    const IntExpr k = IntExpr::loop_variable("k", extents.depth);
    PointBuilder builder(group.scope);
    std::vector<int> ops;
    for (const char* row : {"row_a", "row_b"})
      for (const char* column : {"column_a", "column_b"}) {
        const Dims at = {place[0], k, element_at(place[1], row, 2), element_at(place[2], column, 3)};
        TUFF_ASSIGN(int op, builder.element(convolution().inputs[0], at));
        ops.push_back(op);
      }
    for (int i = 0; i < tile.rows; i += rows_at_once()) {
      emitter.bind("m", name("m_lane_", i), 0);
      std::vector<std::vector<std::string>> elements;
      for (int op : ops) elements.push_back(emitter.emit(builder.point(), op, "k", tile.steps));
      for (size_t s = 0; s < static_cast<size_t>(tile.steps); ++s)
        inner.line("float " + name("a_lane_", i) + "_" + std::to_string(s) + " = fma(row_sign, fma(column_sign, " +
                   elements[3][s] + ", " + elements[2][s] + "), fma(column_sign, " + elements[1][s] + ", " + elements[0][s] +
                   "));");
    }
    return ok_status();
  }

  // Weights lie as t, k, n.
  std::string load_columns(int step) {
    Block block(writer, &inner);
    Emitter emitter({&setup, &rows, &tap, &block});
    emitter.bind("t", "t", 2);
    emitter.bind("k", "k", 3);
    for (int i = 0; i < tile.rows; ++i)
      block.line("float " + name("a_", i) + "_" + std::to_string(step) + " = subgroupBroadcast(a_lane_" +
                 std::to_string(i - i % rows_at_once()) + "_" + std::to_string(step) + ", " +
                 std::to_string(i % rows_at_once()) + "u);");
    PointOp load(PointOp::Kind::kLoad);
    load.value = convolution().inputs[1];
    const IntExpr t = IntExpr::loop_variable("t", IntExpr(kWinogradProducts)), k = IntExpr::loop_variable("k", extents.depth);
    load.index = at_lane((t * extents.depth + k) * extents.columns + IntExpr::loop_variable("n", extents.columns), "k",
                         tile.steps, step);
    Point point;
    point.ops.push_back(load);
    for (int j = 0; j < tile.columns; ++j) {
      emitter.bind("n", name("n_", j), 0);
      const std::string elements = call(vector, emitter.emit(point, 0, "n", tile.width));
      block.line(vector + " b_" + std::to_string(step) + "_" + std::to_string(j) + " = " + elements + ";");
    }
    return block.text(0);
  }

  // The four results of a tile, one after the other in one text: written out they took llvmpipe three times as long to compile.
  // What depends on columns alone is loaded once for all.
  Result<std::string> store_results() {
    Block common(writer, nullptr), result(writer, &common);
    group.scope.inputs[convolution().output.value] = {request.group.coordinates.at(convolution().output.value), 0};
    const Dims& out = request.graph.value(convolution().output).shape;
    const IntExpr row = IntExpr(2) * place[1] + IntExpr::loop_variable("tile_row", IntExpr(2));
    const IntExpr column = IntExpr(2) * place[2] + IntExpr::loop_variable("tile_column", IntExpr(2));
    const Substitution to_own = {
        {"d0", place[0]}, {"d1", IntExpr::loop_variable("n", extents.columns)}, {"d2", row}, {"d3", column}};
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(const StoredElements stores, stored_elements(request, group.scope, builder, to_own));
    Point point = builder.point();
    replace_variables(point, to_own);
    result.line("int tile_row = p / 2, tile_column = p % 2;");
    std::string all;
    for (int i = 0; i < tile.rows; ++i) {
      Block of_row(writer, &result);
      std::string items;
      for (int j = 0; j < tile.columns; ++j) {
        Block item(writer, &of_row), inside(writer, &item);
        auto bind = [&](Emitter& emitter, int own) {
          emitter.bind("n", name("n_", j), 0);
          emitter.bind("tile_row", "tile_row", 1);
          emitter.bind("tile_column", "tile_column", 1);
          emitter.bind("m", name("m_", i), own);
        };
        Emitter emitter({&common, &result, &of_row, &item});
        bind(emitter, 2);
        std::vector<std::string> guards;
        if (!mod(out[2], IntExpr(2)).is(0)) guards.push_back(emitter.integer(row) + " < " + writer.parameter(out[2]));
        if (!mod(out[3], IntExpr(2)).is(0)) guards.push_back(emitter.integer(column) + " < " + writer.parameter(out[3]));
        if (!whole_rows()) guards.push_back(name("m + ", i) + " < " + writer.parameter(extents.tiles()));
        if (!whole_columns())
          guards.push_back("n + " + std::to_string(j * tile.lanes) + " < " +
                           writer.parameter(floor_div(extents.columns, IntExpr(tile.width))));
        const std::string y = name("y_", i) + "_" + std::to_string(j);
        inside.line(vector + " y = p == 0 ? " + y + "_0 : p == 1 ? " + y + "_1 : p == 2 ? " + y + "_2 : " + y + "_3;");
        // Names that the guard needs are outside of what it guards, loads inside.
        Emitter stored({&common, &result, &of_row, &item, &inside});
        bind(stored, guards.empty() ? 2 : 4);
        stored.bind_input(0, components("y", tile.width), 4);
        for (const auto& [value, element] : stores)
          TUFF_TRY(stored.store(value, element.address, stored.emit(point, element.op, "n", tile.width), "n", tile.width));
        const std::string condition = joined_by_and(guards);
        items +=
            "{\n" + item.text(2) + (condition.empty() ? "" : "if (" + condition + ") ") + "{\n" + inside.text(2) + "}\n}\n";
      }
      all += "{\n" + of_row.text(2) + items + "}\n";
    }
    return common.text(0) + "[[dont_unroll]] for (int p = 0; p < 4; ++p) {\n" + result.text(2) + all + "}\n";
  }
  static std::string joined_by_and(const std::vector<std::string>& conditions) {
    std::string all;
    for (const std::string& condition : conditions) all += (all.empty() ? "" : " && ") + condition;
    return all;
  }
};

}  // namespace

Result<Kernel> make_winograd(const KernelRequest& request) {
  const WinogradExtents extents = winograd_extents(request.graph, request.group.anchor);
  Contraction c;  // its products, for the key
  c.batch = IntExpr(1);
  c.rows = extents.tiles();
  c.columns = extents.columns;
  c.depth = extents.depth;
  c.taps = {IntExpr(4), IntExpr(4)};
  KernelTuning tuning;
  const WinogradTile tile = take_winograd(request, extents, c, tuning);
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  GroupScope group(request);
  WinogradFill fill{request, extents, tile, writer, group};
  fill.places();
  TUFF_TRY(fill.load_rows());
  Slots slots;
  for (int s = 0; s < tile.steps; ++s) slots["loads_b_" + std::to_string(s)] = fill.load_columns(s);
  TUFF_ASSIGN(slots["epilogue"], fill.store_results());
  slots["setup"] = fill.setup.text(0);
  slots["rows_setup"] = fill.rows.text(0);
  slots["tap"] = fill.tap.text(0);
  slots["loads_a"] = fill.inner.text(0);
  slots["rows"] = std::to_string(tile.rows);
  slots["columns"] = std::to_string(tile.columns);
  slots["steps"] = std::to_string(tile.steps);
  slots["results"] = "4";
  slots["vector"] = fill.vector;
  slots["k_count"] = writer.parameter(floor_div(extents.depth, IntExpr(tile.steps)));
  TUFF_ASSIGN(Kernel kernel,
              finish_kernel(request, writer, "winograd", std::move(slots), {static_cast<uint32_t>(tile.lanes), 1, 1},
                            {ceil_div(extents.tiles(), IntExpr(tile.rows)),
                             ceil_div(extents.columns, IntExpr(tile.columns * tile.width * tile.lanes)), IntExpr(1)},
                            winograd_text(tile)));
  kernel.tuning = std::move(tuning);
  kernel.multiply_adds = extents.tiles() * extents.columns * IntExpr(kWinogradProducts) * (extents.depth + IntExpr(4));
  const ValueId weights = request.graph.node(request.group.anchor).inputs[1];
  for (KernelBinding& binding : kernel.bindings) {
    if (binding.value != weights) continue;
    binding.winograd = true;
  }
  kernel.bytes_read += extents.columns * extents.depth * IntExpr(4 * (kWinogradProducts - 9));
  return kernel;
}

}  // namespace tuff
