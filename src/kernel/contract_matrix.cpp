// Contract kernels on matrix units: chooses the tile of a workgroup and of its subgroups, how both factors lie in shared
// memory, and fills the slots of contract_matrix.glsl. In: a group whose product fusion gave to matrix units.
#include <algorithm>

#include "base/checked.h"
#include "fusion/cost.h"
#include "fusion/matrix_units.h"
#include "graph/builder.h"
#include "kernel/contraction.h"

namespace tuff {
namespace {

struct MatrixTile {
  MatrixShape shape;
  int64_t rows = 1, columns = 1;             // matrices of a subgroup
  int64_t subgroups_m = 1, subgroups_n = 1;  // of a workgroup
  int64_t depth = 0;                         // k in shared memory at a time
  int64_t products = 1, lanes = 1;           // lanes: of a subgroup

  int64_t subgroup_rows() const { return rows * shape.m; }
  int64_t subgroup_columns() const { return columns * shape.n; }
  int64_t tile_rows() const { return subgroups_m * subgroup_rows(); }
  int64_t tile_columns() const { return subgroups_n * subgroup_columns(); }
  int64_t invocations() const { return subgroups_m * subgroups_n * lanes; }
  // Sums of a subgroup's row of matrices, of one product; four between lines keep lines apart in the memory's banks.
  int64_t sum_stride() const { return subgroup_columns() + 4; }
  int64_t product_sums() const { return shape.m * sum_stride(); }
  int64_t sum_count() const { return subgroups_m * subgroups_n * products * product_sums(); }
  int64_t accumulators_per_lane() const { return products * rows * columns * shape.m * shape.n / lanes; }
};

// How a factor lies in shared memory: lines along one of its variables, padded by 16 bytes, which keeps lines apart in the
// memory's banks and every matrix aligned to 16 bytes.
struct StagedFactor {
  Point point;
  int root = -1;
  bool as_bits = false;    // the root gives the bits of an f16, as u16
  std::string line, item;  // variables: which line, and where in it
  int64_t lines = 0, items = 0;
  int width = 1;  // neighbours in a line that are loaded at once

