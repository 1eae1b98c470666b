// In: the text that print() writes. Out: the same Graph, verified; or the line and what is wrong with it.
//
// Types are inferred again and compared with those written, so a text cannot say what the graph does not.
#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "base/lexer.h"
#include "graph/element_text.h"
#include "graph/graph.h"

namespace tuff {
namespace {

class GraphParser {
 public:
  GraphParser(std::string_view text, const std::string& source_name) : lexer_(text, source_name) {}

  Result<Graph> parse() {
    TUFF_TRY(lexer_.expect("graph"));
    TUFF_ASSIGN(graph_.name, lexer_.expect_string());
    TUFF_TRY(lexer_.expect("{"));
    while (!lexer_.accept("}")) TUFF_TRY(statement());
    if (!lexer_.at_end()) return lexer_.error("the graph ended and the text should too");
    TUFF_TRY(place_values());
    place_data_sizes();
    TUFF_TRY(verify(graph_));
    return std::move(graph_);
  }

 private:
  Status statement() {
    if (lexer_.accept("symbol")) return symbol();
    if (lexer_.accept("input")) {
      TUFF_ASSIGN(ValueId id, new_value({}));
      graph_.inputs.push_back(id);
      return ok_status();
    }
    if (lexer_.accept("output")) {
      TUFF_ASSIGN(ValueId id, known_value());
      TUFF_ASSIGN(std::string name, lexer_.expect_string());
      graph_.outputs.push_back(id);
      graph_.output_names.push_back(std::move(name));
      return lexer_.accept("axis") ? data_size() : ok_status();
    }
    return node();
  }

  Status data_size() {
    TUFF_ASSIGN(int64_t axis, lexer_.expect_integer());
    TUFF_TRY(lexer_.expect("sized"));
    TUFF_TRY(lexer_.expect("by"));
    TUFF_ASSIGN(std::string count, lexer_.expect_string());
    // The verifier looks at the numbers; 32 axes are more than any value has.
    graph_.data_sizes.push_back({graph_.outputs.size() - 1, static_cast<int>(std::clamp<int64_t>(axis, -1, 32)), 0});
    counts_.push_back(std::move(count));
    return ok_status();
  }
  // The output that says a size may come after the one that has it.
  void place_data_sizes() {
    for (size_t i = 0; i < counts_.size(); ++i) {
      const auto& names = graph_.output_names;
      graph_.data_sizes[i].count = static_cast<size_t>(std::find(names.begin(), names.end(), counts_[i]) - names.begin());
    }
  }

  Status symbol() {
    Symbol s;
    TUFF_ASSIGN(s.name, lexer_.expect_name());
    TUFF_TRY(lexer_.expect("in"));
    TUFF_ASSIGN(s.min, lexer_.expect_integer());
    TUFF_TRY(lexer_.expect("."));
    TUFF_TRY(lexer_.expect("."));
    TUFF_ASSIGN(s.max, lexer_.expect_integer());
    TUFF_TRY(lexer_.expect("step"));
    TUFF_ASSIGN(s.divisor, lexer_.expect_integer());
    symbols_.emplace(s.name, IntExpr::symbol(s));
    graph_.symbols.push_back(std::move(s));
    return ok_status();
  }

  Status node() {
    int line = lexer_.peek().line;
    NodeId node_id(graph_.nodes.size());
    Node node;
    TUFF_ASSIGN(node.output, new_value(node_id));
    const Value& written = values_[node.output];
    TUFF_TRY(lexer_.expect("="));
    TUFF_ASSIGN(std::string name, lexer_.expect_name());
    std::vector<ValueType> types;
    while (lexer_.peek().text == "%" && lexer_.peek().kind == TokenKind::kPunctuation) {
      TUFF_ASSIGN(ValueId id, known_value());
      if (id == node.output) return lexer_.error("a node cannot read its own output");
      types.push_back({values_[id].dtype, values_[id].shape});
      node.inputs.push_back(id);
      if (!lexer_.accept(",")) break;
    }
    TUFF_ASSIGN(node.attrs, attrs(name, written));
    TUFF_TRY(lexer_.expect("from"));
    do {
      TUFF_ASSIGN(std::string origin, lexer_.expect_string());
      node.origins.push_back(std::move(origin));
    } while (lexer_.accept(","));
    auto type = infer(node.attrs, types);
    if (!type.ok()) return type.status().with_context(lexer_.source_name() + ", line " + std::to_string(line));
    if (type->dtype != written.dtype || type->shape != written.shape)
      return invalid_argument(lexer_.source_name() + ", line " + std::to_string(line) + ": " + name + " gives " +
                              std::string(dtype_name(type->dtype)) + dims_text(type->shape) + ", not " +
                              std::string(dtype_name(written.dtype)) + dims_text(written.shape) + ".");
    graph_.nodes.push_back(std::move(node));
    return ok_status();
  }

