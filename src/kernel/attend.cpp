// Attend kernels: attention in one walk over the keys (fast mode) or in two (exact mode). Chooses how many columns an
// invocation holds, how many keys it takes at a time, and how many invocations and workgroups share a query's keys.
#include <algorithm>

#include "base/checked.h"
#include "device/rate_times.h"
#include "fusion/cost.h"
#include "graph/builder.h"
#include "kernel/contraction.h"
#include "kernel/schedule.h"

namespace tuff {
namespace {

struct AttendTile {
  int columns = 1;   // vectors of n an invocation
  int width = 1;     // n a vector
  int key_tile = 8;  // keys at a time
  int steps = 1;     // consecutive d loaded together
  uint32_t lanes = 1, splits = 1;
  uint32_t workgroups = 1;  // that share the keys, no more than there are splits

  // That each invocation without splits leaves for the last workgroup.
  int64_t floats_each() const { return int64_t{columns + 2} * width; }
};

// The first product: coordinates of its operands at one query (b, m), one key (k) and one d.
struct Scores {
  ValueId query_operand, key_operand;
  Dims query, key;
  IntExpr depth;
};

Scores scores_of(const KernelRequest& request, const Substitution& variables) {
  const Graph& graph = request.graph;
  const Node& node = graph.node(attention_scores(request.group, graph));
  const auto& attrs = std::get<ContractAttrs>(node.attrs);
  const Dims at = replace_variables(request.group.coordinates.at(node.output.value), variables);
  std::map<int, IntExpr> of_label;
  for (size_t i = 0; i < attrs.out.size(); ++i) of_label[attrs.out[i]] = at[i];
  Scores scores;
  scores.depth = IntExpr(1);
  for (int side = 0; side < 2; ++side) {
    const auto& labels = side ? attrs.b : attrs.a;
    const ValueId operand = node.inputs[static_cast<size_t>(side)];
    for (size_t i = 0; i < labels.size(); ++i) {
      if (has_label(attrs.out, labels[i]) || of_label.count(labels[i])) continue;
      scores.depth = graph.value(operand).shape[i];
      of_label[labels[i]] = IntExpr::loop_variable("depth", scores.depth);
    }
  }
  for (int label : attrs.a) scores.query.push_back(of_label[label]);
  for (int label : attrs.b) scores.key.push_back(of_label[label]);
  scores.query_operand = node.inputs[0];
  scores.key_operand = node.inputs[1];
  // The operand that the keys are in is the second.
  bool key_in_first = false;
  for (const IntExpr& e : scores.query) e.visit_symbols([&](const Symbol& s) { key_in_first |= s.extent && s.name == "key"; });
  if (key_in_first) {
    std::swap(scores.query, scores.key);
    std::swap(scores.query_operand, scores.key_operand);
  }
  return scores;
}

// Sums, scores and weights of the keys at hand, one step's operands, the rest.
int64_t registers_of(const AttendTile& tile) {
  return int64_t{tile.columns} * tile.width + 3 * tile.key_tile + (tile.key_tile + 1) * tile.steps + 24;
}

// The sums of one half of the invocations that share a query, which the other half adds to its own.
int64_t shared_bytes_of(const AttendTile& tile) {
  return int64_t{tile.splits / 2} * tile.lanes * (tile.columns * tile.width + 2) * 4 + (tile.workgroups > 1 ? 4 : 0);
}

IntExpr tile_count(const AttendTile& tile, const Contraction& c) {
  return c.batch * ceil_div(c.rows, IntExpr(int64_t{tile.lanes})) *
         ceil_div(floor_div(c.columns, IntExpr(tile.width)), IntExpr(tile.columns));
}

// Of what all workgroups of all tiles leave.
IntExpr partial_bytes(const AttendTile& tile, const Contraction& c) {
  return tile_count(tile, c) * IntExpr(int64_t{tile.workgroups} * tile.lanes * tile.floats_each() * 4);
}

// The walk's time, were two workgroups a core needed for the device's rates; and where workgroups share keys, that of what they
// leave each other, and of waiting for the last of them, which is no more than a launch.
int64_t predicted_walk_ns(const AttendTile& tile, const KernelRequest& request, const Contraction& c, const Scores& scores) {
  const DeviceInfo& device = request.device;
  const int64_t pairs = typical(c.batch) * typical(c.rows) * typical(c.depth);
  const int64_t multiply_adds = pairs * (typical(c.columns) + typical(scores.depth));
  const int64_t bytes = typical_bytes(request.graph, scores.key_operand) +
                        typical_bytes(request.graph, request.graph.node(request.group.anchor).inputs[1]);
  const int64_t walk_ns = std::max(arithmetic_ns(multiply_adds, device), memory_ns(bytes, device));
  const int64_t wanted = 2 * device.rates.compute_units;
  const int64_t workgroups = std::clamp<int64_t>(typical(tile_count(tile, c)) * tile.workgroups, 1, wanted);
  const int64_t shared_ns =
      tile.workgroups == 1 ? 0 : device.rates.launch_ns + memory_ns(2 * typical(partial_bytes(tile, c)), device);
  return static_cast<int64_t>(static_cast<double>(walk_ns) * static_cast<double>(wanted) / static_cast<double>(workgroups)) +
         shared_ns;
}

bool grid_holds(const AttendTile& tile, const Contraction& c, const DeviceInfo& device) {
  return most_workgroups(c.batch, 1) <= device.max_workgroup_count[2] / int64_t{tile.workgroups};
}

// Where invocations that share keys leave cores idle, workgroups share them, too: as few keys an invocation at a time as that
// takes, and as few workgroups as the shortest time.
AttendTile split_over_workgroups(const AttendTile& whole, const KernelRequest& request, const Contraction& c,
                                 const Scores& scores) {
  const int64_t keys = typical(c.depth), wanted = 2 * request.device.rates.compute_units;
  AttendTile best = whole;
  int64_t best_ns = predicted_walk_ns(whole, request, c, scores);
  for (uint32_t workgroups = 2; workgroups <= whole.splits; workgroups *= 2) {
    AttendTile tile = whole;
    tile.workgroups = workgroups;
    auto has_keys = [&] { return keys >= int64_t{tile.workgroups} * tile.splits * tile.key_tile; };
    while (!has_keys() && tile.key_tile > 4) tile.key_tile /= 2;
    while (!has_keys() && tile.splits > workgroups) tile.splits /= 2;
    if (!has_keys() || !grid_holds(tile, c, request.device) || shared_bytes_of(tile) > request.device.max_shared_bytes) break;
    const int64_t ns = predicted_walk_ns(tile, request, c, scores);
    if (ns < best_ns) {
      best = tile;
      best_ns = ns;
    }
    if (typical(tile_count(tile, c)) * workgroups >= wanted) break;
  }
  return best;
}

AttendTile choose_tile(const KernelRequest& request, const Contraction& c, const Scores& scores) {
  const DeviceInfo& device = request.device;
  AttendTile tile;
  tile.width = vector_width(c.columns);
  tile.steps = divide_exact(scores.depth, IntExpr(4)) && !scores.depth.is(0) ? 4 : 1;
  const int64_t vectors = std::max<int64_t>(1, c.columns.constant() / tile.width);
  tile.columns = static_cast<int>(vectors);
  while (registers_of(tile) > device.rates.registers_per_lane && tile.key_tile > 4) tile.key_tile /= 2;
  while (registers_of(tile) > device.rates.registers_per_lane && tile.columns > 1) tile.columns = (tile.columns + 1) / 2;

  const int64_t rows = std::max<int64_t>(1, typical(c.rows)), keys = std::max<int64_t>(1, typical(c.depth));
  const int64_t invocations = std::min<int64_t>(64, device.max_workgroup_invocations);
  while (tile.lanes * 2 <= invocations && tile.lanes < rows) tile.lanes *= 2;
  if (request.exact) return tile;  // the sums keep their order
  auto workgroups = [&] {
    return ceil_div(rows, int64_t{tile.lanes}) * ceil_div(vectors, tile.columns) * std::max<int64_t>(1, typical(c.batch));
  };
  // Too few workgroups have fewer queries each, whose keys their invocations share.
  while (workgroups() < 2 * device.rates.compute_units && keys >= int64_t{2} * tile.splits * tile.key_tile) {
    if (tile.lanes * tile.splits * 2 > invocations) {
      if (tile.lanes == 1) break;
      tile.lanes /= 2;
    }
    AttendTile split = tile;
    split.splits *= 2;
    if (shared_bytes_of(split) > device.max_shared_bytes) break;
    tile = split;
  }
  return split_over_workgroups(tile, request, c, scores);
}

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

std::string attend_text(const AttendTile& tile, bool exact) {
  return std::to_string(tile.lanes) + " queries, " + std::to_string(tile.columns * tile.width) + " columns each, " +
         std::to_string(tile.key_tile) + " keys at a time" +
         (tile.splits > 1 ? ", over " + std::to_string(tile.splits) + " invocations" : "") +
         (tile.workgroups > 1 ? " of " + std::to_string(tile.workgroups) + " workgroups" : "") + (exact ? ", two walks" : "");
}

// `like`: what no schedule chooses is as there.
std::optional<AttendTile> read_attend_tile(const std::string& text, const AttendTile& like) {
  const std::vector<int64_t> n = numbers_in(text);
  if (n.size() < 3) return std::nullopt;
  AttendTile tile = like;
  tile.lanes = static_cast<uint32_t>(n[0]);
  tile.columns = static_cast<int>(n[1] / like.width);
  tile.key_tile = static_cast<int>(n[2]);
  tile.splits = n.size() > 3 ? static_cast<uint32_t>(n[3]) : 1;
  tile.workgroups = n.size() > 4 ? static_cast<uint32_t>(n[4]) : 1;
  return tile;
}

bool attend_fits(const AttendTile& tile, const AttendTile& predicted, const KernelRequest& request, const Contraction& c) {
  const DeviceInfo& device = request.device;
  const auto blocks = [&](const AttendTile& t) { return most_workgroups(c.rows, t.lanes); };
  const int64_t vectors = std::max<int64_t>(1, c.columns.constant() / predicted.width);
  return is_power_of_two(tile.lanes) && is_power_of_two(tile.splits) && (tile.splits == 1 || !request.exact) &&
         is_power_of_two(tile.workgroups) && tile.workgroups <= tile.splits && grid_holds(tile, c, device) &&
         is_power_of_two(tile.key_tile) && tile.key_tile >= 2 && tile.key_tile <= 16 && tile.columns >= 1 &&
         tile.columns <= vectors && tile.lanes <= device.max_workgroup_size[0] && tile.splits <= device.max_workgroup_size[1] &&
         int64_t{tile.lanes} * tile.splits <= device.max_workgroup_invocations &&
         shared_bytes_of(tile) <= device.max_shared_bytes && registers_of(tile) <= 2 * device.rates.registers_per_lane &&
         blocks(tile) <= std::max(device.max_workgroup_count[0], blocks(predicted)) &&
         ceil_div(vectors, tile.columns) <= device.max_workgroup_count[1];
}

std::vector<AttendTile> attend_neighbours(const AttendTile& tile) {
  std::vector<AttendTile> all;
  auto add = [&](auto change) {
    all.push_back(tile);
    change(all.back());
  };
  using Tile = AttendTile;
  add([](Tile& t) { t.columns = (t.columns + 1) / 2; });
  add([](Tile& t) { t.columns *= 2; });
  add([](Tile& t) { t.key_tile *= 2; });
  add([](Tile& t) { t.key_tile /= 2; });
  add([](Tile& t) { t.lanes *= 2; });
  add([](Tile& t) { t.lanes /= 2; });
  add([](Tile& t) { t.splits *= 2; });
  add([](Tile& t) { t.splits /= 2; });
  add([](Tile& t) { t.lanes /= 2, t.splits *= 2; });
  add([](Tile& t) { t.lanes *= 2, t.splits /= 2; });
  if (tile.workgroups > 1) {  // where they pay at all
    add([](Tile& t) { t.workgroups *= 2; });
    add([](Tile& t) { t.workgroups /= 2; });
  }
  return all;
}

AttendTile take_tile(const KernelRequest& request, const Contraction& c, const AttendTile& predicted, KernelTuning& tuning) {
  ScheduleSpace<AttendTile> space;
  space.key = contraction_key(request, c, "attend");
  space.text = [&](const AttendTile& tile) { return attend_text(tile, request.exact); };
  space.read = [&](const std::string& text) { return read_attend_tile(text, predicted); };
  space.fits = [&](const AttendTile& tile) { return attend_fits(tile, predicted, request, c); };
  space.neighbours = attend_neighbours;
  space.registers = [](const AttendTile& tile) { return registers_of(tile); };
  return choose_schedule(space, predicted, request.observations, tuning);
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
  bool tail() const { return !mod(c.depth, IntExpr(tile.key_tile)).is(0); }
  std::string number(int i) const { return std::to_string(i); }
  std::string inner_operand(const std::string& text) const { return request.exact ? "tuff_flush_inner(" + text + ")" : text; }

  Result<std::string> scores_text(Block& setup, const std::string& key_count) {
    Block keys(writer, &setup), depth(writer, &keys), maps(writer, &keys);
    for (int t = 0; t < tile.key_tile; ++t) {
      const std::string at = t ? "first + " + number(t) : "first";
      keys.line("int key_" + number(t) + " = " + (tail() ? "min(" + at + ", " + key_count + " - 1)" : at) + ";");
    }
    PointBuilder query_builder(group.scope), key_builder(group.scope);
    TUFF_ASSIGN(int query_op, query_builder.element(scores.query_operand, scores.query));
    TUFF_ASSIGN(int key_op, key_builder.element(scores.key_operand, scores.key));
    Emitter emitter({&setup, &keys, &depth});
    bind_query(emitter);
    emitter.bind("depth", "depth", 2);
    auto lanes = emitter.emit(query_builder.point(), query_op, "depth", tile.steps);
    for (int u = 0; u < tile.steps; ++u)
      depth.line("float q_" + number(u) + " = " + inner_operand(lanes[static_cast<size_t>(u)]) + ";");
    for (int t = 0; t < tile.key_tile; ++t) {
      Block one(writer, &depth);
      Emitter at_key({&setup, &keys, &one});
      bind_query(at_key);
      at_key.bind("key", "key_" + number(t), 1);
      at_key.bind("depth", "depth", 2);
      lanes = at_key.emit(key_builder.point(), key_op, "depth", tile.steps);
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
        std::string joined;
        for (const std::string& lane : emitter.emit(builder.point(), op, "n", tile.width))
          joined += (joined.empty() ? "" : ", ") + inner_operand(lane);
        values.line(vector + " v_" + number(t) + "_" + number(j) + " = " + vector + "(" + joined + ");");
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
      std::vector<std::string> lanes;
      for (int lane = 0; lane < tile.width; ++lane)
        lanes.push_back("acc_" + number(j) + (tile.width == 1 ? "" : std::string(".") + "xyzw"[lane]));
      out.bind_input(0, lanes, 1);
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

}  // namespace

namespace {

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
  setup.line("int m = int(gl_WorkGroupID.x) * " + std::to_string(tile.lanes) + " + int(gl_LocalInvocationID.x);");
  setup.line("int m_0 = " + (whole_rows ? "m" : "min(m, " + row_count + " - 1)") + ";");
  setup.line("int n = int(gl_WorkGroupID.y) * " + std::to_string(tile.columns) + ";");
  for (int j = 0; j < tile.columns; ++j) {
    const std::string at = j ? "n + " + std::to_string(j) : "n";
    setup.line("int n_" + std::to_string(j) + " = " + (whole_columns ? at : "min(" + at + ", " + vector_count + " - 1)") + ";");
  }
}

// Which keys an invocation takes, and how the sums of those that share a query become one.
Status fill_splits(const AttendTile& tile, Slots& slots) {
  const std::string key_tile = std::to_string(tile.key_tile), splits = std::to_string(tile.splits);
  slots["splits"] = tile.splits > 1 ? splits : "";
  slots["workgroups"] = tile.workgroups > 1 ? std::to_string(tile.workgroups) : "";
  slots["workgroup_x"] = std::to_string(tile.lanes);
  slots["parts_each"] = std::to_string(tile.columns + 2);
  const std::string own = "int(gl_LocalInvocationID.y)";
  slots["first"] = tile.workgroups > 1 ? "(workgroup * " + splits + " + " + own + ") * " + key_tile
                   : tile.splits > 1   ? own + " * " + key_tile
                                       : "0";
  slots["stride"] = std::to_string(int64_t{tile.key_tile} * tile.splits * tile.workgroups);
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

Result<Kernel> make_tile(const KernelRequest& request, const Contraction& c, const Scores& scores, const AttendTile& tile,
                         const Substitution& variables) {
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
  TUFF_TRY(fill_splits(tile, slots));
  if (tile.workgroups > 1) writer.share_results(partial_bytes(tile, c), tile_count(tile, c), slots["vector"]);
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
  TUFF_ASSIGN(Kernel kernel, finish_kernel(request, writer, "attend", std::move(slots), {tile.lanes, tile.splits, 1},
                                           {ceil_div(c.rows, IntExpr(int64_t{tile.lanes})), column_blocks,
                                            c.batch * IntExpr(int64_t{tile.workgroups})},
                                           attend_text(tile, request.exact)));
  kernel.shared_bytes = shared_bytes_of(tile);
  kernel.multiply_adds = c.multiply_adds + c.batch * c.rows * c.depth * scores.depth * column_blocks;
  return kernel;
}

}  // namespace

Result<std::vector<GuardedKernel>> make_attend(const KernelRequest& request) {
  const Contraction c = contraction_of(request);
  const Scores scores = scores_of(request, c.output);
  KernelTuning tuning;
  AttendTile tile = take_tile(request, c, choose_tile(request, c, scores), tuning);
  Result<Kernel> kernel = make_tile(request, c, scores, tile, c.output);
  if (!kernel.ok() && kernel.status().code() == Code::kLimit && tile.workgroups > 1) {
    tile.workgroups = 1;  // with no buffers for what they would leave
    kernel = make_tile(request, c, scores, tile, c.output);
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