  bool lines_along_k() const { return item == "k"; }
  int64_t stride_words() const { return items / 2 + 4; }
  int64_t words() const { return lines * stride_words(); }
};

// Whichever way the factors lie.
int64_t shared_bytes_at_most(const MatrixTile& tile) {
  auto words = [&](int64_t size) {
    const int64_t along_k = size * (tile.depth / 2 + 4), across_k = tile.depth * (size / 2 + 4);
    return std::max(along_k, across_k);
  };
  return 4 * (words(tile.tile_rows()) + tile.products * words(tile.tile_columns()) + tile.sum_count());
}

// The op as the bits of an f16, where elements are only moved to it from where they are stored: as they are, or widened.
std::optional<int> as_f16_bits(Point& point, int op) {
  PointOp bits = point.ops[static_cast<size_t>(op)];
  const bool is_f16 = bits.dtype == Dtype::kF16;
  bits.dtype = Dtype::kU16;
  switch (bits.kind) {
    case PointOp::Kind::kLoad:
      if (!is_f16) return std::nullopt;
      break;
    case PointOp::Kind::kLiteral: {
      const double value = scalar_from_bits(point.ops[static_cast<size_t>(op)].dtype, bits.bits);
      bits.bits = scalar_bits(Dtype::kF16, value);
      if (scalar_from_bits(Dtype::kF16, bits.bits) != value) return std::nullopt;
      break;
    }
    case PointOp::Kind::kMap:
      if (bits.op != MapOp::cast || point.ops[static_cast<size_t>(bits.args[0])].dtype != Dtype::kF16) return std::nullopt;
      return as_f16_bits(point, bits.args[0]);
    case PointOp::Kind::kGuard:
      for (int& argument : bits.args) {
        const std::optional<int> moved = as_f16_bits(point, argument);
        if (!moved) return std::nullopt;
        argument = *moved;
      }
      break;
    default: return std::nullopt;
  }
  point.ops.push_back(std::move(bits));
  return static_cast<int>(point.ops.size()) - 1;
}

bool is_same_at_all_lanes(const IntExpr& e, const std::string& variable, int width) {
  for (int lane = 1; lane < width; ++lane)
    if (!(at_lane(e, variable, width, lane) == at_lane(e, variable, width, 0))) return false;
  return true;
}

// How many neighbours along the variable each load can give at once.
int load_width(const Point& point, int root, const std::string& variable, const IntExpr& extent) {
  const std::vector<bool> needed = ops_needed(point, root);
  for (int width = vector_width(extent); width > 1; width /= 2) {
    bool all = true;
    for (size_t i = 0; i < point.ops.size(); ++i) {
      const PointOp& op = point.ops[i];
      if (!needed[i] || op.kind != PointOp::Kind::kLoad) continue;
      all = all && (Emitter::contiguous(op.index, variable, width) || is_same_at_all_lanes(op.index, variable, width));
    }
    if (all) return width;
  }
  return 1;
}

// Lines along k, unless loads are wider along the other variable (m or n).
Result<StagedFactor> staged_factor(const GroupScope& group, ValueId operand, const Dims& at, const Contraction& c,
                                   const MatrixTile& tile, const std::string& other) {
  StagedFactor f;
  PointBuilder builder(group.scope);
  TUFF_ASSIGN(f.root, builder.element(operand, at));
  f.point = std::move(builder.point());
  if (const std::optional<int> bits = as_f16_bits(f.point, f.root)) {
    f.root = *bits;
    f.as_bits = true;
  }
  const int along_k = load_width(f.point, f.root, "k", c.depth);
  const int along_other = load_width(f.point, f.root, other, other == "m" ? c.rows : c.columns);
  f.width = std::max(along_k, along_other);
  f.line = other;
  f.lines = other == "m" ? tile.tile_rows() : tile.tile_columns();
  f.item = "k";
  f.items = tile.depth;
  if (along_other > along_k) {
    std::swap(f.line, f.item);
    std::swap(f.lines, f.items);
  }
  return f;
}

// Writes the statements that put a factor's part of one step into shared memory.
class FactorStage {
 public:
  FactorStage(const Contraction& c, const MatrixTile& tile, const StagedFactor& factor, std::string array, Block& setup,
              Block& tap)
      : c_(c),
        tile_(tile),
        factor_(factor),
        array_(std::move(array)),
        writer_(setup.writer()),
        body_(writer_, &tap),
        emitter_({&setup, &tap, &body_}) {
    emitter_.bind("b", "b", 0);
    for (size_t i = 0; i < c.taps.size(); ++i) emitter_.bind("t" + std::to_string(i), "t" + std::to_string(i), 1);
  }

  std::string text() {
    const int together = std::max(factor_.width, 2);  // elements of an invocation at a time: words of two
    const int64_t groups = factor_.items / together;
    body_.line("int line = i / " + std::to_string(groups) + ", item = i % " + std::to_string(groups) + " * " +
               std::to_string(together) + ";");
    bind_clamped(factor_.line, factor_.line, factor_.line + "_first + line", 1);
    const std::vector<std::string> bits = factor_.width > 1 ? vector_bits() : pair_bits();
    for (size_t word = 0; 2 * word < bits.size(); ++word)
      body_.line(array_ + "[line * " + std::to_string(factor_.stride_words()) + " + item / 2" +
                 (word ? " + " + std::to_string(word) : "") + "] = tuff_word_of_16(" + bits[2 * word] + ", " +
                 bits[2 * word + 1] + ");");
    return "for (int i = int(gl_LocalInvocationIndex); i < " + std::to_string(factor_.lines * groups) +
           "; i += " + std::to_string(tile_.invocations()) + ") {\n" + body_.text(2) + "}\n";
  }

