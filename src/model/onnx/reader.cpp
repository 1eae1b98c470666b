// Protobuf, field by field. A field with another wire type than the schema's is skipped as an unknown one, as protobuf
// does. Nothing here recurses on the file's depth: subgraphs are not read.
#include "model/onnx/reader.h"

#include <bit>

#include <protozero/pbf_reader.hpp>

namespace tuff::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are used as they lie in the file");

using protozero::pbf_reader;
using protozero::pbf_wire_type;

constexpr uint32_t varint(uint32_t number) { return protozero::tag_and_type(number, pbf_wire_type::varint); }
constexpr uint32_t fixed32(uint32_t number) { return protozero::tag_and_type(number, pbf_wire_type::fixed32); }
constexpr uint32_t fixed64(uint32_t number) { return protozero::tag_and_type(number, pbf_wire_type::fixed64); }
// A string, bytes, a message or a packed list.
constexpr uint32_t block(uint32_t number) { return protozero::tag_and_type(number, pbf_wire_type::length_delimited); }

// Messages and strings that one model may hold: a few bytes in the file become a hundred in memory.
constexpr int64_t kRecordLimit = 2'000'000;

class Parser {
 public:
  Parser(const char* base, std::string source) : base_(base), at_(base), source_(std::move(source)) {}

  // Runs `parse`; what protozero throws becomes CORRUPT.
  template <class Parse>
  Status run(Parse parse) {
    try {
      parse();
    } catch (const protozero::exception& e) {
      return corrupt(source_ + " is damaged or not an ONNX model: at byte " + std::to_string(at_ - base_) +
                     " there should be a protobuf field (" + e.what() + ").");
    }
    return failure_;
  }

  void model(pbf_reader m, ModelProto& out) {
    while (next(m)) {
      switch (m.tag_and_type()) {
        case varint(1): out.ir_version = m.get_int64(); break;
        case block(2): out.producer_name = text(m); break;
        case block(7):
          out.has_graph = true;
          graph(m.get_message(), out.graph);
          break;
        case block(8): operator_set(m.get_message(), added(out.opset_imports)); break;
        case block(25): function(m.get_message(), added(out.functions)); break;
        default: m.skip();
      }
    }
  }

  void typed_data(pbf_reader m, TypedData& out, uint64_t element_limit) {
    uint64_t count = 0;
    auto fits = [&](uint64_t more) {
      count += more;
      if (count > element_limit) failure_ = corrupt(source_ + " has more elements than its shape says.");
      return failure_.ok();
    };
    auto unpacked = [&](pbf_reader& r, size_t width, std::vector<std::string_view>& chunks) {
      const char* bytes = r.data().data();
      r.skip();
      if (fits(1)) chunks.emplace_back(bytes, width);
    };
    auto packed = [&](pbf_reader& r, size_t width, std::vector<std::string_view>& chunks) {
      std::string_view bytes = view(r);
      if (bytes.size() % width != 0) throw protozero::invalid_length_exception();
      if (fits(bytes.size() / width)) chunks.push_back(bytes);
    };
    auto varints = [&](auto range) {
      for (auto v : range) {
        if (!fits(1)) return;
        out.integers.push_back(static_cast<uint64_t>(static_cast<int64_t>(v)));
      }
    };
    while (next(m)) {
      switch (m.tag_and_type()) {
        case block(4): packed(m, 4, out.floats); break;
        case fixed32(4): unpacked(m, 4, out.floats); break;
        case block(10): packed(m, 8, out.doubles); break;
        case fixed64(10): unpacked(m, 8, out.doubles); break;
        case block(5): varints(m.get_packed_int32()); break;
        case varint(5):
          if (fits(1)) out.integers.push_back(static_cast<uint64_t>(int64_t{m.get_int32()}));
          break;
        case block(7): varints(m.get_packed_int64()); break;
        case varint(7):
          if (fits(1)) out.integers.push_back(static_cast<uint64_t>(m.get_int64()));
          break;
        case block(11): varints(m.get_packed_uint64()); break;
        case varint(11):
          if (fits(1)) out.integers.push_back(m.get_uint64());
          break;
        default: m.skip();
      }
    }
  }

