// Damaged files: every one is CORRUPT with the place, none reads outside its bytes.
#include "onnx_writer.h"

#include <random>

using namespace tuff;
using namespace onnx_test;

namespace {

Result<Graph> load(std::string bytes) {
  return load_model_bytes(bytes_from_string(std::make_shared<const std::string>(std::move(bytes))), "test.onnx");
}

// One of each kind of message that the reader knows.
Model every_message() {
  Model model;
  model.input("x", {1, 2, "height", "width"}).output("y");
  model.initializer(floats("w", {2, 2, 1, 1}, {1, 2, 3, 4}));
  model.initializer(Message().packed(1, {2}).integer(2, onnx::kInt64).text(8, "axes").packed(7, {0, 1}));
  model.node("Conv", {"x", "w"}, {"c"}, {list("kernel_shape", {1, 1}), attribute("auto_pad", "VALID")});
  model.node("Constant", {}, {"k"}, {attribute("value", floats("", {1}, {0.5f}))});
  model.node("Mul", {"c", "k"}, {"m"});
  model.node("LeakyRelu", {"m"}, {"y"}, {attribute("alpha", 0.25f)});
  return model;
}

}  // namespace

TEST_CASE("a model cut off at any byte is CORRUPT") {
  const std::string whole = every_message().bytes();
  CHECK_MESSAGE(load(whole).ok(), load(whole).status().message());
  for (size_t size = 0; size < whole.size(); ++size) {
    auto graph = load(whole.substr(0, size));
    CAPTURE(size);
    REQUIRE(graph.status().code() == Code::kCorrupt);
    CHECK(mentions(graph.status().message(), "test.onnx"));
  }
  // The field that is cut begins at its tag.
  std::string header = Message().integer(1, 8).bytes();
  check_fails(load(header + "\x3a\x05"), Code::kCorrupt, {"at byte 2"});
}

TEST_CASE("a model with any byte changed loads or fails, and never crashes") {
  const std::string whole = every_message().bytes();
  std::mt19937 random(7);
  int failed = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int i = 0; i < 8; ++i) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(random());
      auto graph = load(damaged);
      if (!graph.ok())
        ++failed;
      else
        CHECK(verify(*graph).ok());
    }
  }
  CHECK(failed > 0);
}

TEST_CASE("what is no ONNX file is refused with a sentence") {
  check_fails(load(""), Code::kCorrupt, {"empty"});
  check_fails(load("\x89PNG\r\n\x1a\n and so on"), Code::kCorrupt, {"not an ONNX model"});
  check_fails(load(Message().integer(1, 8).bytes()), Code::kCorrupt, {"no graph"});
  check_fails(load(Message().message(7, Message()).bytes()), Code::kCorrupt, {"operator sets"});
  check_fails(load_model_file("/nowhere/model.onnx"), Code::kIo, {"/nowhere/model.onnx"});
}

TEST_CASE("fields of another wire type and unknown fields are passed over") {
  Model model;
  model.input("x", {2}).output("y").node("Relu", {"x"}, {"y"});
  model.graph().varint(1, 3).text(99, "new").real(98, 1);
  CHECK(load(model.bytes()).ok());
}

TEST_CASE("elements are read from typed fields, packed or not") {
  auto constant_text = [](const Message& tensor) {
    Model model;
    model.initializer(tensor).output("t");
    return print(loaded(model), {true});
  };
  std::string packed_floats;
  for (float v : {1.5f, -2.0f}) packed_floats.append(reinterpret_cast<const char*>(&v), 4);
  Message f = Message().packed(1, {2}).integer(2, onnx::kFloat).text(8, "t");
  CHECK(mentions(constant_text(Message(f).text(4, packed_floats)), "f32[2] = constant list(1.5, -2)"));
  CHECK(mentions(constant_text(Message(f).real(4, 1.5f).real(4, -2)), "f32[2] = constant list(1.5, -2)"));
  Message i = Message().packed(1, {3}).text(8, "t");
  CHECK(mentions(constant_text(Message(i).integer(2, onnx::kInt64).packed(7, {-1, 0, 5})), "i64[3] = constant list(-1, 0, 5)"));
  CHECK(mentions(constant_text(Message(i).integer(2, onnx::kInt8).packed(5, {-1, 0, 5})), "i8[3] = constant list(-1, 0, 5)"));
  CHECK(mentions(constant_text(Message(i).integer(2, onnx::kInt32).integer(5, -1).integer(5, 0).integer(5, 5)),
                 "i32[3] = constant list(-1, 0, 5)"));
  // f16 as bit patterns, bools other than 0 and 1 as 1.
  CHECK(mentions(constant_text(Message(i).integer(2, onnx::kFloat16).packed(5, {0x3c00, 0, 0xc000})),
                 "f16[3] = constant list(1, 0, -2)"));
  CHECK(
      mentions(constant_text(tensor<uint8_t>("t", onnx::kBool, {3}, {0, 1, 7})), "bool[3] = constant list(false, true, true)"));
}

TEST_CASE("a tensor's data must be as long as its shape says") {
  auto load_tensor = [](const Message& t) { return Model().initializer(t).output("t").load(); };
  check_fails(load_tensor(floats("t", {3}, {1, 2})), Code::kCorrupt, {"'t'", "12 bytes", "8"});
  Message i = Message().packed(1, {3}).integer(2, onnx::kInt64).text(8, "t");
  check_fails(load_tensor(Message(i).packed(7, {1, 2})), Code::kCorrupt, {"3 elements", "has 2"});
  check_fails(load_tensor(Message(i).packed(7, {1, 2, 3, 4})), Code::kCorrupt, {"more elements"});
  check_fails(load_tensor(Message(i)), Code::kCorrupt, {"has 0"});
}