  // "%3 "name": f32[...]".
  Result<ValueId> new_value(NodeId producer) {
    TUFF_ASSIGN(ValueId id, value_id());
    if (values_.contains(id)) return lexer_.error("%" + std::to_string(id.value) + " is defined twice");
    Value v;
    v.producer = producer;
    if (lexer_.peek().kind == TokenKind::kString) v.name = lexer_.take().text;
    TUFF_TRY(lexer_.expect(":"));
    TUFF_ASSIGN(std::string type, lexer_.expect_name());
    auto dtype = dtype_from_name(type);
    if (!dtype) return lexer_.error("'" + type + "' is no element type");
    v.dtype = *dtype;
    TUFF_ASSIGN(v.shape, dims());
    values_.emplace(id, std::move(v));
    return id;
  }

  Result<ValueId> known_value() {
    TUFF_ASSIGN(ValueId id, value_id());
    if (!values_.contains(id)) return lexer_.error("%" + std::to_string(id.value) + " is not defined above");
    return id;
  }

  Result<ValueId> value_id() {
    TUFF_TRY(lexer_.expect("%"));
    TUFF_ASSIGN(int64_t id, lexer_.expect_integer());
    if (id < 0 || id >= int64_t{UINT32_MAX}) return lexer_.error(std::to_string(id) + " is no value number");
    return ValueId(static_cast<size_t>(id));
  }

  // Numbers need not be in order, but each below the count must be used.
  Status place_values() {
    graph_.values.resize(values_.size());
    for (auto& [id, value] : values_) {
      if (id.value >= graph_.values.size())
        return lexer_.error("%" + std::to_string(id.value) + " is numbered above the " + std::to_string(graph_.values.size()) +
                            " values of the graph");
      graph_.value(id) = std::move(value);
    }
    return ok_status();
  }

  Result<IntExpr> expression() {
    return parse_int_expr(lexer_, [&](const std::string& name) -> Result<IntExpr> {
      auto found = symbols_.find(name);
      if (found == symbols_.end()) return lexer_.error("the symbol '" + name + "' is not declared");
      return found->second;
    });
  }

  template <class Item>
  Status list(Item item) {
    TUFF_TRY(lexer_.expect("["));
    if (lexer_.accept("]")) return ok_status();
    do TUFF_TRY(item());
    while (lexer_.accept(","));
    return lexer_.expect("]");
  }

  Result<Dims> dims() {
    Dims out;
    TUFF_TRY(list([&]() -> Status {
      TUFF_ASSIGN(IntExpr e, expression());
      out.push_back(std::move(e));
      return ok_status();
    }));
    return out;
  }

  template <class Int>
  Result<std::vector<Int>> integers() {
    std::vector<Int> out;
    TUFF_TRY(list([&]() -> Status {
      TUFF_ASSIGN(Int v, integer<Int>());
      out.push_back(v);
      return ok_status();
    }));
    return out;
  }

  template <class Int>
  Result<Int> integer() {
    TUFF_ASSIGN(int64_t v, lexer_.expect_integer());
    if (v != static_cast<Int>(v)) return lexer_.error(std::to_string(v) + " is out of range");
    return static_cast<Int>(v);
  }

  Status key(std::string_view name) {
    TUFF_TRY(lexer_.expect(name));
    return lexer_.expect("=");
  }

