// ONNX files for the tests, written field by field: protobuf's wire format is a tag, then a varint or a length and bytes.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/model.h"
#include "model/onnx/proto.h"

namespace onnx_test {

class Message {
 public:
  Message& varint(uint32_t field, uint64_t v) {
    raw_varint(uint64_t{field} << 3);
    raw_varint(v);
    return *this;
  }
  Message& integer(uint32_t field, int64_t v) { return varint(field, static_cast<uint64_t>(v)); }
  Message& real(uint32_t field, float v) {
    raw_varint((uint64_t{field} << 3) | 5);
    bytes_.append(reinterpret_cast<const char*>(&v), sizeof v);
    return *this;
  }
  Message& text(uint32_t field, std::string_view v) {
    raw_varint((uint64_t{field} << 3) | 2);
    raw_varint(v.size());
    bytes_.append(v);
    return *this;
  }
  Message& message(uint32_t field, const Message& m) { return text(field, m.bytes_); }
  Message& packed(uint32_t field, const std::vector<int64_t>& values) {
    Message list;
    for (int64_t v : values) list.raw_varint(static_cast<uint64_t>(v));
    return message(field, list);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  void raw_varint(uint64_t v) {
    for (; v >= 0x80; v >>= 7) bytes_ += static_cast<char>(v | 0x80);
    bytes_ += static_cast<char>(v);
  }
  std::string bytes_;
};

// Attributes.
inline Message attribute(std::string_view name, int64_t v) { return Message().text(1, name).integer(3, v).integer(20, 2); }
inline Message attribute(std::string_view name, int v) { return attribute(name, int64_t{v}); }
inline Message attribute(std::string_view name, float v) { return Message().text(1, name).real(2, v).integer(20, 1); }
inline Message attribute(std::string_view name, const char* v) { return Message().text(1, name).text(4, v).integer(20, 3); }
inline Message list(std::string_view name, std::vector<int64_t> v) {
  return Message().text(1, name).packed(8, v).integer(20, 7);
}
inline Message attribute(std::string_view name, const Message& tensor) {
  return Message().text(1, name).message(5, tensor).integer(20, 4);
}

// Tensors with raw data.
template <class T>
Message tensor(std::string_view name, int32_t type, const std::vector<int64_t>& dims, const std::vector<T>& elements) {
  std::string raw(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T));
  return Message().packed(1, dims).integer(2, type).text(8, name).text(9, raw);
}
inline Message floats(std::string_view name, const std::vector<int64_t>& dims, const std::vector<float>& v) {
  return tensor(name, tuff::onnx::kFloat, dims, v);
}
inline Message integers(std::string_view name, const std::vector<int64_t>& v) {
  return tensor(name, tuff::onnx::kInt64, {static_cast<int64_t>(v.size())}, v);
}
inline Message integer(std::string_view name, int64_t v) { return tensor<int64_t>(name, tuff::onnx::kInt64, {}, {v}); }

// A dimension: a number, a name, or "" for nothing said.
struct Size {
  Size(int v) : value(v) {}
  Size(int64_t v) : value(v) {}
  Size(const char* n) : name(n), named(true) {}
  int64_t value = 0;
  std::string name;
  bool named = false;
};

inline Message value_info(std::string_view name, const std::vector<Size>& sizes, int32_t type = tuff::onnx::kFloat) {
  Message shape;
  for (const Size& s : sizes) {
    Message d;
    if (!s.named)
      d.integer(1, s.value);
    else if (!s.name.empty())
      d.text(2, s.name);
    shape.message(1, d);
  }
  return Message().text(1, name).message(2, Message().message(1, Message().integer(1, type).message(2, shape)));
}

class Model {
 public:
  explicit Model(int64_t opset = 17) : opset_(opset) {}

  Model& input(std::string_view name, const std::vector<Size>& sizes, int32_t type = tuff::onnx::kFloat) {
    graph_.message(11, value_info(name, sizes, type));
    return *this;
  }
  Model& output(std::string_view name) {
    graph_.message(12, Message().text(1, name));
    return *this;
  }
  Model& initializer(const Message& tensor) {
    graph_.message(5, tensor);
    return *this;
  }
  // Named after its first output.
  Model& node(std::string_view op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
              const std::vector<Message>& attributes = {}, std::string_view domain = "") {
    return named_node(outputs.empty() ? "" : outputs.front(), op, inputs, outputs, attributes, domain);
  }
  Model& named_node(std::string_view name, std::string_view op, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs, const std::vector<Message>& attributes = {},
                    std::string_view domain = "") {
    Message n;
    for (const auto& s : inputs) n.text(1, s);
    for (const auto& s : outputs) n.text(2, s);
    if (!name.empty()) n.text(3, name);
    n.text(4, op);
    for (const auto& a : attributes) n.message(5, a);
    if (!domain.empty()) n.text(7, domain);
    graph_.message(1, n);
    return *this;
  }
  Message& graph() { return graph_; }

  std::string bytes() const {
    return Message().integer(1, 8).message(7, graph_).message(8, Message().text(1, "").integer(2, opset_)).bytes();
  }
  tuff::Result<tuff::Graph> load(const tuff::LoadOptions& options = {}) const {
    auto storage = std::make_shared<const std::string>(bytes());
    return tuff::load_model_bytes(tuff::bytes_from_string(storage), "test.onnx", options);
  }

 private:
  int64_t opset_;
  Message graph_;
};

// The graph of a model that must load and verify.
inline tuff::Graph loaded(const Model& model, const tuff::LoadOptions& options = {}) {
  auto graph = model.load(options);
  REQUIRE_MESSAGE(graph.ok(), graph.status().message());
  tuff::Status verified = tuff::verify(*graph);
  CHECK_MESSAGE(verified.ok(), verified.message());
  return *graph;
}

inline bool mentions(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// The model must fail with the code, and its message hold every part.
inline void check_fails(const tuff::Result<tuff::Graph>& graph, tuff::Code code,
                        std::initializer_list<std::string_view> parts) {
  CHECK_MESSAGE(graph.status().code() == code, tuff::code_name(graph.status().code()), ": ", graph.status().message());
  for (std::string_view part : parts) CHECK_MESSAGE(mentions(graph.status().message(), part), graph.status().message());
}

// The shape of an output, as text.
inline std::string output_shape(const tuff::Graph& graph, size_t i = 0) {
  return tuff::dims_text(graph.value(graph.outputs[i]).shape);
}

}  // namespace onnx_test
