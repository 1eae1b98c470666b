#include "kernel/contraction.h"

#include <algorithm>

#include "base/checked.h"
#include "base/hash.h"
#include "kernel/contract_tile.h"
#include "kernel/integer_dot.h"
#include "kernel/row_statistics.h"
#include "kernel/sum_parts.h"

namespace tuff {
namespace {

IntExpr variable(const std::string& name, const IntExpr& extent) { return IntExpr::loop_variable(name, extent); }

// The axes of a value that have the labels, in its storage order.
std::vector<int> in_storage_order(const KernelRequest& request, ValueId value, const std::vector<int>& axes) {
  std::vector<int> out;
  for (int axis : request.layouts.of(value).order)
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) out.push_back(axis);
  return out;
}

Contraction of_contract(const KernelRequest& request, const Node& node, const ContractAttrs& attrs) {
  const Graph& graph = request.graph;
  const Dims& out_shape = graph.value(node.output).shape;
  Contraction c;
  std::map<int, IntExpr> at;  // label -> coordinate
  auto group = [&](const std::string& name, bool in_a, bool in_b, IntExpr& extent) {
    std::vector<int> axes;
    for (size_t i = 0; i < attrs.out.size(); ++i)
      if (has_label(attrs.a, attrs.out[i]) == in_a && has_label(attrs.b, attrs.out[i]) == in_b)
        axes.push_back(static_cast<int>(i));
    axes = in_storage_order(request, node.output, axes);
    Dims shape;
    for (int axis : axes) shape.push_back(out_shape[static_cast<size_t>(axis)]);
    extent = product(shape);
    Dims coordinates = delinearise(variable(name, extent), shape);
    for (size_t i = 0; i < axes.size(); ++i) {
      at[attrs.out[static_cast<size_t>(axes[i])]] = coordinates[i];
      c.output["d" + std::to_string(axes[i])] = coordinates[i];
    }
  };
  group("b", true, true, c.batch);
  group("m", true, false, c.rows);
  group("n", false, true, c.columns);
  // Summed axes, in a's order; those that only b has come last.
  std::vector<int> summed;
  Dims sizes;
  for (int side = 0; side < 2; ++side) {
    const auto& labels = side ? attrs.b : attrs.a;
    for (size_t i = 0; i < labels.size(); ++i)
      if (!has_label(attrs.out, labels[i]) && !has_label(summed, labels[i])) {
        summed.push_back(labels[i]);
        sizes.push_back(graph.value(node.inputs[static_cast<size_t>(side)]).shape[i]);
      }
  }
  c.depth = product(sizes);
  Dims k = delinearise(variable("k", c.depth), sizes);
  for (size_t i = 0; i < summed.size(); ++i) at[summed[i]] = k[i];
  for (int label : attrs.a) c.a.push_back(at[label]);
  for (int label : attrs.b) c.b.push_back(at[label]);
  if (attrs.order.kind == SumOrder::Kind::kChunked) c.chunk_length = attrs.order.chunk_length;
  return c;
}

Contraction of_convolution(const KernelRequest& request, const Node& node, const WindowAttrs& attrs) {
  const Graph& graph = request.graph;
  const Dims& out_shape = graph.value(node.output).shape;
  const Dims& weights = graph.value(node.inputs[1]).shape;
  const size_t spatial = attrs.kernel.size();
  Contraction c;
  const IntExpr outputs_each = floor_div(weights[0], IntExpr(attrs.groups));
  c.batch = IntExpr(attrs.groups);
  c.columns = outputs_each;
  const IntExpr g = variable("b", c.batch), n = variable("n", c.columns);
  const IntExpr channel = g * outputs_each + n;
  std::vector<int> pixel_axes = {0};
  for (size_t i = 0; i < spatial; ++i) pixel_axes.push_back(static_cast<int>(2 + i));
  Dims pixel_shape;
  for (int axis : pixel_axes) pixel_shape.push_back(out_shape[static_cast<size_t>(axis)]);
  c.rows = product(pixel_shape);
  Dims pixel = delinearise(variable("m", c.rows), pixel_shape);
  for (size_t i = 0; i < pixel_axes.size(); ++i) c.output["d" + std::to_string(pixel_axes[i])] = pixel[i];
  c.output["d1"] = channel;
  c.depth = weights[1];
  const IntExpr k = variable("k", c.depth);
  c.a = {pixel[0], g * weights[1] + k};
  c.b = {channel, k};
  for (size_t i = 0; i < spatial; ++i) {
    const IntExpr tap = variable("t" + std::to_string(i), IntExpr(attrs.kernel[i]));
    c.taps.push_back(IntExpr(attrs.kernel[i]));
    c.a.push_back(pixel[1 + i] * IntExpr(attrs.strides[i]) + tap * IntExpr(attrs.dilations[i]));
    c.b.push_back(tap);
  }
  return c;
}

}  // namespace

