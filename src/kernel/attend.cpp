// Attend kernels: attention in one walk over the keys (fast mode) or in two (exact mode).
#include "graph/builder.h"
#include "kernel/attend_tile.h"

namespace tuff {
namespace {

// Makes every division by the input a multiplication, for an input that is then its reciprocal; false where it is more than a
// divisor. A reciprocal and a product err by 2.2 of the 3 roundings that a division may (NUMERICS: 1.5 ULP), once a row.
bool divide_by_reciprocal(Point& point, int input) {
  auto is_input = [&](int op) {
    const PointOp& its = point.ops[static_cast<size_t>(op)];
    return its.kind == PointOp::Kind::kInput && its.input == input;
  };
  for (const PointOp& op : point.ops)
    for (size_t i = 0; i < op.args.size(); ++i)
      if (is_input(op.args[i]) && !(op.kind == PointOp::Kind::kMap && op.op == MapOp::div && i == 1)) return false;
  for (PointOp& op : point.ops)
    if (op.kind == PointOp::Kind::kMap && op.op == MapOp::div && is_input(op.args[1])) op.op = MapOp::mul;
  return true;
}

// Keys that all invocations of a workgroup walk over, or of several, before the first has its next.
int64_t stride_of(const AttendTile& tile) { return int64_t{tile.key_tile} * tile.splits * tile.workgroups; }
// Lanes pass queries around while they walk: none may be done before the others.
bool walks_together(const AttendTile& tile) { return tile.stage == QueryStage::kExchanged && tile.splits > 1; }

// The invocation's number in the workgroup: neighbours have neighbouring queries.
std::string own_number(const AttendTile& tile) {
  return tile.exchange      ? "int(gl_SubgroupInvocationID)"
         : tile.splits == 1 ? "int(gl_LocalInvocationID.x)"
                            : "int(gl_LocalInvocationIndex)";
}
// The query and the share of the keys that are its own.
std::string own_query(const AttendTile& tile) {
  const std::string lanes = std::to_string(tile.lanes);
  return tile.lanes == 1 ? "0" : tile.splits == 1 ? own_number(tile) : own_number(tile) + " % " + lanes;
}
std::string own_split(const AttendTile& tile) {
  return own_number(tile) + (tile.lanes == 1 ? "" : " / " + std::to_string(tile.lanes));
}

// What fills attend_scores.glsl and attend_values.glsl, and the slots of both.
struct AttendWriter {
  const KernelRequest& request;
  const Contraction& c;
  const Scores& scores;
  const AttendTile& tile;
  const Substitution& variables;
  KernelWriter& writer;
  GroupScope& group;
  Slots& slots;

  // Keys beyond the last repeat it; they do not count.
  bool tail() const { return !mod(c.depth, IntExpr(walks_together(tile) ? stride_of(tile) : tile.key_tile)).is(0); }
  std::string number(int i) const { return std::to_string(i); }
  std::string inner_operand(const std::string& text) const { return request.exact ? "tuff_flush_inner(" + text + ")" : text; }

  void name_query(Block& depth, const std::vector<std::string>& lanes) const {
    for (int u = 0; u < tile.steps; ++u) depth.line("float q_" + number(u) + " = " + lanes[static_cast<size_t>(u)] + ";");
  }
  std::vector<std::string> flushed(std::vector<std::string> lanes) const {
    for (std::string& lane : lanes) lane = inner_operand(lane);
    return lanes;
  }

  // The workgroup's queries, before its walk.
  Result<std::string> stage_text(Block& setup, const Point& point, int op) {
    Block one(writer, &setup);
    Emitter emitter({&setup, &one});
    bind_query(emitter);
    if (tile.lanes == 1) {
      emitter.bind("depth", "at", 1);
    } else {
      const std::string lanes = number(static_cast<int>(tile.lanes));
      const std::string m = "int(gl_WorkGroupID.x) * " + lanes + " + at % " + lanes;
      const bool whole_rows = mod(c.rows, IntExpr(int64_t{tile.lanes})).is(0);
      one.line("int at_query = " + (whole_rows ? m : "min(" + m + ", " + writer.parameter(c.rows) + " - 1)") + ";");
      one.line("int at_depth = at / " + lanes + ";");
      emitter.bind("m", "at_query", 1);
      emitter.bind("depth", "at_depth", 1);
    }
    const std::vector<std::string> lanes = flushed(emitter.emit(point, op, "depth", tile.steps));
    one.line(slots["query_vector"] + " made = " + call(slots["query_vector"], lanes) + ";");
    slots["makes_query"] = one.text(0);
    return expand_skeleton("attend_queries.glsl", slots);
  }