 private:
  // Every read of a field goes through here, so that at_ is where a damaged one begins.
  bool next(pbf_reader& m) {
    if (!failure_.ok()) return false;
    at_ = m.data().data();
    return m.next();
  }

  std::string_view view(pbf_reader& m) {
    auto v = m.get_view();
    return {v.data(), v.size()};
  }

  void count_record() {
    if (++record_count_ > kRecordLimit)
      failure_ = limit_exceeded(source_ + " has more than " + std::to_string(kRecordLimit) + " nodes, tensors and names.");
  }

  std::string_view text(pbf_reader& m) {
    count_record();
    return view(m);
  }

  template <class T>
  T& added(std::vector<T>& list) {
    count_record();
    return list.emplace_back();
  }

  void operator_set(pbf_reader m, OperatorSet& out) {
    while (next(m)) {
      switch (m.tag_and_type()) {
        case block(1): out.domain = text(m); break;
        case varint(2): out.version = m.get_int64(); break;
        default: m.skip();
      }
    }
  }

  void function(pbf_reader m, FunctionProto& out) {
    while (next(m)) {
      switch (m.tag_and_type()) {
        case block(1): out.name = text(m); break;
        case block(10): out.domain = text(m); break;
        default: m.skip();
      }
    }
  }

  void graph(pbf_reader m, GraphProto& out) {
    while (next(m)) {
      switch (m.tag_and_type()) {
        case block(1): node(m.get_message(), added(out.nodes)); break;
        case block(2): out.name = text(m); break;
        case block(5): tensor(m.get_message(), added(out.initializers)); break;
        case block(11): value_info(m.get_message(), added(out.inputs)); break;
        case block(12): value_info(m.get_message(), added(out.outputs)); break;
        case block(15): out.sparse_initializers.push_back(sparse_name(m.get_message())); break;
        default: m.skip();
      }
    }
  }

  void node(pbf_reader m, NodeProto& out) {
    while (next(m)) {
      switch (m.tag_and_type()) {
        case block(1): out.inputs.push_back(text(m)); break;
        case block(2): out.outputs.push_back(text(m)); break;
        case block(3): out.name = text(m); break;
        case block(4): out.op_type = text(m); break;
        case block(5): attribute(m.get_message(), added(out.attributes)); break;
        case block(7): out.domain = text(m); break;
        default: m.skip();
      }
    }
  }

  void attribute(pbf_reader m, AttributeProto& out) {
    while (next(m)) {
      switch (m.tag_and_type()) {
        case block(1): out.name = text(m); break;
        case fixed32(2): out.f = m.get_float(); break;
        case varint(3): out.i = m.get_int64(); break;
        case block(4): out.s = text(m); break;
        case block(5):
          if (out.t.empty()) out.t.emplace_back();
          tensor(m.get_message(), out.t.front());
          break;
        case block(7):
          for (float v : m.get_packed_float()) out.floats.push_back(v);
          break;
        case fixed32(7): out.floats.push_back(m.get_float()); break;
        case block(8):
          for (int64_t v : m.get_packed_int64()) out.ints.push_back(v);
          break;
        case varint(8): out.ints.push_back(m.get_int64()); break;
        case block(9): out.strings.push_back(text(m)); break;
        case varint(20): out.type = m.get_int32(); break;
        default: m.skip();
      }
    }
  }