Contraction contraction_of(const KernelRequest& request) {
  const Node& node = request.graph.node(request.group.anchor);
  Contraction c;
  if (const auto* contract = std::get_if<ContractAttrs>(&node.attrs))
    c = of_contract(request, node, *contract);
  else
    c = of_convolution(request, node, std::get<WindowAttrs>(node.attrs));
  for (NodeId m : request.group.members) {
    const auto* other = std::get_if<ContractAttrs>(&request.graph.node(m).attrs);
    if (other && m != request.group.anchor && request.group.kind == AnchorKind::kContract)
      c.others.emplace_back(m, of_contract(request, request.graph.node(m), *other).b);
  }
  c.multiply_adds =
      c.batch * c.rows * c.columns * c.depth * product(c.taps) * IntExpr(static_cast<int64_t>(1 + c.others.size()));
  return c;
}

void fill_tap_loops(const Contraction& c, KernelWriter& writer, Slots& slots) {
  std::string loops, loops_end;
  for (size_t i = 0; i < c.taps.size(); ++i) {
    std::string t = "t" + std::to_string(i);
    if (c.taps[i].is(1)) continue;
    loops += "for (int " + t + " = 0; " + t + " < " + writer.parameter(c.taps[i]) + "; ++" + t + ") {\n";
    loops_end += "}\n";
  }
  slots["loops"] = loops;
  slots["loops_end"] = loops_end;
}

std::string contraction_key(const KernelRequest& request, const Contraction& c, std::string_view skeleton) {
  const Graph& graph = request.graph;
  const Node& anchor = graph.node(request.group.anchor);
  Hasher rest;
  for (NodeId m : request.group.members) rest.text(attrs_name(graph.node(m).attrs));
  for (ValueId operand : anchor.inputs) {
    rest.text(dtype_name(graph.value(operand).dtype));
    // The views that it is read through, down to what lies in memory.
    ValueId source = operand;
    for (const Node* view = graph.producer(source); view && !request.fusion.stored[source.value] && !view->inputs.empty();
         view = graph.producer(source)) {
      rest.text(attrs_name(view->attrs));
      source = view->inputs[0];
    }
    for (int axis : request.layouts.of(source).order) rest.number(static_cast<uint64_t>(axis));
  }
  std::string key = std::string(skeleton) + " " + std::string(dtype_name(graph.value(anchor.output).dtype)) + " ";
  for (const IntExpr* extent : {&c.batch, &c.rows, &c.columns}) key += extent->text() + "x";
  key += c.depth.text();
  for (size_t i = 0; i < c.taps.size(); ++i) key += (i ? "x" : " ") + c.taps[i].text();
  if (request.exact) key += " exact";
  key += " #" + rest.finish().hex().substr(0, 8);
  std::replace_if(
      key.begin(), key.end(), [](char at) { return at == '"' || at == '\\' || at == '\n'; }, '_');  // of symbols
  return key;
}