  // At one step, what the workgroup has staged of the invocation's query.
  std::vector<std::string> staged_query(Block& depth) {
    const std::string first = tile.lanes == 1 ? "depth" : "depth * " + number(static_cast<int>(tile.lanes));
    const std::string at = tile.lanes == 1 ? first : first + " + " + slots["own_query"];
    std::string text = "queries[" + at + "]";
    if (tile.stage == QueryStage::kExchanged) {
      const int64_t lanes = tile.invocations();
      std::string own = "own_" + number(tile.own_vectors - 1);
      for (int j = tile.own_vectors - 2; j >= 0; --j)
        own = "(" + first + " < " + std::to_string((j + 1) * lanes) + " ? own_" + number(j) + " : " + own + ")";
      text = "subgroupShuffle(" + own + ", uint(" + at + ") & " + std::to_string(lanes - 1) + "u)";
    }
    depth.line(slots["query_vector"] + " query = " + text + ";");
    return components("query", tile.steps);
  }

  Result<std::string> scores_text(Block& setup, const std::string& key_count) {
    Block keys(writer, &setup), depth(writer, &keys), maps(writer, &keys);
    PointBuilder query_builder(group.scope);
    TUFF_ASSIGN(int query_op, query_builder.element(scores.query_operand, scores.query));
    if (tile.stage == QueryStage::kNone) {
      Emitter emitter({&setup, &keys, &depth});
      bind_query(emitter);
      emitter.bind("depth", "depth", 2);
      name_query(depth, flushed(emitter.emit(query_builder.point(), query_op, "depth", tile.steps)));
    } else {
      TUFF_ASSIGN(slots["stage"], stage_text(setup, query_builder.point(), query_op));
      name_query(depth, staged_query(depth));
    }
    for (int t = 0; t < tile.key_tile; ++t) {
      const std::string at = t ? "first + " + number(t) : "first";
      keys.line("int key_" + number(t) + " = " + (tail() ? "min(" + at + ", " + key_count + " - 1)" : at) + ";");
    }
    PointBuilder key_builder(group.scope);
    TUFF_ASSIGN(int key_op, key_builder.element(scores.key_operand, scores.key));
    for (int t = 0; t < tile.key_tile; ++t) {
      Block one(writer, &depth);
      Emitter at_key({&setup, &keys, &one});
      bind_query(at_key);
      at_key.bind("key", "key_" + number(t), 1);
      at_key.bind("depth", "depth", 2);
      const auto lanes = at_key.emit(key_builder.point(), key_op, "depth", tile.steps);
      for (int u = 0; u < tile.steps; ++u)
        one.line("float k_" + number(t) + "_" + number(u) + " = " + inner_operand(lanes[static_cast<size_t>(u)]) + ";");
      slots["loads_k_" + number(t)] = one.text(0);
    }

    const Graph& graph = request.graph;
    const Node& product = graph.node(attention_scores(request.group, graph));
    const Node& exponential = *graph.producer(graph.node(request.group.anchor).inputs[0]);
    const ValueId mapped = graph.producer(exponential.inputs[0])->inputs[0];
    group.scope.inputs[product.output.value] = {request.group.coordinates.at(product.output.value), 0};
    PointBuilder map_builder(group.scope);
    TUFF_ASSIGN(int map_op, map_builder.element(mapped, request.group.coordinates.at(exponential.output.value)));
    Point point = map_builder.point();
    replace_variables(point, variables);
    for (int t = 0; t < tile.key_tile; ++t) {
      Emitter at_key({&setup, &keys, &maps});
      bind_query(at_key);
      at_key.bind("key", "key_" + number(t), 2);
      at_key.bind_input(0, {"s_" + number(t)}, 2);
      const std::string text = at_key.emit(point, map_op, "", 1)[0];
      maps.line("float t_" + number(t) + " = " +
                (tail() ? "first + " + number(t) + " < " + key_count + " ? " + text + " : " + slots["lowest"] : text) + ";");
    }
    slots["keys"] = keys.text(0);
    slots["loads_q"] = depth.text(0);
    slots["maps"] = maps.text(0);
    return expand_skeleton("attend_scores.glsl", slots);
  }

