// Window kernels: pooling and depthwise convolution, where each output sees its own few inputs.
#include "kernel/window.h"

#include <algorithm>

#include "graph/builder.h"

namespace tuff {

WindowReads window_reads(const WindowAttrs& window, const Dims& at, const std::optional<IntExpr>& channels) {
  const IntExpr c = channels ? IntExpr::loop_variable("c", *channels) : IntExpr(0);
  WindowReads reads = {{at[0], channels ? c : at[1]}, {at[1], c}};
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    IntExpr tap = IntExpr::loop_variable("t" + std::to_string(i), IntExpr(window.kernel[i]));
    reads.x.push_back(at[2 + i] * IntExpr(window.strides[i]) + tap * IntExpr(window.dilations[i]));
    reads.w.push_back(tap);
  }
  return reads;
}

std::string window_step(const KernelWriter& writer, const WindowAttrs& window, Dtype dtype, const std::string& acc,
                        const std::string& x, const std::string& w) {
  if (window.op == WindowOp::kMax) return map_text(writer, MapOp::max, sum_dtype(dtype), sum_dtype(dtype), {acc, x});
  if (window.op == WindowOp::kSum) return map_text(writer, MapOp::add, sum_dtype(dtype), sum_dtype(dtype), {acc, x});
  if (register_of(dtype) != Register::kFloat) return acc + " + " + x + " * " + w;
  if (writer.exact()) return acc + " + tuff_flush_inner(" + x + ") * tuff_flush_inner(" + w + ")";
  return "fma(" + x + ", " + w + ", " + acc + ")";
}

std::string window_identity(const KernelWriter& writer, WindowOp op, Dtype dtype) {
  const Register reg = register_of(dtype);
  // A compiler that sees the 0 may take the first tap for 0 + it, which is not so of -0.
  if (writer.exact() && op != WindowOp::kMax && reg == Register::kFloat) return std::string(writer.dialect().hidden_zero);
  uint64_t identity = 0;
  if (op == WindowOp::kMax) {
    if (reg == Register::kFloat || reg == Register::kDouble)
      identity = dtype == Dtype::kF64 ? 0xfff0000000000000ull : scalar_bits(dtype, -1.0 / 0.0);
    else if (is_signed_integer(dtype))
      identity = uint64_t{1} << (8 * dtype_size_bytes(dtype) - 1);
  }
  return literal(writer.dialect(), dtype, identity);
}

void window_loops(const WindowAttrs& window, Slots& slots) {
  std::string loops, loops_end;
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    if (window.kernel[i] == 1) continue;
    std::string t = "t" + std::to_string(i);
    const bool innermost = std::all_of(window.kernel.begin() + static_cast<int64_t>(i) + 1, window.kernel.end(),
                                       [](int64_t taps) { return taps == 1; });
    loops += std::string(innermost ? "" : "[[dont_unroll]] ") + "for (int " + t + " = 0; " + t + " < " +
             std::to_string(window.kernel[i]) + "; ++" + t + ") {\n";
    loops_end += "}\n";
  }
  slots["loops"] = loops;
  slots["loops_end"] = loops_end;
}

Result<std::string> window_element(const WindowElement& element, Block& setup, const WindowResult& result) {
  const KernelRequest& request = element.request;
  const Node& node = request.graph.node(element.window);
  const auto& window = std::get<WindowAttrs>(node.attrs);
  const Dtype dtype = request.graph.value(node.output).dtype;
  KernelWriter& writer = setup.writer();
  Block tap(writer, &setup), maps(writer, &setup);
  auto emitter_in = [&](Block& inner) {
    std::vector<Block*> blocks = element.outer;
    blocks.push_back(&setup);
    blocks.push_back(&inner);
    Emitter emitter(blocks);
    element.bind(emitter);
    return emitter;
  };
  const int innermost = static_cast<int>(element.outer.size()) + 1;

  GroupScope group(request);
  const WindowReads reads = window_reads(window, element.at, element.channels);
  PointBuilder builder(group.scope);
  TUFF_ASSIGN(int x_op, builder.element(node.inputs[0], reads.x));
  int w_op = -1;
  if (window.op == WindowOp::kConv) {
    TUFF_ASSIGN(w_op, builder.element(node.inputs[1], reads.w));
  }
  Emitter taps = emitter_in(tap);
  for (size_t i = 0; i < window.kernel.size(); ++i) taps.bind("t" + std::to_string(i), "t" + std::to_string(i), innermost);
  taps.bind("c", "c", innermost);
  const auto x_lanes = taps.emit(builder.point(), x_op, element.variable, element.width);
  std::vector<std::string> w_lanes(x_lanes.size()), sums;
  if (w_op >= 0) w_lanes = taps.emit(builder.point(), w_op, element.variable, element.width);
  for (size_t lane = 0; lane < x_lanes.size(); ++lane) {
    const std::string acc = "acc_" + std::to_string(lane);
    tap.line(acc + " = " + window_step(writer, window, dtype, acc, x_lanes[lane], w_lanes[lane]) + ";");
    sums.push_back(narrow(dtype, acc));
  }
  Emitter end = emitter_in(maps);
  end.bind_input(0, sums, innermost);
  TUFF_ASSIGN(const std::string last, result(end, maps));

  Slots slots;
  slots["steps"] = std::to_string(element.width);
  slots["identity"] = window_identity(writer, window.op, dtype);
  slots["element_setup"] = setup.text(0);
  slots["tap"] = tap.text(0);
  slots["maps"] = maps.text(0);
  slots["result"] = last;
  window_loops(window, slots);
  if (element.channels && !element.channels->is(1)) {
    slots["loops"] += "for (int c = 0; c < " + writer.parameter(*element.channels) + "; ++c) {\n";
    slots["loops_end"] += "}\n";
  }
  return expand_skeleton("window_element.glsl", slots);
}

