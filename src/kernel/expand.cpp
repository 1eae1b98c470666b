// Expand kernels (expand.glsl): an own-channel window whose operand the workgroup computes into shared memory, from a product;
// and reductions of what a window or a product makes of an image. The tile is fusion's, since whether there is such a group
// hangs on it.
#include "fusion/expand.h"

#include <algorithm>
#include <memory>

#include "kernel/expand_results.h"
#include "kernel/rolling_rows.h"
#include "kernel/window.h"

namespace tuff {
namespace {

struct ExpandWriter {
  const KernelRequest& request;
  const ExpandTile& tile;
  const ExpandedOperand& operand;
  KernelWriter& writer;
  Slots& slots;

  const Graph& graph = request.graph;
  const Node& node = graph.node(request.group.anchor);
  const Dims& out = graph.value(node.output).shape;
  const Dims& image = graph.value(operand.value).shape;
  const size_t spatial = out.size() - 2;
  const IntExpr channels = out[1], vectors = floor_div(channels, IntExpr(tile.width));
  const bool whole_channels = mod(vectors, IntExpr(tile.vectors)).is(0);
  Block setup = Block(writer, nullptr);
  const TileReduction reduction = {request, tile, operand.reduction, out[0], ceil_div(vectors, IntExpr(tile.vectors))};

  const WindowAttrs& window() const { return std::get<WindowAttrs>(node.attrs); }
  std::string vector() const { return type_name(writer.dialect(), Register::kFloat, tile.width); }
  int64_t tiles(size_t axis) const {
    const int64_t extent = out[2 + axis].constant();
    return (extent + tile.outputs[axis] - 1) / tile.outputs[axis];
  }
  IntExpr tile_count() const {
    IntExpr count(1);
    for (size_t i = 0; i < spatial; ++i) count *= IntExpr(tiles(i));
    return count;
  }

  // Positions of a linear number among these sizes, as texts that follow `first` on each axis.
  void delinearise_in(Block& block, const std::string& number, const std::vector<int64_t>& sizes, const std::string& name,
                      const char* first, const std::string& suffix) const {
    int64_t stride = 1;
    std::vector<std::string> lines(spatial);
    for (size_t i = spatial; i-- > 0;) {
      const std::string rest = stride == 1 ? number : number + " / " + std::to_string(stride);
      const std::string at = i == 0 ? rest : "(" + rest + ") % " + std::to_string(sizes[i]);
      lines[i] = "int " + axis_name(name.c_str(), i) + suffix + " = " + axis_name(first, i) + " + " + at + ";";
      stride *= sizes[i];
    }
    for (std::string& line : lines) block.line(std::move(line));
  }
  // The workgroup's image, first result and first staged position on each axis, first vector of channels.
  void set_up() {
    const std::string count = tile_count().text();
    setup.line("int b = int(gl_WorkGroupID.x) / " + count + ";");
    setup.line("int tile = int(gl_WorkGroupID.x) % " + count + ";");
    int64_t stride = 1;
    for (size_t i = spatial; i-- > 0;) {
      const std::string o = axis_name("o", i), low = std::to_string(operand.low[i]);
      const int64_t rest = image[2 + i].constant() - tile.staged[i];
      setup.line("int " + o + " = " +
                 (tiles(i) == 1 ? "0"
                                : "tile / " + std::to_string(stride) + " % " + std::to_string(tiles(i)) + " * " +
                                      std::to_string(tile.outputs[i])) +
                 ";");
      setup.line("int " + axis_name("s", i) + " = " +
                 (rest == 0 ? "0"
                            : "clamp(" + o + " * " + std::to_string(tile.window ? window().strides[i] : 1) + " - " + low +
                                  ", 0, " + std::to_string(rest) + ")") +
                 ";");
      stride *= tiles(i);
    }
    setup.line("int first_n = int(gl_WorkGroupID.y) * " + std::to_string(tile.vectors) + ";");
  }
  std::string staged_at(const std::string& position, const std::string& v) const {
    return "staged[(" + position + ") * " + std::to_string(tile.vectors) + " + " + v + "]";
  }
  void bind_positions(Emitter& emitter, const char* name, const std::string& suffix, int block) const {
    emitter.bind("b", "b", 0);
    for (size_t i = 0; i < spatial; ++i) emitter.bind(axis_name(name, i), axis_name(name, i) + suffix, block);
  }