  // e_<key> from t_<key> and the row's shift.
  Result<std::string> weights_text(Block& setup) {
    const Graph& graph = request.graph;
    const ValueId e = graph.node(request.group.anchor).inputs[0];
    const Node& shifted = *graph.producer(graph.producer(e)->inputs[0]);
    ValueId top = shifted.inputs[1];
    while (graph.producer_as<BroadcastAttrs>(top)) top = graph.producer(top)->inputs[0];
    const Dims& at = request.group.coordinates.at(e.value);
    group.scope.inputs[shifted.inputs[0].value] = {at, 1};
    group.scope.inputs[top.value] = {request.group.coordinates.at(top.value), 2};
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(int op, builder.element(e, at));
    group.scope.inputs.erase(shifted.inputs[0].value);
    Point point = builder.point();
    replace_variables(point, variables);
    Block weights(writer, &setup);
    for (int t = 0; t < tile.key_tile; ++t) {
      Emitter emitter({&setup, &weights});
      emitter.bind_input(1, {"t_" + number(t)}, 1);
      emitter.bind_input(2, {"shift"}, 1);
      weights.line("float e_" + number(t) + " = " + inner_operand(emitter.emit(point, op, "", 1)[0]) + ";");
    }
    return weights.text(0);
  }

  Result<std::string> values_text(Block& setup) {
    const std::string vector = slots["vector"];
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(int op, builder.element(request.graph.node(request.group.anchor).inputs[1], c.b));
    for (int t = 0; t < tile.key_tile; ++t) {
      Block values(writer, &setup);
      Emitter emitter({&setup, &values});
      bind_query(emitter);
      emitter.bind("k", "key_" + number(t), 1);
      for (int j = 0; j < tile.columns; ++j) {
        emitter.bind("n", "n_" + number(j), 0);
        const std::vector<std::string> lanes = flushed(emitter.emit(builder.point(), op, "n", tile.width));
        values.line(vector + " v_" + number(t) + "_" + number(j) + " = " + call(vector, lanes) + ";");
      }
      slots["loads_v_" + number(t)] = values.text(0);
    }
    return expand_skeleton("attend_values.glsl", slots);
  }

  void bind_query(Emitter& emitter) const {
    if (!c.batch.is(1)) emitter.bind("b", "b", 0);
    emitter.bind("m", "m_0", 0);
  }