  void tensor(pbf_reader m, TensorProto& out) {
    out.message = {m.data().data(), m.data().size()};
    while (next(m)) {
      switch (m.tag_and_type()) {
        case block(1):
          for (int64_t v : m.get_packed_int64()) out.dims.push_back(v);
          break;
        case varint(1): out.dims.push_back(m.get_int64()); break;
        case varint(2): out.data_type = m.get_int32(); break;
        case block(8): out.name = text(m); break;
        case block(9):
          out.raw_data = view(m);
          out.has_raw_data = true;
          break;
        case block(13): string_entry(m.get_message(), added(out.external_data)); break;
        case varint(14): out.is_external = m.get_int32() == 1; break;
        default: m.skip();
      }
    }
  }

  void string_entry(pbf_reader m, StringEntry& out) {
    while (next(m)) {
      switch (m.tag_and_type()) {
        case block(1): out.key = text(m); break;
        case block(2): out.value = text(m); break;
        default: m.skip();
      }
    }
  }

  // SparseTensorProto: its values tensor holds the name.
  std::string_view sparse_name(pbf_reader m) {
    TensorProto values;
    while (next(m)) {
      if (m.tag_and_type() == block(1))
        tensor(m.get_message(), values);
      else
        m.skip();
    }
    count_record();
    return values.name;
  }

  void value_info(pbf_reader m, ValueInfoProto& out) {
    while (next(m)) {
      switch (m.tag_and_type()) {
        case block(1): out.name = text(m); break;
        case block(2): type(m.get_message(), out); break;
        default: m.skip();
      }
    }
  }

  void type(pbf_reader m, ValueInfoProto& out) {
    while (next(m)) {
      if (m.tag_and_type() == block(1)) {
        out.is_tensor = true;
        tensor_type(m.get_message(), out);
      } else {
        m.skip();
      }
    }
  }

  void tensor_type(pbf_reader m, ValueInfoProto& out) {
    while (next(m)) {
      switch (m.tag_and_type()) {
        case varint(1): out.elem_type = m.get_int32(); break;
        case block(2):
          out.has_shape = true;
          shape(m.get_message(), out);
          break;
        default: m.skip();
      }
    }
  }

  void shape(pbf_reader m, ValueInfoProto& out) {
    while (next(m)) {
      if (m.tag_and_type() == block(1))
        dimension(m.get_message(), added(out.dims));
      else
        m.skip();
    }
  }

  void dimension(pbf_reader m, Dimension& out) {
    while (next(m)) {
      switch (m.tag_and_type()) {
        case varint(1):
          out.kind = Dimension::Kind::kValue;
          out.value = m.get_int64();
          break;
        case block(2):
          out.param = text(m);
          out.kind = out.param.empty() ? Dimension::Kind::kUnknown : Dimension::Kind::kParam;
          break;
        default: m.skip();
      }
    }
  }

  const char* base_;
  const char* at_;
  std::string source_;
  int64_t record_count_ = 0;
  Status failure_;
};

}  // namespace

Result<ModelProto> read_model(const Bytes& bytes, const std::string& source) {
  const char* data = reinterpret_cast<const char*>(bytes.data.data());
  if (bytes.data.empty()) return corrupt(source + " is empty, not an ONNX model.");
  ModelProto model;
  Parser parser(data, source);
  TUFF_TRY(parser.run([&] { parser.model(pbf_reader(data, bytes.data.size()), model); }));
  if (!model.has_graph)
    return corrupt(source + " has no graph in its " + std::to_string(bytes.data.size()) +
                   " bytes: it is cut off or not an ONNX model.");
  if (model.opset_imports.empty())
    return corrupt(source + " does not say which operator sets it uses in its " + std::to_string(bytes.data.size()) +
                   " bytes: it is cut off or not an ONNX model.");
  return model;
}

Result<TypedData> read_typed_data(const TensorProto& tensor, uint64_t element_limit) {
  TypedData data;
  std::string source = "The tensor '" + std::string(tensor.name) + "'";
  Parser parser(tensor.message.data(), source);
  Status status =
      parser.run([&] { parser.typed_data(pbf_reader(tensor.message.data(), tensor.message.size()), data, element_limit); });
  if (!status.ok()) return status;
  return data;
}

}  // namespace tuff::onnx
