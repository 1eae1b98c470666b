// Models that contradict themselves, ask for what Tuff lacks, or for too much: a status that names the culprit.
#include "onnx_writer.h"

using namespace tuff;
using namespace onnx_test;

TEST_CASE("every unsupported node is listed, and what depends on one is not") {
  Model model(17);
  model.input("x", {2, 3}).input("s", {1}, onnx::kString).output("y");
  model.node("Unique", {"x"}, {"a"});
  model.node("Relu", {"a"}, {"b"});
  model.named_node("", "Frobnicate", {"b"}, {"c"}, {}, "com.example");
  model.node("Gelu", {"x"}, {"d"});
  model.node("Dropout", {"x"}, {"e"});
  model.node("Cast", {"x"}, {"f"}, {attribute("to", onnx::kString)});
  model.node("Add", {"c", "d"}, {"y"});
  check_fails(
      model.load(), Code::kUnsupported,
      {"5 parts", "node 'a' (Unique): the operator is not supported", "node 'Frobnicate_2' (com.example.Frobnicate)",
       "node 'd' (Gelu): the operator is supported from version 20", "node 'f' (Cast): casting to STRING", "input 's'"});
  CHECK_FALSE(mentions(model.load().status().message(), "'b'"));
  CHECK_FALSE(mentions(model.load().status().message(), "'y'"));
}

TEST_CASE("operator sets, functions and sparse tensors that Tuff lacks are named") {
  check_fails(Model(99).input("x", {1}).output("x").load(), Code::kUnsupported, {"version 99"});
  Model sparse;
  sparse.graph().message(15, Message().message(1, Message().text(8, "s")));
  check_fails(sparse.load(), Code::kUnsupported, {"'s'", "sparse"});
  Model function;
  function.input("x", {1}).node("Twice", {"x"}, {"y"}, {}, "local").output("y");
  std::string bytes = function.bytes() + Message().message(25, Message().text(1, "Twice").text(10, "local")).bytes();
  auto graph = load_model_bytes(bytes_from_string(std::make_shared<const std::string>(bytes)), "test.onnx");
  check_fails(graph, Code::kUnsupported, {"(local.Twice)", "functions defined in the model"});
}

TEST_CASE("cycles, undefined and duplicate names are INVALID_ARGUMENT with the nodes") {
  Model cycle;
  cycle.input("x", {2}).node("Add", {"x", "c"}, {"a"}).node("Relu", {"a"}, {"b"}).node("Relu", {"b"}, {"c"});
  cycle.node("Relu", {"b"}, {"after"}).output("after");
  check_fails(cycle.load(), Code::kInvalidArgument, {"'a', 'b', 'c' wait for each other"});
  Model undefined;
  undefined.input("x", {2}).node("Add", {"x", "ghost"}, {"y"}).output("y");
  check_fails(undefined.load(), Code::kInvalidArgument, {"Node 'y' reads 'ghost'"});
  check_fails(Model().input("x", {2}).output("z").load(), Code::kInvalidArgument, {"output 'z'"});
  Model twice;
  twice.input("x", {2}).node("Relu", {"x"}, {"y"}).named_node("other", "Abs", {"x"}, {"y"}).output("y");
  check_fails(twice.load(), Code::kInvalidArgument, {"'other'", "'y'"});
  Model over_input;
  over_input.input("x", {2}).node("Relu", {"x"}, {"x"}).output("x");
  check_fails(over_input.load(), Code::kInvalidArgument, {"already has"});
  Model two_inputs;
  check_fails(two_inputs.input("x", {2}).input("x", {3}).output("x").load(), Code::kInvalidArgument, {"Two inputs"});
  Model two_outputs;
  check_fails(two_outputs.input("x", {2}).output("x").output("x").load(), Code::kInvalidArgument, {"Two outputs", "'x'"});
  Model two_tensors;
  two_tensors.initializer(integers("t", {1})).initializer(integers("t", {2})).output("t");
  check_fails(two_tensors.load(), Code::kInvalidArgument, {"Two initializers"});
}

