#include "kernel/rolling_rows.h"

#include <memory>

#include "kernel/expand_results.h"
#include "kernel/window.h"

namespace tuff {
namespace {

struct RollingWriter {
  const KernelRequest& request;
  const ExpandTile& tile;
  const ExpandedOperand& operand;
  KernelWriter& writer;
  Slots& slots;

  const Graph& graph = request.graph;
  const Node& node = graph.node(request.group.anchor);
  const Node& product_node = graph.node(operand.product);
  const Dims& out = graph.value(node.output).shape;
  const Dims& image = graph.value(product_node.output).shape;
  const IntExpr channels = out[1], vectors = floor_div(channels, IntExpr(tile.width));
  const bool whole_channels = mod(vectors, IntExpr(tile.vectors)).is(0);
  const int64_t lanes = tile.vectors, window_columns = tile.staged[1];
  Block setup = Block(writer, nullptr), strip = Block(writer, &setup);
  const TileReduction reduction = {request, tile, operand.reduction, out[0], ceil_div(vectors, IntExpr(lanes))};

  const WindowAttrs& window() const { return std::get<WindowAttrs>(node.attrs); }
  std::string vector() const { return type_name(writer.dialect(), Register::kFloat, tile.width); }
  int64_t stride(size_t axis) const { return tile.window ? window().strides[axis] : 1; }
  // Of the window's columns, the first that the product is computed for; the sums follow one another.
  int64_t first_sum() const { return tile.strips == 1 ? operand.low[1] : 0; }

  void set_up() {
    const std::string strips = std::to_string(tile.strips);
    const bool has_all = tile.image_tiles != tile.strips || tile.strips == 1;
    setup.line("int b = int(gl_WorkGroupID.x)" + (has_all ? "" : " / " + strips) + ";");
    setup.line("int first_n = int(gl_WorkGroupID.y) * " + std::to_string(lanes) + ";");
    const std::string own = "first_n + int(gl_LocalInvocationID.x)";
    setup.line("int n = " + (whole_channels ? own : "min(" + own + ", " + vectors.text() + " - 1)") + ";");
    slots["first_strip"] = has_all ? "0" : "int(gl_WorkGroupID.x) % " + strips;
    slots["end_strip"] = has_all ? strips : slots["first_strip"] + " + 1";

    const int64_t columns = tile.outputs[1];
    const std::string first = "strip * " + std::to_string(columns);
    strip.line("int o1 = " + (tile.strips == 1 ? "0" : "min(" + first + ", " + (out[3] - IntExpr(columns)).text() + ")") + ";");
    strip.line("int s1 = o1 * " + std::to_string(stride(1)) + " - " + std::to_string(operand.low[1]) + ";");
    for (int64_t i = 0; i * lanes < tile.rows; ++i) {
      const std::string at = "s1 + " + std::to_string(first_sum() + i * lanes) + " + int(gl_SubgroupInvocationID)";
      strip.line("int x1_lane_" + std::to_string(i) + " = clamp(" + at + ", 0, " + image[3].text() + " - 1);");
    }
    slots["image_rows"] = image[2].text();
    slots["row_count"] = out[2].text();
    slots["first_row"] = std::to_string(-operand.low[0]);
    slots["end_row"] = "y0 * " + std::to_string(stride(0)) + " + " + std::to_string(tile.staged[0] - operand.low[0]);
    slots["window_rows"] = std::to_string(tile.window ? tile.staged[0] : 0);
    slots["window_columns"] = std::to_string(window_columns);
    slots["sums"] = std::to_string(tile.rows);
    for (int i = 0; i < tile.rows; ++i) slots["all_sums"] += (i ? ", acc_" : "acc_") + std::to_string(i);
  }