 private:
  const IntExpr& extent(const std::string& variable) const {
    return variable == "m" ? c_.rows : variable == "n" ? c_.columns : c_.depth;
  }
  bool is_whole(const std::string& variable) const {
    const int64_t step = variable == "m" ? tile_.tile_rows() : variable == "n" ? tile_.tile_columns() : tile_.depth;
    return mod(extent(variable), IntExpr(step)).is(0);
  }
  // The variable is what the text says, in vectors of `width`; beyond its end it is the last.
  void bind_clamped(const std::string& variable, const std::string& name, const std::string& element, int width) {
    const std::string at = width > 1 ? "(" + element + ") / " + std::to_string(width) : element;
    const std::string count = writer_.parameter(floor_div(extent(variable), IntExpr(width)));
    body_.line("int " + name + " = " + (is_whole(variable) ? at : "min(" + at + ", " + count + " - 1)") + ";");
    emitter_.bind(variable, name, 2);
  }
  // A lane's bits, and zero beyond the last k.
  std::string bits_of(const std::string& lane, const std::string& item) const {
    const std::string bits = factor_.as_bits ? lane : "tuff_f32_to_f16_bits(" + lane + ")";
    if (is_whole("k")) return bits;
    const std::string k = "k_first + " + (factor_.lines_along_k() ? item : std::string("line"));
    return k + " < " + writer_.parameter(c_.depth) + " ? " + bits + " : 0u";
  }
  std::vector<std::string> vector_bits() {
    bind_clamped(factor_.item, factor_.item, factor_.item + "_first + item", factor_.width);
    std::vector<std::string> lanes = emitter_.emit(factor_.point, factor_.root, factor_.item, factor_.width);
    for (std::string& lane : lanes) lane = bits_of(lane, "item");  // a vector ends where k does
    return lanes;
  }
  // Two neighbours, each by itself.
  std::vector<std::string> pair_bits() {
    std::vector<std::string> lanes;
    for (const std::string lane : {"0", "1"}) {
      const std::string item = lane == "0" ? "item" : "item + 1";
      bind_clamped(factor_.item, factor_.item + "_" + lane, factor_.item + "_first + " + item, 1);
      lanes.push_back(bits_of(emitter_.emit(factor_.point, factor_.root, "", 1)[0], item));
    }
    return lanes;
  }

