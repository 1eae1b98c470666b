// The primitives that operators become, as goldens in tests/golden/model, and what fits only some shapes. That the numbers
// are right is for tests/models/check_reference.cpp, against a third party.
#include "golden.h"
#include "model/onnx/slice_range.h"
#include "onnx_writer.h"

using namespace tuff;
using namespace onnx_test;

namespace {

// One node on inputs x, with further inputs that are initializers or "".
Graph one(std::string_view op, int64_t opset, const std::vector<Size>& x, const std::vector<Message>& tensors,
          const std::vector<Message>& attributes = {}, int outputs = 1) {
  Model model(opset);
  model.input("x", x);
  std::vector<std::string> inputs = {"x"}, names;
  for (size_t i = 0; i < tensors.size(); ++i) {
    inputs.push_back(tensors[i].bytes().empty() ? "" : "t" + std::to_string(i));
    if (!inputs.back().empty()) model.initializer(tensors[i]);
  }
  for (int i = 0; i < outputs; ++i) names.push_back("y" + std::to_string(i));
  model.node(op, inputs, names, attributes);
  for (const auto& name : names) model.output(name);
  return loaded(model);
}

Graph unary(std::string_view op, int64_t opset, const std::vector<Size>& x, const std::vector<Message>& attributes = {}) {
  return one(op, opset, x, {}, attributes);
}

std::vector<float> ones(size_t count) { return std::vector<float>(count, 1.0f); }

size_t count(const Graph& graph, std::string_view name) {
  size_t n = 0;
  for (const Node& node : graph.nodes) n += attrs_name(node.attrs) == name;
  return n;
}

}  // namespace

TEST_CASE("operators become these primitives") {
  golden::check("model/conv_same_symbolic",
                print(one("Conv", 17, {1, 2, "h", "w"}, {floats("t0", {4, 2, 3, 3}, ones(72)), floats("t1", {4}, ones(4))},
                          {attribute("auto_pad", "SAME_UPPER"), list("strides", {2, 1})})));
  golden::check("model/conv_transpose",
                print(one("ConvTranspose", 17, {1, 4, 5, 5}, {floats("t0", {4, 3, 3, 3}, ones(108))},
                          {list("strides", {2, 2}), list("pads", {1, 1, 1, 1}), attribute("group", 2)})));
  golden::check("model/max_pool_ceil",
                print(unary("MaxPool", 12, {1, 2, "h", 13},
                            {list("kernel_shape", {3, 3}), list("strides", {2, 2}), attribute("ceil_mode", 1)})));
  golden::check("model/average_pool_padded",
                print(unary("AveragePool", 17, {1, 2, 7, "w"}, {list("kernel_shape", {3, 3}), list("pads", {1, 1, 1, 1})})));
  golden::check("model/batch_normalization", print(one("BatchNormalization", 15, {1, 3, 4, 4},
                                                       {floats("t0", {3}, ones(3)), floats("t1", {3}, ones(3)),
                                                        floats("t2", {3}, ones(3)), floats("t3", {3}, ones(3))})));
  golden::check("model/layer_normalization",
                print(one("LayerNormalization", 17, {2, "n"}, {floats("t0", {1}, ones(1)), floats("t1", {1}, ones(1))})));
  golden::check("model/softmax", print(unary("Softmax", 13, {2, 5})));
  golden::check("model/softmax_11", print(unary("Softmax", 11, {2, 3, 5})));
  golden::check("model/gelu", print(unary("Gelu", 20, {4})));
  golden::check("model/reduce_log_sum_exp",
                print(unary("ReduceLogSumExp", 13, {2, 5}, {list("axes", {1}), attribute("keepdims", 0)})));
  golden::check("model/resize_nearest_twice",
                print(one("Resize", 13, {1, 2, "h", "w"}, {Message(), floats("t1", {4}, {1, 1, 2, 2})},
                          {attribute("mode", "nearest"), attribute("nearest_mode", "floor"),
                           attribute("coordinate_transformation_mode", "asymmetric")})));
  golden::check(
      "model/resize_linear_symbolic",
      print(one("Resize", 13, {1, 2, "h", 4}, {Message(), floats("t1", {4}, {1, 1, 1.5f, 1})}, {attribute("mode", "linear")})));
  golden::check("model/depth_to_space", print(unary("DepthToSpace", 13, {1, 12, "h", "w"}, {attribute("blocksize", 2)})));
  golden::check("model/matmul_batches", print(one("MatMul", 13, {5, 1, 2, 3}, {floats("t0", {4, 3, 2}, ones(24))})));
}