Result<std::vector<GuardedKernel>> make_window(const KernelRequest& request) {
  const Graph& graph = request.graph;
  const Node& node = graph.node(request.group.anchor);
  const auto& window = std::get<WindowAttrs>(node.attrs);
  const Value& out = graph.value(node.output);
  const Register reg = register_of(out.dtype);
  GroupScope group(request);

  // The output's axes in storage order, as one index.
  std::vector<int> order = request.layouts.of(node.output).order;
  Dims ordered;
  for (int axis : order) ordered.push_back(out.shape[static_cast<size_t>(axis)]);
  const IntExpr total = product(ordered);
  const IntExpr innermost = ordered.back();
  const bool vectors = reg == Register::kFloat || reg == Register::kInt || reg == Register::kUint;
  const int width = vectors ? vector_width(innermost) : 1;
  Dims at = delinearise(IntExpr::loop_variable("i", total), ordered);
  Substitution to_index;
  Dims coordinates(order.size());
  for (size_t k = 0; k < order.size(); ++k) {
    to_index["d" + std::to_string(order[k])] = at[k];
    coordinates[static_cast<size_t>(order[k])] = at[k];
  }
  const WindowReads reads = window_reads(window, coordinates);

  KernelWriter writer(graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  Block setup(writer, nullptr), tap(writer, &setup), epilogue(writer, nullptr);
  Emitter emitter({&setup, &tap});
  emitter.bind("i", "i", 0);
  for (size_t i = 0; i < window.kernel.size(); ++i) emitter.bind("t" + std::to_string(i), "t" + std::to_string(i), 1);
  PointBuilder builder(group.scope);
  TUFF_ASSIGN(int x_op, builder.element(node.inputs[0], reads.x));
  int w_op = -1;
  if (window.op == WindowOp::kConv) {
    TUFF_ASSIGN(w_op, builder.element(node.inputs[1], reads.w));
  }
  auto x_lanes = emitter.emit(builder.point(), x_op, "i", width);
  std::vector<std::string> w_lanes;
  if (w_op >= 0) w_lanes = emitter.emit(builder.point(), w_op, "i", width);
  for (int lane = 0; lane < width; ++lane) {
    const std::string acc = "acc_" + std::to_string(lane);
    const size_t l = static_cast<size_t>(lane);
    tap.line(acc + " = " + window_step(writer, window, out.dtype, acc, x_lanes[l], w_op < 0 ? "" : w_lanes[l]) + ";");
  }

  Emitter finish({&epilogue});
  finish.bind("i", "i", 0);
  std::vector<std::string> acc;
  for (int lane = 0; lane < width; ++lane) acc.push_back(narrow(out.dtype, "acc_" + std::to_string(lane)));
  finish.bind_input(0, acc, 0);
  PointBuilder end(group.scope);
  group.scope.inputs[node.output.value] = {request.group.coordinates.at(node.output.value), 0};
  std::vector<std::pair<ValueId, StoredElement>> stores;
  for (ValueId v : request.group.stores) {
    TUFF_ASSIGN(StoredElement element, stored_element(request, group.scope, end, v));
    stores.emplace_back(v, element);
  }
  Point point = end.point();
  replace_variables(point, to_index);
  for (auto& [value, element] : stores) {
    auto lanes = finish.emit(point, element.op, "i", width);
    TUFF_TRY(finish.store(value, replace_variables(element.address, to_index), lanes, "i", width));
  }

  constexpr int kInvocations = 64;
  const IntExpr count = total.is(0) ? IntExpr(0) : *divide_exact(total, IntExpr(width));
  Grid1d grid = spread(ceil_div(count, IntExpr(kInvocations)), request.device);
  Slots slots;
  slots["grid_index"] = grid.grid_index;
  slots["vector_count"] = writer.parameter(count);
  slots["width"] = std::to_string(width);
  slots["scalar"] = writer.dialect().types[static_cast<int>(reg)];
  slots["setup"] = setup.text(0);
  slots["tap"] = tap.text(0);
  slots["epilogue"] = epilogue.text(0);
  slots["identity"] = window_identity(writer, window.op, out.dtype);
  window_loops(window, slots);
  GuardedKernel made;
  TUFF_ASSIGN(made.kernel, finish_kernel(request, writer, "window", std::move(slots), {kInvocations, 1, 1}, grid.grid,
                                         "64 invocations of " + std::to_string(width)));
  made.kernel.multiply_adds = total * IntExpr(window.tap_count());
  std::vector<GuardedKernel> all;
  all.push_back(std::move(made));
  return all;
}

}  // namespace tuff
