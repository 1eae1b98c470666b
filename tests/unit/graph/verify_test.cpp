// Each invariant of graph.h, broken once: verify() must say which, where.
#include <doctest/doctest.h>

#include <cmath>

#include "every_primitive.h"

using namespace tuff;

namespace {

// symbol n; %0 "x" -> %1 neg -> %2 reduce.sum -> output "y".
Graph small_graph() {
  Graph named;
  named.name = "g";
  GraphBuilder b(std::move(named));
  IntExpr n = b.symbol({"n", 1, 64, 1, nullptr});
  ValueId x = b.input("x", Dtype::kF32, {n, 4});
  b.set_origins({"Neg_0"});
  ValueId negated = *b.map(MapOp::neg, {x});
  b.set_origins({"Sum_1"});
  ValueId sum = *b.reduce(ReduceOp::kSum, negated, {1});
  b.output(sum, "y");
  return std::move(b).finish();
}

template <class Break>
std::string fault_after(Break break_it) {
  Graph graph = small_graph();
  REQUIRE(verify(graph).ok());
  break_it(graph);
  Status status = verify(graph);
  CHECK_FALSE(status.ok());
  (void)print(graph);  // a wrong graph prints too
  return status.message();
}

}  // namespace

TEST_CASE("a graph as built is right") {
  auto graph = every_primitive();
  REQUIRE(graph.ok());
  Status status = verify(*graph);
  CHECK_MESSAGE(status.ok(), status.message());
  CHECK(verify(Graph{}).ok());
}

TEST_CASE("wiring") {
  CHECK(fault_after([](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); }) ==
        "graph \"g\": value %1 names node 0 (reduce.sum giving value %2, from \"Sum_1\") as its producer.");
  CHECK(fault_after([](Graph& g) {
          std::swap(g.nodes[0], g.nodes[1]);
          std::swap(g.values[1].producer, g.values[2].producer);
        }) ==
        "graph \"g\": node 0 (reduce.sum giving value %2, from \"Sum_1\") reads value %1, which only node 1 makes: "
        "the nodes are not in topological order.");
  CHECK(fault_after([](Graph& g) { g.nodes[0].inputs[0] = ValueId(1); }) ==
        "graph \"g\": node 0 (map.neg giving value %1, from \"Neg_0\") reads value %1, which only node 0 makes: the "
        "nodes are not in topological order.");
  CHECK(fault_after([](Graph& g) { g.nodes[0].inputs[0] = ValueId(9); }) ==
        "graph \"g\": node 0 (map.neg giving value %1, from \"Neg_0\") reads value %9, which does not exist.");
  CHECK(fault_after([](Graph& g) { g.nodes.push_back(g.nodes[0]); }) ==
        "graph \"g\": node 2 (map.neg giving value %1, from \"Neg_0\") gives a value that node 0 gives too.");
  CHECK(fault_after([](Graph& g) {
          g.nodes.push_back(g.nodes[0]);
          g.nodes.back().output = ValueId(0);
        }) == "graph \"g\": node 2 (map.neg giving value %0, from \"Neg_0\") gives a graph input.");
  CHECK(fault_after([](Graph& g) {
          g.nodes.push_back(g.nodes[0]);
          g.nodes.back().output = ValueId();
        }) == "graph \"g\": node 2 (map.neg giving value %4294967295, from \"Neg_0\") gives a value that does not exist.");
  CHECK(fault_after([](Graph& g) { g.nodes[1].output = ValueId(1); }) ==
        "graph \"g\": value %2 names node 1 (reduce.sum giving value %1, from \"Sum_1\") as its producer.");
  CHECK(fault_after([](Graph& g) { g.values[1].producer = NodeId(7); }) ==
        "graph \"g\": value %1 has the producer node 7, which does not exist.");
  CHECK(fault_after([](Graph& g) { g.values[1].producer = NodeId(); }) ==
        "graph \"g\": value %1 has no producer and is not an input.");
  CHECK(fault_after([](Graph& g) { g.values.emplace_back(); }) == "graph \"g\": value %3 has no producer and is not an input.");
  CHECK(fault_after([](Graph& g) { g.nodes[0].origins.clear(); }) ==
        "graph \"g\": node 0 (map.neg giving value %1) does not say which of the model's nodes it comes from.");
}