TEST_CASE("padding is a node only where it pads") {
  auto weights = floats("t0", {4, 2, 1, 1}, ones(8));
  CHECK(count(one("Conv", 17, {1, 2, 5, 5}, {weights}), "pad") == 0);
  CHECK(count(one("Conv", 17, {1, 2, 5, 5}, {weights}, {list("pads", {0, 0, 0, 0})}), "pad") == 0);
  CHECK(count(one("Conv", 17, {1, 2, 5, 5}, {weights}, {list("pads", {1, 0, 0, 0})}), "pad") == 1);
  CHECK(count(unary("MaxPool", 17, {1, 2, 4, 4},
                    {list("kernel_shape", {2, 2}), list("strides", {2, 2}), attribute("ceil_mode", 1)}),
              "pad") == 0);
}

TEST_CASE("SAME halves a size, rounded up, whatever it is") {
  Graph graph = one("Conv", 17, {1, 1, "h", 9}, {floats("t0", {1, 1, 3, 3}, ones(9))},
                    {attribute("auto_pad", "SAME_LOWER"), list("strides", {2, 2})});
  const Dims& shape = graph.value(graph.outputs[0]).shape;
  for (int64_t h = 1; h < 20; ++h)
    CHECK(shape[2].evaluate([&](std::string_view) { return std::optional<int64_t>(h); }) == (h + 1) / 2);
  CHECK(shape[3].is(5));
}

TEST_CASE("ceil_mode drops a window that would begin in the padding") {
  // Kernel 2, stride 3, padding 1 at the end: sizes that onnx.reference and onnxruntime give.
  Graph graph = unary("MaxPool", 17, {1, 1, "n"},
                      {list("kernel_shape", {2}), list("strides", {3}), list("pads", {0, 1}), attribute("ceil_mode", 1)});
  const Dims& shape = graph.value(graph.outputs[0]).shape;
  for (int64_t n = 1; n < 30; ++n) {
    int64_t out = (n + 1 - 2 + 2) / 3 + 1;
    if ((out - 1) * 3 >= n) --out;
    CHECK(shape[2].evaluate([&](std::string_view) { return std::optional<int64_t>(n); }) == out);
  }
}

TEST_CASE("slices follow Python for every start, end and step") {
  for (int64_t size = 0; size <= 5; ++size) {
    for (int64_t start = -7; start <= 7; ++start) {
      for (int64_t end = -7; end <= 7; ++end) {
        for (int64_t step : {-3, -2, -1, 1, 2, 3}) {
          // As ONNX clamps: the start into the elements, the end up to one beyond them.
          int64_t s = start < 0 ? start + size : start, e = end < 0 ? end + size : end, count = 0;
          s = std::max<int64_t>(s, 0);
          s = std::min(s, step < 0 ? size - 1 : size);
          e = step < 0 ? std::clamp<int64_t>(e, -1, std::max<int64_t>(size - 1, -1)) : std::clamp<int64_t>(e, 0, size);
          for (int64_t i = s; step < 0 ? i > e : i < e; i += step) ++count;
          auto range = onnx::slice_range(IntExpr(size), IntExpr(start), IntExpr(end), step);
          REQUIRE(range.has_value());
          CAPTURE(size);
          CAPTURE(start);
          CAPTURE(end);
          CAPTURE(step);
          CHECK(range->count.constant() == (size == 0 ? 0 : count));
          if (count > 0 && size > 0) CHECK(range->start.constant() == s);
        }
      }
    }
  }
}

TEST_CASE("a slice of a symbolic size needs no proof where it takes all but a known part") {
  Graph graph =
      one("Slice", 13, {"n", 4}, {integers("t0", {1, -2}), integers("t1", {INT64_MAX, INT64_MAX}), integers("t2", {0, 1})});
  CHECK(output_shape(graph) == "[n - 1, 2]");
  Graph reversed =
      one("Slice", 13, {"n"}, {integers("t0", {-1}), integers("t1", {INT64_MIN}), integers("t2", {0}), integers("t3", {-1})});
  CHECK(output_shape(reversed) == "[n]");
}

TEST_CASE("a flip from the end to INT64_MIN") {
  Graph graph = one("Slice", 13, {"n"},
                    {integers("t0", {INT64_MAX}), integers("t1", {INT64_MIN}), integers("t2", {0}), integers("t3", {-1})});
  CHECK(output_shape(graph) == "[n]");
  CHECK(mentions(print(graph), "starts=[n - 1] steps=[-1]"));
}