  void set_up_items(Block& rows) const {
    const int64_t count = tile.staged_count();
    const bool whole_positions = count % tile.rows == 0;
    rows.line("int v = item % " + std::to_string(tile.vectors) + ";");
    rows.line("int n = " + std::string(whole_channels ? "first_n + v" : "min(first_n + v, " + vectors.text() + " - 1)") + ";");
    rows.line("int p = item / " + std::to_string(tile.vectors) + " * " + std::to_string(tile.rows) + ";");
    for (int i = 0; i < tile.rows; ++i) {
      const std::string suffix = "_" + std::to_string(i), at = "p + " + std::to_string(i);
      rows.line("int p" + suffix + " = " + (whole_positions ? at : "min(" + at + ", " + std::to_string(count - 1) + ")") + ";");
      delinearise_in(rows, "p" + suffix, tile.staged, "x", "s", suffix);
    }
  }

  // The product's sums, and what the maps make of them.
  Status stage() {
    GroupScope group(request);
    const Node& product = graph.node(operand.product);
    const Dims at = image_coordinates("x", image, channels);
    const ProductReads reads = product_reads(graph, operand.product, at);
    Block rows(writer, &setup), inner(writer, &rows);
    set_up_items(rows);
    PointBuilder a_builder(group.scope), b_builder(group.scope);
    TUFF_ASSIGN(const int a_op, a_builder.element(product.inputs[0], reads.a));
    TUFF_ASSIGN(const int b_op, b_builder.element(product.inputs[1], reads.b));
    auto flushed = [&](const std::string& text) { return request.exact ? "tuff_flush_inner(" + text + ")" : text; };
    Emitter emitter({&setup, &rows, &inner});
    emitter.bind("k", "k", 2);
    for (int i = 0; i < tile.rows; ++i) {
      const std::string suffix = "_" + std::to_string(i);
      bind_positions(emitter, "x", suffix, 1);
      const std::vector<std::string> lanes = emitter.emit(a_builder.point(), a_op, "k", tile.steps);
      for (size_t t = 0; t < lanes.size(); ++t)
        inner.line("float a" + suffix + "_" + std::to_string(t) + " = " + flushed(lanes[t]) + ";");
    }
    std::vector<std::unique_ptr<Block>> steps;
    for (int t = 0; t < tile.steps; ++t) {
      steps.push_back(std::make_unique<Block>(writer, t ? steps.back().get() : &inner));
      Emitter at_b({&setup, &rows, steps.back().get()});
      at_b.bind("b", "b", 0);
      at_b.bind("n", "n", 1);
      at_b.bind("k", "k", 2);
      std::vector<std::string> lanes = at_b.emit(at_lane(b_builder.point(), "k", tile.steps, t), b_op, "n", tile.width);
      for (std::string& lane : lanes) lane = flushed(lane);
      steps.back()->line(vector() + " b_step_" + std::to_string(t) + " = " + call(vector(), lanes) + ";");
    }
    if (tile.window) {
      TUFF_ASSIGN(slots["stage"], mapped(group, product, at, rows));
    } else {
      TUFF_ASSIGN(slots["stage"], finished(group, at, rows));
    }
    slots["item_setup"] = rows.text(0);
    slots["loads_a"] = inner.text(0);
    for (int t = 0; t < tile.steps; ++t) slots["loads_b_" + std::to_string(t)] = steps[static_cast<size_t>(t)]->text(0);
    set_sum(product);
    return ok_status();
  }

  Result<std::string> mapped(GroupScope& group, const Node& product, const Dims& at, Block& rows) {
    group.scope.inputs[product.output.value] = {at, 0};
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(const int op, builder.element(operand.value, at));
    // What channels alone decide is loaded once for all rows.
    Block common(writer, &rows);
    std::string items;
    for (int i = 0; i < tile.rows; ++i) {
      const std::string suffix = "_" + std::to_string(i);
      Block item(writer, &common);
      Emitter emitter({&setup, &common, &item});
      bind_positions(emitter, "x", suffix, 2);
      emitter.bind("n", "n", 1);
      emitter.bind_input(0, sums_of(product, i), 2);
      const std::string elements = call(vector(), emitter.emit(builder.point(), op, "n", tile.width));
      item.line(staged_at("p" + suffix, "v") + " = " + elements + ";");
      items += guarded(row_guard(i), item);
    }
    return common.text(0) + items;
  }
  static std::string guarded(const std::string& condition, const Block& block) {
    return (condition.empty() ? "{\n" : "if (" + condition + ") {\n") + block.text(2) + "}\n";
  }
  // Does the item have this row? Empty: always.
  std::string row_guard(int row) const {
    const bool always = row == 0 || tile.staged_count() % tile.rows == 0;
    return always ? "" : "p + " + std::to_string(row) + " < " + std::to_string(tile.staged_count());
  }
  // The lanes of the product's sums for the item's row.
  std::vector<std::string> sums_of(const Node& product, int row) const {
    std::vector<std::string> sums = components("acc_" + std::to_string(row), tile.width);
    for (std::string& sum : sums) sum = narrow(graph.value(product.output).dtype, sum);
    return sums;
  }