Result<ContractSlots> fill_contract(const KernelRequest& request, const Contraction& c, const ContractTile& tile, bool gemv,
                                    KernelWriter& writer, const RowElements& row_elements, const IntegerDot* dot,
                                    const SharedElements* shared) {
  const Graph& graph = request.graph;
  const Node& node = graph.node(request.group.anchor);
  const Dtype dtype = graph.value(node.output).dtype;
  const Register reg = register_of(dtype);
  GroupScope group(request);
  const Register operand_reg = dot ? Register::kUint : reg;
  const std::string scalar = type_name(writer.dialect(), operand_reg, 1);
  const std::string operand_vector = type_name(writer.dialect(), operand_reg, tile.width);
  const std::string vector = type_name(writer.dialect(), reg, tile.width);

  // What columns decide is set up for each panel, where a workgroup walks over several.
  const bool walks = tile.spread != 0;
  Block setup(writer, nullptr), rows(writer, &setup), panel(writer, &rows), tap(writer, walks ? &panel : &rows);
  Block inner(writer, &tap), &column_setup = walks ? panel : setup;
  Emitter emitter({&setup, &rows, &tap, &inner});

  // Which rows and columns this invocation has. Beyond the end it repeats the last one and does not store.
  const IntExpr vectors = floor_div(c.columns, IntExpr(tile.width));
  const IntExpr row_tile(tile.rows * static_cast<int64_t>(tile.lanes_m)),
      column_tile(tile.columns * static_cast<int64_t>(tile.lanes_n));
  const bool whole_rows = gemv || mod(c.rows, row_tile).is(0), whole_columns = mod(vectors, column_tile).is(0);
  const SumParts parts = sum_parts(request, c, tile, gemv);
  if (!c.batch.is(1)) emitter.bind("b", "b", 0);
  if (!c.batch.is(1) && !shared)
    setup.line("int b = int(gl_WorkGroupID.z)" + (parts.count > 1 ? " / " + std::to_string(parts.count) : "") + ";");
  const std::string row_count = writer.parameter(c.rows), vector_count = writer.parameter(vectors);
  if (shared)
    shared->setup(setup);
  else if (gemv)
    setup.line("int m_0 = int(gl_WorkGroupID.x);");
  else
    setup.line("int m = int(gl_WorkGroupID.x) * " + row_tile.text() +
               (tile.lanes_m > 1 ? " + int(gl_LocalInvocationID.y) * " + std::to_string(tile.rows) : "") + ";");
  for (int i = 0; i < tile.rows && !gemv; ++i) {
    std::string at = i ? "m + " + std::to_string(i) : "m";
    setup.line("int m_" + std::to_string(i) + " = " + (whole_rows || shared ? at : "min(" + at + ", " + row_count + " - 1)") +
               ";");
  }
  // Where lanes exchange what they load, each addresses one row of every `rows_at_once`.
  const int rows_at_once = std::min(tile.rows, static_cast<int>(tile.lanes_n));
  for (int i = 0; tile.exchange && !shared && i < tile.rows; i += rows_at_once) {
    std::string at = "m + " + std::to_string(i) + " + int(gl_SubgroupInvocationID) % " + std::to_string(rows_at_once);
    setup.line("int m_lane_" + std::to_string(i) + " = " + (whole_rows ? at : "min(" + at + ", " + row_count + " - 1)") + ";");
  }
  // Neighbouring workgroups have neighbouring rows of one panel of columns, which stays in the cache.
  column_setup.line("int n = " + (walks ? "panel" : tile.column_tile) + " * " + column_tile.text() +
                    " + int(gl_LocalInvocationID.x);");
  for (int j = 0; j < tile.columns; ++j) {
    std::string at = j ? "n + " + std::to_string(j * static_cast<int>(tile.lanes_n)) : "n";
    column_setup.line("int n_" + std::to_string(j) + " = " +
                      (whole_columns ? at : "min(" + at + ", " + vector_count + " - 1)") + ";");
  }
  for (size_t i = 0; i < c.taps.size(); ++i) emitter.bind("t" + std::to_string(i), "t" + std::to_string(i), 2);
  emitter.bind("k", "k", 3);

  // Rows that are normalised as they are loaded.
  RowLanes row_lanes;
  row_lanes.rows = tile.rows;
  row_lanes.lanes = static_cast<int>(gemv ? tile.lanes_n * tile.lanes_m : tile.lanes_n);
  row_lanes.workgroup_rows = gemv ? 1 : tile.rows * static_cast<int>(tile.lanes_m);
  row_lanes.workgroup_x = tile.lanes_n, row_lanes.workgroup_y = tile.lanes_m;
  row_lanes.lane = gemv ? "int(gl_LocalInvocationIndex)" : "int(gl_LocalInvocationID.x)";
  row_lanes.first_row = gemv || tile.lanes_m == 1 ? "0" : "int(gl_LocalInvocationID.y) * " + std::to_string(tile.rows);
  row_lanes.row = gemv ? "m_0" : whole_rows ? "m + i" : "min(m + i, " + row_count + " - 1)";
  TUFF_ASSIGN(RowStatistics statistics, row_statistics(request, c, row_lanes, setup, writer, group));
  // The statistics of one row, loaded before the sums.
  auto row_inputs = [&](Emitter& to, const std::string& row, const std::string& name) {
    const std::vector<std::string> texts = statistics.of_row(row_lanes.first_row + " + " + row);
    for (size_t p = 0; p < texts.size(); ++p) {
      const std::string loaded = name + "_" + std::to_string(p);
      rows.line("float " + loaded + " = " + texts[p] + ";");
      to.bind_input(static_cast<int>(p), {loaded}, 1);
    }
  };

  // Operands. A is loaded `steps` k at a time along k, B `width` n at a time along n for each of those k.
  bind_statistics(request, statistics, c.output, 0, group);
  PointBuilder a_builder(group.scope), b_builder(group.scope);
  int a_op = -1;
  if (!row_elements && !dot && !shared) {
    TUFF_ASSIGN(a_op, a_builder.element(node.inputs[0], c.a));
  }
  std::vector<int> b_ops(1);
  if (!dot) {
    TUFF_ASSIGN(b_ops[0], b_builder.element(node.inputs[1], c.b));
  }
  for (const auto& [other, at] : c.others) {
    if (dot) break;
    TUFF_ASSIGN(int op, b_builder.element(graph.node(other).inputs[1], at));
    b_ops.push_back(op);
  }
  auto operand = [&](const std::string& text) {
    return request.exact && reg == Register::kFloat ? "tuff_flush_inner(" + text + ")" : text;
  };
  if (shared) TUFF_TRY(shared->load({&setup, &rows, &tap, &inner}));
  const std::string own = tile.exchange ? "lane_" : "";
  for (int i = 0; i < tile.rows && !shared; i += tile.exchange ? rows_at_once : 1) {
    emitter.bind("m", "m_" + own + std::to_string(i), 0);
    const std::string lane_row = " + int(gl_SubgroupInvocationID) % " + std::to_string(rows_at_once);
    row_inputs(emitter, std::to_string(i) + (tile.exchange ? lane_row : ""), "stat_" + std::to_string(i));
    std::vector<std::string> lanes;
    if (row_elements) {
      const std::string row = row_lanes.first_row + " + " + std::to_string(i);
      TUFF_ASSIGN(lanes, row_elements(rows, inner, "m_" + own + std::to_string(i), row));
    } else if (dot) {
      lanes = {dot_row(*dot, emitter)};
    } else {
      lanes = emitter.emit(a_builder.point(), a_op, "k", tile.steps);
      for (std::string& lane : lanes) lane = operand(lane);
    }
    for (int t = 0; t < tile.steps; ++t)
      inner.line(scalar + " a_" + own + std::to_string(i) + "_" + std::to_string(t) + " = " + lanes[static_cast<size_t>(t)] +
                 ";");
  }
  // Each step in a block of its own, so that its operands live no longer than it.
  std::vector<std::unique_ptr<Block>> steps;
  for (int t = 0; t < tile.steps; ++t) {
    steps.push_back(std::make_unique<Block>(writer, t ? steps.back().get() : &inner));
    Block& step = *steps.back();
    Emitter at_b({&column_setup, &rows, &tap, &step});
    at_b.bind("b", "b", 0);
    for (size_t i = 0; i < c.taps.size(); ++i) at_b.bind("t" + std::to_string(i), "t" + std::to_string(i), 2);
    at_b.bind("k", "k", 3);
    for (int i = 0; i < tile.rows && shared; ++i)
      step.line(scalar + " a_" + std::to_string(i) + "_" + std::to_string(t) + " = " + shared->at(step, i, t) + ";");
    for (int i = 0; i < tile.rows && tile.exchange && !shared; ++i) {
      const std::string step_text = "_" + std::to_string(t), lane = std::to_string(i % rows_at_once);
      step.line(scalar + " a_" + std::to_string(i) + step_text + " = subgroupBroadcast(a_lane_" +
                std::to_string(i - i % rows_at_once) + step_text + ", " + lane + "u);");
    }
    for (size_t p = 0; dot && p < dot->b.size(); ++p)
      for (int j = 0; j < tile.columns; ++j) {
        at_b.bind("n", "n_" + std::to_string(j), 0);
        step.line(operand_vector + " b_0_" + std::to_string(static_cast<int>(p) * tile.columns + j) + " = " +
                  dot_columns(*dot, at_b, p, tile.width) + ";");
      }
    if (dot) continue;
    const Point point = at_lane(b_builder.point(), "k", tile.steps, t);
    for (int j = 0; j < tile.columns * tile.products; ++j) {
      at_b.bind("n", "n_" + std::to_string(j % tile.columns), 0);
      auto lanes = at_b.emit(point, b_ops[static_cast<size_t>(j / tile.columns)], "n", tile.width);
      for (std::string& lane : lanes) lane = operand(lane);
      step.line(vector + " b_" + std::to_string(t) + "_" + std::to_string(j) + " = " + call(vector, lanes) + ";");
    }
  }

  const int summed_rows = dot ? dot->row_count(tile.rows) : tile.rows;
  std::string corrections;
  for (int i = 0; i < tile.rows && summed_rows > tile.rows; ++i) {
    emitter.bind("m", "m_" + std::to_string(i), 0);
    const std::string factor = dot_factor(*dot, emitter);
    for (int j = 0; j < tile.columns * tile.products; ++j) {
      const std::string column = "_" + std::to_string(j);
      corrections +=
          "acc_" + std::to_string(i) + column + " -= " + factor + " * acc_" + std::to_string(tile.rows) + column + ";\n";
    }
  }
  if (summed_rows > tile.rows) setup.line("const uint a_" + std::to_string(tile.rows) + "_0 = 16843009u;");

  // Whether a row and a vector of columns of the tile are there.
  auto is_here = [&](int i, int j) {
    std::string guard = shared ? shared->is_own(i) : "";
    if (!whole_rows && !shared) guard = "m + " + std::to_string(i) + " < " + row_count;
    if (!whole_columns) {
      guard += guard.empty() ? "" : " && ";
      guard += "n + " + std::to_string(j * static_cast<int>(tile.lanes_n)) + " < " + vector_count;
    }
    return guard;
  };
  // The epilogue: what depends on columns alone is loaded once for all rows.
  Block common(writer, nullptr);
  PointBuilder builder(group.scope);
  std::vector<ValueId> sums = {node.output};
  for (const auto& other : c.others) sums.push_back(graph.node(other.first).output);
  for (size_t p = 0; p < sums.size(); ++p)
    group.scope.inputs[sums[p].value] = {request.group.coordinates.at(sums[p].value), static_cast<int>(p)};
  bind_statistics(request, statistics, {}, tile.products, group);
  TUFF_ASSIGN(const StoredElements stores, stored_elements(request, group.scope, builder, c.output));
  Point point = builder.point();
  replace_variables(point, c.output);
  std::string items;
  for (int i = 0; i < tile.rows; ++i) {
    for (int j = 0; j < tile.columns; ++j) {
      Block item(writer, &common);
      Emitter out({&common, &item});
      if (!c.batch.is(1)) out.bind("b", "b", 0);
      out.bind("n", "n_" + std::to_string(j), 0);
      out.bind("m", "m_" + std::to_string(i), 1);
      for (int p = 0; p < tile.products; ++p) {
        const std::string acc = "acc_" + std::to_string(i) + "_" + std::to_string(p * tile.columns + j);
        std::vector<std::string> lanes = components(acc, tile.width);
        for (std::string& lane : lanes) lane = narrow(dtype, lane);
        out.bind_input(p, std::move(lanes), 1);
      }
      const std::vector<std::string> of_row = statistics.of_row(row_lanes.first_row + " + " + std::to_string(i));
      for (size_t p = 0; p < of_row.size(); ++p) out.bind_input(tile.products + static_cast<int>(p), {of_row[p]}, 1);
      for (const auto& [value, element] : stores) {
        auto texts = out.emit(point, element.op, "n", tile.width);
        TUFF_TRY(out.store(value, element.address, texts, "n", tile.width));
      }
      const std::string guard = is_here(i, j);
      items += guard.empty() ? "{\n" + item.text(2) + "}\n" : "if (" + guard + ") {\n" + item.text(2) + "}\n";
    }
  }

  const bool fused_multiply_add = !request.exact && reg == Register::kFloat;
  const IntExpr k_count = floor_div(c.depth, IntExpr(tile.k_step()));
  Slots slots;
  slots["functions"] = statistics.functions;
  slots["statistics"] = statistics.text;
  slots["rows_setup"] = rows.text(0);
  slots["panel_setup"] = panel.text(0);
  slots["panel_count"] = walks ? writer.parameter(column_panels(c, tile)) : "";
  slots["panel_step"] = walks ? writer.parameter(column_workgroups(request, c, tile)) : "";
  slots["tap"] = tap.text(0);
  slots["loads_a"] = inner.text(0);
  for (int t = 0; t < tile.steps; ++t) slots["loads_b_" + std::to_string(t)] = steps[static_cast<size_t>(t)]->text(0);
  slots["corrections"] = corrections;
  slots["epilogue"] = common.text(0) + items;
  slots["rows"] = std::to_string(summed_rows);
  slots["columns"] = std::to_string(tile.columns * tile.products);
  slots["steps"] = std::to_string(tile.steps);
  slots["vector"] = vector;
  // llvmpipe (Mesa 22.3) takes 0 + x for x where the 0 is a literal, even where x is -0.
  slots["zero"] = request.exact && reg == Register::kFloat ? std::string(writer.dialect().hidden_zero) : "0";
  slots["k_count"] = writer.parameter(k_count);
  slots["multiply_add_begin"] = dot ? dot->function + "(" : fused_multiply_add ? "fma(" + vector + "(" : "(";
  slots["multiply_add_middle"] = dot ? ", " : fused_multiply_add ? "), " : " * ";
  slots["multiply_add_end"] = dot || fused_multiply_add ? ", " : ") + ";
  slots["multiply_add_close"] = dot || fused_multiply_add ? ")" : "";
  slots["chunked"] = request.exact && c.chunk_length && !gemv ? std::to_string(c.chunk_length / tile.k_step()) : "";
  fill_tap_loops(c, writer, slots);
  TUFF_TRY(fill_sum_parts(parts, c, tile, gemv, is_here, writer, setup, slots));
  slots["setup"] = setup.text(0);
  return ContractSlots{std::move(slots), statistics.shared_bytes, static_cast<int64_t>(statistics.reductions.size())};
}

}  // namespace tuff
