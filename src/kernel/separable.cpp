// Separable kernels: a product whose first operand is made from a window, which the workgroup computes for its rows: into
// shared memory (separable.glsl), or, where the lanes of a subgroup pass rows around, each lane at a row of its own
// (contract.glsl). The tile is fusion's, since whether there is such a group hangs on it.
#include "fusion/separable.h"

#include "kernel/contraction.h"
#include "kernel/window.h"

namespace tuff {
namespace {

ContractTile contract_tile(const SeparableTile& tile) {
  ContractTile out;
  out.rows = tile.rows;
  out.columns = tile.columns;
  out.width = tile.width;
  out.steps = tile.steps;
  out.lanes_n = static_cast<uint32_t>(tile.lanes_n);
  out.lanes_m = static_cast<uint32_t>(tile.lanes_m);
  out.exchange = tile.exchange;
  if (tile.staged() && tile.whole) out.column_tile = "panel";
  return out;
}

const WindowAttrs& window_of(const KernelRequest& request) {
  return std::get<WindowAttrs>(request.graph.node(separable_window(request.group, request.graph)).attrs);
}

struct ElementWriter {
  const KernelRequest& request;
  const Contraction& c;
  const SeparableTile& tile;
  KernelWriter& writer;

  // None where the window's results see a channel each.
  std::optional<IntExpr> summed_channels() const {
    const NodeId window = separable_window(request.group, request.graph);
    if (is_own_channel_window(request.graph, window)) return std::nullopt;
    return request.graph.value(request.graph.node(window).inputs[1]).shape[1];
  }

  // The `steps` elements at the row that the text `m` names and at `k`; result() says what becomes of them. What m alone
  // decides goes into `rows`, if there is such a block.
  Result<std::string> text(Block* rows, const std::string& m,
                           const std::function<std::string(const std::vector<std::string>&)>& result) {
    const NodeId window = separable_window(request.group, request.graph);
    Block setup(writer, rows);
    if (!rows && !c.batch.is(1)) setup.line("int b = int(gl_WorkGroupID.z);");
    WindowElement element{request, window, c.a, summed_channels(), "k", tile.steps, {}, {}};
    if (rows) element.outer.push_back(rows);
    element.bind = [&](Emitter& emitter) {
      emitter.bind("b", "b", 0);
      emitter.bind("m", m, 0);
      emitter.bind("k", "k", rows ? 1 : 0);
    };
    return window_element(element, setup, [&](Emitter& end, Block&) -> Result<std::string> {
      GroupScope group(request);
      group.scope.inputs[request.graph.node(window).output.value] = {c.a, 0};
      PointBuilder mapped(group.scope);
      TUFF_ASSIGN(int op, mapped.element(request.graph.node(request.group.anchor).inputs[0], c.a));
      std::vector<std::string> lanes = end.emit(mapped.point(), op, "k", tile.steps);
      if (request.exact)
        for (std::string& lane : lanes) lane = "tuff_flush_inner(" + lane + ")";
      return result(lanes);
    });
  }

  // Each lane at its own row, where the product's loop is at k.
  Result<std::vector<std::string>> own_row(Block& rows, Block& inner, const std::string& m) {
    std::vector<std::string> names;
    for (int t = 0; t < tile.steps; ++t) {
      names.push_back("w_" + m + "_" + std::to_string(t));
      inner.line("float " + names.back() + ";");
    }
    TUFF_ASSIGN(std::string element, text(&rows, m, [&](const std::vector<std::string>& lanes) {
                  std::string result;
                  for (size_t t = 0; t < lanes.size(); ++t) result += names[t] + " = " + lanes[t] + ";\n";
                  return result;
                }));
    element.pop_back();  // its last line's end
    inner.line(element);
    return names;
  }

  std::string staged_vector() const { return type_name(writer.dialect(), Register::kFloat, tile.steps); }

