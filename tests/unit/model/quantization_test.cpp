// Quantised operators: what of them is not imported, in words, and that weights of 4 bits are bytes in the graph.
#include "onnx_writer.h"

using namespace tuff;
using namespace onnx_test;

namespace {

Message bytes(std::string_view name, int32_t type, const std::vector<int64_t>& dims, size_t count) {
  return tensor<uint8_t>(name, type, dims, std::vector<uint8_t>(count, 0x21));
}

Model n_bits(const std::vector<Message>& attributes, const std::vector<std::string>& inputs = {"x", "w", "s"}) {
  Model model;
  model.input("x", {2, 32})
      .initializer(bytes("w", onnx::kUint8, {3, 2, 8}, 48))
      .initializer(floats("s", {6}, {1, 2, 3, 4, 5, 6}));
  model.input("order", {32}, onnx::kInt32);
  return model.node("MatMulNBits", inputs, {"y"}, attributes, "com.microsoft").output("y");
}

std::vector<Message> sizes(int64_t depth, int64_t columns, int64_t block, int64_t bits = 4) {
  return {attribute("K", depth), attribute("N", columns), attribute("block_size", block), attribute("bits", bits)};
}

Model quantize(const std::vector<Message>& attributes, const Message& zero_point = {}) {
  Model model(21);
  model.input("x", {2, 32}).initializer(floats("s", {}, {0.5f}));
  const bool given = !zero_point.bytes().empty();
  if (given) model.initializer(zero_point);
  return model.node("QuantizeLinear", {"x", "s", given ? "z" : ""}, {"y"}, attributes).output("y");
}

}  // namespace

TEST_CASE("products of weights in blocks say what they do not take") {
  CHECK(output_shape(loaded(n_bits(sizes(32, 3, 16)))) == "[2, 3]");
  check_fails(n_bits(sizes(32, 3, 16, 8)).load(), Code::kUnsupported, {"'y'", "weights of 8 bits"});
  check_fails(n_bits(sizes(32, 3, 8)).load(), Code::kUnsupported, {"blocks of 8 "});
  check_fails(n_bits(sizes(32, 3, 48)).load(), Code::kUnsupported, {"blocks of 48 "});
  check_fails(n_bits(sizes(16, 3, 16)).load(), Code::kInvalidArgument, {"[2, 32]", "K, 16"});
  check_fails(n_bits(sizes(32, 4, 16)).load(), Code::kInvalidArgument, {"'y'"});
  check_fails(n_bits(sizes(32, 0, 16)).load(), Code::kInvalidArgument, {"N must be from 1"});
  check_fails(n_bits(sizes(32, 3, 16), {"x", "w", "s", "", "order"}).load(), Code::kUnsupported, {"g_idx"});
}

TEST_CASE("quantising says what it does not make") {
  CHECK(loaded(quantize({})).value(loaded(quantize({})).outputs[0]).dtype == Dtype::kU8);
  check_fails(quantize({attribute("output_dtype", 17)}).load(), Code::kUnsupported, {"quantising to FLOAT8E4M3FN"});
  check_fails(quantize({attribute("output_dtype", 6)}).load(), Code::kUnsupported, {"quantising to i32"});
  check_fails(quantize({attribute("precision", 10)}).load(), Code::kUnsupported, {"dividing in FLOAT16"});
  check_fails(quantize({}, bytes("z", onnx::kInt4, {}, 1)).load(), Code::kUnsupported, {"4 bits"});
  check_fails(quantize({attribute("output_dtype", 2)}, bytes("z", onnx::kInt8, {}, 1)).load(), Code::kInvalidArgument,
              {"not of its output_dtype"});
  check_fails(quantize({attribute("block_size", -1)}).load(), Code::kInvalidArgument, {"block_size of -1"});
}

TEST_CASE("scales and zero points that do not fit are refused") {
  auto dequantize = [](const std::vector<Message>& attributes, int64_t scale_count) {
    Model model(21);
    model.input("x", {2, 32}, onnx::kInt8);
    model.initializer(floats("s", {scale_count}, std::vector<float>(static_cast<size_t>(scale_count), 1.0f)));
    return model.node("DequantizeLinear", {"x", "s"}, {"y"}, attributes).output("y").load();
  };
  CHECK(dequantize({}, 32).ok());
  CHECK(dequantize({attribute("axis", 0)}, 2).ok());
  check_fails(dequantize({attribute("axis", 0)}, 32), Code::kInvalidArgument, {"[32]", "the 2 along axis 0"});
  check_fails(dequantize({attribute("axis", 2)}, 32), Code::kInvalidArgument, {"axis 2"});
  check_fails(dequantize({attribute("block_size", 16)}, 4), Code::kInvalidArgument, {"each block of 16 along axis 1"});
}

TEST_CASE("whole blocks have an axis of their own, so that no scale is repeated in memory") {
  auto product_shape = [](int64_t block, int64_t count) {
    Model model(21);
    model.input("x", {2, 32}, onnx::kInt8);
    model.initializer(floats("s", {2, count}, std::vector<float>(static_cast<size_t>(2 * count), 1.0f)));
    model.node("DequantizeLinear", {"x", "s"}, {"y"}, {attribute("block_size", block)}).output("y");
    const Graph graph = loaded(model);
    for (const Node& node : graph.nodes)
      if (attrs_name(node.attrs) == "map.mul") return dims_text(graph.value(node.output).shape);
    return std::string();
  };
  CHECK(product_shape(16, 2) == "[2, 2, 16]");
  CHECK(product_shape(20, 2) == "[2, 32]");
}

TEST_CASE("weights of 4 bits are bytes in the graph, and nothing else reads them as such") {
  Model model(21);
  model.input("x", {2, 3}).initializer(bytes("w", onnx::kInt4, {3, 5}, 8)).initializer(floats("s", {}, {0.5f}));
  model.node("DequantizeLinear", {"w", "s"}, {"d"}).node("MatMul", {"x", "d"}, {"y"}).output("y");
  int64_t stored = 0;
  for (const Graph graph = loaded(model); const Node& node : graph.nodes)
    if (const auto* constant = std::get_if<ConstantAttrs>(&node.attrs); constant && constant->dtype == Dtype::kI8)
      stored += static_cast<int64_t>(constant->data.bytes.data.size());
  CHECK(stored == 8);
  Model filled(21);
  filled.input("shape", {2}, onnx::kInt64);
  filled.node("ConstantOfShape", {"shape"}, {"y"}, {attribute("value", bytes("v", onnx::kUint4, {1}, 1))}).output("y");
  check_fails(filled.load(), Code::kUnsupported, {"'y'"});
  Model input(21);
  check_fails(input.input("x", {2}, onnx::kInt4).node("Identity", {"x"}, {"y"}).output("y").load(), Code::kUnsupported,
              {"INT4"});
}