TEST_CASE("types") {
  CHECK(fault_after([](Graph& g) { g.values[1].dtype = Dtype::kF16; }) ==
        "graph \"g\": node 0 (map.neg giving value %1, from \"Neg_0\") gives f32[n, 4], but its value is marked f16[n, 4].");
  CHECK(fault_after([](Graph& g) { g.values[2].shape[1] = 4; }) ==
        "graph \"g\": node 1 (reduce.sum giving value %2, from \"Sum_1\") gives f32[n, 1], but its value is marked f32[n, 4].");
  CHECK(fault_after([](Graph& g) { std::get<ReduceAttrs>(g.nodes[1].attrs).axes = {2}; }) ==
        "graph \"g\": node 1 (reduce.sum giving value %2, from \"Sum_1\"): reduce.sum axes must be ascending and inside "
        "the rank 2.");
}

TEST_CASE("inputs and outputs") {
  CHECK(fault_after([](Graph& g) { g.inputs[0] = ValueId(3); }) == "graph \"g\": the input value %3 does not exist.");
  CHECK(fault_after([](Graph& g) { g.inputs.push_back(ValueId(1)); }) ==
        "graph \"g\": the input value %1 \"\" has the producer node 0.");
  CHECK(fault_after([](Graph& g) { g.inputs.push_back(ValueId(0)); }) == "graph \"g\": the input value %0 is listed twice.");
  CHECK(fault_after([](Graph& g) { g.values[0].name = ""; }) == "graph \"g\": the input value %0 has no name.");
  CHECK(fault_after([](Graph& g) {
          g.values.push_back(g.values[0]);
          g.inputs.push_back(ValueId(3));
        }) == "graph \"g\": two inputs have the name \"x\".");
  CHECK(fault_after([](Graph& g) { g.outputs[0] = ValueId(3); }) ==
        "graph \"g\": the output \"y\" is value %3, which does not exist.");
  CHECK(fault_after([](Graph& g) { g.output_names.clear(); }) == "graph \"g\": there are 1 outputs and 0 output names.");
  CHECK(fault_after([](Graph& g) { g.output_names[0] = ""; }) == "graph \"g\": the output value %2 has no name.");
  CHECK(fault_after([](Graph& g) {
          g.outputs.push_back(ValueId(0));
          g.output_names.push_back("y");
        }) == "graph \"g\": two outputs have the name \"y\".");
}

TEST_CASE("symbols") {
  CHECK(fault_after([](Graph& g) { g.symbols.clear(); }) ==
        "graph \"g\": value %0 uses the symbol 'n', which is not declared.");
  CHECK(fault_after([](Graph& g) { g.symbols[0].max = 65; }) ==
        "graph \"g\": value %0 uses the symbol 'n' with another range than it is declared with.");
  CHECK(fault_after([](Graph& g) { g.symbols.push_back(g.symbols[0]); }) == "graph \"g\": the symbol 'n' is declared twice.");
  CHECK(fault_after([](Graph& g) {
          g.symbols.push_back({"m", 1, 2, 1, nullptr});
        }) == "graph \"g\": the symbol 'm' stands after 'n', out of alphabetical order.");
  CHECK(fault_after([](Graph& g) {
          g.symbols.push_back({"two words", 1, 2, 1, nullptr});
        }) == "graph \"g\": the symbol \"two words\" is not a name of letters, digits, '_' and '.'.");
  CHECK(fault_after([](Graph& g) {
          g.symbols.push_back({"o", 3, 2, 1, nullptr});
        }) == "graph \"g\": the symbol 'o' has the range 3..2 in steps of 1, which is not inside 0..2147483648.");
  CHECK(fault_after([](Graph& g) {
          g.symbols.push_back({"o", -1, 2, 1, nullptr});
        }) == "graph \"g\": the symbol 'o' has the range -1..2 in steps of 1, which is not inside 0..2147483648.");
  CHECK(fault_after([](Graph& g) {
          g.symbols.push_back({"o", 9, 15, 8, nullptr});
        }) == "graph \"g\": the symbol 'o' has no multiple of 8 in its range 9..15.");
  CHECK(fault_after([](Graph& g) {
          g.symbols.push_back({"o", 0, 8, 1, std::make_shared<IntExpr>(9)});
        }) == "graph \"g\": the symbol 'o' is a loop variable, which a graph has none of.");
  CHECK(fault_after([](Graph& g) { g.values[0].shape[0] = IntExpr::loop_variable("n", 64); }) ==
        "graph \"g\": value %0 uses the symbol 'n' with another range than it is declared with.");
  CHECK(fault_after([](Graph& g) { g.values[0].shape[0] = IntExpr(INT64_MAX) + IntExpr(1); }) ==
        "graph \"g\": value %0 has a size or an attribute that 64 bits cannot hold.");
  auto with_attrs = [](Attrs attrs) { return [attrs](Graph& g) { g.nodes[0].attrs = attrs; }; };
  IntExpr m = IntExpr::symbol({"m", 1, 2, 1, nullptr});
  for (const Attrs& attrs :
       {Attrs(SliceAttrs{{m, 0}, {1, 1}, {1, 4}}), Attrs(PadAttrs{PadMode::kEdge, {m, 0}, {0, 0}, {0, 0}, 0}),
        Attrs(PadAttrs{PadMode::kEdge, {0, 0}, {0, m}, {0, 0}, 0}), Attrs(DimensionAttrs{Dtype::kI64, m})})
    CHECK(fault_after(with_attrs(attrs)) ==
          "graph \"g\": node 0 (" + std::string(attrs_name(attrs)) +
              " giving value %1, from \"Neg_0\") uses the symbol 'm', which is not declared.");
}