  // The result's stores, from both sums.
  Result<std::string> epilogue_text(const std::string& row_count, bool whole_rows, const std::string& vector_count,
                                    bool whole_columns) {
    const Graph& graph = request.graph;
    const ValueId result = graph.node(request.group.anchor).output;
    const NodeId first_product = attention_scores(request.group, graph);
    group.scope.inputs.clear();
    group.scope.inputs[result.value] = {request.group.coordinates.at(result.value), 0};
    for (NodeId m : request.group.members) {
      const Node& node = graph.node(m);
      if (m == request.group.anchor || m == first_product || !std::holds_alternative<ContractAttrs>(node.attrs)) continue;
      group.scope.inputs[node.output.value] = {request.group.coordinates.at(node.output.value), 1};
    }
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(const StoredElements stores, stored_elements(request, group.scope, builder, variables));
    Point point = builder.point();
    replace_variables(point, variables);
    Block common(writer, nullptr);
    std::string total = "total", items;
    if (!request.exact && divide_by_reciprocal(point, 1)) {
      total = "share";
      common.line("float share = " + map_text(writer, MapOp::reciprocal, Dtype::kF32, Dtype::kF32, {"total"}) + ";");
    }
    for (int j = 0; j < tile.columns; ++j) {
      Block item(writer, &common);
      Emitter out({&common, &item});
      bind_query(out);
      out.bind("n", "n_" + number(j), 1);
      out.bind_input(0, components("acc_" + number(j), tile.width), 1);
      out.bind_input(1, {total}, 0);
      for (const auto& [value, stored] : stores) {
        auto texts = out.emit(point, stored.op, "n", tile.width);
        TUFF_TRY(out.store(value, stored.address, texts, "n", tile.width));
      }
      const std::string guard = whole_columns ? "" : "n + " + number(j) + " < " + vector_count;
      items += guard.empty() ? "{\n" + item.text(2) + "}\n" : "if (" + guard + ") {\n" + item.text(2) + "}\n";
    }
    return (whole_rows ? "" : "if (m >= " + row_count + ") return;\n") + common.text(0) + items;
  }
};

// Where the query is, which columns of it are the invocation's; and which of the workgroups that share the tile this one is.
void set_up(const AttendTile& tile, const Contraction& c, KernelWriter& writer, Block& setup) {
  const IntExpr vectors = floor_div(c.columns, IntExpr(tile.width));
  const bool whole_rows = mod(c.rows, IntExpr(int64_t{tile.lanes})).is(0);
  const bool whole_columns = mod(vectors, IntExpr(tile.columns)).is(0);
  const std::string row_count = writer.parameter(c.rows), vector_count = writer.parameter(vectors);
  const std::string z = "int(gl_WorkGroupID.z)", workgroups = std::to_string(tile.workgroups);
  if (!c.batch.is(1)) setup.line("int b = " + z + (tile.workgroups > 1 ? " / " + workgroups : "") + ";");
  if (tile.workgroups > 1) {
    const std::string column_blocks = writer.parameter(ceil_div(vectors, IntExpr(tile.columns)));
    const std::string row_blocks = writer.parameter(ceil_div(c.rows, IntExpr(int64_t{tile.lanes})));
    setup.line("int workgroup = " + z + (c.batch.is(1) ? "" : " % " + workgroups) + ";");
    setup.line("int tile = (" + std::string(c.batch.is(1) ? "0" : "b") + " * " + column_blocks +
               " + int(gl_WorkGroupID.y)) * " + row_blocks + " + int(gl_WorkGroupID.x);");
  }
  const std::string tile_m = "int(gl_WorkGroupID.x)", lanes = std::to_string(tile.lanes);
  setup.line("int m = " + (tile.lanes == 1 ? tile_m : tile_m + " * " + lanes + " + " + own_query(tile)) + ";");
  setup.line("int m_0 = " + (whole_rows ? "m" : "min(m, " + row_count + " - 1)") + ";");
  setup.line("int n = int(gl_WorkGroupID.y) * " + std::to_string(tile.columns) + ";");
  for (int j = 0; j < tile.columns; ++j) {
    const std::string at = j ? "n + " + std::to_string(j) : "n";
    setup.line("int n_" + std::to_string(j) + " = " + (whole_columns ? at : "min(" + at + ", " + vector_count + " - 1)") + ";");
  }
}

// Which keys an invocation takes, and how the sums of those that share a query become one.
Status fill_splits(const AttendTile& tile, const DeviceInfo& device, Slots& slots) {
  const std::string key_tile = std::to_string(tile.key_tile), splits = std::to_string(tile.splits);
  slots["splits"] = tile.splits > 1 ? splits : "";
  slots["workgroups"] = tile.workgroups > 1 ? std::to_string(tile.workgroups) : "";
  slots["lanes"] = std::to_string(tile.lanes);
  slots["parts_each"] = std::to_string(tile.columns + 2);
  slots["barrier"] = barrier_text(tile.invocations(), 1, device);
  slots["exchange"] = tile.exchange ? "1" : "";
  slots["shared_parts"] = tile.splits > 1 && !tile.exchange ? "1" : "";
  slots["together"] = walks_together(tile) ? "1" : "";
  slots["own_query"] = own_query(tile);
  slots["own_split"] = own_split(tile);
  slots["first"] = tile.workgroups > 1 ? "(workgroup * " + splits + " + " + own_split(tile) + ") * " + key_tile
                   : tile.splits > 1   ? own_split(tile) + " * " + key_tile
                                       : "0";
  slots["stride"] = std::to_string(stride_of(tile));
  slots["stage"] = "";
  slots["shared_queries"] = tile.stage == QueryStage::kShared ? "1" : "";
  slots["query_vectors"] = std::to_string(tile.query_vectors);
  slots["own_vectors"] = std::to_string(tile.own_vectors);
  slots["invocations"] = std::to_string(tile.invocations());
  if (tile.splits == 1) return ok_status();
  slots["parts"] = splits;
  TUFF_ASSIGN(slots["add_splits"], expand_skeleton("attend_pairs.glsl", slots));
  if (tile.workgroups == 1) return ok_status();
  slots["parts"] = slots["workgroups"];
  TUFF_ASSIGN(slots["add_workgroups"], expand_skeleton("attend_pairs.glsl", slots));
  slots["counter"] = "tile";
  TUFF_ASSIGN(slots["arrive"], expand_skeleton("arrive.glsl", slots));
  return ok_status();
}

Result<Kernel> make_tile(const KernelRequest& request, const Contraction& c, const AttentionShape& shape,
                         const AttendTile& tile) {
  const Substitution& variables = c.output;
  const Scores scores = scores_of(request, variables);
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  const IntExpr vectors = floor_div(c.columns, IntExpr(tile.width));
  const bool whole_rows = mod(c.rows, IntExpr(int64_t{tile.lanes})).is(0);
  const bool whole_columns = mod(vectors, IntExpr(tile.columns)).is(0);
  const std::string row_count = writer.parameter(c.rows), vector_count = writer.parameter(vectors);
  const std::string key_count = writer.parameter(c.depth);
  auto text = [&](MapOp op, const std::vector<std::string>& arguments) {
    return map_text(writer, op, Dtype::kF32, Dtype::kF32, arguments);
  };

  Block setup(writer, nullptr);
  set_up(tile, c, writer, setup);
  Slots slots;
  slots["vector"] = type_name(writer.dialect(), Register::kFloat, tile.width);
  slots["query_vector"] = type_name(writer.dialect(), Register::kFloat, tile.steps);
  slots["columns"] = std::to_string(tile.columns);
  slots["key_tile"] = std::to_string(tile.key_tile);
  slots["steps"] = std::to_string(tile.steps);
  slots["key_count"] = key_count;
  slots["depth_count"] = writer.parameter(floor_div(scores.depth, IntExpr(tile.steps)));
  slots["lowest"] = literal(writer.dialect(), Dtype::kF32, 0xff800000u);
  slots["zero"] = request.exact ? std::string(writer.dialect().hidden_zero) : "0";
  slots["exact"] = request.exact ? "1" : "";
  slots["chunked"] = c.chunk_length ? std::to_string(c.chunk_length) : "";
  slots["multiply_add_begin"] = request.exact ? "(" : "fma(";
  slots["multiply_add_middle"] = request.exact ? " * " : ", ";
  slots["multiply_add_end"] = request.exact ? ") + " : ", ";
  slots["multiply_add_close"] = request.exact ? "" : ")";
  slots["rescale"] = text(MapOp::exp, {text(MapOp::sub, {"last", "shift"})});
  slots["rescale_other"] = text(MapOp::exp, {text(MapOp::sub, {"other", "shift"})});
  TUFF_TRY(fill_splits(tile, request.device, slots));
  if (tile.workgroups > 1) writer.share_results(partial_bytes(tile, shape), tile_count(tile, shape), slots["vector"]);
  for (int t = 0; t < tile.key_tile; ++t)
    slots["raise_top"] += "top = " + text(MapOp::max, {"top", "t_" + std::to_string(t)}) + ";\n";

  GroupScope group(request);
  AttendWriter attend{request, c, scores, tile, variables, writer, group, slots};
  // llvmpipe has no registers to lose, and computes both sides of every test.
  slots["guarded"] = attend.tail() || !request.device.rates.loads_cost_lanes ? "1" : "";
  TUFF_ASSIGN(slots["scores"], attend.scores_text(setup, key_count));
  TUFF_ASSIGN(slots["weights"], attend.weights_text(setup));
  TUFF_ASSIGN(slots["values"], attend.values_text(setup));
  TUFF_ASSIGN(slots["epilogue"], attend.epilogue_text(row_count, whole_rows, vector_count, whole_columns));
  slots["setup"] = setup.text(0);
  const IntExpr column_blocks = ceil_div(vectors, IntExpr(tile.columns));
  TUFF_ASSIGN(Kernel kernel,
              finish_kernel(
                  request, writer, "attend", std::move(slots), {static_cast<uint32_t>(tile.invocations()), 1, 1},
                  {ceil_div(c.rows, IntExpr(int64_t{tile.lanes})), column_blocks, c.batch * IntExpr(int64_t{tile.workgroups})},
                  attend_text(tile, request.exact)));
  kernel.shared_bytes = shared_bytes_of(tile);
  kernel.multiply_adds = c.multiply_adds + c.batch * c.rows * c.depth * scores.depth * column_blocks;
  return kernel;
}

}  // namespace

Result<std::vector<GuardedKernel>> make_attend(const KernelRequest& request) {
  const Contraction c = contraction_of(request);
  const AttentionShape shape = attention_shape(request.graph, request.group);
  KernelTuning tuning;
  AttendTile tile = take_attend_tile(request, c, shape, tuning);
  Result<Kernel> kernel = make_tile(request, c, shape, tile);
  if (!kernel.ok() && kernel.status().code() == Code::kLimit && tile.workgroups > 1) {
    tile.workgroups = 1;  // with no buffers for what they would leave
    kernel = make_tile(request, c, shape, tile);
  }
  TUFF_TRY(kernel.status());
  GuardedKernel made;
  made.kernel = std::move(*kernel);
  made.kernel.tuning = std::move(tuning);
  std::vector<GuardedKernel> all;
  all.push_back(std::move(made));
  return all;
}

}  // namespace tuff