  Result<std::string> stage() {
    const IntExpr vectors = floor_div(c.depth, IntExpr(tile.steps));
    const bool whole_rows = mod(c.rows, IntExpr(tile.row_tile())).is(0);
    const bool whole_depth = mod(vectors, IntExpr(tile.stretch)).is(0);
    const std::string row = "int(gl_WorkGroupID.x) * " + std::to_string(tile.row_tile()) + " + staged_row";
    const std::string k = tile.whole ? "staged_k" : "first + staged_k";
    Slots slots;
    slots["item_count"] = std::to_string(tile.row_tile() * tile.stretch);
    slots["invocations"] = std::to_string(tile.lanes_n * tile.lanes_m);
    slots["stretch"] = std::to_string(tile.stretch);
    slots["row"] = whole_rows ? row : "min(" + row + ", " + writer.parameter(c.rows) + " - 1)";
    slots["k"] = whole_depth ? k : "min(" + k + ", " + writer.parameter(vectors) + " - 1)";
    TUFF_ASSIGN(slots["element"], text(nullptr, "m", [&](const std::vector<std::string>& lanes) {
                  return "staged[staged_row * " + std::to_string(tile.stride) +
                         " + staged_k] = " + call(staged_vector(), lanes) + ";";
                }));
    return expand_skeleton("separable_stage.glsl", slots);
  }

  std::vector<std::string> staged_row(Block& inner, const std::string& row) const {
    const std::string k = tile.whole ? "k" : "k - first";
    const std::string vector =
        inner.temporary(staged_vector(), "staged[(" + row + ") * " + std::to_string(tile.stride) + " + " + k + "]");
    return components(vector, tile.steps);
  }
};

}  // namespace

Result<std::vector<GuardedKernel>> make_separable(const KernelRequest& request) {
  const Contraction c = contraction_of(request);
  const auto chosen = separable_tile(request.graph, request.group, request.device, request.exact);
  if (!chosen) return internal_error("No tile fits " + request.device.name + ".");
  const SeparableTile& tile = *chosen;
  KernelWriter writer(request.graph, request.fusion.placements, glsl(), request.exact, storage_features(request.device));
  ElementWriter elements{request, c, tile, writer};
  auto row_elements = [&](Block& rows, Block& inner, const std::string& m,
                          const std::string& row) -> Result<std::vector<std::string>> {
    if (tile.staged()) return elements.staged_row(inner, row);
    return elements.own_row(rows, inner, m);
  };
  TUFF_ASSIGN(ContractSlots filled, fill_contract(request, c, contract_tile(tile), false, writer, row_elements));
  const IntExpr panels = ceil_div(c.columns, IntExpr(tile.column_tile()));
  Slots& slots = filled.slots;
  if (tile.staged()) {
    TUFF_ASSIGN(slots["stage"], elements.stage());
    slots["staged_vector"] = elements.staged_vector();
    slots["staged_count"] = std::to_string(tile.row_tile() * tile.stride);
    slots["whole"] = tile.whole ? "1" : "";
    slots["panel_count"] = writer.parameter(panels);
    slots["stretch"] = std::to_string(tile.stretch);
    const std::string chunked = slots["chunked"], k_count = slots["k_count"];
    slots["k_begin"] = !chunked.empty() ? "chunk" : tile.whole ? "0" : "first";
    slots["k_end"] = !chunked.empty() ? "min(chunk + " + chunked + ", " + k_count + ")"
                     : tile.whole     ? k_count
                                      : "min(first + " + slots["stretch"] + ", " + k_count + ")";
  }
  const IntExpr grid_panels = tile.staged() && tile.whole ? IntExpr(1) : panels;
  GuardedKernel made;
  TUFF_ASSIGN(made.kernel, finish_kernel(request, writer, tile.staged() ? "separable" : "contract", std::move(slots),
                                         {static_cast<uint32_t>(tile.lanes_n), static_cast<uint32_t>(tile.lanes_m), 1},
                                         {ceil_div(c.rows, IntExpr(tile.row_tile())), grid_panels, c.batch},
                                         "tile " + std::to_string(tile.rows) + "x" + std::to_string(tile.columns * tile.width) +
                                             " of " + std::to_string(tile.width) + ", invocations " +
                                             std::to_string(tile.lanes_m) + "x" + std::to_string(tile.lanes_n) + ", windows " +
                                             (tile.staged() ? "of " + std::to_string(tile.stretch * tile.steps) + " k staged"
                                                            : "exchanged")));
  made.kernel.shared_bytes = tile.staged() ? tile.shared_bytes() : 0;
  const IntExpr taps = elements.summed_channels().value_or(IntExpr(1)) * IntExpr(window_of(request).tap_count());
  made.kernel.multiply_adds = c.multiply_adds + c.batch * c.rows * c.depth * taps * grid_panels;
  std::vector<GuardedKernel> all;
  all.push_back(std::move(made));
  return all;
}

}  // namespace tuff