  // Each lane loads the elements of every lanes-th pixel, and all a vector of weights of its own.
  Status load() {
    GroupScope group(request);
    const ProductReads reads = product_reads(graph, operand.product, image_coordinates("x", image, channels));
    PointBuilder a_builder(group.scope), b_builder(group.scope);
    TUFF_ASSIGN(const int a_op, a_builder.element(product_node.inputs[0], reads.a));
    TUFF_ASSIGN(const int b_op, b_builder.element(product_node.inputs[1], reads.b));
    Block inner(writer, &strip);
    for (int64_t i = 0; i * lanes < tile.rows; ++i) {
      Emitter emitter({&setup, &strip, &inner});
      emitter.bind("b", "b", 0);
      emitter.bind("x0", "x0", 2);
      emitter.bind("x1", "x1_lane_" + std::to_string(i), 1);
      emitter.bind("k", "k", 2);
      const std::vector<std::string> loaded = emitter.emit(a_builder.point(), a_op, "k", tile.steps);
      for (size_t t = 0; t < loaded.size(); ++t)
        inner.line("float a_lane_" + std::to_string(i) + "_" + std::to_string(t) + " = " + loaded[t] + ";");
    }
    slots["loads_a"] = inner.text(0);
    std::vector<std::unique_ptr<Block>> steps;
    for (int t = 0; t < tile.steps; ++t) {
      steps.push_back(std::make_unique<Block>(writer, t ? steps.back().get() : &inner));
      Block& step = *steps.back();
      Emitter emitter({&setup, &strip, &step});
      emitter.bind("b", "b", 0);
      emitter.bind("n", "n", 0);
      emitter.bind("k", "k", 2);
      const Point point = at_lane(b_builder.point(), "k", tile.steps, t);
      const std::string number = std::to_string(t);
      step.line(vector() + " b_step_" + number + " = " + call(vector(), emitter.emit(point, b_op, "n", tile.width)) + ";");
      for (int s = 0; s < tile.rows; ++s)
        step.line("float a_" + std::to_string(s) + "_" + number + " = subgroupBroadcast(a_lane_" + std::to_string(s / lanes) +
                  "_" + number + ", " + std::to_string(s % lanes) + "u);");
      slots["loads_b_" + number] = step.text(0);
    }
    return ok_status();
  }

  std::vector<std::string> sums_of(const std::string& number) const {
    std::vector<std::string> sums = components("acc[" + number + "]", tile.width);
    for (std::string& sum : sums) sum = narrow(graph.value(product_node.output).dtype, sum);
    return sums;
  }
  // `body` for each number from first to the one before end.
  static std::string unrolled(const std::string& variable, int64_t first, int64_t end, const std::string& body) {
    if (first >= end) return {};
    return "[[unroll]] for (int " + variable + " = " + std::to_string(first) + "; " + variable + " < " + std::to_string(end) +
           "; ++" + variable + ") {\n" + body + "}\n";
  }

  // The row of the window's operand: what maps make of the sums, and padding beyond the image.
  Status keep_row() {
    GroupScope group(request);
    const Dims padded = image_coordinates("q", graph.value(node.inputs[0]).shape, channels);
    Dims staged = padded;
    for (size_t i = 2; i < staged.size(); ++i) staged[i] = staged[i] - IntExpr(operand.low[i - 2]);
    group.scope.inputs[product_node.output.value] = {staged, 0};
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(const int op, builder.element(node.inputs[0], padded));
    Block common(writer, &strip);
    auto elements = [&](int64_t first, int64_t end, const std::vector<std::string>& sums) {
      Block item(writer, &common);
      Emitter emitter({&setup, &strip, &common, &item});
      emitter.bind("b", "b", 0);
      emitter.bind("n", "n", 0);
      emitter.bind("q0", "(x0 + " + std::to_string(operand.low[0]) + ")", 2);
      emitter.bind("q1", "(s1 + " + std::to_string(operand.low[1]) + " + s)", 3);
      emitter.bind_input(0, sums, 3);
      item.line("rows[" + std::to_string(tile.staged[0] - 1) +
                "][s] = " + call(vector(), emitter.emit(builder.point(), op, "n", tile.width)) + ";");
      return unrolled("s", first, end, item.text(2));
    };
    const int64_t first = first_sum(), end = std::min(window_columns, first + tile.rows);
    const std::vector<std::string> none = {"0.0"};
    std::string text = elements(0, std::min(first, window_columns), none);
    text += elements(first, end, sums_of("s - " + std::to_string(first)));
    text += elements(end, window_columns, none);
    slots["row"] = common.text(0) + text;
    return ok_status();
  }

  // Of the strip's result number `column`: the statements that the emitter's input 0 is ready for.
  Result<std::string> results_from(const TileResults& results, Block& common, const std::string& before,
                                   const std::vector<std::string>& sums) {
    Block item(writer, &common);
    Emitter emitter({&setup, &strip, &common, &item});
    emitter.bind("b", "b", 0);
    emitter.bind("n", "n", 0);
    emitter.bind("y0", "y0", 2);
    emitter.bind("y1", "(o1 + column)", 3);
    emitter.bind_input(0, sums, 3);
    TUFF_TRY(results.write(emitter, item, reduction));
    std::string condition = whole_channels ? "" : "first_n + int(gl_LocalInvocationID.x) < " + vectors.text();
    // The last strip reaches back over results that the one before it has.
    if (out[3].constant() % tile.outputs[1] != 0)
      condition += (condition.empty() ? "" : " && ") + std::string("o1 + column >= strip * ") + std::to_string(tile.outputs[1]);
    const std::string body = before + item.text(0);
    return common.text(0) +
           unrolled("column", 0, tile.outputs[1], condition.empty() ? body : "if (" + condition + ") {\n" + body + "}\n");
  }