  // Without a window: what is stored and combined of each of the item's elements. Tiles at an image's end reach back over
  // elements that the tiles before them have.
  Result<std::string> finished(GroupScope& group, const Dims& at, Block& rows) {
    TUFF_ASSIGN(const TileResults results, tile_results(request, group, operand.reduction, at));
    Block common(writer, &rows);
    std::string items;
    for (int i = 0; i < tile.rows; ++i) {
      const std::string suffix = "_" + std::to_string(i);
      Block item(writer, &common);
      Emitter emitter({&setup, &common, &item});
      bind_positions(emitter, "x", suffix, 2);
      emitter.bind("n", "n", 1);
      emitter.bind_input(0, sums_of(node, i), 2);
      TUFF_TRY(results.write(emitter, item, reduction));
      std::string condition = row_guard(i);
      auto also = [&](const std::string& other) { condition += (condition.empty() ? "" : " && ") + other; };
      if (!whole_channels) also("first_n + v < " + vectors.text());
      for (size_t axis = 0; axis < spatial; ++axis)
        if (out[2 + axis].constant() % tile.outputs[axis] != 0)
          also(axis_name("x", axis) + suffix + " >= " + axis_name("o", axis));
      items += guarded(condition, item);
    }
    return common.text(0) + items;
  }

  void set_sum(const Node& product) {
    const IntExpr depth = product_extents(graph, operand.product)->depth;
    const auto* contract = std::get_if<ContractAttrs>(&product.attrs);
    const bool chunked = request.exact && contract && contract->order.kind == SumOrder::Kind::kChunked;
    slots["chunked"] = chunked ? std::to_string(contract->order.chunk_length / tile.steps) : "";
    slots["k_count"] = floor_div(depth, IntExpr(tile.steps)).text();
    // As in contract.glsl.
    slots["zero"] = request.exact ? std::string(writer.dialect().hidden_zero) : "0";
    slots["multiply_add_begin"] = request.exact ? "(" : "fma(" + vector() + "(";
    slots["multiply_add_middle"] = request.exact ? " * " : "), ";
    slots["multiply_add_end"] = request.exact ? ") + " : ", ";
    slots["multiply_add_close"] = request.exact ? "" : ")";
  }

  void set_up_outputs(Block& output) {
    output.line("int v = item % " + std::to_string(tile.vectors) + ";");
    output.line("int n = first_n + v;");
    output.line("int q = item / " + std::to_string(tile.vectors) + ";");
    delinearise_in(output, "q", tile.outputs, "y", "o", "");
    std::string inside = whole_channels ? "" : "n < " + vectors.text();
    for (size_t i = 0; i < spatial; ++i)
      if (out[2 + i].constant() % tile.outputs[i] != 0)
        inside += (inside.empty() ? "" : " && ") + axis_name("y", i) + " < " + out[2 + i].text();
    slots["in_image"] = inside.empty() ? "true" : inside;
    slots["output_setup"] = output.text(0);
  }

  // Where the tap's element is staged; beyond the image some element, which is not used.
  std::string tap_element(Emitter& taps, Block& tap, const Dims& x) const {
    std::string position;
    for (size_t i = 0; i < spatial; ++i) {
      const std::string at = taps.integer(x[2 + i]) + " - " + axis_name("s", i);
      const std::string inside = operand.padded ? "clamp(" + at + ", 0, " + std::to_string(tile.staged[i] - 1) + ")" : at;
      position = position.empty() ? inside : "(" + position + ") * " + std::to_string(tile.staged[i]) + " + " + inside;
    }
    return tap.temporary(vector(), staged_at(position, "v"));
  }