TEST_CASE("uneven and symbolic splits") {
  CHECK(output_shape(one("Split", 18, {7}, {}, {attribute("num_outputs", 3)}, 3), 2) == "[1]");
  Graph graph = one("Split", 13, {"n", 6}, {}, {attribute("axis", 1)}, 3);
  CHECK(output_shape(graph, 1) == "[n, 2]");
}

TEST_CASE("padding that repeats elements needs them") {
  auto pad = [](int64_t size, int64_t low, const char* mode) {
    Model model(19);
    model.input("x", {size}).initializer(integers("p", {low, 0})).node("Pad", {"x", "p"}, {"y"}, {attribute("mode", mode)});
    return model.output("y").load().status().code();
  };
  CHECK(pad(3, 2, "reflect") == Code::kOk);
  CHECK(pad(3, 3, "reflect") == Code::kInvalidArgument);
  CHECK(pad(1, 5, "edge") == Code::kOk);
  CHECK(pad(0, 1, "edge") == Code::kInvalidArgument);
  CHECK(pad(2, 5, "wrap") == Code::kOk);
  CHECK(pad(0, 1, "wrap") == Code::kInvalidArgument);
  CHECK(pad(0, 1, "constant") == Code::kOk);
}

TEST_CASE("gathers of known places are slices") {
  CHECK(count(one("Gather", 13, {"n", 4}, {integers("t0", {3, 2, 1})}, {attribute("axis", 1)}), "gather") == 0);
  CHECK(count(one("Gather", 13, {"n", 4}, {integers("t0", {0, 3, 1})}, {attribute("axis", 1)}), "gather") == 1);
  CHECK(output_shape(one("Gather", 13, {"n", 4}, {integer("t0", -1)})) == "[4]");
}

TEST_CASE("a constant of any shape is one element") {
  Model model;
  model.input("x", {"n", 2}).node("Shape", {"x"}, {"s"}).node("ConstantOfShape", {"s"}, {"y"}).output("y");
  Graph graph = loaded(model);
  CHECK(output_shape(graph) == "[n, 2]");
  CHECK(count(graph, "constant") == 1);
}

TEST_CASE("einsum is one contraction") {
  Model model;
  model.input("a", {2, 3, 4}).input("b", {2, 5, 4});
  model.node("Einsum", {"a", "b"}, {"y"}, {attribute("equation", "bik, bjk -> bij")}).output("y");
  model.node("Einsum", {"a"}, {"z"}, {attribute("equation", "bik->kb")}).output("z");
  Graph graph = loaded(model);
  CHECK(count(graph, "contract") == 1);
  CHECK(output_shape(graph, 0) == "[2, 3, 5]");
  CHECK(output_shape(graph, 1) == "[4, 2]");
}

TEST_CASE("every node tells where it came from") {
  Model model;
  model.input("x", {1, 2, 4, 4}).initializer(floats("w", {2, 2, 3, 3}, ones(36)));
  model.named_node("first", "Conv", {"x", "w"}, {"c"}).named_node("", "Relu", {"c"}, {"r"}).output("r");
  for (const Node& node : loaded(model).nodes) {
    REQUIRE(node.origins.size() == 1);
    bool is_weight = std::holds_alternative<ConstantAttrs>(node.attrs) && node.origins[0] == "w";
    CHECK((is_weight || node.origins[0] == "first" || node.origins[0] == "Relu_1"));
  }
}

TEST_CASE("places along a symbolic axis are of 64 bits where 32 do not hold them") {
  auto places = [](const char* coordinates, int64_t longest) {
    Model model(13);
    model.input("x", {1, 1, "h"});
    model.initializer(floats("scales", {3}, {1, 1, 2}));
    model.node("Resize", {"x", "", "scales"}, {"y"},
               {attribute("mode", "linear"), attribute("coordinate_transformation_mode", coordinates)});
    model.output("y");
    LoadOptions options;
    options.symbols["h"].max = longest;
    const Graph graph = loaded(model, options);
    for (const Node& node : graph.nodes)
      if (const auto* iota = std::get_if<IotaAttrs>(&node.attrs)) return iota->dtype;
    return Dtype::kBool;
  };
  CHECK(places("half_pixel", 100000) == Dtype::kI32);
  CHECK(places("half_pixel", int64_t{1} << 30) == Dtype::kI64);
  CHECK(places("align_corners", 10000) == Dtype::kI32);
  CHECK(places("align_corners", 100000) == Dtype::kI64);
}