  Status apply_window() {
    GroupScope group(request);
    const Dtype dtype = graph.value(node.output).dtype;
    const Dims at = image_coordinates("y", out, channels);
    const WindowReads reads = window_reads(window(), at);
    PointBuilder w_builder(group.scope);
    int w_op = -1;
    if (window().op == WindowOp::kConv) {
      TUFF_ASSIGN(w_op, w_builder.element(node.inputs[1], reads.w));
    }
    TUFF_ASSIGN(const TileResults results, tile_results(request, group, operand.reduction, at));
    Block common(writer, &strip);
    std::string taps;
    std::vector<std::string> sums;
    for (int lane = 0; lane < tile.width; ++lane) {
      const std::string acc = "sum_" + std::to_string(lane);
      taps += "float " + acc + " = " + window_identity(writer, window().op, dtype) + ";\n";
      sums.push_back(narrow(dtype, acc));
    }
    for (int64_t t0 = 0; t0 < tile.staged[0]; ++t0)
      for (int64_t t1 = 0; t1 < window().kernel[1]; ++t1) {
        Emitter weights({&setup});
        weights.bind("n", "n", 0);
        weights.bind("t0", std::to_string(t0), 0);
        weights.bind("t1", std::to_string(t1), 0);
        std::vector<std::string> w(static_cast<size_t>(tile.width));
        if (w_op >= 0) w = weights.emit(w_builder.point(), w_op, "n", tile.width);
        const std::string number = "column * " + std::to_string(stride(1)) + " + " + std::to_string(t1);
        const std::vector<std::string> x = components("rows[" + std::to_string(t0) + "][" + number + "]", tile.width);
        for (size_t lane = 0; lane < x.size(); ++lane) {
          const std::string acc = "sum_" + std::to_string(lane);
          taps += acc + " = " + window_step(writer, window(), dtype, acc, x[lane], w.size() == 1 ? w[0] : w[lane]) + ";\n";
        }
      }
    TUFF_ASSIGN(slots["outputs"], results_from(results, common, taps, sums));
    return ok_status();
  }

  // Without a window the sums are the results.
  Status finish_row() {
    GroupScope group(request);
    TUFF_ASSIGN(const TileResults results,
                tile_results(request, group, operand.reduction, image_coordinates("y", out, channels)));
    Block common(writer, &strip);
    TUFF_ASSIGN(slots["row"], results_from(results, common, "", sums_of("column")));
    return ok_status();
  }
};

std::string schedule_text(const ExpandTile& tile) {
  return "rolling rows of " + std::to_string(tile.outputs[1]) + " results" +
         (tile.window ? ", " + std::to_string(tile.staged[0]) + " of " + std::to_string(tile.staged[1]) + " kept" : "") + ", " +
         std::to_string(tile.width) + " channels an invocation of " + std::to_string(tile.invocations) +
         (tile.combined ? ", combined" : "");
}

}  // namespace

Result<Kernel> make_rolling_rows(const KernelRequest& request, const ExpandedOperand& operand, const ExpandTile& tile) {
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  Slots slots;
  RollingWriter rolling{request, tile, operand, writer, slots};
  const IntExpr depth = product_extents(request.graph, operand.product)->depth;
  slots["outputs"] = slots["combined"] = "";
  slots["window"] = tile.window ? "1" : "";
  slots["steps"] = std::to_string(tile.steps);
  slots["vector"] = rolling.vector();
  slots["k_count"] = floor_div(depth, IntExpr(tile.steps)).text();
  rolling.set_up();
  TUFF_TRY(rolling.load());
  if (tile.window) {
    TUFF_TRY(rolling.keep_row());
    TUFF_TRY(rolling.apply_window());
  } else {
    TUFF_TRY(rolling.finish_row());
  }
  if (tile.combined) {
    const std::string here = rolling.whole_channels ? "" : "first_n + slot < " + rolling.vectors.text();
    TUFF_TRY(rolling.reduction.fill(writer, rolling.setup, here, slots));
  }
  slots["strip_setup"] = rolling.strip.text(0);
  slots["setup"] = rolling.setup.text(0);
  const IntExpr images = rolling.out[0] * IntExpr(tile.image_tiles);
  TUFF_ASSIGN(Kernel kernel,
              finish_kernel(request, writer, "rolling_rows", std::move(slots), {static_cast<uint32_t>(tile.invocations), 1, 1},
                            {images, rolling.reduction.slices, IntExpr(1)}, schedule_text(tile)));
  const IntExpr sums = rolling.out[0] * rolling.image[2] * IntExpr(tile.strips * tile.rows) * rolling.channels;
  kernel.multiply_adds = sums * depth + product(rolling.out) * IntExpr(tile.window ? rolling.window().tap_count() : 0);
  return kernel;
}

}  // namespace tuff