TEST_CASE("nodes out of order are sorted") {
  Model model;
  model.input("x", {2}).node("Relu", {"b"}, {"y"}).node("Neg", {"a"}, {"b"}).node("Abs", {"x"}, {"a"}).output("y");
  Graph graph = loaded(model);
  CHECK(graph.nodes.front().origins.front() == "a");
  CHECK(graph.nodes.back().origins.front() == "y");
}

TEST_CASE("sizes that are negative or overflow are refused before any allocation") {
  check_fails(Model().input("x", {-1, 3}).output("x").load(), Code::kInvalidArgument, {"'x'", "-1"});
  check_fails(Model().input("x", {INT64_MAX}).output("x").load(), Code::kLimit, {"'x'"});
  auto tensor = [](std::vector<int64_t> dims) {
    return Model().initializer(Message().packed(1, dims).integer(2, onnx::kFloat).text(8, "t")).output("t").load();
  };
  check_fails(tensor({-4}), Code::kInvalidArgument, {"'t'", "-4"});
  check_fails(tensor({int64_t{1} << 40, int64_t{1} << 40}), Code::kLimit, {"'t'", "2^63"});
  check_fails(tensor(std::vector<int64_t>(33, 1)), Code::kLimit, {"33 axes"});
  CHECK(Model().input("x", {0, 3}).output("x").load().ok());
}

TEST_CASE("huge shapes from small files take no memory, or are refused") {
  auto huge = [](const char* op, std::vector<int64_t> sizes) {
    Model model;
    model.initializer(integers("shape", sizes)).input("x", {1, 1});
    if (std::string_view(op) == "ConstantOfShape")
      model.node(op, {"shape"}, {"y"});
    else
      model.node(op, {"x", "shape"}, {"y"});
    return model.output("y").load();
  };
  for (const char* op : {"ConstantOfShape", "Expand", "Tile"}) {
    CAPTURE(op);
    auto large = huge(op, {1 << 20, 1 << 20});
    CHECK_MESSAGE(large.ok(), large.status().message());
    check_fails(huge(op, {int64_t{1} << 40, int64_t{1} << 40}), Code::kLimit, {});
  }
  CHECK(huge("ConstantOfShape", {-1, 2}).status().code() == Code::kInvalidArgument);
  CHECK(huge("Tile", {-1, 2}).status().code() == Code::kInvalidArgument);
  Model pad;
  pad.input("x", {1}).initializer(integers("p", {INT64_MAX, INT64_MAX})).node("Pad", {"x", "p"}, {"y"}).output("y");
  check_fails(pad.load(), Code::kLimit, {});
  Model resize;
  resize.input("x", {1, 1, 3, 3}).initializer(integers("sizes", {1, 1, 1'000'000'007, 1'000'000'007}));
  resize.node("Resize", {"x", "", "", "sizes"}, {"y"}, {attribute("mode", "cubic")}).output("y");
  check_fails(resize.load(), Code::kLimit, {"limit"});
}

TEST_CASE("the limit on constants counts what has to be decoded") {
  Message t = Message().packed(1, {100}).integer(2, onnx::kInt32).text(8, "t").packed(5, std::vector<int64_t>(100, 3));
  Model model;
  model.initializer(t).output("t");
  LoadOptions options;
  options.constant_limit_bytes = 399;
  check_fails(model.load(options), Code::kLimit, {"'t'", "400 bytes", "399"});
  options.constant_limit_bytes = 400;
  CHECK(model.load(options).ok());
}

