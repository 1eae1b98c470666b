// RowReduce kernels: reductions over the same axes of the same rows, with the maps before, between and after them.
#include <algorithm>
#include <functional>
#include <set>

#include "fusion/reduced_window.h"
#include "graph/builder.h"
#include "kernel/combine_tiles.h"
#include "kernel/window.h"

namespace tuff {
namespace {

constexpr uint32_t kInvocations = RowSchedule::kInvocations;

std::string better_function(const KernelWriter& writer, const std::string& phase, const ReduceAttrs& attrs, Dtype dtype) {
  const std::string type(writer.dialect().types[static_cast<int>(register_of(dtype))]);
  std::string out = "bool better_" + phase + "(" + type + " v, int at, " + type + " best, int best_at) {\n";
  out += "  if (at < 0 || best_at < 0) return at >= 0;\n";
  if (is_float(dtype) && dtype != Dtype::kF64) {
    out += "  bool v_nan = tuff_is_nan(v), best_nan = tuff_is_nan(best);\n";
    out += "  if (v_nan != best_nan) return v_nan;\n";
    out += "  if (!v_nan && v != best) return ";
  } else {
    out += "  if (v != best) return ";
  }
  out += attrs.op == ReduceOp::kArgMax ? "v > best;\n" : "v < best;\n";
  out += attrs.select_last ? "  return at > best_at;\n" : "  return at < best_at;\n";
  return out + "}\n";
}

struct ReducedElement {
  ValueId value;
  const Dims& at;
  const std::vector<ValueId>& stores;
};

// The row's elements at r from the window's, in a loop inside `row`: stored, then combined.
Result<std::string> reduced_element(const KernelRequest& request, NodeId window, Block& row, const Substitution& variables,
                                    int width, const ReducedElement& element,
                                    const std::function<void(Block&, const std::vector<std::string>&)>& combine) {
  const ValueId made = request.graph.node(window).output;
  const Dims& at = request.group.coordinates.at(made.value);
  Block setup(row.writer(), &row);
  WindowElement computed{request, window, replace_variables(at, variables), std::nullopt, "row", width, {&row}, {}};
  computed.bind = [](Emitter& emitter) {
    emitter.bind("row", "row", 0);
    emitter.bind("r", "r", 1);
  };
  return window_element(computed, setup, [&](Emitter& end, Block& block) -> Result<std::string> {
    GroupScope group(request);
    group.scope.inputs[made.value] = {at, 0};
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(const int op, builder.element(element.value, element.at));
    std::vector<std::pair<ValueId, StoredElement>> stores;
    for (ValueId v : element.stores) {
      TUFF_ASSIGN(StoredElement stored, stored_element(request, group.scope, builder, v));
      stores.emplace_back(v, std::move(stored));
    }
    Point point = builder.point();
    replace_variables(point, variables);
    for (auto& [value, stored] : stores) {
      const auto lanes = end.emit(point, stored.op, "row", width);
      TUFF_TRY(end.store(value, replace_variables(stored.address, variables), lanes, "row", width));
    }
    combine(block, end.emit(point, op, "row", width));
    return std::string();
  });
}

}  // namespace

Result<std::vector<GuardedKernel>> make_row_reduce(const KernelRequest& request) {
  const Graph& graph = request.graph;
  const Node& anchor = graph.node(request.group.anchor);
  const auto& axes = std::get<ReduceAttrs>(anchor.attrs).axes;
  GroupScope group(request);

  // Rows in the storage order of the elements, the row's elements in the order that the sum has.
  const RowSchedule schedule = row_schedule(graph, request.layouts, request.fusion.placements, request.group, request.device);
  const std::vector<int>& row_axes = schedule.row_axes;
  const IntExpr &rows = schedule.rows, &length = schedule.length, &row_vectors = schedule.row_vectors;
  const int width = schedule.width;
  const bool columns = schedule.columns;
  Substitution variables;
  Dims row = delinearise(IntExpr::loop_variable("row", rows), schedule.row_shape);
  Dims r = delinearise(IntExpr::loop_variable("r", length), schedule.reduced_shape);
  for (size_t i = 0; i < row_axes.size(); ++i) variables["d" + std::to_string(row_axes[i])] = row[i];
  for (size_t i = 0; i < axes.size(); ++i) variables["d" + std::to_string(axes[i])] = r[i];

  KernelWriter writer(graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  std::string functions, body;
  std::set<std::string> scratch;
  std::vector<std::unique_ptr<Block>> blocks;
  auto new_block = [&](const Block* parent) {
    blocks.push_back(std::make_unique<Block>(writer, parent));
    return blocks.back().get();
  };
  auto bind_all = [&](Emitter& emitter, const std::vector<std::vector<std::string>>& stats) {
    emitter.bind("row", "row", 0);
    emitter.bind("r", "r", 1);
    for (size_t s = 0; s < stats.size(); ++s) emitter.bind_input(static_cast<int>(s), stats[s], 0);
  };

  const NodeId window = reduced_window(request.group, graph);
  // Of the window's elements, or of what maps make of them before they are combined.
  const std::vector<ValueId> early =
      window.valid() ? reduced_stores(request, request.group.anchor).before : std::vector<ValueId>();
  std::vector<std::vector<std::string>> stats;
  Block* row_block = nullptr;
  int64_t phases = 0;
  for (NodeId m : request.group.members) {
    const Node& node = graph.node(m);
    const auto* reduce = std::get_if<ReduceAttrs>(&node.attrs);
    if (!reduce) continue;
    const Dtype dtype = graph.value(node.inputs[0]).dtype;
    const Register reg = register_of(dtype);
    writer.note(reg);
    const bool arg = reduce->op == ReduceOp::kArgMax || reduce->op == ReduceOp::kArgMin;
    const std::string phase = std::to_string(phases++);
    const std::string scalar(writer.dialect().types[static_cast<int>(reg)]);
    const Reduction reduction = reduction_of(reduce->op, dtype);

    row_block = new_block(row_block);
    Block* loop = new_block(row_block);
    auto combine = [&](Block& block, const std::vector<std::string>& lanes) {
      for (int l = 0; l < width; ++l) {
        const std::string suffix = phase + "_" + std::to_string(l), &x = lanes[static_cast<size_t>(l)];
        if (arg) {
          block.line("if (better_" + phase + "(" + x + ", r, acc_" + suffix + ", at_" + suffix + ")) { acc_" + suffix + " = " +
                     x + "; at_" + suffix + " = r; }");
        } else {
          block.line("acc_" + suffix + " = combine_" + phase + "(acc_" + suffix + ", " + x + ");");
        }
      }
    };
    const Dims& at_element = request.group.coordinates.at(node.inputs[0].value);
    if (window.valid()) {
      TUFF_ASSIGN(std::string text,
                  reduced_element(request, window, *row_block, variables, width, {node.inputs[0], at_element, early}, combine));
      text.pop_back();  // its last line's end
      loop->line(text);
    } else {
      Emitter emitter({row_block, loop});
      bind_all(emitter, stats);
      PointBuilder builder(group.scope);
      TUFF_ASSIGN(int op, builder.element(node.inputs[0], at_element));
      Point point = builder.point();
      replace_variables(point, variables);
      combine(*loop, emitter.emit(point, op, "row", width));
    }
    if (arg)
      functions += better_function(writer, phase, *reduce, dtype);
    else
      functions += scalar + " combine_" + phase + "(" + scalar + " a, " + scalar + " b) { return " +
                   map_text(writer, reduction.combine, sum_dtype(dtype), sum_dtype(dtype), {"a", "b"}) + "; }\n";
    if (!columns && scratch.insert(scalar).second)
      functions += "shared " + scalar + " scratch_" + scalar + "[" + std::to_string(64 * width) + "];\n";
    if (arg && !columns && scratch.insert("at").second)
      functions += "shared int scratch_at[" + std::to_string(64 * width) + "];\n";

    Slots slots;
    slots["phase"] = phase;
    slots["row"] = row_block->text(0);
    slots["width"] = std::to_string(width);
    slots["scalar"] = scalar;
    slots["identity"] = literal(writer.dialect(), dtype, reduction.identity);
    slots["length"] = writer.parameter(length);
    slots["element"] = loop->text(0);
    TUFF_ASSIGN(std::string text, expand_skeleton(columns ? (arg ? "row_columns_arg_phase.glsl" : "row_columns_phase.glsl")
                                                          : (arg ? "row_arg_phase.glsl" : "row_reduce_phase.glsl"),
                                                  slots));
    body += text;

    std::vector<std::string> stat;
    for (int l = 0; l < width; ++l) {
      std::string name = "stat_" + phase + "_" + std::to_string(l);
      if (arg) {
        writer.note(Register::kInt64);
        name = cast_to(writer.dialect().types[static_cast<int>(Register::kInt64)], name);
      }
      stat.push_back(arg ? name : narrow(dtype, name));
    }
    group.scope.inputs[node.output.value] = {request.group.coordinates.at(node.output.value), static_cast<int>(stats.size())};
    stats.push_back(std::move(stat));
  }

  // Stores: of whole rows in a loop, of one value a row by the first lane.
  row_block = new_block(row_block);
  Block* whole = new_block(row_block);
  Block* single = new_block(row_block);
  bool any_whole = false, any_single = false;
  for (ValueId v : request.group.stores) {
    if (std::find(early.begin(), early.end(), v) != early.end()) continue;
    PointBuilder builder(group.scope);
    TUFF_ASSIGN(StoredElement stored, stored_element(request, group.scope, builder, v));
    IntExpr address = replace_variables(stored.address, variables);
    Point point = builder.point();
    replace_variables(point, variables);
    // Not by its address, which is 0 throughout where another axis has no elements.
    bool uses_r = false;
    for (const IntExpr& at : replace_variables(request.group.coordinates.at(v.value), variables))
      at.visit_symbols([&](const Symbol& s) { uses_r = uses_r || (s.extent && s.name == "r"); });
    (uses_r ? any_whole : any_single) = true;
    Emitter emitter({row_block, uses_r ? whole : single});
    bind_all(emitter, stats);
    auto lanes = emitter.emit(point, stored.op, "row", width);
    TUFF_TRY(emitter.store(v, address, lanes, "row", width));
  }
  body += row_block->text(0);
  const std::string first = columns ? "0" : "lane", step = columns ? "++r" : "r += 64";
  if (any_whole)
    body += "for (int r = " + first + "; r < " + writer.parameter(length) + "; " + step + ") {\n" + whole->text(2) + "}\n";
  if (any_single) body += columns ? single->text(0) : "if (lane == 0) {\n" + single->text(2) + "}\n";

  Grid1d grid = spread(schedule.workgroups(), request.device);
  Slots slots;
  slots["grid_index"] = grid.grid_index;
  slots["row_count"] = writer.parameter(row_vectors);
  slots["functions"] = functions;
  slots["body"] = body;
  GuardedKernel made;
  TUFF_ASSIGN(
      made.kernel,
      finish_kernel(request, writer, columns ? "row_columns" : "row_reduce", std::move(slots), {kInvocations, 1, 1}, grid.grid,
                    std::to_string(phases) + " phases, " + (columns ? "an invocation " : "64 invocations ") +
                        (width > 1 ? std::to_string(width) + " rows" : "a row") + (window.valid() ? ", of a window" : "")));
  made.kernel.shared_bytes = static_cast<int64_t>(scratch.size()) * 64 * width * 4;
  made.kernel.multiply_adds =
      rows * length * IntExpr(phases + 1 + (window.valid() ? std::get<WindowAttrs>(graph.node(window).attrs).tap_count() : 0));
  std::vector<GuardedKernel> all;
  all.push_back(std::move(made));
  return all;
}

}  // namespace tuff
