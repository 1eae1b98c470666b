// In: a Graph, even one that verify() refuses. Out: its text, one node a line, which parse_graph() reads back.
//
// What the value's type already says (the shape of a reshape, the dtype of a cast) is not written twice.
#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "base/lexer.h"
#include "graph/element_text.h"
#include "graph/graph.h"

namespace tuff {
namespace {

constexpr size_t kListedElements = 16;

template <class T>
std::string list_text(const std::vector<T>& items) {
  std::string out = "[";
  for (size_t i = 0; i < items.size(); ++i) out += (i ? ", " : "") + std::to_string(items[i]);
  return out + "]";
}

std::string value_text(ValueId id) { return "%" + std::to_string(id.value); }

std::string order_text(const SumOrder& order) {
  switch (order.kind) {
    case SumOrder::Kind::kUnset: return "";
    case SumOrder::Kind::kSerial: return " order=serial";
    case SumOrder::Kind::kChunked: return " order=chunked(" + std::to_string(order.chunk_length) + ")";
    case SumOrder::Kind::kTree: return " order=tree";
  }
  return "";
}

std::string_view pad_mode_name(PadMode mode) {
  constexpr std::string_view kNames[] = {"constant", "edge", "reflect", "wrap"};
  return kNames[static_cast<int>(mode)];
}

std::string bytes_text(Dtype dtype, const Bytes& bytes, const GraphPrintOptions& options) {
  std::span<const std::byte> data = bytes.data;
  size_t width = static_cast<size_t>(dtype_size_bytes(dtype));
  if (data.size() % width == 0 && data.size() / width <= kListedElements) {
    std::string out = "list(";
    for (size_t i = 0; i < data.size(); i += width) {
      uint64_t bits = 0;
      std::memcpy(&bits, data.data() + i, width);
      out += (i ? ", " : "") + element_text(dtype, bits);
    }
    return out + ")";
  }
  if (!options.full_constants)
    return "bytes(hash=\"" + hash_bytes(data.data(), data.size()).hex() + "\", size_bytes=" + std::to_string(data.size()) + ")";
  static const char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * data.size());
  for (std::byte b : data) {
    hex += kDigits[std::to_integer<int>(b) >> 4];
    hex += kDigits[std::to_integer<int>(b) & 15];
  }
  return "bytes(\"" + hex + "\")";
}

std::string seed_text(uint64_t seed) {
  std::string element = element_text(Dtype::kU64, seed);
  return element.starts_with("bits(") ? element.substr(5, element.size() - 6) : element;
}

// What follows the operands: " {...}" or nothing; for a constant its data.
struct AttrsText {
  Dtype dtype;  // of the output
  const GraphPrintOptions& options;

  std::string operator()(const MapAttrs&) const { return ""; }
  std::string operator()(const ReduceAttrs& a) const {
    return " {axes=" + list_text(a.axes) + (a.select_last ? " select_last" : "") + order_text(a.order) + "}";
  }
  std::string operator()(const ContractAttrs& a) const {
    return " {a=" + list_text(a.a) + " b=" + list_text(a.b) + " out=" + list_text(a.out) + order_text(a.order) + "}";
  }
  std::string operator()(const WindowAttrs& a) const {
    return " {kernel=" + list_text(a.kernel) + " strides=" + list_text(a.strides) + " dilations=" + list_text(a.dilations) +
           " groups=" + std::to_string(a.groups) + order_text(a.order) + "}";
  }
  std::string operator()(const ReshapeAttrs&) const { return ""; }
  std::string operator()(const TransposeAttrs& a) const { return " {perm=" + list_text(a.perm) + "}"; }
  std::string operator()(const SliceAttrs& a) const {
    return " {starts=" + dims_text(a.starts) + " steps=" + list_text(a.steps) + "}";
  }
  std::string operator()(const PadAttrs& a) const {
    std::string out = " {mode=" + std::string(pad_mode_name(a.mode)) + " low=" + dims_text(a.low) +
                      " high=" + dims_text(a.high) + " interior=" + list_text(a.interior);
    if (a.mode == PadMode::kConstant) out += " fill=" + element_text(dtype, a.fill_bits);
    return out + "}";
  }
  std::string operator()(const BroadcastAttrs&) const { return ""; }
  std::string operator()(const ConcatAttrs& a) const { return " {axis=" + std::to_string(a.axis) + "}"; }
  std::string operator()(const GatherAttrs& a) const { return " {axis=" + std::to_string(a.axis) + "}"; }
  std::string operator()(const IotaAttrs& a) const { return " {axis=" + std::to_string(a.axis) + "}"; }
  std::string operator()(const DimensionAttrs& a) const { return " {value=" + a.value.text() + "}"; }
  std::string operator()(const ConstantAttrs& a) const {
    switch (a.data.kind) {
      case ConstantData::Kind::kBytes: return " " + bytes_text(a.dtype, a.data.bytes, options);
      case ConstantData::Kind::kSplat: return " splat(" + element_text(a.dtype, a.data.bits) + ")";
      case ConstantData::Kind::kRandom:
        return " random(seed=" + seed_text(a.data.bits) + ", scale=" + real_text(a.data.scale) + ")";
    }
    return "";
  }
};

}  // namespace

std::string print(const Graph& graph, const GraphPrintOptions& options) {
  std::string out = "graph " + quote(graph.name) + " {\n";
  for (const Symbol& s : graph.symbols)
    out += "  symbol " + s.name + " in " + std::to_string(s.min) + ".." + std::to_string(s.max) + " step " +
           std::to_string(s.divisor) + "\n";

  auto typed_value = [&](ValueId id) {
    if (id.value >= graph.values.size()) return value_text(id);
    const Value& v = graph.value(id);
    return value_text(id) + (v.name.empty() ? "" : " " + quote(v.name)) + ": " + std::string(dtype_name(v.dtype)) +
           dims_text(v.shape);
  };
  for (ValueId id : graph.inputs) out += "  input " + typed_value(id) + "\n";
  for (const Node& node : graph.nodes) {
    out += "  " + typed_value(node.output) + " = " + std::string(attrs_name(node.attrs));
    for (size_t i = 0; i < node.inputs.size(); ++i) out += (i ? ", " : " ") + value_text(node.inputs[i]);
    Dtype dtype = node.output.value < graph.values.size() ? graph.value(node.output).dtype : Dtype::kF32;
    out += std::visit(AttrsText{dtype, options}, node.attrs);
    for (size_t i = 0; i < node.origins.size(); ++i) out += (i ? ", " : " from ") + quote(node.origins[i]);
    out += "\n";
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    out += "  output " + value_text(graph.outputs[i]);
    if (i < graph.output_names.size()) out += " " + quote(graph.output_names[i]);
    for (const DataSize& size : graph.data_sizes)
      if (size.output == i && size.count < graph.output_names.size())
        out += " axis " + std::to_string(size.axis) + " sized by " + quote(graph.output_names[size.count]);
    out += "\n";
  }
  return out + "}\n";
}

}  // namespace tuff
