// Named and unknown sizes of inputs, what the options say of them, and what models compute from them.
#include "onnx_writer.h"

using namespace tuff;
using namespace onnx_test;

namespace {

Model relu(const std::vector<Size>& sizes) {
  Model model;
  model.input("x", sizes).node("Relu", {"x"}, {"y"}).output("y");
  return model;
}

}  // namespace

TEST_CASE("a named size is a symbol, one without a name gets its own") {
  Graph graph = loaded(relu({"batch", 3, "", ""}));
  CHECK(output_shape(graph) == "[batch, 3, x_2, x_3]");
  REQUIRE(graph.symbols.size() == 3);
  CHECK(graph.symbols[0].min == 1);
  CHECK(graph.symbols[0].max == Symbol::kMax);
}

TEST_CASE("names become identifiers, each its own") {
  CHECK(output_shape(loaded(relu({"seq len", "seq-len", "2*n", "min"}))) == "[seq_len, seq_len_2, _2_n, min_]");
}

TEST_CASE("options give a range and a divisor, or a number") {
  LoadOptions options;
  options.symbols["h"] = Symbol{"ignored", 8, 4096, 8, nullptr};
  options.symbols["n"] = Symbol{"ignored", 4, 4, 1, nullptr};
  Graph graph = loaded(relu({"n", "h"}), options);
  CHECK(output_shape(graph) == "[4, h]");
  REQUIRE(graph.symbols.size() == 1);
  CHECK(graph.symbols[0].divisor == 8);
  CHECK(graph.symbols[0].min == 8);
  CHECK(graph.symbols[0].max == 4096);
  options.symbols["n"].min = 5;
  check_fails(relu({"n", "h"}).load(options), Code::kInvalidArgument, {"'n'", "5 to 4"});
  check_fails(relu({"n", "w"}).load({{{"h", {}}}, {}, 0, {}}), Code::kInvalidArgument, {"no dimension 'h'"});
}

TEST_CASE("a shape given for an input holds for the same name everywhere") {
  Model model;
  model.input("x", {"n", 3}).input("z", {"n", 3}).node("Add", {"x", "z"}, {"y"}).output("y");
  LoadOptions options;
  options.input_shapes["x"] = {IntExpr(5), IntExpr(3)};
  CHECK(output_shape(loaded(model, options)) == "[5, 3]");
  options.input_shapes["z"] = {IntExpr(6), IntExpr(3)};
  check_fails(model.load(options), Code::kInvalidArgument, {"'n'", "5 and 6"});
  options.input_shapes = {{"x", {IntExpr(5)}}};
  check_fails(model.load(options), Code::kInvalidArgument, {"'x'", "1 axes", "2"});
  options.input_shapes = {{"q", {IntExpr(5)}}};
  check_fails(model.load(options), Code::kInvalidArgument, {"'q'"});
}

TEST_CASE("arithmetic on sizes leaves nothing in the graph") {
  Model model;
  model.input("x", {"batch", 3, "height", "width"}).output("y");
  model.initializer(integer("zero", 0)).initializer(integer("two", 2)).initializer(integer("three", 3));
  model.initializer(integers("axis0", {0})).initializer(integers("minus_one", {-1}));
  model.node("Shape", {"x"}, {"shape"});
  model.node("Gather", {"shape", "zero"}, {"batch"});
  model.node("Gather", {"shape", "two"}, {"height"});
  model.node("Mul", {"height", "three"}, {"rows"});
  model.node("Unsqueeze", {"batch", "axis0"}, {"batch_1d"});
  model.node("Unsqueeze", {"rows", "axis0"}, {"rows_1d"});
  model.node("Concat", {"batch_1d", "rows_1d", "minus_one"}, {"target"}, {attribute("axis", 0)});
  model.node("Reshape", {"x", "target"}, {"y"});
  Graph graph = loaded(model);
  CHECK(output_shape(graph) == "[batch, 3*height, width]");
  CHECK(graph.nodes.size() == 1);
}

TEST_CASE("sizes pass through floats, floors and masks as exporters write them") {
  Model model;
  model.input("x", {1, 3, "h", "w"}).output("y").output("e");
  model.initializer(integers("spatial", {2})).initializer(integers("end", {4})).initializer(integers("first", {0}));
  model.initializer(floats("scale", {1}, {1.5f})).initializer(integers("ones", {1, 3}));
  model.node("Shape", {"x"}, {"shape"});
  model.node("Slice", {"shape", "spatial", "end", "first"}, {"hw"});
  model.node("Cast", {"hw"}, {"hw_f"}, {attribute("to", onnx::kFloat)});
  model.node("Mul", {"hw_f", "scale"}, {"scaled"});
  model.node("Floor", {"scaled"}, {"floored"});
  model.node("Cast", {"floored"}, {"sizes_hw"}, {attribute("to", onnx::kInt64)});
  model.node("Slice", {"shape", "first", "spatial", "first"}, {"nc"});
  model.node("Concat", {"nc", "sizes_hw"}, {"sizes"}, {attribute("axis", 0)});
  model.node("Resize", {"x", "", "", "sizes"}, {"y"},
             {attribute("mode", "nearest"), attribute("nearest_mode", "floor"),
              attribute("coordinate_transformation_mode", "asymmetric")});
  // Expand to a shape in which -1 means "as it is".
  model.input("b", {1, 1, 1, 1}).initializer(integers("wanted", {-1, 3, -1, 1})).initializer(integers("rank", {4}));
  model.node("ConstantOfShape", {"rank"}, {"one"}, {attribute("value", integers("", {1}))});
  model.initializer(integers("minus", {-1})).node("Mul", {"one", "minus"}, {"negative"});
  model.node("Equal", {"wanted", "negative"}, {"mask"}).node("Where", {"mask", "one", "wanted"}, {"resolved"});
  model.node("Expand", {"b", "resolved"}, {"e"});
  Graph graph = loaded(model);
  CHECK(output_shape(graph, 0) == "[1, 3, h + floor(h, 2), w + floor(w, 2)]");
  CHECK(output_shape(graph, 1) == "[1, 3, 1, 1]");
}

TEST_CASE("a size that is wanted as data becomes a dimension node") {
  Model model;
  model.input("x", {"n", 3}).node("Shape", {"x"}, {"s"}).node("Add", {"s", "s"}, {"y"}).output("y").output("s");
  std::string text = print(loaded(model));
  CHECK(mentions(text, "i64[] = dimension {value=2*n}"));
  CHECK(mentions(text, "i64[] = dimension {value=n}"));
  CHECK_FALSE(mentions(text, "map.add"));
}

TEST_CASE("a reshape that the sizes leave open asks for a divisor") {
  Model model;
  model.input("x", {"n"}).initializer(integers("s", {-1, 4})).node("Reshape", {"x", "s"}, {"y"}).output("y");
  check_fails(model.load(), Code::kUnsupported, {"'y' (Reshape)", "divisor"});
}

TEST_CASE("an input with an initializer is a constant") {
  Model model;
  model.input("x", {2}).input("w", {2}).initializer(floats("w", {2}, {1, 2})).node("Add", {"x", "w"}, {"y"}).output("y");
  CHECK(loaded(model).inputs.size() == 1);
}