  const Contraction& c_;
  const MatrixTile& tile_;
  const StagedFactor& factor_;
  std::string array_;
  KernelWriter& writer_;
  Block body_;
  Emitter emitter_;
};

// Where matrix number `i` of the subgroup begins in a staged factor, in words.
std::string matrix_at(const StagedFactor& f, const std::string& variable, int64_t i, int64_t size) {
  const std::string at = "(matrix_" + variable + " + " + std::to_string(i * size) + ")";
  const std::string stride = std::to_string(f.stride_words());
  return f.lines_along_k() ? at + " * " + stride + " + k / 2" : "k * " + stride + " + " + at + " / 2";
}

std::string layout_text(bool is_row_major) {
  return is_row_major ? "gl_CooperativeMatrixLayoutRowMajor" : "gl_CooperativeMatrixLayoutColumnMajor";
}

// The epilogue of `width` sums at C[b, m, width * n ...].
Status fill_finish(const KernelRequest& request, const Contraction& c, const MatrixTile& tile, int width, GroupScope& group,
                   KernelWriter& writer, Slots& slots) {
  const Graph& graph = request.graph;
  const Node& node = graph.node(request.group.anchor);
  Block common(writer, nullptr), item(writer, &common);
  Emitter out({&common, &item});
  if (!c.batch.is(1)) common.line("int b = int(gl_WorkGroupID.z);");
  out.bind("b", "b", 0);
  out.bind("m", "m", 1);
  out.bind("n", "n", 1);
  std::vector<ValueId> products = {node.output};
  for (const auto& other : c.others) products.push_back(graph.node(other.first).output);
  for (size_t p = 0; p < products.size(); ++p) {
    group.scope.inputs[products[p].value] = {request.group.coordinates.at(products[p].value), static_cast<int>(p)};
    std::vector<std::string> lanes;
    for (int lane = 0; lane < width; ++lane) {
      const std::string name = "sum_" + std::to_string(p) + "_" + std::to_string(lane);
      item.line("float " + name + " = sums[at + " + std::to_string(static_cast<int64_t>(p) * tile.product_sums() + lane) +
                "];");
      lanes.push_back(narrow(graph.value(node.output).dtype, name));
    }
    out.bind_input(static_cast<int>(p), lanes, 1);
  }
  PointBuilder builder(group.scope);
  TUFF_ASSIGN(const StoredElements stores, stored_elements(request, group.scope, builder, c.output));
  Point point = builder.point();
  replace_variables(point, c.output);
  for (const auto& [value, element] : stores) {
    auto texts = out.emit(point, element.op, "n", width);
    TUFF_TRY(out.store(value, element.address, texts, "n", width));
  }
  std::string guard;
  if (!mod(c.rows, IntExpr(tile.tile_rows())).is(0)) guard = "m < " + writer.parameter(c.rows);
  if (!mod(c.columns, IntExpr(tile.tile_columns())).is(0))
    guard += (guard.empty() ? "n < " : " && n < ") + writer.parameter(floor_div(c.columns, IntExpr(width)));
  slots["finish_setup"] = common.text(0);
  slots["finish"] = guard.empty() ? item.text(0) : "if (" + guard + ") {\n" + item.text(2) + "}\n";
  return ok_status();
}

void fill_sizes(const MatrixTile& tile, int width, Slots& slots) {
  const std::pair<const char*, int64_t> sizes[] = {{"rows", tile.rows},
                                                   {"columns", tile.columns * tile.products},
                                                   {"products", tile.products},
                                                   {"lanes", tile.lanes},
                                                   {"depth", tile.depth},
                                                   {"width", width},
                                                   {"shape_m", tile.shape.m},
                                                   {"shape_n", tile.shape.n},
                                                   {"shape_k", tile.shape.k},
                                                   {"subgroups_n", tile.subgroups_n},
                                                   {"subgroup_rows", tile.subgroup_rows()},
                                                   {"subgroup_columns", tile.subgroup_columns()},
                                                   {"row_vectors", tile.subgroup_columns() / width},
                                                   {"sum_stride", tile.sum_stride()},
                                                   {"sum_count", tile.sum_count()},
                                                   {"subgroup_sums", tile.products * tile.product_sums()}};
  for (const auto& [name, size] : sizes) slots[name] = std::to_string(size);
}

// The tile with most reuse that fits the device and the product, of those that leave no compute unit idle; where none does
// that, the last, which is the least.
MatrixTile choose_matrix_tile(const KernelRequest& request, const Contraction& c) {
  struct Size {
    int64_t rows, columns, subgroups_m, subgroups_n;
  };
  constexpr Size kSizes[] = {{4, 2, 2, 2}, {2, 2, 2, 2}, {2, 2, 2, 1}, {1, 2, 2, 1}, {1, 1, 2, 1}, {1, 1, 1, 1}};
  const DeviceInfo& device = request.device;
  const int64_t rows = std::max<int64_t>(1, typical(c.rows)), columns = std::max<int64_t>(1, typical(c.columns));
  MatrixTile best;
  for (const Size& size : kSizes) {
    MatrixTile tile;
    tile.shape = *request.group.matrix;
    tile.rows = size.rows;
    tile.columns = size.columns;
    tile.subgroups_m = size.subgroups_m;
    tile.subgroups_n = size.subgroups_n;
    tile.products = 1 + static_cast<int64_t>(c.others.size());
    tile.lanes = device.subgroup_size;
    tile.depth = matrix_step(c.depth, tile.shape);
    best = tile;
    // Half of the registers for sums; the other half is for factors, addresses and what loads bring.
    if (2 * tile.accumulators_per_lane() > device.rates.registers_per_lane) continue;
    if (tile.invocations() > std::min(device.max_workgroup_invocations, device.max_workgroup_size[0])) continue;
    if (shared_bytes_at_most(tile) > device.max_shared_bytes) continue;
    // No more than half of a tile beyond an edge.
    if (tile.tile_rows() >= 2 * rows || tile.tile_columns() >= 2 * columns) continue;
    const int64_t workgroups =
        ceil_div(rows, tile.tile_rows()) * ceil_div(columns, tile.tile_columns()) * std::max<int64_t>(1, typical(c.batch));
    if (workgroups >= 2 * device.rates.compute_units) break;
  }
  return best;
}

std::string schedule_text(const MatrixTile& tile) {
  return "matrices of " + std::to_string(tile.shape.m) + "x" + std::to_string(tile.shape.n) + "x" +
         std::to_string(tile.shape.k) + ", tile " + std::to_string(tile.tile_rows()) + "x" +
         std::to_string(tile.tile_columns()) + ", subgroups " + std::to_string(tile.subgroups_m) + "x" +
         std::to_string(tile.subgroups_n) + ", " + std::to_string(tile.depth) + " k a step" +
         (tile.products > 1 ? ", " + std::to_string(tile.products) + " products" : "");
}

}  // namespace

Result<Kernel> make_matrix_contract(const KernelRequest& request, const Contraction& c) {
  const Graph& graph = request.graph;
  const Node& node = graph.node(request.group.anchor);
  const MatrixTile tile = choose_matrix_tile(request, c);
  GroupScope group(request);
  TUFF_ASSIGN(const StagedFactor a, staged_factor(group, node.inputs[0], c.a, c, tile, "m"));
  std::vector<StagedFactor> bs(1);
  TUFF_ASSIGN(bs[0], staged_factor(group, node.inputs[1], c.b, c, tile, "n"));
  for (const auto& [other, at] : c.others) {
    TUFF_ASSIGN(StagedFactor factor, staged_factor(group, graph.node(other).inputs[1], at, c, tile, "n"));
    bs.push_back(std::move(factor));
  }

  KernelWriter writer(graph, request.fusion.placements, glsl(), false, storage_features(request.device));
  Block setup(writer, nullptr), tap(writer, &setup);
  if (!c.batch.is(1)) setup.line("int b = int(gl_WorkGroupID.z);");
  setup.line("int m_first = int(gl_WorkGroupID.x) * " + std::to_string(tile.tile_rows()) + ";");
  setup.line("int n_first = int(gl_WorkGroupID.y) * " + std::to_string(tile.tile_columns()) + ";");
  Slots slots;
  const int width = vector_width(c.columns);
  fill_sizes(tile, width, slots);
  int64_t shared_words = a.words() + tile.sum_count();
  slots["stage_a"] = FactorStage(c, tile, a, "staged_a", setup, tap).text();
  slots["a_words"] = std::to_string(a.words());
  slots["a_stride"] = std::to_string(a.stride_words());
  slots["a_layout"] = layout_text(a.lines_along_k());
  for (int64_t i = 0; i < tile.rows; ++i) slots["a_at_" + std::to_string(i)] = matrix_at(a, "m", i, tile.shape.m);
  for (size_t p = 0; p < bs.size(); ++p) {
    const std::string array = "staged_b_" + std::to_string(p);
    slots["stage_b_" + std::to_string(p)] = FactorStage(c, tile, bs[p], array, setup, tap).text();
    slots["b_words_" + std::to_string(p)] = std::to_string(bs[p].words());
    shared_words += bs[p].words();
    for (int64_t j = 0; j < tile.columns; ++j) {
      const std::string number = std::to_string(static_cast<int64_t>(p) * tile.columns + j);
      slots["b_staged_" + number] = array;
      slots["b_at_" + number] = matrix_at(bs[p], "n", j, tile.shape.n);
      slots["b_stride_" + number] = std::to_string(bs[p].stride_words());
      slots["b_layout_" + number] = layout_text(!bs[p].lines_along_k());
      slots["sum_at_" + number] = std::to_string(static_cast<int64_t>(p) * tile.product_sums() + j * tile.shape.n);
    }
  }
  TUFF_TRY(fill_finish(request, c, tile, width, group, writer, slots));
  slots["setup"] = setup.text(0);
  slots["tap"] = tap.text(0);
  slots["k_count"] = writer.parameter(c.depth);
  fill_tap_loops(c, writer, slots);
  TUFF_ASSIGN(
      Kernel kernel,
      finish_kernel(request, writer, "contract_matrix", std::move(slots), {static_cast<uint32_t>(tile.invocations()), 1, 1},
                    {ceil_div(c.rows, IntExpr(tile.tile_rows())), ceil_div(c.columns, IntExpr(tile.tile_columns())), c.batch},
                    schedule_text(tile)));
  kernel.shared_bytes = 4 * shared_words;
  kernel.multiply_adds = c.multiply_adds;
  return kernel;
}

}  // namespace tuff