  Status apply_window() {
    GroupScope group(request);
    const Dtype dtype = graph.value(node.output).dtype;
    const Dims at = image_coordinates("y", out, channels);
    Block output(writer, &setup), element(writer, &output), tap(writer, &element), epilogue(writer, &element);
    set_up_outputs(output);
    Emitter taps({&setup, &element, &tap});
    bind_positions(taps, "y", "", 1);
    taps.bind("n", "n", 1);
    for (size_t i = 0; i < spatial; ++i) taps.bind(axis_name("t", i), axis_name("t", i), 2);
    const WindowReads reads = window_reads(window(), at);
    Dims x = reads.x;
    for (size_t i = 0; i < spatial; ++i) x[2 + i] = x[2 + i] - IntExpr(operand.low[i]);
    group.scope.inputs[operand.value.value] = {x, 0};
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(const int x_op, builder.element(node.inputs[0], reads.x));
    group.scope.inputs.clear();
    PointBuilder w_builder(group.scope);
    std::vector<std::string> w_lanes(static_cast<size_t>(tile.width));
    if (window().op == WindowOp::kConv) {
      TUFF_ASSIGN(const int w_op, w_builder.element(node.inputs[1], reads.w));
      w_lanes = taps.emit(w_builder.point(), w_op, "n", tile.width);
    }
    const std::string staged = tap_element(taps, tap, x);
    taps.bind_input(0, components(staged, tile.width), 2);
    const std::vector<std::string> x_lanes = taps.emit(builder.point(), x_op, "n", tile.width);
    std::vector<std::string> sums;
    for (size_t lane = 0; lane < x_lanes.size(); ++lane) {
      const std::string acc = "acc_" + std::to_string(lane);
      tap.line(acc + " = " + window_step(writer, window(), dtype, acc, x_lanes[lane], w_lanes[lane]) + ";");
      sums.push_back(narrow(dtype, acc));
    }
    TUFF_ASSIGN(const TileResults results, tile_results(request, group, operand.reduction, at));
    Emitter end({&setup, &epilogue});
    bind_positions(end, "y", "", 1);
    end.bind("n", "n", 1);
    end.bind_input(0, sums, 1);
    TUFF_TRY(results.write(end, epilogue, reduction));
    slots["element_setup"] = element.text(0);
    slots["tap"] = tap.text(0);
    slots["epilogue"] = epilogue.text(0);
    slots["identity"] = window_identity(writer, window().op, dtype);
    window_loops(window(), slots);
    return ok_status();
  }
};

std::string sizes_text(const std::vector<int64_t>& sizes) {
  std::string text;
  for (int64_t size : sizes) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

std::string schedule_text(const ExpandTile& tile) {
  return "tile " + sizes_text(tile.outputs) + " of " + std::to_string(tile.vectors * tile.width) + " channels, " +
         (tile.window ? sizes_text(tile.staged) + " staged, " : "") + std::to_string(tile.rows) + "x" +
         std::to_string(tile.width) + " an invocation of " + std::to_string(tile.invocations) +
         (!tile.combined          ? ""
          : tile.image_tiles == 1 ? ", combined"
                                  : ", combined over " + std::to_string(tile.image_tiles) + " workgroups");
}

}  // namespace

Result<std::vector<GuardedKernel>> make_expand(const KernelRequest& request) {
  const auto operand = expanded_operand(request.group, request.graph);
  const auto tile = expand_tile(request.graph, request.group, request.device, request.exact);
  if (!operand || !tile) return internal_error("No tile fits " + request.device.name + ".");
  if (tile->rolling) {
    std::vector<GuardedKernel> rolling(1);
    TUFF_ASSIGN(rolling[0].kernel, make_rolling_rows(request, *operand, *tile));
    return rolling;
  }
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  Slots slots;
  ExpandWriter expand{request, *tile, *operand, writer, slots};
  expand.set_up();
  slots["rows"] = std::to_string(tile->rows);
  slots["steps"] = std::to_string(tile->steps);
  slots["width"] = std::to_string(tile->width);
  slots["vector"] = expand.vector();
  slots["window"] = tile->window ? "1" : "";
  slots["combined"] = "";
  TUFF_TRY(expand.stage());
  if (tile->window) TUFF_TRY(expand.apply_window());
  if (tile->combined) {
    const std::string channels = expand.whole_channels ? "" : "first_n + slot < " + expand.vectors.text();
    TUFF_TRY(expand.reduction.fill(writer, expand.setup, channels, slots));
  }
  const int64_t items = tile->vectors * ((tile->staged_count() + tile->rows - 1) / tile->rows);
  slots["staged_count"] = std::to_string(tile->shared_vectors());
  slots["item_count"] = std::to_string(items);
  slots["output_count"] = std::to_string(tile->output_count() * tile->vectors);
  slots["setup"] = expand.setup.text(0);
  const IntExpr images = expand.out[0] * expand.tile_count();
  GuardedKernel made;
  TUFF_ASSIGN(made.kernel,
              finish_kernel(request, writer, "expand", std::move(slots), {static_cast<uint32_t>(tile->invocations), 1, 1},
                            {images, expand.reduction.slices, IntExpr(1)}, schedule_text(*tile)));
  made.kernel.shared_bytes = tile->shared_bytes();
  const IntExpr taps(tile->window ? expand.window().tap_count() : 0);
  const IntExpr depth = product_extents(request.graph, operand->product)->depth;
  made.kernel.multiply_adds = images * expand.channels * depth * IntExpr(tile->staged_count()) + product(expand.out) * taps;
  std::vector<GuardedKernel> all;
  all.push_back(std::move(made));
  return all;
}

}  // namespace tuff