TEST_CASE("orders of summation") {
  auto set = [](SumOrder order) { return [order](Graph& g) { std::get<ReduceAttrs>(g.nodes[1].attrs).order = order; }; };
  const std::string node = "graph \"g\": node 1 (reduce.sum giving value %2, from \"Sum_1\")";
  for (int64_t length : {0, -128, 100})
    CHECK(fault_after(set({SumOrder::Kind::kChunked, length})) ==
          node + " sums in chunks of " + std::to_string(length) + ", which is not a positive multiple of 128.");
  CHECK(fault_after(set({SumOrder::Kind::kTree, 128})) == node + " has a chunk length of 128 but does not sum in chunks.");
  CHECK(fault_after([](Graph& g) {
          auto& a = std::get<ReduceAttrs>(g.nodes[1].attrs);
          a.op = ReduceOp::kMax;
          a.order.kind = SumOrder::Kind::kSerial;
        }) ==
        "graph \"g\": node 1 (reduce.max giving value %2, from \"Sum_1\") has an order of summation but adds nothing up.");
  Graph graph = small_graph();
  set({SumOrder::Kind::kChunked, 256})(graph);
  CHECK(verify(graph).ok());
}

TEST_CASE("constants") {
  CHECK(fault_after([](Graph& g) {
          ConstantAttrs a{Dtype::kF32, {64, 4}, {}};
          a.data.kind = ConstantData::Kind::kRandom;
          a.data.scale = HUGE_VAL;
          g.nodes[0] = {a, {}, ValueId(1), {"c"}};
        }) ==
        "graph \"g\": node 0 (constant giving value %1, from \"c\") draws random numbers with a scale that is not finite.");
}

TEST_CASE("a chain of 100000 nodes verifies, prints and reads back") {
  GraphBuilder b;
  ValueId x = b.input("x", Dtype::kF32, {b.symbol({"n", 1, 64, 1, nullptr}), 4});
  for (int i = 0; i < 100000; ++i) {
    b.set_origins({"Neg"});
    x = *b.map(MapOp::neg, {x});
  }
  b.output(x, "y");
  Graph graph = std::move(b).finish();
  CHECK(verify(graph).ok());
  std::string text = print(graph);
  auto back = parse_graph(text, "chain");
  REQUIRE_MESSAGE(back.ok(), back.status().message());
  CHECK(print(*back) == text);
}

TEST_CASE("a size that the data decide is said by a number among the outputs") {
  auto with = [](DataSize size) { return fault_after([&](Graph& graph) { graph.data_sizes = {size}; }); };
  CHECK(with({0, 0, 1}).find("said by one, that there is not") != std::string::npos);
  CHECK(with({1, 0, 0}).find("of an output, or said") != std::string::npos);
  CHECK(with({0, 2, 0}).find("has no axis 2") != std::string::npos);
  CHECK(with({0, -1, 0}).find("has no axis -1") != std::string::npos);
  CHECK(with({0, 1, 0}).find("is said by \"y\", which is no i32 of rank 0") != std::string::npos);
  const std::string text =
      "graph \"g\" {\n  input %0 \"x\": f32[4]\n  input %1 \"n\": i32[]\n"
      "  output %0 \"y\" axis 0 sized by \"n\"\n  output %1 \"n\"\n}\n";
  Result<Graph> sized = parse_graph(text, "test");
  REQUIRE_MESSAGE(sized.ok(), sized.status().message());
  CHECK(print(*sized) == text);
  sized->data_sizes.push_back(sized->data_sizes[0]);
  CHECK(verify(*sized).message().find("sized twice") != std::string::npos);
  CHECK_FALSE(parse_graph("graph \"g\" {\n  input %0 \"x\": f32[4]\n  output %0 \"y\" axis 0 sized by \"n\"\n}\n", "t").ok());
}