  Result<SumOrder> order() {
    SumOrder out;
    if (!lexer_.accept("order")) return out;
    TUFF_TRY(lexer_.expect("="));
    if (lexer_.accept("serial")) {
      out.kind = SumOrder::Kind::kSerial;
    } else if (lexer_.accept("tree")) {
      out.kind = SumOrder::Kind::kTree;
    } else {
      TUFF_TRY(lexer_.expect("chunked"));
      out.kind = SumOrder::Kind::kChunked;
      TUFF_TRY(lexer_.expect("("));
      TUFF_ASSIGN(out.chunk_length, lexer_.expect_integer());
      TUFF_TRY(lexer_.expect(")"));
    }
    return out;
  }

  // The written type fills what print() leaves to it.
  Result<Attrs> attrs(const std::string& name, const Value& written) {
    if (name.starts_with("map.")) {
      auto op = map_op_from_name(std::string_view(name).substr(4));
      if (!op) return lexer_.error("'" + name + "' is no op");
      return Attrs(MapAttrs{*op, *op == MapOp::cast ? written.dtype : Dtype::kF32});
    }
    if (name == "reshape") return Attrs(ReshapeAttrs{written.shape});
    if (name == "broadcast") return Attrs(BroadcastAttrs{written.shape});
    if (name == "constant") return constant(written);
    TUFF_TRY(lexer_.expect("{"));
    TUFF_ASSIGN(Attrs out, braced_attrs(name, written));
    TUFF_TRY(lexer_.expect("}"));
    return out;
  }

  Result<Attrs> braced_attrs(const std::string& name, const Value& written) {
    for (int i = 0; i <= static_cast<int>(ReduceOp::kAll); ++i) {
      ReduceAttrs a;
      a.op = static_cast<ReduceOp>(i);
      if (name != attrs_name(a)) continue;
      TUFF_TRY(key("axes"));
      TUFF_ASSIGN(a.axes, integers<int>());
      a.select_last = lexer_.accept("select_last");
      TUFF_ASSIGN(a.order, order());
      return Attrs(std::move(a));
    }
    for (int i = 0; i <= static_cast<int>(WindowOp::kMax); ++i) {
      WindowAttrs a;
      a.op = static_cast<WindowOp>(i);
      if (name != attrs_name(a)) continue;
      TUFF_TRY(key("kernel"));
      TUFF_ASSIGN(a.kernel, integers<int64_t>());
      TUFF_TRY(key("strides"));
      TUFF_ASSIGN(a.strides, integers<int64_t>());
      TUFF_TRY(key("dilations"));
      TUFF_ASSIGN(a.dilations, integers<int64_t>());
      TUFF_TRY(key("groups"));
      TUFF_ASSIGN(a.groups, lexer_.expect_integer());
      TUFF_ASSIGN(a.order, order());
      return Attrs(std::move(a));
    }
    if (name == "contract") {
      ContractAttrs a;
      TUFF_TRY(key("a"));
      TUFF_ASSIGN(a.a, integers<int>());
      TUFF_TRY(key("b"));
      TUFF_ASSIGN(a.b, integers<int>());
      TUFF_TRY(key("out"));
      TUFF_ASSIGN(a.out, integers<int>());
      TUFF_ASSIGN(a.order, order());
      return Attrs(std::move(a));
    }
    if (name == "transpose") {
      TUFF_TRY(key("perm"));
      TUFF_ASSIGN(std::vector<int> perm, integers<int>());
      return Attrs(TransposeAttrs{std::move(perm)});
    }
    if (name == "slice") {
      SliceAttrs a;
      TUFF_TRY(key("starts"));
      TUFF_ASSIGN(a.starts, dims());
      TUFF_TRY(key("steps"));
      TUFF_ASSIGN(a.steps, integers<int64_t>());
      a.shape = written.shape;
      return Attrs(std::move(a));
    }
    if (name == "pad") return pad(written.dtype);
    if (name == "dimension") {
      TUFF_TRY(key("value"));
      TUFF_ASSIGN(IntExpr value, expression());
      return Attrs(DimensionAttrs{written.dtype, std::move(value)});
    }
    if (name == "concat" || name == "gather" || name == "iota") {
      TUFF_TRY(key("axis"));
      TUFF_ASSIGN(int axis, integer<int>());
      if (name == "concat") return Attrs(ConcatAttrs{axis});
      if (name == "gather") return Attrs(GatherAttrs{axis});
      return Attrs(IotaAttrs{written.dtype, written.shape, axis});
    }
    return lexer_.error("'" + name + "' is no op");
  }

