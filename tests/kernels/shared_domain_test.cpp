// Maps, and copies, over one domain that need nothing of each other, in one kernel, against the reference; and those that stay
// apart, since a path leads from one to the other.
#include <algorithm>
#include <map>

#include "kernels/checked_builder.h"

namespace tuff {
namespace {

struct DomainBuilder : CheckedBuilder {
  ValueId input(const std::string& name, Dims shape) { return builder.input(name, Dtype::kF32, std::move(shape)); }
  // x [m, n] by weights [n, n - 1], transposed and with a row of zeros [n, m]: no epilogue of the product.
  ValueId behind_product(ValueId x, const std::string& weights) {
    const IntExpr depth = builder.shape(x)[1];
    const ContractAttrs by{{0, 1}, {1, 2}, {2, 0}, {}};
    const ValueId product = take(builder.add(by, {x, input(weights, {depth, depth - IntExpr(1)})}));
    const PadAttrs wider{PadMode::kConstant, {IntExpr(1), IntExpr(0)}, {IntExpr(0), IntExpr(0)}, {0, 0}};
    return map(MapOp::exp, {take(builder.add(wider, {product}))});
  }
  ValueId tanh(ValueId x) { return map(MapOp::tanh, {x}); }
  void output(ValueId x) { builder.output(x, "y" + std::to_string(outputs++)); }

  int outputs = 0;
};

// Agrees in all modes; where nodes are fused it is so many kernels of maps or copies, whatever others there are.
void check_domains(const Graph& graph, ptrdiff_t kernels, const std::map<std::string, int64_t>& sizes = {}) {
  GraphCase c;
  c.graph = simplified(graph);
  c.symbols = sizes;
  for (const RunMode& mode : kAllModes) {
    if (!mode.fuse) continue;
    std::string text;
    const std::vector<AnchorKind> kinds = kernel_kinds(c.graph, mode, text);
    CHECK_MESSAGE(std::count(kinds.begin(), kinds.end(), AnchorKind::kMap) == kernels, mode_text(mode), "\n", text);
  }
  check_agrees(c);
}

}  // namespace

TEST_CASE("shared domain: maps that need nothing of each other are one kernel") {
  for (int64_t columns : {0, 1, 7, 64, 65}) {
    INFO("columns ", columns);
    DomainBuilder b;
    const ValueId x = b.input("x", {IntExpr(5), IntExpr(columns)}), z = b.input("z", {IntExpr(5), IntExpr(1)});
    b.output(b.map(MapOp::add, {b.tanh(x), z}));
    b.output(b.map(MapOp::mul, {b.input("w", {IntExpr(1), IntExpr(columns)}), z}));
    check_domains(b.builder.graph(), 1);
  }
}

TEST_CASE("shared domain: sizes that are known at bind time") {
  DomainBuilder b;
  const IntExpr rows = b.builder.symbol({"rows", 0, 64, 1, nullptr}),
                columns = b.builder.symbol({"columns", 0, 64, 1, nullptr});
  const ValueId x = b.input("x", {rows, columns});
  b.output(b.tanh(x));
  b.output(b.map(MapOp::mul, {b.input("w", {rows, IntExpr(1)}), b.input("v", {IntExpr(1), columns})}));
  b.output(b.map(MapOp::neg, {b.input("other", {columns, rows})}));
  for (int64_t size : {0, 1, 12, 13}) {
    INFO("columns ", size);
    check_domains(b.builder.graph(), 2, {{"rows", 3}, {"columns", size}});
  }
}

TEST_CASE("shared domain: both read one value, and one of its own besides") {
  DomainBuilder b;
  const ValueId x = b.input("x", {IntExpr(6), IntExpr(11)}), y = b.input("y", {IntExpr(6), IntExpr(11)});
  const ValueId turned = b.take(b.builder.transpose(b.input("t", {IntExpr(11), IntExpr(6)}), {1, 0}));
  b.output(b.map(MapOp::sub, {x, y}));
  b.output(b.map(MapOp::mul, {turned, y}));
  check_domains(b.builder.graph(), 1);
}

TEST_CASE("shared domain: what needs the other, through kernels between, stays apart") {
  DomainBuilder b;
  const ValueId first = b.tanh(b.input("x", {IntExpr(6), IntExpr(6)}));
  b.output(first);
  b.output(b.behind_product(first, "weights"));
  check_domains(b.builder.graph(), 2);
}

TEST_CASE("shared domain: of two pairs that cross only one is joined") {
  DomainBuilder b;
  const ValueId p = b.tanh(b.input("a", {IntExpr(6), IntExpr(5)})), q = b.tanh(b.input("b", {IntExpr(5), IntExpr(6)}));
  for (ValueId v : {p, b.behind_product(q, "wq"), q, b.behind_product(p, "wp")}) b.output(v);
  check_domains(b.builder.graph(), 3);
}

TEST_CASE("shared domain: copies of pieces are one kernel a shape") {
  DomainBuilder b;
  // Each piece is copied once the first is there: of two kernels that write elements in turn at once, validation layers see
  // that they write one range.
  for (const char* name : {"keys", "values"}) {
    const ValueId piece = b.tanh(b.input(name, {IntExpr(2), IntExpr(9), IntExpr(8)}));
    b.output(b.take(b.builder.add(ConcatAttrs{1}, {piece, piece})));
  }
  check_domains(b.builder.graph(), 2);
}

}  // namespace tuff