TEST_CASE("attributes and inputs that do not fit the operator are refused") {
  Model kind;
  kind.input("x", {2, 3}).node("Flatten", {"x"}, {"y"}, {attribute("axis", "one")}).output("y");
  check_fails(kind.load(), Code::kInvalidArgument, {"'y' (Flatten)", "'axis' is not an integer"});
  Model count;
  count.input("x", {2}).node("Add", {"x"}, {"y"}).output("y");
  check_fails(count.load(), Code::kInvalidArgument, {"'y' (Add)", "takes 2 inputs", "has 1"});
  Model empty;
  empty.input("x", {2}).node("Add", {"x", ""}, {"y"}).output("y");
  check_fails(empty.load(), Code::kInvalidArgument, {"takes 2 inputs"});
  Model broadcast;
  broadcast.input("x", {2}).input("z", {3}).node("Add", {"x", "z"}, {"y"}).output("y");
  check_fails(broadcast.load(), Code::kInvalidArgument, {"Node 'y' (Add): cannot broadcast [2] and [3]"});
  Model axis;
  axis.input("x", {2}).node("Softmax", {"x"}, {"y"}, {attribute("axis", 5)}).output("y");
  check_fails(axis.load(), Code::kInvalidArgument, {"axis 5"});
  Model pads;
  pads.input("x", {1, 1, 3, 3}).node("MaxPool", {"x"}, {"y"}, {list("kernel_shape", {2, 2}), list("pads", {1, 1})});
  check_fails(pads.output("y").load(), Code::kInvalidArgument, {"pads must be 4 numbers"});
}

TEST_CASE("outputs that Tuff does not make are refused only where they are read") {
  auto model = [](const char* read) {
    Model m(15);
    m.input("x", {1, 1, 4, 4}).node("MaxPool", {"x"}, {"y", "places"}, {list("kernel_shape", {2, 2})});
    return m.output(read).load();
  };
  CHECK(model("y").ok());
  check_fails(model("places"), Code::kUnsupported, {"'places'"});
  // An output that the operator does not have, read by a node.
  check_fails(Model(15).input("x", {2}).node("Abs", {"x"}, {"", "none"}).node("Abs", {"none"}, {"y"}).output("y").load(),
              Code::kUnsupported, {"'none'"});
}

TEST_CASE("a chain of 100,000 nodes loads") {
  Model model;
  model.input("v0", {4});
  constexpr int kLength = 100'000;
  for (int i = 0; i < kLength; ++i) model.node("Neg", {"v" + std::to_string(i)}, {"v" + std::to_string(i + 1)});
  model.output("v" + std::to_string(kLength));
  auto graph = model.load();
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  CHECK(graph->nodes.size() == kLength);
}

TEST_CASE("bodies nested 1,000 deep are refused by the node that holds them") {
  for (const char* op : {"If", "Loop", "Scan"}) {
    CAPTURE(op);
    Message body;
    auto attribute_of = [](const Message& graph) { return Message().text(1, "body").message(6, graph).integer(20, 5); };
    for (int depth = 0; depth < 1000; ++depth)
      body = Message().message(1, Message().text(2, "y").text(4, op).message(5, attribute_of(body))).text(2, "g");
    Model model;
    model.input("x", {1}).node(op, {"x"}, {"y"}, {attribute_of(body)}).output("y");
    check_fails(model.load(), Code::kUnsupported, {"'y'", op});
  }
}

TEST_CASE("sizes that grow into endless expressions meet a limit") {
  // Each step doubles the terms of the size: (a + b), (a + b) + (a + c), ... then their products.
  Model model;
  model.input("x", {"a", "b", "c", "d", "e", "f", "g", "h"});
  std::string last = "x";
  for (int round = 0; round < 12; ++round) {
    std::string turned = "t" + std::to_string(round), joined = "j" + std::to_string(round), flat = "f" + std::to_string(round);
    model.initializer(integers("s" + std::to_string(round), {-1, 1}));
    model.node("Reshape", {last, "s" + std::to_string(round)}, {flat});
    model.node("Concat", {flat, flat}, {joined}, {attribute("axis", round % 2)});
    model.node("MatMul", {joined, flat}, {turned});
    last = joined;
  }
  auto graph = model.output(last).load();
  CHECK(!graph.ok());  // the point is that it ends, soon, with a status
}