  Result<Attrs> pad(Dtype dtype) {
    PadAttrs a;
    TUFF_TRY(key("mode"));
    if (lexer_.accept("edge")) {
      a.mode = PadMode::kEdge;
    } else if (lexer_.accept("reflect")) {
      a.mode = PadMode::kReflect;
    } else if (lexer_.accept("wrap")) {
      a.mode = PadMode::kWrap;
    } else {
      TUFF_TRY(lexer_.expect("constant"));
    }
    TUFF_TRY(key("low"));
    TUFF_ASSIGN(a.low, dims());
    TUFF_TRY(key("high"));
    TUFF_ASSIGN(a.high, dims());
    TUFF_TRY(key("interior"));
    TUFF_ASSIGN(a.interior, integers<int64_t>());
    if (a.mode == PadMode::kConstant) {
      TUFF_TRY(key("fill"));
      TUFF_ASSIGN(a.fill_bits, parse_element(lexer_, dtype));
    }
    return Attrs(std::move(a));
  }

  Result<Attrs> constant(const Value& written) {
    ConstantAttrs a{written.dtype, written.shape, {}};
    if (lexer_.accept("splat")) {
      a.data.kind = ConstantData::Kind::kSplat;
      TUFF_TRY(lexer_.expect("("));
      TUFF_ASSIGN(a.data.bits, parse_element(lexer_, a.dtype));
    } else if (lexer_.accept("random")) {
      a.data.kind = ConstantData::Kind::kRandom;
      TUFF_TRY(lexer_.expect("("));
      TUFF_TRY(key("seed"));
      TUFF_ASSIGN(int64_t seed, lexer_.expect_integer());
      a.data.bits = static_cast<uint64_t>(seed);
      TUFF_TRY(lexer_.expect(","));
      TUFF_TRY(key("scale"));
      TUFF_ASSIGN(a.data.scale, lexer_.expect_real());
    } else if (lexer_.accept("list")) {
      TUFF_TRY(lexer_.expect("("));
      TUFF_ASSIGN(a.data.bytes, listed_elements(a.dtype));
    } else {
      TUFF_TRY(lexer_.expect("bytes"));
      TUFF_TRY(lexer_.expect("("));
      if (lexer_.peek().text == "hash")
        return lexer_.error(
            "the text has a hash of this constant and not its bytes, so the graph cannot be read back "
            "(print it with full constants)");
      TUFF_ASSIGN(a.data.bytes, hex_bytes());
    }
    TUFF_TRY(lexer_.expect(")"));
    return Attrs(std::move(a));
  }

  Result<Bytes> listed_elements(Dtype dtype) {
    auto storage = std::make_shared<std::string>();
    while (!(lexer_.peek().kind == TokenKind::kPunctuation && lexer_.peek().text == ")")) {
      TUFF_ASSIGN(uint64_t bits, parse_element(lexer_, dtype));
      storage->append(reinterpret_cast<const char*>(&bits), static_cast<size_t>(dtype_size_bytes(dtype)));
      if (!lexer_.accept(",")) break;
    }
    return bytes_from_string(std::move(storage));
  }

  Result<Bytes> hex_bytes() {
    TUFF_ASSIGN(std::string hex, lexer_.expect_string());
    auto storage = std::make_shared<std::string>(hex.size() / 2, '\0');
    bool whole = hex.size() % 2 == 0;
    for (size_t i = 0; whole && i < storage->size(); ++i) {
      unsigned char byte = 0;
      const char* end = hex.data() + 2 * i + 2;
      whole = std::from_chars(end - 2, end, byte, 16).ptr == end;
      (*storage)[i] = static_cast<char>(byte);
    }
    if (!whole) return lexer_.error("the constant's bytes are not pairs of hexadecimal digits");
    return bytes_from_string(std::move(storage));
  }

  Lexer lexer_;
  Graph graph_;
  std::vector<std::string> counts_;  // by data_sizes: the name of the output that says it
  std::map<std::string, IntExpr> symbols_;
  std::unordered_map<ValueId, Value> values_;
};

}  // namespace

Result<Graph> parse_graph(std::string_view text, const std::string& source_name) {
  return GraphParser(text, source_name).parse();
}

}  // namespace tuff
